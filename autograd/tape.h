#pragma once
#include <capstan/autograd/gradients.h>
#include <capstan/autograd/no_grad.h>

#include <type_traits>
#include <utility>
#include <vector>

namespace capstan {

namespace detail {

struct TapeState;

struct Hook {
  virtual ~Hook() = default;
  virtual Tensor call(const Tensor& g) = 0;  // undefined: as it was
};
template <class F>
struct HookOf final : Hook {
  explicit HookOf(F f) : function(std::move(f)) {}
  Tensor call(const Tensor& g) override {
    if constexpr (std::is_void_v<decltype(function(g))>)
      return function(g), Tensor();
    else
      return function(g);
  }
  F function;
};

}  // namespace detail

struct TapeOptions {
  bool higher_order = false;  // record what gradients() computes too, so that gradients have gradients
  bool check_finite = false;  // refuse the first operation that makes NaN or infinity of finite numbers
  bool profile = false;       // measure each operation, for profile() and to_dot()
};

struct OperationProfile;  // autograd/profile.h

struct GradientOptions {
  bool keep = false;           // keep the recording, so that gradients() can be called again
  std::vector<Tensor> inputs;  // when there are any: compute the gradients for these tensors only
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
/// gradients() spends the recording, unless it is told to keep it. A spent tape records nothing more, to the end of its scope:
/// operations compute, and parameters are changed in place without NoGrad. Only another gradients(), and a hook for it, are
/// refused. An outer tape goes on recording when the inner one ends, not before. What is computed between the inner one's
/// gradients() and its end is a constant to the outer tape, as in a NoGrad scope. Nothing says so. Let the inner scope end
/// first where the outer tape is to see it. What the inner tape recorded, an outer one refuses after its end (ValueError);
/// detach() makes it a constant.
///
/// With Tape({.higher_order = true}) gradients() keeps the recording and adds its own work to it. A gradient is then a tensor
/// like any other, of which a loss can be made, to any order. Arithmetic on Gradients as a whole (clipping, *=) is not recorded,
/// and neither is gradients() in a NoGrad scope. Costs the memory of every gradient that was computed on the way, until the tape ends.
///
///     Tape tape({.higher_order = true});
///     const Tensor y = sum(exp(x)), dy = tape.gradient(y, x);
///     const Tensor d2y = tape.gradient(sum(dy), x);
///
/// With Tape({.check_finite = true}) an operation that makes NaN or infinity of finite numbers throws NotFiniteError. The text
/// names the operation, the ranges of its inputs and the caller's line, in a program built with -g. For a rule that
/// does so going backwards it names the operation, the input, the range of dy and the line that called it. Each result
/// is read once more for it, and the way to each call remembered.
class [[nodiscard]] Tape {
 public:
  Tape() : Tape(TapeOptions{}) {}
  explicit Tape(TapeOptions options);
  ~Tape() noexcept(false);
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// d loss / d w for every tensor w with set_requires_grad(true), or watched, that the loss depends on. With options.inputs only
  /// for these (parameters, watched tensors, results of this tape's own operations); only what they need is computed. What the
  /// loss does not depend on has no entry. The memory of the recording is given back as it is used, also by an error, unless it
  /// is kept.
  /// Throws:
  ///   - ShapeError unless the loss has one element.
  ///   - ValueError when it was not recorded here, or no tensor that wants a gradient reaches it.
  ///   - ValueError when one of options.inputs is a constant to this tape.
  ///   - ValueError when the recording is spent (see GradientOptions::keep).
  ///   - ValueError when a tensor that an operation saved was changed in place since.
  ///   - ValueError on a tape of higher order when an operation's rule computes outside the recording.
  Gradients gradients(const Tensor& loss, const GradientOptions& options = {});
  /// d y / d x for one tensor; keeps the recording, computes nothing else. Zeros where y does not depend on x (the third
  /// derivative of x^2), also when y is a constant, as in JAX.
  /// Throws as gradients() does, and ValueError for an x that neither a recorded operation nor watch() took.
  Tensor gradient(const Tensor& y, const Tensor& x);
  /// Makes this tape compute a gradient for x, which otherwise is a constant. Watch before use; a spent tape does nothing. Throws
  /// ValueError unless x is f32 or f64.
  void watch(const Tensor& x);
  /// Calls f with the gradient for x, a parameter or a result of this tape. It does so each time gradients() has all of it,
  /// before it goes on to x's own inputs. A function f(const Tensor& g) returns nothing, or the tensor that takes g's place. Several are
  /// called in their order. g is read-only, since other gradients may share its memory.
  ///
  ///     tape.hook(w, [](const Tensor& g) { return g * 0.1; });   // w learns ten times slower
  ///
  /// Throws ValueError when x is a constant to this tape, and when the recording is spent. gradients() then throws:
  ///   - ShapeError or ValueError for a tensor of another shape or dtype than g's.
  ///   - ValueError when f uses this tape's gradients() or hook().
  template <class F>
  void hook(const Tensor& x, F f) {
    add_hook(x, new detail::HookOf<F>(std::move(f)));
  }
  /// How many operations are recorded.
  std::size_t size() const noexcept;
  /// What this tape's operations took, by name, the slowest first; those of Tape({.profile = true}) only (ValueError).
  std::vector<OperationProfile> profile() const;

  /// For Capstan's own rooms.
  detail::TapeState& state() const noexcept { return *state_; }

 private:
  void add_hook(const Tensor& x, detail::Hook* hook);
  detail::TapeState* state_;
};

/// The tensor itself, made to want a gradient: t.set_requires_grad(true).
Tensor parameter(Tensor t);

}  // namespace capstan
