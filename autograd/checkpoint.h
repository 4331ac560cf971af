#pragma once
#include <capstan/autograd/record.h>
#include <capstan/core/random.h>

#include <vector>

namespace capstan {

namespace detail {

/// While the function of a checkpoint runs: records nothing, but lists the tensors that it uses.
class Probe {
 public:
  Probe();
  ~Probe();
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  /// The tensors that want a gradient; y, the function's result, may be one of them.
  std::vector<Tensor> used(const Tensor& y) const;
  /// Whether an operation would be recorded here at all: a tape runs, and no other probe.
  static bool records() noexcept;
  /// Whether the function of a checkpoint runs for the first time.
  static bool runs() noexcept;

 private:
  TapeState* state_;
};

/// What a checkpoint keeps, to run its function again as it ran.
class Replay {
 public:
  Replay(const std::vector<Tensor>& inputs, const std::vector<Tensor>& used, const Generator& drawn);
  Replay(Replay&&) noexcept = default;

  /// Throws ValueError when a tensor was changed in place since. Then records what `again` does and takes dy back through it.
  template <class F>
  void run(F& function, const Tensor& dy) {
    const std::vector<Tensor> inputs = unchanged();
    const Scope scope(state_, drawn_);
    scope.back(function(inputs), dy);
  }

 private:
  struct Scope {
    Scope(TapeState* tape, const Generator& then);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    void back(const Tensor& y, const Tensor& dy) const;
    TapeState *state, *current;  // whose rule runs, and what records it, if anything
    Node* before;
    std::size_t chunks;  // how far the tape's memory was filled
    char* filled;
    Generator now;
  };
  std::vector<Tensor> unchanged() const;

  std::vector<Saved> inputs_, used_;
  TapeState* state_;
  Generator drawn_;
};

}  // namespace detail

/// y = fn(inputs), of which the tape keeps the inputs alone. What fn computes on the way is dropped, and computed once more when
/// gradients() comes there: memory for time (Chen et al., arXiv:1604.06174).
///
///     const Tensor h = checkpoint([&](const std::vector<Tensor>& in) { return block(in[0]); }, {x});
///
/// The gradients have the same bits as without it, for the inputs and for whatever else fn uses. Gradients of gradients may be
/// added up in another order. The tape copies fn; its captures take at most 150 bytes, and what they refer to must live as long
/// as the tape. It runs twice and must do the same again. Dropout of the default generator draws the same numbers; other
/// generators are fn's own affair. On a tape of higher order the second recording stays.
/// Throws what fn throws. Of gradients(), ValueError:
///   - when an input was changed in place in between, or another tensor that fn used and that wants a gradient.
///   - when fn sets a hook.
/// Weakness: nobody notices a change of a constant that fn captures.
template <class F>
Tensor checkpoint(F fn, const std::vector<Tensor>& inputs) {
  if (!detail::Probe::records()) return fn(inputs);
  const Generator drawn = default_generator(Purpose::dropout);
  std::vector<Tensor> used;
  Tensor y;
  {
    const detail::Probe probe;
    y = fn(inputs);
    used = probe.used(y);
    y = y.detach();
  }
  detail::Replay replay(inputs, used, drawn);
  return record("checkpoint", std::move(y), used,
                [fn = std::move(fn), replay = std::move(replay)](const Tensor& dy, Inputs&) mutable { replay.run(fn, dy); });
}

}  // namespace capstan
