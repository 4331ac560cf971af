#pragma once
#include <capstan/autograd/gradients.h>
#include <capstan/core/tensor_map.h>
#include <capstan/optim/field.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace capstan::optim {

namespace detail {
class StateReader;
}
class Wrapper;

/// What a rule is told about the step it computes.
struct StepInfo {
  double lr;       // the group's rate now
  std::int64_t t;  // how many steps this parameter has made with this one: 1, 2, ...
};

/// What Optimizer::effective_rates() says of one parameter.
struct EffectiveRates {
  std::string parameter;
  double lr;           // of its group now
  std::int64_t steps;  // how many it has made
  Tensor rates;        // f64, of the parameter's shape; NaN for an element that no gradient has reached
  /// Whether what the rule divides by is an average, so that a rate recovers by itself after a large gradient: true for RMSProp, false
  /// for Adagrad, whose sum never falls, and for AMSGrad; empty for a rule that does not say.
  std::optional<bool> forgets = {};
};

/// Moves parameters along their gradients. This class gives every method what does not depend on its formula: identity of
/// the parameters, groups, refusal of non-finite gradients, lazily made state, saving and loading. A method derives from
/// Elementwise (optim/elementwise.h) when it moves each element by itself, from WholeTensor (optim/whole_tensor.h) when it
/// moves a parameter as a whole, and else from this.
///
/// Finite in, finite out: with finite parameters, gradients and state no method of Capstan's makes a parameter infinite or NaN, be a
/// gradient as small or as large as its dtype allows. An element whose new value would not be finite stays as it was. State that holds
/// squares may become infinite, from |g| = 1.8e19 on in f32 and 1.3e154 in f64; where a method divides by it, the element has then
/// stopped for good, as in PyTorch: RateMicroscope reports it. clip_value() and clip_norm() keep that from happening.
class Optimizer {
 public:
  virtual ~Optimizer();
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One step. A parameter without a gradient is left alone; a row-sparse gradient does what the same one with every row does. Throws
  /// ValueError, before anything is changed, when none of the parameters has a gradient and when a parameter's dtype is no longer that of
  /// its state; NotFiniteError for a loss or gradient that is not finite, naming the step, the parameter and the first bad index.
  void step(const Gradients& gradients);

  /// The learning rate of the parameters in no group. set_lr sets it for them and for every group that has not set one of
  /// its own. Throws ValueError for a negative or non-finite rate.
  double lr() const { return option(0, "lr"); }
  void set_lr(double lr) { set_option(0, "lr", lr); }

  /// How many steps it has made; load_state() brings the saved count back, so that set_lr(schedule(step_count())) goes on after it.
  std::int64_t step_count() const noexcept { return steps_; }

  /// Takes in further parameters, whose state starts fresh; they are in no group until group() names them. An optimizer may be made
  /// without any and get all of them so. Throws ValueError for none, for a name or tensor that is here already or comes twice, and for one
  /// that is not f32 or f64.
  void add_parameters(const Parameters& parameters);

  /// Gives the parameters whose names match the pattern (`*` stands for any text) options of their own by name, as Method::group() does:
  ///
  ///     auto optimizer = optim::make("adamw lr=0.01", model.parameters());
  ///     optimizer->group("*.bias", {{"weight_decay", 0}});
  ///
  /// Throws ValueError, and then changes nothing, for a pattern that matches nothing, an option that is not there and a value that it
  /// cannot have, and for a method without groups: LBFGS, whose parameters make one step, and Chain, which has partition() for that.
  void group(std::string_view pattern, const std::vector<Setting>& settings);

  /// A deep copy of everything that the next step depends on: "<method>/<option>" (f64; the k-th group's as
  /// "<method>/<k>/<option>"), "<method>/<name>" (f64) for a number that all parameters share, "<parameter>/step" (i64), for those of the
  /// k-th group "<parameter>/group" (i64: k) and, after the first step, "<parameter>/<slot>".
  TensorMap state() const;
  /// Takes it back; an option of a group that differs from the constructor's is the group's own from then on. Throws ValueError
  /// listing every mismatch (another method, missing, unexpected, shape, dtype, another group) and then changes nothing.
  void load_state(const TensorMap& state);

  /// What it moves, by name: the model's own tensors.
  Parameters parameters() const;

  /// For a method that divides by what it has seen of gradients: how far each element moved in its last step for one unit of
  /// gradient (after weight decay and clipping), or of the average that the method puts in the gradient's place; Adagrad's is
  /// lr/(sqrt(s) + eps), with s as it is now, Adam's lr/(sqrt(v/(1 - beta2^t)) + eps). Adadelta's already has the average of
  /// steps that the next one uses. An element whose state is as it started, or that stays because its rule would divide by 0, has none:
  /// NaN. A parameter whose rule tells no rate is left out, so that for SGD nothing comes back. RateMicroscope draws them.
  std::vector<EffectiveRates> effective_rates() const;

  /// The method's formula with the numbers in it, for each group, and the bytes of its state; last the paper it is from.
  std::string explain() const;
  /// The method's own name: "adagrad".
  virtual const char* method() const noexcept = 0;

  /// Whether step() looks for NaN and infinity first; true at the start. When it does not, an element that one of them would move
  /// stays as it is, and so may all of a tensor that moves as a whole. Turning it off saves one read of the gradients, which
  /// is also saved when something else has looked through them: global_norm() and clip_norm(), a step before, or, from 16,384
  /// elements on, the product of matrices that made them.
  void set_check_finite(bool on) noexcept { check_finite_ = on; }
  /// Whether the first step that is given gradients for tensors which are no parameters of this optimizer says so on stderr: how
  /// many, and their shapes. It does once; off at the start, since a loss may have several optimizers. nn::check() names what a
  /// model forgot to show.
  void set_warn_unowned(bool on) noexcept { warn_unowned_ = on; }

 protected:
  /// `prepares`: whether step() calls begin_step() and prepare().
  explicit Optimizer(bool prepares = false);

  /// One parameter with what belongs to it.
  struct Entry {
    std::string name;
    Tensor parameter;
    std::size_t group = 0;  // 0: the options of the constructor; k: the k-th call of group()
    std::int64_t steps = 0;
    std::size_t rule = no_rule;        // which of the method's rules the slots were made for
    std::vector<Tensor> state;         // the slots, made at the first step
    const Tensor* gradient = nullptr;  // during step(), with every row
    const Tensor* rows = nullptr;      // of a row-sparse gradient, which is 0 in all others (i64, ascending); null for a dense one
    const Tensor* before = nullptr;    // in an update() that update_all() below calls: a copy of the parameter
  };
  static constexpr std::size_t no_rule = static_cast<std::size_t>(-1);

  /// A number that all parameters share, as Prodigy's d. Called in the constructor of a method, it gives the number its name and where it
  /// starts, and returns it, for the method to keep and to change in prepare(), update() or finish(). It is saved and loaded as
  /// "<method>/<name>", explain() tells it, and a step that throws gives it back as it was. Throws ValueError for a name that an option,
  /// or another of these, has.
  double& share(const char* name, double start);

  /// Called at the start of each step, before anything is looked at, when the constructor was told that step() calls prepare(): for a
  /// method that tells of its last step, which a step that is refused is, too.
  virtual void begin_step() noexcept;
  /// Called with the loss once all gradients of a step are known, before anything is changed, when the constructor was told so:
  /// for a method whose step can fail, or that looks at all gradients together. What it throws leaves all as it was.
  virtual void prepare(double loss);
  /// Moves entry.parameter along g (same shape and dtype) in place and advances entry.state; entry.steps counts this step.
  virtual void update(Entry& entry, const Tensor& g) = 0;
  /// Calls update() for each entry of a step that has a gradient; for a method that has something to share among them. If one throws, all
  /// parameters and slots get back what they held, for which there is a copy of them in the meantime. A method that computes all before it
  /// changes anything, or whose update() throws nothing, has no need of that and calls for_each_moved() itself.
  virtual void update_all();
  /// Calls move(entry) for each of them, its step counted.
  template <class F>
  void for_each_moved(F move) {
    for (Entry& e : entries_) {
      if (!e.gradient) continue;
      ++e.steps;
      move(e);
      capstan::detail::bump_version(e.parameter.header());
    }
  }
  /// Called after the updates of a step, for a method whose parameters move together.
  virtual void finish();

  /// Whether the method itself deals with a loss or a gradient that is not finite: step() then lets it pass to prepare().
  virtual bool takes_non_finite() const noexcept;
  /// What step() does with the others; nothing after set_check_finite(false).
  void require_finite_loss(double loss) const;
  void require_finite(const Entry& entry) const;

  /// What a method keeps beside its options and slots: put into state(); looked for by load_state(), which gathers all
  /// complaints; and, when everything fits, taken over in place of what it had.
  virtual void save_rest(TensorMap& state) const;
  virtual void read_rest(detail::StateReader& reader);
  virtual void take_rest() noexcept;
  /// For explain(): the bytes that a parameter's state has or will have; its slots' unless a method says otherwise.
  virtual std::int64_t state_bytes(const Entry& entry) const;

  /// The options by name, for files, schedules and messages; a flag reads as 0 or 1. set_option checks the value as the
  /// constructor does (ValueError).
  virtual std::vector<const char*> option_names() const = 0;
  virtual double option(std::size_t group, std::string_view name) const = 0;
  virtual void set_option(std::size_t group, std::string_view name, double value) = 0;
  /// All options of all groups at once, in the order of option_names(); checked before any is set (ValueError).
  virtual void set_options(const std::vector<double>& values) = 0;
  virtual std::size_t group_count() const noexcept = 0;
  /// What group() does; at the base it throws ValueError: there are no groups.
  virtual void group_by_name(std::string_view pattern, const std::vector<Setting>& settings);
  /// Throws the ValueError of a method without groups.
  [[noreturn]] void refuse_group(std::string_view pattern) const;
  virtual std::string formula_of(std::size_t group) const = 0;
  /// The paper that the method is from, with the place in it; null when it names none.
  virtual const char* paper() const noexcept;

  /// Which of the method's rules a group's options choose, the names of a rule's slots, and what a slot starts from.
  virtual std::size_t rule_of(std::size_t group) const noexcept = 0;
  /// The same with all options of all groups as set_options() takes them.
  virtual std::size_t rule_of(std::size_t group, const std::vector<double>& values) const = 0;
  virtual std::vector<const char*> slot_names(std::size_t rule) const = 0;
  virtual double start_of(std::size_t group, std::size_t slot) const = 0;
  /// The shape of a slot; the parameter's own unless a method says otherwise.
  virtual Shape shape_of(std::size_t rule, std::size_t slot, const Shape& parameter) const;
  /// Whether there are effective rates for this entry; writes them, one for each element, unless `out` is null. Elements that
  /// it leaves alone have none. Called under NoGrad, with `out` only when the entry has made a step. At the base: there are none.
  virtual bool rates(const Entry& entry, double* out) const;
  /// What effective_rates() says as `forgets` of an entry that has them; at the base nothing.
  virtual std::optional<bool> forgets(const Entry& entry) const;
  /// Throws ValueError for a parameter that the method cannot move; called for each before any is taken in.
  virtual void accept_parameter(const std::string& name, const Tensor& parameter) const;

  const std::vector<Entry>& entries() const noexcept { return entries_; }

  /// Whether a parameter of a group, or one whose name matches a pattern, is f32.
  bool has_f32(std::size_t group) const noexcept;
  bool has_f32(std::string_view pattern) const;

  /// Moves every parameter whose name matches the pattern (`*` stands for any text) into `group`; ValueError when none does.
  void assign_group(std::string_view pattern, std::size_t group);

 private:
  friend Wrapper;  // which drives it and saves it together with its own state

  /// What load_state() has read and not yet taken over.
  struct Loaded {
    std::vector<double> options;
    std::vector<double> shared;
    std::vector<Entry> entries;
    std::int64_t steps;
  };
  Loaded read_state(detail::StateReader& reader);
  /// Throws ValueError for an option that cannot be, before anything is changed.
  void take_state(Loaded loaded);

  std::vector<Tensor> new_slots(const Entry& entry, std::size_t rule) const;
  void renew_slots();
  [[noreturn]] void no_gradient() const;
  void move_all(double loss);
  void warn_of_unowned(const Gradients& gradients);
  std::string option_key(std::size_t group, const char* name) const;

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
