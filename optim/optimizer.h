#pragma once
#include <capstan/autograd/gradients.h>
#include <capstan/core/tensor_map.h>
#include <capstan/optim/field.h>
#include <capstan/optim/missed_steps.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace capstan::detail {
class StateReader;
}

namespace capstan::optim {

class Wrapper;

/// What Optimizer::effective_rates() says of one parameter.
struct EffectiveRates {
  std::string parameter;
  double lr;           // of its group now
  std::int64_t steps;  // how many it has made
  Tensor rates;        // f64, of the parameter's shape; NaN for an element that no gradient has reached
  /// Whether the rule divides by an average, so that a rate recovers by itself after a large gradient. True for RMSProp; false for
  /// Adagrad, whose sum never falls, and for AMSGrad; empty for a rule that does not say.
  std::optional<bool> forgets = {};
};

/// Moves parameters along their gradients: what a method has that does not depend on its formula. That is the identity of the
/// parameters, the step with its refusal of non-finite gradients, saving and loading.
///
/// A method derives from Elementwise (optim/elementwise.h) when it moves each element by itself, from WholeTensor
/// (optim/whole_tensor.h) when it moves a parameter as a whole. What is neither derives from Method (optim/method.h), which has
/// options, groups and slots; or from this, which has none of them.
///
/// Finite in, finite out: with finite parameters, gradients and state no method of Capstan's makes a parameter infinite or NaN. That
/// holds for gradients as small or as large as their dtype allows. An element whose new value would not be finite stays as it was.
/// State that holds squares may become infinite, from |g| = 1.8e19 on in f32 and 1.3e154 in f64. Where a method divides by it, the
/// element has then stopped for good, as in PyTorch: RateMicroscope reports it. clip_value() and clip_norm() keep that from happening.
class Optimizer {
 public:
  virtual ~Optimizer();
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Makes one step. Leaves a parameter without a gradient alone. A row-sparse gradient gives what the same one with every row gives, to
  /// the bit unless averages catch up later. A method whose elements rest at g = 0 touches its rows alone; explain() tells which do.
  /// Throws, before anything is changed:
  ///   - ValueError when none of the parameters has a gradient;
  ///   - ValueError when a parameter's dtype is no longer that of its state;
  ///   - NotFiniteError for a loss or gradient that is not finite, naming the step, the parameter and the first bad index.
  void step(const Gradients& gradients);

  /// The learning rate of the parameters in no group. set_lr() sets it for them, and for every group without one of its own. Throws
  /// ValueError for a negative or non-finite rate.
  double lr() const { return option("lr"); }
  void set_lr(double lr) { set_option("lr", lr); }

  /// How many steps it has made. load_state() brings the saved count back, so that set_lr(schedule(step_count())) goes on after it.
  std::int64_t step_count() const noexcept { return steps_; }

  /// Takes in further parameters, whose state starts fresh; they are in no group until group() names them. An optimizer may be made
  /// without any and get all of them so. Throws ValueError for:
  ///   - no parameters at all;
  ///   - a name or tensor that is here already or comes twice;
  ///   - a parameter that is not f32 or f64.
  void add_parameters(const Parameters& parameters);

  /// Gives the parameters whose names match the pattern (`*` stands for any text) options of their own by name, as Method::group() does:
  ///
  ///     auto optimizer = optim::make("adamw lr=0.01", model.parameters());
  ///     optimizer->group("*.bias", {{"weight_decay", 0}});
  ///
  /// Throws ValueError, and then changes nothing, for:
  ///   - a pattern that matches nothing;
  ///   - an option that is not there, and a value that it cannot have;
  ///   - a method without groups: LBFGS, whose parameters make one step, and Chain, which has partition() for that.
  void group(std::string_view pattern, const std::vector<Setting>& settings);

  /// A deep copy of everything that the next step depends on:
  ///   - "<method>/<option>" (f64), and for the k-th group "<method>/<k>/<option>";
  ///   - "<method>/<name>" (f64) for a number that all parameters share, and "<method>/step" (i64);
  ///   - "<parameter>/step" (i64), and for those of the k-th group "<parameter>/group" (i64: k);
  ///   - after the first step "<parameter>/<slot>".
  TensorMap state() const;
  /// The same map without the copies of what is as large as a parameter: the slots themselves, which the next step changes. For who
  /// writes them out at once, as a Checkpoint does.
  TensorMap live_state() const;
  /// Takes it back; an option of a group that differs from the constructor's is the group's own from then on. Throws ValueError
  /// listing every mismatch (another method, missing, unexpected, shape, dtype, another group) and then changes nothing.
  void load_state(const TensorMap& state);

  /// What it moves, by name: the model's own tensors.
  Parameters parameters() const;

  /// How far each element moved in its last step for one unit of gradient, of a method that divides by gradients it has seen.
  /// The gradient is the one after weight decay and clipping, or the average that the method puts in its place.
  ///
  /// Adagrad's is lr/(sqrt(s) + eps), with s as it is now, Adam's lr/(sqrt(v/(1 - beta2^t)) + eps). Adadelta's already has the
  /// average of steps that the next one uses. An element has none, which reads NaN, while its state is as it started or its rule
  /// would divide by 0. A parameter whose rule tells no rate is left out: for SGD nothing comes back. RateMicroscope draws them.
  virtual std::vector<EffectiveRates> effective_rates() const;

  /// The method's formula with the numbers in it, for each group, and the bytes of its state; last the paper it is from.
  std::string explain() const;
  /// The method's own name: "adagrad".
  virtual const char* method() const noexcept = 0;

  /// Whether step() looks for NaN and infinity first; true at the start. When it does not, an element that one of them would move
  /// stays as it is. So may all of a tensor that moves as a whole.
  ///
  /// Turning it off saves one read of the gradients. It is saved anyway when something else has looked through them. That is
  /// global_norm(), clip_norm(), a step before, or, from 16,384 elements on, the product of matrices that made them.
  void set_check_finite(bool on) noexcept { check_finite_ = on; }
  /// Whether a step tells on stderr, once, of gradients for tensors that are no parameters of this optimizer: how many, and their shapes.
  /// Off at the start, since a loss may have several optimizers. nn::check() names what a model forgot to show.
  void set_warn_unowned(bool on) noexcept { warn_unowned_ = on; }

 protected:
  /// `prepares`: whether step() calls begin_step() and prepare().
  explicit Optimizer(bool prepares = false);

  /// One parameter with what belongs to it.
  struct Entry {
    std::string name;
    Tensor parameter;
    std::int64_t steps = 0;
    const Tensor* gradient = nullptr;  // during step()
    const Tensor* rows = nullptr;      // those (i64, ascending) that `gradient` alone holds, where takes_rows() said so; else null
    const Tensor* before = nullptr;    // in an update() that update_all() below calls: a copy of the parameter
    // Of a Method alone:
    std::size_t group = 0;                                 // 0: the options of the constructor; k: the k-th call of group()
    std::size_t rule = no_rule;                            // which of the method's rules the slots were made for
    std::vector<Tensor> state;                             // the slots, made at the first step
    mutable std::vector<detail::MissedSteps> missed = {};  // where catches_up() said so one: what rows of the slots do not know yet
  };
  static constexpr std::size_t no_rule = static_cast<std::size_t>(-1);

  /// Makes a number that all parameters share, as Prodigy's d. A method's constructor gives it its name and where it starts, and keeps what
  /// is returned, to change it in prepare(), update() or finish(). It is saved and loaded as "<method>/<name>", and explain() tells it.
  /// A step that throws gives it back as it was. Throws ValueError for a name that an option, or another of these, has.
  double& share(const char* name, double start);

  /// Whether a row of this entry without gradient rests in its next step: it and its slots would keep their bits, were their gradient 0.
  /// Of a row-sparse gradient the step is then given its rows alone, in entry.gradient and entry.rows. False at the base.
  virtual bool takes_rows(const Entry& entry) const;
  /// Whether that is so of the parameter alone. What a step would make of the slots of a row without gradient they become later, before
  /// they are used or read. False at the base.
  virtual bool catches_up(const Entry& entry) const;

  // A step, in this order.

  /// Called before anything is looked at, when the constructor was told so: for a method that tells of its last step, even a refused one.
  virtual void begin_step() noexcept;
  /// Called once all gradients of a step are known, before anything is changed: for slots that have to be made.
  virtual void make_ready();
  /// Called with the loss then, when the constructor was told so: for a method whose step can fail, or that looks at all gradients
  /// together. What it throws leaves all as it was.
  virtual void prepare(double loss);
  /// Calls update() for each entry of a step that has a gradient. If one throws, all parameters and slots get back what they held, for
  /// which there is a copy of them in the meantime. A method overrides this to share something among them. One that computes all
  /// before it changes anything, or throws nothing, needs no copies and calls for_each_moved() itself.
  virtual void update_all();
  /// Moves entry.parameter along g (same shape and dtype) in place and advances entry.state; entry.steps counts this step.
  virtual void update(Entry& entry, const Tensor& g);
  /// Called after the updates of a step, for a method whose parameters move together.
  virtual void finish();

  /// Calls move(entry) for each entry with a gradient, its step counted.
  template <class F>
  void for_each_moved(F move) {
    for (Entry& e : entries_) {
      if (!e.gradient) continue;
      ++e.steps;
      move(e);
      capstan::detail::bump_version(e.parameter.header());
    }
  }

  /// Whether the method itself deals with a loss or a gradient that is not finite: step() then lets it pass to prepare().
  virtual bool takes_non_finite() const noexcept;
  /// What step() does with the others; nothing after set_check_finite(false).
  void require_finite_loss(double loss) const;
  void require_finite(const Entry& entry) const;

  /// The options by name; a flag reads as 0 or 1. set_option() checks the value as the constructor does. Both throw ValueError for a
  /// name that is not there.
  virtual double option(std::string_view name) const = 0;
  virtual void set_option(std::string_view name, double value) = 0;
  /// Every number of a state but what all parameters share, "lr" or "1/lr", in the order in which it lists them.
  struct Option {
    std::string name;
    double value;
  };
  virtual std::vector<Option> all_options() const = 0;
  /// Sets all of them at once, in that order; checked before any is set (ValueError).
  virtual void set_options(const std::vector<double>& values) = 0;
  /// What group() does; at the base it throws ValueError: there are no groups.
  virtual void group_by_name(std::string_view pattern, const std::vector<Setting>& settings);

  /// What a method keeps of one parameter beside its steps: put into live_state(), behind them, without a copy; and read from a state into
  /// `entry`. `options` are those of the state; null when some are missing. A reader gathers all complaints.
  virtual void save_entry(const Entry& entry, TensorMap& state) const;
  virtual void read_entry(Entry& entry, const std::vector<double>* options, capstan::detail::StateReader& reader) const;
  /// What it keeps beside that: put at the end of live_state(); read; and, when everything fits, put in place of what it had.
  virtual void save_rest(TensorMap& state) const;
  virtual void read_rest(capstan::detail::StateReader& reader);
  virtual void commit_rest() noexcept;

  /// For explain(): the formula with the numbers in it, and total() of the parameters it is for.
  virtual std::string describe() const = 0;
  /// "\n  2 parameters, 30 elements, 120 bytes of state".
  static std::string total(std::size_t parameters, std::int64_t elements, std::int64_t bytes);
  /// The paper that the method is from, with the place in it; null when it names none.
  virtual const char* paper() const noexcept;

  /// Throws ValueError for a parameter that the method cannot move; called for each before any is taken in.
  virtual void accept_parameter(const std::string& name, const Tensor& parameter) const;

  const std::vector<Entry>& entries() const noexcept { return entries_; }
  std::vector<Entry>& entries() noexcept { return entries_; }

 private:
  friend Wrapper;  // which drives it and saves it together with its own state

  /// What load_state() has read and not yet put in place.
  struct Loaded {
    std::vector<double> options;
    std::vector<double> shared;
    std::vector<Entry> entries;
    std::int64_t steps;
  };
  Loaded read_state(capstan::detail::StateReader& reader);
  /// Throws ValueError for an option that cannot be, before anything is changed.
  void commit_state(Loaded loaded);

  [[noreturn]] void no_gradient() const;
  void move_all(double loss);
  void warn_of_unowned(const Gradients& gradients);

  std::vector<Entry> entries_;
  struct Shared {
    std::string name;
    double value, before;
  };
  std::vector<Shared*> shared_;  // its own: share() gives out references
  std::vector<Tensor> dense_;    // during step(): row-sparse gradients with every row
  std::int64_t steps_ = 0;
  bool check_finite_ = true, warn_unowned_ = false;
  const bool prepares_;
};

}  // namespace capstan::optim
