#include <capstan/autograd/tape.h>

#include <capstan/autograd/tape_state.h>
#include <capstan/core/create.h>
#include <capstan/core/grad_mode.h>
#include <capstan/core/pool.h>
#include <capstan/core/text.h>

#include <algorithm>
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

Arena::~Arena() {
  for (const Chunk& c : chunks_) std::free(c.data);
}

void Arena::next_chunk(std::size_t bytes) {
  while (used_ < chunks_.size() && chunks_[used_].size < bytes) ++used_;
  if (used_ == chunks_.size()) {
    const std::size_t size = std::max(bytes, std::size_t{64} << 10);
    chunks_.reserve(used_ + 1);
    void* data = std::malloc(size);
    if (!data) throw std::bad_alloc();
    chunks_.push_back({static_cast<char*>(data), size});
  }
  next_ = chunks_[used_].data;
  end_ = next_ + chunks_[used_++].size;
}

TapeLeaf* TapeState::add_leaf(Header* h) {
  if (h->leaf >= known.size()) [[unlikely]]
    known.resize(h->leaf + 1);
  auto* leaf = ::new (leaf_arena.reserve(sizeof(TapeLeaf))) TapeLeaf{h, nullptr, {{}, h->sizes, h->numel, *h}};
  leaf_arena.take(sizeof(TapeLeaf));
  if (h->owner) [[unlikely]]
    leaf->slot.kind.size_class = static_cast<std::uint8_t>(block_class(h->dtype, h->numel));
  retain(h);
  (last_leaf ? last_leaf->next : first_leaf) = leaf;
  last_leaf = leaf;
  ++leaves;
  known[h->leaf] = {serial, leaf};
  return leaf;
}

void TapeState::check_outer(const Tensor& x, const char* op, int input) const {
  for (const TapeState* s = outer; s; s = s->outer)
    if (x.header()->tape == s->serial) return;  // a constant for this tape
  fail<ValueError>(op, "input ", input, " was recorded on a tape that has ended or runs on another thread: ", x.shape(),
                   " (take its value as a constant with detach())");
}

void TapeState::drop_all() noexcept {
  while (last) drop_last();
  for (TapeLeaf* l = first_leaf; l; l = l->next) {
    l->slot.gradient.~Tensor();
    release(l->tensor);
  }
  first_leaf = last_leaf = nullptr;
  leaves = 0;
  watched.clear();
  arena.clear();
  leaf_arena.clear();
}

void TapeState::clear_gradients() noexcept {
  for (Node* n = last; n; n = n->before) n->slot.gradient = Tensor();
  for (TapeLeaf* l = first_leaf; l; l = l->next) l->slot.gradient = Tensor();
}

}  // namespace detail

Tape::Tape(TapeOptions options) {
  ThreadTapes& thread = thread_tapes;
  TapeState* state = thread.free;
  if (state) [[likely]]
    thread.free = state->outer;
  else
    state = detail::new_state();
  state->serial = detail::new_serial(thread);
  state->thread = &thread;
  state->options = options;
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
  if (state->last || state->first_leaf) state->drop_all();
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
  detail::TapeLeaf* leaf = state_->leaf_of(x.header());
  if (x.header()->tape != state_->serial || state_->spent) return;
  // Recorded here already: gradients flow through its node, and a copy of what gathers there is kept.
  detail::Node* node = x.header()->node;
  if (!(node->slot.kind.flags & detail::kWatched)) state_->watched.push_back({node, leaf});
  node->slot.kind.flags |= detail::kWatched;
}

Gradients Tape::gradients(const Tensor& loss, GradientOptions options) {
  TapeState& state = *state_;
  if (state.thread != &thread_tapes) fail<ValueError>("gradients", "a tape must be used on the thread that began it");
  if (loss.numel() != 1) fail<ShapeError>("gradients", "the loss must have one element: ", loss.shape(), " (take its sum() or mean())");
  if (state.spent)
    fail<ValueError>("gradients", "the recording is spent: gradients() was called before (keep it with gradients(loss, {.keep = true}))");
  detail::Header* h = loss.header();
  detail::Slot* slot = nullptr;
  detail::Node* node = nullptr;
  if (h->tape == state.serial)
    slot = &(node = h->node)->slot;
  else if ((h->flags & detail::kRequiresGrad) || state.knows_leaf(h))
    slot = &state.leaf_of(h)->slot;
  else if (h->tape != 0)
    fail<ValueError>("gradients", "the loss was recorded on another tape");
  if (!slot)
    fail<ValueError>(
        "gradients",
        "no tensor that wants a gradient reaches the loss (was it computed under this tape, outside NoGrad, from parameters?)");
  return state.run(loss, *slot, node, options.keep);
}

Tensor Tape::gradient(const Tensor& y, const Tensor& x) {
  if (x.header()->tape == state_->serial) watch(x);
  return gradients(y, {.keep = true})[x];
}

namespace detail {

void TapeState::run_node(Node& n) {
  const Tensor dy = std::move(n.slot.gradient);
  thread_tapes.op = n.op;
  if (n.slot.kind.flags & kWatched) [[unlikely]]
    for (const Watched& w : watched)
      if (w.node == &n) w.leaf->slot.gradient = dy;
  if (n.type->wants_out && n.out.version() != n.slot.version) [[unlikely]]
    fail<ValueError>(n.op, "the result, which the gradient needs, was changed in place: ", n.out.shape(), ", version ", n.slot.version,
                     " when recorded, now ", n.out.version(), " (change a clone())");
  Inputs dx(n.edges(), n.count(), n.op, thread_tapes.current);
  n.type->run(n.closure(), n.out, dy, dx);
}

Gradients TapeState::take_gradients(const Tensor& loss) {
  GradientTable* table = new_gradient_table(leaves);
  Gradients result(table);
  const Header* h = loss.header();
  table->loss = h->dtype == DType::f32 ? static_cast<double>(*static_cast<float*>(h->data)) : *static_cast<double*>(h->data);
  bool sorted = true;
  std::uint32_t before = 0;
  for (TapeLeaf* l = first_leaf; l; l = l->next) {
    if (!l->slot.gradient.defined()) continue;
    make_own(l->slot.gradient);
    sorted = sorted && before <= l->tensor->leaf;
    before = l->tensor->leaf;
    table->add(l->tensor->generation, before, std::move(l->slot.gradient));
  }
  if (!sorted) sort(*table);
  return result;
}

void TapeState::begin_gradient(const Tensor& loss, Slot& slot) {
  Header* one = new_block_like(loss.header());
  slot.gradient = Tensor::adopt(one);
  if (one->dtype == DType::f32)
    *static_cast<float*>(one->data) = 1;
  else
    *static_cast<double*>(one->data) = 1;
  if (running_tape == 0) return;
  make_leaf(slot.gradient);  // all that follows from it is recorded, and a rule whose work is not shows (Inputs::add)
  add_leaf(one)->slot.kind.flags = kSeed;
}

/// What take_gradients() would copy, copied by a recorded operation.
void TapeState::own_recorded_gradients() {
  for (TapeLeaf* l = first_leaf; l; l = l->next) {
    Tensor& g = l->slot.gradient;
    if (l->slot.kind.flags & kSeed) g = Tensor();
    if (g.defined() && (g.header()->owner || __atomic_load_n(&g.header()->refs, __ATOMIC_ACQUIRE) > 1))
      g = record("gradient", g.clone(), {g}, [](const Tensor& dy, Inputs& dx) { dx.add(0, dy); });
  }
}

Gradients TapeState::run(const Tensor& loss, Slot& slot, Node* node, bool keep) {
  const bool recorded = options.higher_order && running_tape != 0;
  keep = keep || options.higher_order;
  const Pause pause(recorded ? this : nullptr);  // else rules compute and are not recorded
  try {
    begin_gradient(loss, slot);
    if (keep) {
      for (Node* n = node; n; n = n->before)
        if (n->slot.gradient.defined()) run_node(*n);
    } else {
      while (last != node) drop_last();
      for (; last; drop_last())
        if (last->slot.gradient.defined()) run_node(*last);
    }
    if (recorded) own_recorded_gradients();
    Gradients result = take_gradients(loss);
    if (!keep) {
      drop_all();
      spent = true;
    }
    thread_tapes.op = nullptr;
    return result;
  } catch (...) {
    clear_gradients();
    drop_all();
    spent = true;
    thread_tapes.op = nullptr;
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
