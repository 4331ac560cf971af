#include <capstan/autograd/checkpoint.h>

#include <capstan/autograd/tape_state.h>

// The first and the second run of a checkpoint's function: a Probe lists what the first one uses, a Replay records the second one
// behind the running tape's nodes and takes its memory back.

namespace capstan::detail {

Probe::Probe() : state_(thread_tapes.current) {
  state_->attention |= kProbe;
  state_->probed.clear();
}
Probe::~Probe() {
  state_->attention &= static_cast<std::uint8_t>(~kProbe);
  state_->probed.clear();
}
std::vector<Tensor> Probe::used(const Tensor& y) const {
  std::vector<Tensor> all = state_->probed;
  if (state_->edge_of(y, "checkpoint", 0)) all.push_back(y);  // an input that was handed through
  return all;
}
bool Probe::records() noexcept { return thread_tapes.current && !(thread_tapes.current->attention & kProbe); }
bool Probe::runs() noexcept { return thread_tapes.current && (thread_tapes.current->attention & kProbe); }

Replay::Replay(const std::vector<Tensor>& inputs, const std::vector<Tensor>& used, const Generator& drawn)
    : inputs_(inputs.begin(), inputs.end()), used_(used.begin(), used.end()), state_(thread_tapes.current), drawn_(drawn) {}

std::vector<Tensor> Replay::unchanged() const {
  for (const Saved& t : used_) (void)t.get();
  std::vector<Tensor> inputs;
  for (const Saved& t : inputs_) inputs.push_back(t.get());
  return inputs;
}

Replay::Scope::Scope(TapeState* tape, const Generator& then)
    : state(tape),
      current(thread_tapes.current),
      before(tape->last),
      chunks(tape->arena.mark().used),
      filled(tape->arena.mark().next),
      now(std::exchange(default_generator(Purpose::dropout), then)) {
  set_current(state);
}

Replay::Scope::~Scope() {
  default_generator(Purpose::dropout) = now;
  if (!current) {
    while (state->last != before) state->drop_last();
    state->arena.rewind({chunks, filled});
  }
  set_current(current);
}

void Replay::Scope::back(const Tensor& y, const Tensor& dy) const {
  Slot* const to = state->edge_of(y, "checkpoint", 0);
  if (!to) return;
  if (state->choosing) state->cut_ways(state->last, before);
  set_current(current);
  Inputs(&to, 1, "checkpoint", state, current != nullptr).add(0, dy);
  for (Node* n = state->last; n != before; n = n->before)
    if (n->slot.gradient.defined()) state->run_node(*n);
}

}  // namespace capstan::detail
