#pragma once
#include <capstan/optim/method.h>

namespace capstan::optim {

/// PyTorch's names and defaults, but for history_size, which is 100 there, and line_search: its line_search_fn is None, or
/// "strong_wolfe", which is what is taken here.
struct LBFGSOptions {
  double lr = 1;                   // the length of a step along the direction, or the first that the line search tries
  double max_iter = 20;            // iterations in one step(closure)
  double max_eval = 0;             // evaluations in one step(closure), at most; 0: after 5/4 max_iter no further iteration begins
  double tolerance_grad = 1e-7;    // ends when no element of the gradient is larger
  double tolerance_change = 1e-9;  // ends when no element moves further, or the loss changes by less
  double history_size = 10;        // pairs that are remembered, 1 to 1000
  bool line_search = true;         // in step(closure): false makes steps of the length lr
};

/// L-BFGS (Liu & Nocedal, Mathematical Programming 45, 1989; Nocedal & Wright, Numerical Optimization, 2nd ed., algorithms 7.4
/// and 7.5), as torch.optim.LBFGS. All parameters are one vector. From the last pairs s = step, y = change of the gradient
/// (those with y's > 1e-10) the two-loop recursion makes d = -H g, where H starts from (y's / y'y) I; then w <- w + t*d. Two ways:
///
///   double loss = optimizer.step([&] { Tape tape; return tape.gradients(cross_entropy(model(x), labels)); });
///
/// makes up to max_iter iterations and returns the last loss that was computed, with a line search the one where it ends.
/// Each t meets the strong Wolfe conditions (Nocedal & Wright, algorithms 3.5 and 3.6, c1 = 1e-4, c2 = 0.9). A search makes up
/// to 26 evaluations, and ends where floating point has nothing between the two ends of its interval. line_search = false takes
/// t = lr instead, as PyTorch does by default; the loss may then rise. The closure is called at every trial point and must
/// compute the same function each time: the whole data, no dropout. With a search a loss that is not finite counts as too far;
/// without one it ends the step, one iteration back. If the closure throws, or memory runs out, the parameters are where the
/// last complete iteration left them, and the next step begins there.
///
///   optimizer.step(tape.gradients(loss));
///
/// makes one iteration with t = lr: PyTorch's without a line search and with max_iter = 1. In all, t of the very first
/// iteration is min(1, 1/sum|g|)*lr.
///
/// Inner products are in f64, or wider. A direction that is not finite makes the memory start afresh, from -g; no parameter ever
/// is set to what is not finite. The tolerances are absolute: they mean something only for parameters, and a loss, of the size of 1.
/// A parameter of the size of 1e-6 had better be 1e-6 times one that is trained.
/// A zero gradient moves a parameter along with the others: a sparse step is not exact. The
/// memory starts afresh when other parameters than before have a gradient. Throws ValueError unless lr, max_eval and the
/// tolerances are >= 0, max_iter >= 1, max_iter, max_eval and history_size whole. There are no groups.
/// Weakness: noise in the gradients spoils the pairs: for minibatches take another method. 2*history_size + 2 times the model
/// in state.
struct LBFGS : Method<LBFGS, LBFGSOptions> {
  explicit LBFGS(const Parameters& parameters, LBFGSOptions options = {});
  ~LBFGS() override;

  static constexpr auto name = "lbfgs";
  static constexpr auto source = "Liu & Nocedal, Mathematical Programming 45, 1989; Nocedal & Wright, 2nd ed., algorithms 7.4 and 7.5";
  static constexpr Field fields[] = {{"lr", &LBFGSOptions::lr},
                                     {"max_iter", &LBFGSOptions::max_iter},
                                     {"max_eval", &LBFGSOptions::max_eval},
                                     {"tolerance_grad", &LBFGSOptions::tolerance_grad, Range::not_negative},
                                     {"tolerance_change", &LBFGSOptions::tolerance_change, Range::not_negative},
                                     {"history_size", &LBFGSOptions::history_size},
                                     {"line_search", &LBFGSOptions::line_search}};
  static constexpr std::array states = {"differences", "steps", "last_gradient", "last_step", "memory"};
  static constexpr bool has_groups = false;  // all parameters make one step

  using Optimizer::step;
  template <class Closure>
  requires std::is_invocable_r_v<Gradients, Closure&>
  double step(Closure&& closure) {
    using Type = std::remove_reference_t<Closure>;
    return search([](const void* c) -> Gradients { return (*static_cast<Type*>(const_cast<void*>(c)))(); }, &closure);
  }

  /// Why a step ended.
  enum class End {
    not_begun,        // there was none, or it threw
    small_gradient,   // no element of the gradient was larger than tolerance_grad
    flat,             // the slope along the direction was above -tolerance_change
    small_step,       // no element moved further than tolerance_change
    small_change,     // the loss changed by less than tolerance_change
    no_better_point,  // the line search found none: the end for these parameters in their dtype
    max_iter,         // iterations are used up; step(gradients) makes one
    max_eval,         // evaluations are used up
    not_finite        // there was nowhere finite to go: the parameters stay where they were
  };
  /// Of the last step, also one that threw: why it ended, how many iterations it made, and how often it called the closure. After
  /// load_state() and add_parameters() there was none.
  End ended() const noexcept { return last().end; }
  int iterations() const noexcept { return last().iterations; }
  int evaluations() const noexcept { return last().evaluations; }
  /// "small_gradient", ...: for a log.
  static const char* text(End end) noexcept;

  /// Memories of different sizes are different slots.
  static std::size_t rule_index(const LBFGSOptions& o) { return static_cast<std::size_t>(o.history_size); }
  static void check(const LBFGSOptions& o);
  static std::string formula(const LBFGSOptions& o);

 protected:
  void begin_step() noexcept override;
  void prepare(double loss) override;
  void update_all() override;
  void read_rest(capstan::detail::StateReader& reader) override;
  void commit_rest() noexcept override { last_ = {}; }
  void accept_parameter(const std::string& name, const Tensor& parameter) const override;
  Shape shape_of(std::size_t rule, std::size_t slot, const Shape& parameter) const override;

 private:
  using Evaluate = Gradients (*)(const void*);
  struct Run;  // a step under way
  double search(Evaluate evaluate, const void* closure);
  void require_rest(const char* call) const;

  /// What there is to tell of a step.
  struct Last {
    End end = End::not_begun;
    int iterations = 0, evaluations = 0;
    std::size_t parameters = 0;  // how many the optimizer had
  };
  Last last() const noexcept { return last_.parameters == entries().size() ? last_ : Last{}; }

  Evaluate evaluate_ = nullptr;  // null in step(gradients)
  const void* closure_ = nullptr;
  double loss_ = 0;
  bool under_way_ = false;
  Last last_;
};

extern template class Method<LBFGS, LBFGSOptions>;

}  // namespace capstan::optim
