#include <capstan/autograd/record.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/ops/index_add.h>
#include <capstan/autograd/row_places.h>
#include <capstan/autograd/tape_state.h>
#include <capstan/core/axes.h>
#include <capstan/core/compute.h>
#include <capstan/core/grad_mode.h>
#include <capstan/core/pool.h>
#include <capstan/core/text.h>

// What record() and a rule's Inputs do. begin_node() makes the node of an operation on the running tape; while gradients() runs, add()
// and its kin put a rule's results into the slots of the inputs.

namespace capstan {

using detail::fail;
using detail::Header;
using detail::Slot;

bool detail::higher_order() noexcept { return running_tape != 0 && thread_tapes.current->options.higher_order; }

void Saved::changed() const {
  const char* op = detail::thread_tapes.op;
  fail<ValueError>(op ? op : "saved", "a tensor that the gradient needs was changed in place: ", tensor_.shape(), ", version ", version_,
                   " when recorded, now ", tensor_.version(), " (change a clone(), or call gradients() first)");
}

void* detail::begin_node(const char* op, const Tensor& out, const Tensor* const* inputs, int count, const RuleType* type) {
  TapeState& s = *thread_tapes.current;
  Header* h = out.header();
  const std::size_t bytes = sizeof(Node) + type->size + (static_cast<std::size_t>(count) + (h->dim > 2 ? h->dim : 2)) * 8;
  auto* n = static_cast<Node*>(s.arena.reserve(bytes));
  n->type = type;  // from here on the node keeps them: there are few registers
  n->op = op;
  auto** edges = reinterpret_cast<Slot**>(reinterpret_cast<char*>(n + 1) + type->size);
  bool any = false;
  for (int i = 0; i < count; ++i) any |= (edges[i] = s.edge_of(*inputs[i], n->op, i)) != nullptr;
  if (s.attention != 0) [[unlikely]]
    any = s.observe_forward(n, n->op, out, inputs, count, edges) && any;
  if (!any) [[unlikely]]
    return nullptr;  // no input wants a gradient
  n->before = s.last;
  ::new (&n->out) Tensor();
  ::new (&n->slot.gradient) Tensor();
  auto* sizes = reinterpret_cast<std::int64_t*>(edges + count);
  copy_sizes(sizes, h->sizes, h->dim);
  n->slot.sizes = sizes;
  n->slot.numel = h->numel;
  n->slot.kind = *h;
  n->slot.kind.flags = 0;
  if (h->owner) [[unlikely]]
    n->slot.kind.size_class = static_cast<std::uint8_t>(block_class(h->dtype, h->numel));
  if (n->type->wants_out) [[unlikely]] {
    n->out = out;
    n->slot.version = out.version();
  }
  s.arena.keep(bytes);
  s.last = n;
  ++s.nodes;
  h->tape = s.serial;
  h->node = n;
  return n->closure();
}

namespace {

bool shared(const Tensor& t) noexcept { return t.header()->owner || __atomic_load_n(&t.header()->refs, __ATOMIC_ACQUIRE) > 1; }

[[noreturn, gnu::cold]] void no_higher_order(const char* op) {
  fail<ValueError>(op,
                   "the gradient rule computes outside the recording, so that its result has no gradient (write it with operations, "
                   "without pointers, place() and NoGrad)");
}

void accumulate(const char* op, Tensor& to, Tensor g) {
  if (!to.defined())
    to = std::move(g);
  else if (shared(to))
    to = kernels::binary(op, kernels::Binary::add, to, g);
  else {
    detail::clear_finite(to);  // which is changed
    kernels::binary_in_place(op, kernels::Binary::add, to, g);
  }
}

/// The same on a tape of higher order.
void accumulate_recorded(const char* op, detail::TapeState* tape, Tensor& to, Tensor g) {
  if (g.header()->tape != tape->serial && !tape->knows_leaf(g.header())) no_higher_order(op);
  const detail::Pause others(tape);
  to = to.defined() ? to + g : std::move(g);
}

/// kernels::sum_to(), recorded.
Tensor recorded_sum_to(const Tensor& g, const Shape& shape) {
  std::vector<int> axes;
  const int before = g.dim() - shape.dim();
  for (int i = 0; i < g.dim(); ++i)
    if (i < before || (shape[i - before] == 1 && g.size(i) != 1)) axes.push_back(i);
  return reshape(sum(g, axes, true), shape);
}

/// Whether g has the shape that an input's gets when it is broadcast.
bool is_broadcast_of(const Tensor& g, const detail::Slot& input) {
  const int before = g.dim() - input.kind.dim;
  if (before < 0) return false;
  for (int i = 0; i < input.kind.dim; ++i)
    if (input.sizes[i] != 1 && input.sizes[i] != g.size(before + i)) return false;
  return true;
}

}  // namespace

void Inputs::add(int i, Tensor g) {
  Slot* const to = edges_[i];
  if (!to) return;
  const Header* h = g.header();
  if (!recorded_ && !to->gradient.defined() && h->dtype == to->kind.dtype && to->has_shape_of(h)) [[likely]]
    ::new (&to->gradient) Tensor(std::move(g));  // what was there held nothing
  else
    add_to_other(i, std::move(g));
}

void Inputs::add_to_other(int i, Tensor g) {
  Slot& to = *edges_[i];
  if (!to.has_shape_of(g.header())) [[unlikely]]
    fail<ShapeError>(op_, "the gradient for input ", i, " must have the input's shape: ", g.shape(), ", the input is ", to.shape());
  if (g.dtype() != to.kind.dtype) [[unlikely]]
    fail<ValueError>(op_, "the gradient for input ", i, " must have the input's dtype: ", g.dtype(), ", the input is ", to.kind.dtype);
  if (recorded_) [[unlikely]]
    return accumulate_recorded(op_, tape_, to.gradient, std::move(g));
  accumulate(op_, to.gradient, std::move(g));
}

void Inputs::add_reduced(int i, Tensor g) {
  if (!wants(i)) return;
  const Slot& to = *edges_[i];
  if (to.has_shape_of(g.header()))
    add(i, std::move(g));
  else if (!is_broadcast_of(g, to))
    add_to_other(i, std::move(g));  // which refuses it
  else
    add(i, recorded() ? recorded_sum_to(g, to.shape()) : kernels::sum_to(g, to.shape()));
}

void Inputs::add_rows(int i, const Tensor& index, const Tensor& values) {
  if (!wants(i)) return;
  Slot& to = *edges_[i];
  const Shape shape = to.shape();
  detail::require_rows(op_, "input", static_cast<std::size_t>(i), index, values, shape, to.kind.dtype);
  const bool leaf = (to.kind.flags & detail::kLeaf) != 0, first = !to.gradient.defined();
  if (!recorded_ && leaf && first) return tape_->sparse.push_back({&to, index, values});
  if (recorded_ || first) return add(i, detail::index_add(shape, 0, index, values));
  if (leaf) tape_->add_sparse(to);  // in the order in which they came
  const Place sum = place(i);
  kernels::dispatch(values, [&]<class T>(T*) {
    detail::add_lines(static_cast<T*>(sum.data), kernels::split_at(to.gradient, 0), index, kernels::data_of<T>(values));
  });
}

Inputs::Place Inputs::place(int i) {
  if (recorded()) [[unlikely]]
    no_higher_order(op_);
  Slot& to = *edges_[i];
  if (!to.gradient.defined()) [[likely]] {
    Header* h = detail::new_block(to.kind, to.numel);
    detail::copy_sizes(h->sizes, to.sizes, to.kind.dim);
    ::new (&to.gradient) Tensor(Tensor::adopt(h));  // what was there held nothing
    return {h->data, false};
  }
  if (shared(to.gradient)) to.gradient = to.gradient.clone();
  detail::clear_finite(to.gradient);
  return {to.gradient.header()->data, true};
}

void Inputs::found_finite(int i) noexcept {
  const Slot& to = *edges_[i];
  if (to.kind.flags & detail::kLeaf) to.gradient.header()->flags |= detail::kFinite;
}

Shape Inputs::shape(int i) const { return edges_[i]->shape(); }

}  // namespace capstan
