#include <capstan/autograd/tape.h>

#include <capstan/autograd/tape_state.h>
#include <capstan/core/create.h>
#include <capstan/core/grad_mode.h>
#include <capstan/core/pool.h>
#include <capstan/core/text.h>

#include <atomic>
#include <exception>

// The life of a tape: taken from the thread's spare ones, made the running one, filled by record(), emptied at its end. Also where
// gradients() begins and what it refuses. What a tape holds is tape_state.cpp's, the way back is backward.cpp's.

namespace capstan {

using detail::fail;
using detail::TapeState;
using detail::thread_tapes;
using detail::ThreadTapes;

namespace detail {
namespace {

// Frees this thread's spare tapes when it ends.
struct TapesEnd {
  bool armed = false;
  ~TapesEnd() {
    thread_tapes.ended = true;
    while (TapeState* state = thread_tapes.free) {
      thread_tapes.free = state->outer;
      delete state;
    }
  }
};
thread_local TapesEnd tapes_end;

TapeState* new_state() {
  tapes_end.armed = true;
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
}  // namespace detail

Tape::Tape(TapeOptions options) {
  ThreadTapes& thread = thread_tapes;
  TapeState* state = thread.free;
  if (!state) [[unlikely]]
    state = thread.free = detail::new_state();
  const bool observed = options.check_finite || options.profile;
  if (observed) [[unlikely]]
    state->observer = std::make_unique<detail::Observer>();  // while the state is still in the list
  thread.free = state->outer;
  state->serial = detail::new_serial(thread);
  state->thread = &thread;
  state->options = options;
  state->attention = static_cast<std::uint8_t>(observed * detail::kObserved);
  state->outer = thread.innermost;
  state->resumes = thread.current;
  thread.innermost = state;
  detail::set_current(state);
  state_ = state;
}

Tape::~Tape() noexcept(false) {
  TapeState* const state = state_;
  ThreadTapes& thread = thread_tapes;
  if (state->thread != &thread) [[unlikely]] {
    if (std::uncaught_exceptions() > 0) return;
    fail<ValueError>("Tape", "a tape must end on the thread that began it");
  }
  const bool in_order = thread.innermost == state;
  if (in_order) [[likely]] {
    thread.innermost = state->outer;
    detail::set_current(detail::unspent(state->resumes));
  } else {
    for (TapeState* s = thread.innermost; s; s = s->outer) {
      if (s->outer == state) s->outer = state->outer;
      if (s->resumes == state) s->resumes = state->resumes;
    }
    if (thread.current == state) detail::set_current(detail::unspent(state->resumes));
  }
  if (state->last || state->first_leaf) [[unlikely]]  // else gradients() has done so
    state->drop_all();
  if (thread.ended) [[unlikely]] {  // in the destructor of another thread_local or static: nobody frees spare ones any more
    delete state;
  } else {
    state->outer = thread.free;
    thread.free = state;
  }
  if (!in_order && std::uncaught_exceptions() == 0) [[unlikely]]
    fail<ValueError>("Tape", "tapes must end in the reverse order of their beginning: an inner one is still there");
}

std::size_t Tape::size() const noexcept { return state_->nodes; }

void Tape::watch(const Tensor& x) {
  if (state_->thread != &thread_tapes) fail<ValueError>("watch", "a tape must be used on the thread that began it");
  if (!is_floating(x.dtype())) fail<ValueError>("watch", "only f32 and f64 carry gradients: ", x.dtype(), " ", x.shape());
  if (state_->attention & detail::kSpent) return;  // nothing is recorded any more
  detail::make_leaf(x);
  detail::TapeLeaf* leaf = state_->leaf_of(x.header());
  if (x.header()->tape != state_->serial) return;
  // Recorded here already: gradients flow through its node, and a copy of what gathers there is kept.
  detail::Node* node = x.header()->node;
  if (!(node->slot.kind.flags & detail::kWatched)) state_->watched.push_back({node, leaf});
  node->slot.kind.flags |= detail::kWatched;
}

namespace {

[[noreturn, gnu::cold]] void in_a_hook(const char* op) {
  fail<ValueError>(op, "a hook must not use the tape whose gradients() calls it (compute on another Tape)");
}

/// Where gradients() begins.
struct Start {
  detail::Slot* slot;
  detail::Node* node;  // null for a leaf
};

Start start_of(TapeState& state, const Tensor& loss, bool may_be_constant = false) {
  if (state.thread != &thread_tapes) fail<ValueError>("gradients", "a tape must be used on the thread that began it");
  if (state.running) [[unlikely]]
    in_a_hook("gradients");
  if (loss.numel() != 1) fail<ShapeError>("gradients", "the loss must have one element: ", loss.shape(), " (take its sum() or mean())");
  if (state.attention & detail::kSpent) [[unlikely]]
    fail<ValueError>("gradients", "the recording is spent: gradients() was called before (keep it with gradients(loss, {.keep = true}))");
  detail::Header* h = loss.header();
  if (h->tape == state.serial) [[likely]]
    return {&h->node->slot, h->node};
  if ((h->flags & detail::kRequiresGrad) || state.knows_leaf(h)) return {&state.leaf_of(h)->slot, nullptr};
  if (h->tape != 0) {
    const detail::TapeState* other = thread_tapes.innermost;
    while (other && other->serial != h->tape) other = other->outer;
    fail<ValueError>("gradients", "the loss was recorded on ",
                     other ? "another tape, which still runs (ask that one)" : "a tape that has ended, or is another thread's");
  }
  if (may_be_constant) return {nullptr, nullptr};
  fail<ValueError>("gradients",
                   "no tensor that wants a gradient reaches the loss (was it computed under this tape, outside NoGrad, from parameters?)");
}

}  // namespace

namespace {

Gradients chosen_gradients(Tape& tape, const Start& start, const Tensor& loss, const Tensor* inputs, std::size_t count, bool keep) {
  TapeState& state = tape.state();
  struct Unwatch {  // what is watched for this call alone
    TapeState& state;
    std::size_t before;
    ~Unwatch() {
      for (; state.watched.size() > before; state.watched.pop_back()) {
        std::uint8_t& flags = state.watched.back().node->slot.kind.flags;
        flags = static_cast<std::uint8_t>(flags & ~detail::kWatched);
      }
    }
  } const unwatch{state, state.watched.size()};
  for (std::size_t i = 0; i < count; ++i) {
    const Tensor& t = inputs[i];
    if (t.header()->tape == state.serial)
      tape.watch(t);
    else if (!t.requires_grad() && !state.knows_leaf(t.header()))
      fail<ValueError>("gradients", "input ", i, " is a constant to this tape: ", t.dtype(), " ", t.shape(),
                       " (see set_requires_grad() and watch())");
  }
  return state.run_chosen(loss, *start.slot, start.node, keep, inputs, count);
}

}  // namespace

Gradients Tape::gradients(const Tensor& loss, const GradientOptions& options) {
  const Start start = start_of(*state_, loss);
  if (options.inputs.empty()) [[likely]]
    return state_->run(loss, *start.slot, start.node, options.keep);
  return chosen_gradients(*this, start, loss, options.inputs.data(), options.inputs.size(), options.keep);
}

Tensor Tape::gradient(const Tensor& y, const Tensor& x) {
  const Start start = start_of(*state_, y, true);
  if (x.header()->tape != state_->serial && !state_->knows_leaf(x.header()))
    fail<ValueError>("gradients", "this tape does not know the tensor: ", x.dtype(), " ", x.shape(),
                     " (no recorded operation took it, nor did watch())");
  if (!start.slot) return zeros_like(x);
  const Gradients g = chosen_gradients(*this, start, y, &x, 1, true);
  return g.contains(x) ? g[x] : zeros_like(x);
}

void Tape::add_hook(const Tensor& x, detail::Hook* hook) {
  if (state_->thread == &thread_tapes && state_->running) {  // which goes through the list
    delete hook;
    in_a_hook("hook");
  }
  state_->hooks.push_back({nullptr, hook});  // from here on the tape's
  try {
    detail::Header* h = x.header();
    if (state_->thread != &thread_tapes) fail<ValueError>("hook", "a tape must be used on the thread that began it");
    if (state_->attention & detail::kSpent) fail<ValueError>("hook", "the tape's recording is spent: begin a new Tape for the next step");
    if (h->tape != state_->serial && !(h->flags & detail::kRequiresGrad) && !state_->knows_leaf(h))
      fail<ValueError>("hook", "the tensor must want a gradient on this tape: ", x.dtype(), " ", x.shape(),
                       " (see set_requires_grad() and watch())");
    detail::Slot& slot = h->tape == state_->serial ? h->node->slot : state_->leaf_of(h)->slot;
    state_->hooks.back().slot = &slot;
    slot.kind.flags |= detail::kHooked;
  } catch (...) {
    state_->hooks.pop_back();
    delete hook;
    throw;
  }
}

}  // namespace capstan
