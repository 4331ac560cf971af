#pragma once
#include <capstan/optim/optimizer.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace capstan::optim {

/// What a rule is told about the step it computes.
struct StepInfo {
  double lr;       // the group's rate now
  std::int64_t t;  // how many steps this parameter has made with this one: 1, 2, ...
};

namespace detail {
/// a == b where just that is meant, without the warning of -Wfloat-equal in the files that include this.
constexpr bool equal(double a, double b) noexcept { return a <= b && a >= b; }

/// What `{}` stands for in the place of parameters: none. A method that inherits its constructors could take it for a copy of itself,
/// made by the default constructor that the language declares for it. It would refuse it as ambiguous.
enum class NoParameters {};

template <class Derived>
constexpr bool has_groups() {
  if constexpr (requires { Derived::has_groups; })
    return Derived::has_groups;
  else
    return true;
}
}  // namespace detail

/// The struct of a method's options.
template <class Method>
using OptionsOf = typename std::remove_cvref_t<decltype(Method::fields[0])>::Struct;

/// Where a method's option `weight_decay` goes in.
enum class Decay {
  l2,         // g + weight_decay * w takes the place of g
  decoupled,  // w <- w - lr * weight_decay * w comes first, and g stays as it is
  own         // the method reads the option itself
};

/// Groups of options, and slots by the rule that a group's options choose: the part of Method that does not need their type.
class MethodBase : public Optimizer {
 public:
  std::vector<EffectiveRates> effective_rates() const final;

 protected:
  using Optimizer::Optimizer;

  /// The options of one group by name.
  virtual std::vector<const char*> option_names() const = 0;
  virtual double option_of(std::size_t group, std::string_view name) const = 0;
  virtual void set_option_of(std::size_t group, std::string_view name, double value) = 0;
  virtual std::size_t group_count() const noexcept = 0;
  virtual std::string formula_of(std::size_t group) const = 0;

  /// Which of the method's rules a group's options choose, the names of a rule's slots, and what a slot starts from.
  virtual std::size_t rule_of(std::size_t group) const noexcept = 0;
  /// The same with all options of all groups as set_options() takes them.
  virtual std::size_t rule_with(std::size_t group, const std::vector<double>& values) const = 0;
  virtual std::vector<const char*> slot_names(std::size_t rule) const = 0;
  virtual double start_of(std::size_t group, std::size_t slot) const = 0;
  /// The shape of a slot; the parameter's own unless a method says otherwise.
  virtual Shape shape_of(std::size_t rule, std::size_t slot, const Shape& parameter) const;

  /// Whether there are effective rates for this entry; writes them, one for each element, unless `out` is null. Elements that
  /// it leaves alone have none. Called under NoGrad, with `out` only when the entry has made a step. At the base: there are none.
  virtual bool rates(const Entry& entry, double* out) const;
  /// What effective_rates() says as `forgets` of an entry that has them; at the base nothing.
  virtual std::optional<bool> forgets(const Entry& entry) const;

  /// Whether a parameter of a group, or one whose name matches a pattern, is f32.
  bool has_f32(std::size_t group) const noexcept;
  bool has_f32(std::string_view pattern) const;
  /// Moves every parameter whose name matches the pattern (`*` stands for any text) into `group`; ValueError when none does.
  void assign_group(std::string_view pattern, std::size_t group);

 private:
  static void catch_up(const Entry& entry);
  void make_ready() final;
  double option(std::string_view name) const final { return option_of(0, name); }
  void set_option(std::string_view name, double value) final { set_option_of(0, name, value); }
  std::vector<Option> all_options() const final;
  void save_entry(const Entry& entry, TensorMap& state) const final;
  void read_entry(Entry& entry, const std::vector<double>* options, capstan::detail::StateReader& reader) const final;
  std::string describe() const final;

  std::vector<Tensor> new_slots(const Entry& entry, std::size_t rule) const;
};

/// A method's options as numbers, in the order of its fields, and its groups of them. This part of Method does not need their type
/// either.
class OptionsBase : public MethodBase {
 protected:
  explicit OptionsBase(bool prepares) : MethodBase(prepares), groups_(1) {}

  virtual detail::Fields all_fields() const noexcept = 0;
  virtual double number_of(std::size_t group, std::size_t i) const = 0;
  virtual void set_number_of(std::size_t group, std::size_t i, double value) noexcept = 0;
  /// Throws ValueError for options that cannot be together.
  virtual void check_together(std::size_t group, const std::vector<double>& values) const = 0;
  /// Which rule options choose that can be.
  virtual std::size_t rule_by(std::size_t group, const std::vector<double>& values) const = 0;

  std::vector<double> numbers_of(std::size_t group) const;
  /// Throws ValueError for an option that cannot be, and for one that f32 does not hold; without values: of the constructor's options.
  void check_ranges(const std::vector<double>& values) const;
  void require_held(const std::vector<double>& values) const;
  void require_held() const;
  /// The last group of this pattern; 0 when there is none.
  std::size_t group_of(std::string_view pattern) const noexcept;
  /// Moves the parameters that match into group k, for 0 into a new one, which is to have these values. Returns its number.
  std::size_t place_group(std::string_view pattern, std::size_t k, const std::vector<double>& values);

  std::vector<const char*> option_names() const final;
  double option_of(std::size_t group, std::string_view name) const final;
  void set_option_of(std::size_t group, std::string_view name, double value) final;
  void set_options(const std::vector<double>& values) final;
  std::size_t group_count() const noexcept final { return groups_.size(); }
  std::size_t rule_with(std::size_t group, const std::vector<double>& values) const final;

 private:
  struct Group {
    std::uint64_t own = 0;     // bit i: option i was set by this group and no longer follows group 0
    std::string pattern = {};  // empty for group 0
  };
  void check_numbers(std::size_t group, const std::vector<double>& values) const;

  std::vector<Group> groups_;
  std::vector<double> changed_;  // in set_option_of(), which a schedule calls in each step: no new memory then
};

/// What the options of a method give it: their names, groups, checks, files, explain(). A method derives from one of the two
/// that build on this and say how it moves: Elementwise (each element by itself) or WholeTensor (a parameter as a whole). One whose
/// parameters make one step derives from this. Static members that it must have, those in brackets only where they are wanted:
///   - `name` and `fields`: what the method and its options are called (optim/field.h says what an option can be);
///   - `states`: the names of its slots, which have the parameter's shape and start at 0;
///   - [`double initial(const Options&, std::size_t slot)`]: what a slot starts from;
///   - [`void check(const Options&)`]: throws ValueError for options that cannot be together;
///   - [`formula`] and [`source`], the paper with its equation: for explain(). A formula is a text in which "{lr}" stands for the option's
///     number and weight decay comes by itself, or a function `std::string formula(const Options&)`;
///   - [`Decay decay(const Options&)`]: where the option `weight_decay` goes in, when not as L2 into the gradient;
///   - [`std::size_t rule_index(const Options&)`]: which of several rules the options choose, each with slots of its own;
///   - [`void accept(const std::string& name, const Tensor& w)`]: throws ValueError for a parameter it cannot move;
///   - [`bool has_groups`]: false where all parameters make one step.
///
/// Every number is checked to be finite and in its field's Range, and lr, eps and weight_decay not to be negative. Where a parameter is
/// f32, every number must be finite in f32, and no eps, or what begins so, may be 0 there.
template <class Derived, class Options>
class Method : public OptionsBase {
 public:
  using Field = optim::Field<Options>;
  using Range = FieldInfo::Range;

  ~Method() override;

  /// The options of group k; 0 are the constructor's.
  const Options& options(std::size_t k = 0) const { return options_.at(k); }

  /// Gives the parameters whose names match the pattern (`*` stands for any text) options of their own. `change` is called
  /// with the constructor's options; what it sets to another value is the group's own. The rest follows the constructor's options
  /// from then on. A parameter belongs to the last group that names it.
  ///
  /// A pattern that was given before names the same group. `change` is called with its options as they are now, so that a rate can be
  /// set at run time. Throws ValueError for a pattern that matches nothing and for a bad option, and then changes nothing.
  template <class F>
  requires(std::is_invocable_v<F&, Options&>&& detail::has_groups<Derived>()) void group(std::string_view pattern, F change) {
    const std::size_t k = this->group_of(pattern);
    Options options = options_[k];
    change(options);
    set_group(pattern, k, std::move(options));
  }

  using Optimizer::group;

  const char* method() const noexcept final { return Derived::name; }

 protected:
  /// `prepares`: as in Optimizer.
  Method(const Parameters& parameters, Options options, bool prepares = false);

  /// Where weight_decay goes in; Decay::own also when there is none.
  static Decay decay_of(const Options& options) noexcept;

  void group_by_name(std::string_view pattern, const std::vector<Setting>& settings) final;
  std::string formula_of(std::size_t group) const final;
  const char* paper() const noexcept final;
  std::size_t rule_of(std::size_t group) const noexcept final;
  std::vector<const char*> slot_names(std::size_t rule) const override;
  double start_of(std::size_t group, std::size_t slot) const final;
  void accept_parameter(const std::string& name, const Tensor& parameter) const override;

 private:
  detail::Fields all_fields() const noexcept final { return Derived::fields; }
  double number_of(std::size_t group, std::size_t i) const final;
  void set_number_of(std::size_t group, std::size_t i, double value) noexcept final;
  void check_together(std::size_t group, const std::vector<double>& values) const final;
  std::size_t rule_by(std::size_t group, const std::vector<double>& values) const final;

  /// All checks; returns the options as numbers.
  std::vector<double> check_options(const Options& options) const;
  void set_group(std::string_view pattern, std::size_t k, Options options);
  static std::size_t rule_for(const Options& options) noexcept;

  std::vector<Options> options_;  // of each group
};

}  // namespace capstan::optim

#include <capstan/optim/method_impl.h>
