#include <capstan/autograd/record.h>

#include <capstan/autograd/tape_state.h>
#include <capstan/core/compute.h>
#include <capstan/core/grad_mode.h>
#include <capstan/core/pool.h>
#include <capstan/core/text.h>

namespace capstan {

using detail::fail;
using detail::Header;
using detail::TapeState;

void Saved::changed() const {
  const char* op = detail::thread_tapes.op;
  fail<ValueError>(op ? op : "saved", "a tensor that the gradient needs was changed in place: ", tensor_.shape(), ", version ", version_,
                   " when recorded, now ", tensor_.version(), " (change a clone(), or call gradients() first)");
}

void* detail::begin_node(const char* op, const Tensor& out, const Tensor* const* inputs, int count, const RuleType* type) {
  TapeState* const state = thread_tapes.current;
  if (!state) return nullptr;
  TapeState& s = *state;
  std::uint32_t* const edges = s.edges.reserve(static_cast<std::uint32_t>(count));
  std::uint32_t all = no_edge;
  for (int i = 0; i < count; ++i) all &= edges[i] = s.edge_of(*inputs[i], op, i);
  if (all == no_edge) return nullptr;  // no input wants a gradient
  if (s.spent) [[unlikely]]
    fail<ValueError>(op, "the tape's recording is spent: begin a new Tape for the next step");
  Node& n = s.new_node();
  Header* h = out.header();
  std::int64_t* const dims = s.dims.reserve(h->dim);
  for (int i = 0; i < h->dim; ++i) dims[i] = h->sizes[i];
  n.type = type;
  n.op = op;
  ::new (&n.adjoint) Tensor();
  ::new (&n.out) Tensor();
  if (type->wants_out) {
    n.out = out;
    n.out_version = out.version();
  }
  n.first_edge = s.edges.size();
  n.first_dim = s.dims.size();
  n.dtype = h->dtype;
  n.dim = h->dim;
  n.edges = static_cast<std::uint8_t>(count);
  n.kept = false;
  s.edges.add(static_cast<std::uint32_t>(count));
  s.dims.add(h->dim);
  h->tape = s.serial;
  h->node = s.nodes++;
  return n.closure;
}

namespace {

/// Where the gradient for one edge gathers, and what shape and dtype it must have.
struct Target {
  Tensor* gradient;
  const std::int64_t* sizes;
  int dim;
  DType dtype;
};

Target target_of(TapeState& s, std::uint32_t edge) noexcept {
  if (edge & detail::leaf_bit) {
    detail::TapeLeaf& leaf = s.leaves[edge & ~detail::leaf_bit];
    const Header* h = leaf.tensor.header();
    return {&leaf.gradient, h->sizes, h->dim, h->dtype};
  }
  detail::Node& n = s.node(edge);
  return {&n.adjoint, s.dims.data() + n.first_dim, n.dim, n.dtype};
}

bool same_sizes(const Target& t, const Header* h) noexcept {
  if (h->dim != t.dim) return false;
  for (int i = 0; i < t.dim; ++i)
    if (h->sizes[i] != t.sizes[i]) return false;
  return true;
}

bool shared(const Tensor& t) noexcept { return t.header()->owner || __atomic_load_n(&t.header()->refs, __ATOMIC_ACQUIRE) > 1; }

}  // namespace

void Inputs::add(int i, Tensor g) {
  if (!wants(i)) return;
  const Target t = target_of(*state_, edges_[i]);
  if (!same_sizes(t, g.header())) [[unlikely]]
    fail<ShapeError>(op_, "the gradient for input ", i, " must have the input's shape: ", g.shape(), ", the input is ",
                     Shape(t.sizes, t.dim));
  if (g.dtype() != t.dtype) [[unlikely]]
    fail<ValueError>(op_, "the gradient for input ", i, " must have the input's dtype: ", g.dtype(), ", the input is ", t.dtype);
  if (!t.gradient->defined())
    *t.gradient = std::move(g);
  else if (shared(*t.gradient))
    *t.gradient = kernels::binary(op_, kernels::Binary::add, *t.gradient, g);
  else
    kernels::binary_in_place(op_, kernels::Binary::add, *t.gradient, g);
}

void Inputs::add_reduced(int i, const Tensor& g) {
  if (!wants(i)) return;
  const Target t = target_of(*state_, edges_[i]);
  if (same_sizes(t, g.header())) return add(i, g);
  add(i, kernels::sum_to(g, Shape(t.sizes, t.dim)));
}

Inputs::Place Inputs::place(int i) {
  const Target t = target_of(*state_, edges_[i]);
  const bool accumulate = t.gradient->defined();
  if (!accumulate) {
    std::int64_t n = 1;
    for (int k = 0; k < t.dim; ++k) n *= t.sizes[k];
    Header* h = detail::new_block(t.dtype, n);
    h->dim = static_cast<std::uint8_t>(t.dim);
    for (int k = 0; k < t.dim; ++k) h->sizes[k] = t.sizes[k];
    *t.gradient = Tensor::adopt(h);
  } else if (shared(*t.gradient))
    *t.gradient = t.gradient->clone();
  return {t.gradient->header()->data, accumulate};
}

Shape Inputs::shape(int i) const {
  const Target t = target_of(*state_, edges_[i]);
  return Shape(t.sizes, t.dim);
}

}  // namespace capstan
