#pragma once
#include <capstan/autograd/gradients.h>

namespace capstan {

namespace detail {
struct TapeState;
}

struct TapeOptions {
  bool higher_order = false;  // record what gradients() computes too, so that gradients have gradients
};

struct GradientOptions {
  bool keep = false;  // keep the recording, so that gradients() can be called again
};

/// Records the operations of this thread from here to the end of the scope, and turns them into gradients (reverse mode;
/// Griewank & Walther, Evaluating Derivatives, 2nd ed., chapter 3). An operation is recorded when one of its inputs
/// wants a gradient. Tapes nest: the inner one pauses the outer. A tape stays on its thread and ends before the ones
/// that were there first; ending it otherwise throws ValueError from the destructor.
///
///     Tape tape;
///     Tensor loss = mse_loss(model(x), y);
///     optimizer.step(tape.gradients(loss));
///
/// With Tape({.higher_order = true}) gradients() keeps the recording and adds its own work to it: a gradient is a tensor
/// like any other, of which a loss can be made, to any order. Arithmetic on Gradients as a whole (clipping, *=) is not recorded,
/// and neither is gradients() in a NoGrad scope. Costs the memory of every gradient that was computed on the way, until the tape ends.
///
///     Tape tape({.higher_order = true});
///     const Tensor y = sum(exp(x)), dy = tape.gradient(y, x);
///     const Tensor d2y = tape.gradient(sum(dy), x);
class [[nodiscard]] Tape {
 public:
  Tape() : Tape(TapeOptions{}) {}
  explicit Tape(TapeOptions options);
  ~Tape() noexcept(false);
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// d loss / d w for every tensor w with set_requires_grad(true) (or watched) that the loss depends on. Throws
  /// ShapeError unless the loss has one element, ValueError when it was not recorded here, when no such tensor reaches
  /// it, when the recording is spent (see GradientOptions::keep), when a tensor that an operation saved was changed in
  /// place since, and on a tape of higher order when an operation's rule computes outside the recording. The memory of the recording is
  /// given back as it is used.
  Gradients gradients(const Tensor& loss, GradientOptions options = {});
  /// d y / d x for one tensor; keeps the recording.
  Tensor gradient(const Tensor& y, const Tensor& x);
  /// Makes this tape compute a gradient for x, which otherwise is a constant. Watch before use. Throws ValueError unless x is f32 or f64.
  void watch(const Tensor& x);
  /// How many operations are recorded.
  std::size_t size() const noexcept;

 private:
  detail::TapeState* state_;
};

/// Pauses recording on this thread until the end of the scope.
class [[nodiscard]] NoGrad {
 public:
  NoGrad() noexcept;
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  detail::TapeState* paused_;
  std::uint64_t serial_;  // of the paused tape, which may end before this scope does
};

/// The tensor itself, made to want a gradient: t.set_requires_grad(true).
Tensor parameter(Tensor t);

}  // namespace capstan
