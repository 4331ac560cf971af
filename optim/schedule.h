#pragma once
#include <capstan/core/tensor_map.h>

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace capstan::optim {

/// A learning rate as a function of the step number, which counts from 0:
///
///     const optim::Schedule rate = optim::schedule::warm_up(optim::schedule::cosine(0.1, 900), 100);
///     for (std::int64_t step = 0; step < 1000; ++step) {
///       optimizer.set_lr(rate(step));
///       ...
///
/// A value without a state of its own, so that a run that is resumed goes on by its step number. The optimizer's own is part of its
/// state. With `optimizer.set_lr(rate(optimizer.step_count()))` before each step there is nothing else to save. An optim::Inject
/// (optim/inject.h) does that by itself, for any option, and so do the numbers of an optim::Chain.
/// Copies are cheap.
class Schedule {
 public:
  /// Any function of the step number: [](std::int64_t step) { return 0.1 / (1 + step); }.
  template <class F>
  requires(std::is_invocable_r_v<double, const F&, std::int64_t> && !std::is_same_v<F, Schedule>) Schedule(F function)
      : function_(new Function<F>(std::move(function))) {}
  /// A schedule that was moved from has no function: it can only be assigned to.
  Schedule(Schedule&& other) noexcept : function_(std::exchange(other.function_, nullptr)) {}
  Schedule(const Schedule& other) noexcept : function_(other.function_) {
    if (function_) __atomic_fetch_add(&function_->copies, 1, __ATOMIC_RELAXED);
  }
  Schedule& operator=(Schedule other) noexcept {
    std::swap(function_, other.function_);
    return *this;
  }
  ~Schedule() {
    if (function_ && __atomic_sub_fetch(&function_->copies, 1, __ATOMIC_ACQ_REL) == 0) delete function_;
  }

  /// The rate of a step. Throws ValueError for a negative one.
  double operator()(std::int64_t step) const;

 private:
  struct Base {  // counts its copies itself: <memory> would cost whoever includes this a quarter of the compiler's memory
    virtual ~Base() = default;
    virtual double at(std::int64_t step) const = 0;
    int copies = 1;
  };
  template <class F>
  struct Function final : Base {
    explicit Function(F f) : call(std::move(f)) {}
    double at(std::int64_t step) const override { return call(step); }
    F call;
  };
  Base* function_;
};

/// The schedules of PyTorch's torch.optim.lr_scheduler and of Optax, as formulas of the step t = 0, 1, ... What has a last step keeps
/// its last rate from there on. Each throws ValueError, naming the argument, for:
///   - a rate, factor or share that is negative or not finite;
///   - a number of steps that is not positive.
namespace schedule {

/// lr
Schedule constant(double lr);
/// lr * gamma^floor(t / every): StepLR.
Schedule step(double lr, std::int64_t every, double gamma = 0.1);
/// lr * gamma^(how many milestones are <= t): MultiStepLR. Throws ValueError unless the milestones do not fall.
Schedule multi_step(double lr, std::vector<std::int64_t> milestones, double gamma = 0.1);
/// lr * gamma^t: ExponentialLR.
Schedule exponential(double lr, double gamma);
/// from + (to - from) * min(t / steps, 1): optax.linear_schedule, LinearLR.
Schedule linear(double from, double to, std::int64_t steps);
/// to + (from - to) * (1 - min(t / steps, 1))^power: optax.polynomial_schedule; PolynomialLR for to = 0. power > 0.
Schedule polynomial(double from, double to, std::int64_t steps, double power = 1);
/// end + (lr - end) * (1 + cos(pi * min(t / steps, 1))) / 2: optax.cosine_decay_schedule; CosineAnnealingLR, which goes up
/// again after `steps` (Loshchilov & Hutter, SGDR, ICLR 2017, eq. 5, one period).
Schedule cosine(double lr, std::int64_t steps, double end = 0);
/// The cosine anew after `first` steps, after `multiplier` times as many, and so on: CosineAnnealingWarmRestarts (SGDR, eq. 5).
/// Throws ValueError also unless multiplier >= 1.
Schedule cosine_restarts(double lr, std::int64_t first, std::int64_t multiplier = 1, double end = 0);
/// lr * min((t + 1) / warm_up, sqrt(warm_up / (t + 1))): up to lr in a line, then down; never ends. Vaswani et al., NeurIPS 2017, eq. 3,
/// where lr is 1 / sqrt(d_model * warm_up).
Schedule inverse_sqrt(double lr, std::int64_t warm_up);

/// A line from `from` to then(0) over the first `steps` steps, after which `then` begins with its step 0:
/// join({linear(from, then(0), steps), then}, {steps}). With from = 0 the first step does not move anything.
Schedule warm_up(Schedule then, std::int64_t steps, double from = 0);
/// The first schedule up to the first boundary, the second, counting from 0 again, up to the second, ...:
/// optax.join_schedules. Throws ValueError unless there is one boundary less than schedules, and they are positive and rise.
Schedule join(std::vector<Schedule> schedules, std::vector<std::int64_t> boundaries);

struct OneCycleOptions {
  double pct_start = 0.3;         // the share of the steps in which the rate rises
  bool linear = false;            // lines instead of half cosines
  double div_factor = 25;         // the rate begins at max / div_factor
  double final_div_factor = 1e4;  // and ends at max / div_factor / final_div_factor
  bool three_phase = false;       // fall to where it began in as many steps as it rose, then to the end
};
/// Up to `max` and down again (Smith & Topin, arXiv:1708.07120): OneCycleLR. With p = pct_start * steps - 1 the rate is at its
/// maximum at t = p, and at its end at t = steps - 1; with three_phase back at its start at t = 2 p. Throws ValueError also
/// unless 0 < pct_start < 1 (three_phase: <= 1/2), p > 0 and div_factor and final_div_factor are positive.
Schedule one_cycle(double max, std::int64_t steps, OneCycleOptions options = {});

}  // namespace schedule

struct PlateauOptions {
  double lr = 0.1;
  double factor = 0.1;         // what the rate is multiplied by; in [0, 1)
  std::int64_t patience = 10;  // how many results without progress are borne
  double threshold = 1e-4;     // how much better counts as progress
  bool relative = true;        // ... by this share of the size of the best one, else by this difference
  std::int64_t cooldown = 0;   // how many results after a cut are not counted
  double min_lr = 0;
  double eps = 1e-8;      // a smaller cut is not made
  bool maximize = false;  // higher results are better
};

/// Cuts the rate when a result, such as the loss on held-out data, has made no progress for a while: PyTorch's
/// ReduceLROnPlateau, but for results below 0. Unlike a Schedule it has a state, which state() and load_state() keep. Progress is a
/// result < best - threshold*|best|, with `maximize` one > best + threshold*|best|; PyTorch has best*(1 -+ threshold), by which the
/// same negative result is progress again and again. With relative = false it is < best - threshold, or > best + threshold.
///
///     optim::Plateau plateau({.lr = 0.1, .patience = 3});
///     optimizer.set_lr(plateau.next(loss_on_held_out_data));   // after each epoch
class Plateau {
 public:
  /// Throws ValueError, naming the option, unless all are finite, 0 <= factor < 1 and none of the others is negative.
  explicit Plateau(PlateauOptions options = {});

  /// Takes a result and returns the rate from now on. A result of NaN is no progress.
  double next(double result);
  double lr() const noexcept { return lr_; }

  /// "lr" and "best" (f64), "bad" and "cooldown" (i64), each of shape [].
  TensorMap state() const;
  /// Throws ValueError listing every mismatch (missing, unexpected, shape, dtype, a value that cannot be), and then changes nothing.
  void load_state(const TensorMap& state);

 private:
  PlateauOptions options_;
  double lr_, best_;
  std::int64_t bad_ = 0, cooldown_ = 0;
};

}  // namespace capstan::optim
