#include <capstan/autograd/tape.h>

#include <capstan/autograd/tape_state.h>
#include <capstan/core/create.h>
#include <capstan/core/grad_mode.h>
#include <capstan/core/pool.h>
#include <capstan/core/text.h>

#include <atomic>
#include <cstdlib>
#include <exception>

namespace capstan {

using detail::fail;
using detail::TapeState;
using detail::thread_tapes;
using detail::ThreadTapes;

namespace detail {

constinit thread_local ThreadTapes thread_tapes;

namespace {

// Frees this thread's spare tapes when it ends.
struct ThreadEnd {
  bool armed = false;
  ~ThreadEnd() {
    while (TapeState* state = thread_tapes.free) {
      thread_tapes.free = state->outer;
      delete state;
    }
  }
};
thread_local ThreadEnd thread_end;

TapeState* new_state() {
  thread_end.armed = true;
  return new TapeState;
}

// Serials are unique in the process: each thread takes 2^32 of them at a time.
std::uint64_t new_serial(ThreadTapes& thread) noexcept {
  if (thread.next_serial == thread.last_serial) {
    static std::atomic<std::uint64_t> next{1};
    thread.next_serial = next.fetch_add(std::uint64_t{1} << 32);
    thread.last_serial = thread.next_serial + (std::uint64_t{1} << 32);
  }
  return thread.next_serial++;
}

}  // namespace

void set_current(TapeState* state) noexcept {
  thread_tapes.current = state;
  running_tape = state ? state->serial : 0;
}

TapeState::~TapeState() {
  drop_nodes(0);
  for (Node* c : chunks) std::free(c);
}

Node& TapeState::new_node() {
  if (nodes / chunk == chunks.size()) {
    chunks.reserve(chunks.size() + 1);
    auto* c = static_cast<Node*>(std::aligned_alloc(64, sizeof(Node) * chunk));
    if (!c) throw std::bad_alloc();
    chunks.push_back(c);
  }
  return node(nodes);
}

std::uint32_t TapeState::add_leaf(const Tensor& x) {
  const std::uint32_t leaf = x.header()->leaf;
  if (leaf >= leaf_slots.size()) leaf_slots.resize(leaf + 1);
  LeafSlot& slot = leaf_slots[leaf];
  if (slot.serial != serial) {
    leaves.push_back({x, {}});
    slot = {serial, static_cast<std::uint32_t>(leaves.size() - 1)};
  }
  return slot.index | leaf_bit;
}

void TapeState::check_outer(const Tensor& x, const char* op, int input) const {
  for (const TapeState* s = outer; s; s = s->outer)
    if (x.header()->tape == s->serial) return;  // a constant for this tape
  fail<ValueError>(op, "input ", input, " was recorded on a tape that has ended or runs on another thread: ", x.shape(),
                   " (take its value as a constant with detach())");
}

void TapeState::drop_nodes(std::uint32_t size) noexcept {
  while (nodes > size) drop_node(node(--nodes));
  if (size > 0) return;
  edges.clear();
  dims.clear();
  leaves.clear();
  kept.clear();
}

void TapeState::clear_gradients() noexcept {
  for (std::uint32_t i = 0; i < nodes; ++i) node(i).adjoint = Tensor();
  for (TapeLeaf& l : leaves) l.gradient = Tensor();
}

}  // namespace detail

Tape::Tape() {
  ThreadTapes& thread = thread_tapes;
  TapeState* state = thread.free;
  if (state) [[likely]]
    thread.free = state->outer;
  else
    state = detail::new_state();
  state->serial = detail::new_serial(thread);
  state->thread = &thread;
  state->spent = false;
  state->outer = thread.innermost;
  state->resumes = thread.current;
  thread.innermost = state;
  detail::set_current(state);
  state_ = state;
}

Tape::~Tape() noexcept(false) {
  TapeState* const state = state_;
  ThreadTapes& thread = thread_tapes;
  const bool unwinding = std::uncaught_exceptions() > 0;
  if (state->thread != &thread) [[unlikely]] {
    if (unwinding) return;
    fail<ValueError>("Tape", "a tape must end on the thread that began it");
  }
  const bool in_order = thread.innermost == state;
  if (in_order) [[likely]] {
    thread.innermost = state->outer;
    detail::set_current(state->resumes);
  } else {
    for (TapeState* s = thread.innermost; s; s = s->outer) {
      if (s->outer == state) s->outer = state->outer;
      if (s->resumes == state) s->resumes = state->resumes;
    }
    if (thread.current == state) detail::set_current(state->resumes);
  }
  if (state->nodes > 0 || !state->leaves.empty()) state->drop_nodes(0);
  state->outer = thread.free;
  thread.free = state;
  if (!in_order && !unwinding) [[unlikely]]
    fail<ValueError>("Tape", "tapes must end in the reverse order of their beginning: an inner one is still there");
}

std::size_t Tape::size() const noexcept { return state_->nodes; }

void Tape::watch(const Tensor& x) {
  if (state_->thread != &thread_tapes) fail<ValueError>("watch", "a tape must be used on the thread that began it");
  if (!is_floating(x.dtype())) fail<ValueError>("watch", "only f32 and f64 carry gradients: ", x.dtype(), " ", x.shape());
  detail::make_leaf(x);
  const std::uint32_t leaf = state_->add_leaf(x) & ~detail::leaf_bit;
  if (x.header()->tape != state_->serial) return;
  // Recorded here already: gradients flow through its node, which leaves a copy of its adjoint.
  detail::Node& node = state_->node(x.header()->node);
  if (!node.kept) state_->kept.push_back({x.header()->node, leaf});
  node.kept = true;
}

Gradients Tape::gradients(const Tensor& loss, GradientOptions options) {
  TapeState& state = *state_;
  if (state.thread != &thread_tapes) fail<ValueError>("gradients", "a tape must be used on the thread that began it");
  if (loss.numel() != 1) fail<ShapeError>("gradients", "the loss must have one element: ", loss.shape(), " (take its sum() or mean())");
  if (state.spent)
    fail<ValueError>("gradients", "the recording is spent: gradients() was called before (keep it with gradients(loss, {.keep = true}))");
  const detail::Header* h = loss.header();
  std::uint32_t edge = detail::no_edge;
  if (h->tape == state.serial)
    edge = h->node;
  else if ((h->flags & detail::kRequiresGrad) || state.knows_leaf(h))
    edge = state.add_leaf(loss);
  else if (h->tape != 0)
    fail<ValueError>("gradients", "the loss was recorded on another tape");
  if (edge == detail::no_edge)
    fail<ValueError>(
        "gradients",
        "no tensor that wants a gradient reaches the loss (was it computed under this tape, outside NoGrad, from parameters?)");
  return state.run(loss, edge, options.keep);
}

Tensor Tape::gradient(const Tensor& y, const Tensor& x) {
  if (x.header()->tape == state_->serial) watch(x);
  return gradients(y, {.keep = true})[x];
}

namespace detail {

Gradients TapeState::run(const Tensor& loss, std::uint32_t edge, bool keep) {
  struct Pause {  // rules compute, they are not recorded
    TapeState* current = thread_tapes.current;
    Pause() { set_current(nullptr); }
    ~Pause() {
      set_current(current);
      thread_tapes.op = nullptr;
    }
  } const pause;
  try {
    Tensor one = Tensor::adopt(new_block(loss.dtype(), loss.shape()));
    if (loss.dtype() == DType::f32)
      *static_cast<float*>(one.header()->data) = 1;
    else
      *static_cast<double*>(one.header()->data) = 1;
    if (edge & leaf_bit) {
      leaves[edge & ~leaf_bit].gradient = std::move(one);
    } else {
      node(edge).adjoint = std::move(one);
      if (!keep) drop_nodes(edge + 1);
      for (std::uint32_t i = edge + 1; i-- > 0;) {
        Node& n = node(i);
        if (n.adjoint.defined()) {
          const Tensor dy = std::move(n.adjoint);
          thread_tapes.op = n.op;
          if (n.kept) [[unlikely]]
            for (const Kept& k : kept)
              if (k.node == i) leaves[k.leaf].gradient = dy;
          if (n.type->wants_out && n.out.version() != n.out_version) [[unlikely]]
            fail<ValueError>(n.op, "the result, which the gradient needs, was changed in place: ", n.out.shape(), ", version ",
                             n.out_version, " when recorded, now ", n.out.version(), " (change a clone())");
          Inputs dx(this, edges.data() + n.first_edge, n.edges, n.op);
          n.type->run(n.closure, n.out, dy, dx);
        }
        if (!keep) {
          nodes = i;
          drop_node(n);
        }
      }
    }
    std::uint32_t count = 0;
    for (const TapeLeaf& l : leaves) count += l.gradient.defined();
    GradientTable* table = new_gradient_table(count);
    Gradients result(table);
    table->loss = loss.item();
    GradientTable::Entry* e = table->entries();
    for (TapeLeaf& l : leaves)
      if (l.gradient.defined()) {
        e->generation = l.tensor.header()->generation;
        e->leaf = l.tensor.header()->leaf;
        e->gradient = std::move(l.gradient);
        ++e;
      }
    finish(*table);
    if (!keep) {
      drop_nodes(0);
      spent = true;
    }
    return result;
  } catch (...) {
    clear_gradients();
    drop_nodes(0);
    spent = true;
    throw;
  }
}

}  // namespace detail

NoGrad::NoGrad() noexcept : paused_(thread_tapes.current), serial_(detail::running_tape) { detail::set_current(nullptr); }

NoGrad::~NoGrad() {
  TapeState* open = thread_tapes.innermost;
  while (open && !(open == paused_ && open->serial == serial_)) open = open->outer;
  detail::set_current(open);
}

}  // namespace capstan
