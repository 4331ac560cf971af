#pragma once
#include <capstan/core/threads.h>
#include <capstan/optim/optimizer.h>
#include <capstan/optim/rule_loop.h>

#include <array>
#include <cmath>
#include <cstddef>

namespace capstan {

/// -1, 0 or 1, for optimizer rules.
template <class T>
requires std::is_arithmetic_v<T> T sign(T x) { return static_cast<T>(x > T(0)) - static_cast<T>(x < T(0)); }

namespace optim {

/// One option of a method by its name: a number or a flag.
template <class Options>
struct Field {
  using Struct = Options;
  constexpr Field(const char* n, double Options::*member) : name(n), number(member) {}
  constexpr Field(const char* n, bool Options::*member) : name(n), flag(member) {}

  double get(const Options& o) const { return number ? o.*number : static_cast<double>(o.*flag); }
  void set(Options& o, double value) const {
    if (number)
      o.*number = value;
    else
      o.*flag = value != 0;
  }

  const char* name;
  double Options::*number = nullptr;
  bool Options::*flag = nullptr;
};

/// The struct of a method's options.
template <class Method>
using OptionsOf = typename decltype(Method::fields)::value_type::Struct;

/// The rules among which a method's options choose.
template <class... Rule>
struct RuleList {};

/// A method that moves each element by itself. The author writes the options and the rule for one element:
///
///     struct SignumOptions { double lr = 1e-3, momentum = 0.9; };
///     struct Signum : optim::Elementwise<Signum, SignumOptions> {
///       using Elementwise::Elementwise;
///       static constexpr auto name = "signum";
///       static constexpr std::array fields = {Field<SignumOptions>{"lr", &SignumOptions::lr},
///                                             Field<SignumOptions>{"momentum", &SignumOptions::momentum}};
///       static constexpr std::array states = {"momentum"};
///       template <class T> struct Rule {
///         T lr, b;
///         Rule(const SignumOptions& o, optim::StepInfo step) : lr(T(step.lr)), b(T(o.momentum)) {}
///         void operator()(T& w, T g, T& m) const { m = b * m + (1 - b) * g; w -= lr * sign(m); }
///       };
///     };
///
/// The constructor of a rule computes the step's scalars once; its call moves one element, given w, g and one number for
/// each of `states`, which start at 0. From that come f32 and f64, one pass over memory, the best instruction set, threads,
/// groups, saving and loading, explain(). A member `weight_decay` of the options is read here: g + weight_decay * w goes
/// into every rule as g. Optional static members:
///   - `double initial(const Options&, std::size_t slot)`: what a slot starts from;
///   - `void check(const Options&)`: throws ValueError; every number is checked to be finite and lr, eps and weight_decay
///     not to be negative without it;
///   - `std::string formula(const Options&)`: for explain();
///   - `template <class T> using Rules = RuleList<A<T>, B<T>>` and `std::size_t choose(const Options&)`: several rules, each
///     with `states` of its own, of which the options choose one.
template <class Derived, class Options>
class Elementwise : public Optimizer {
 public:
  template <class O>
  using Field = optim::Field<O>;

  /// Throws ValueError for an option out of its range (naming it and its value) and for an empty list of parameters.
  explicit Elementwise(const Parameters& parameters, Options options = {});
  ~Elementwise() override;

  /// The options of group k; 0 are the constructor's.
  const Options& options(std::size_t k = 0) const { return groups_.at(k).options; }

  /// Gives the parameters whose names match the pattern (`*` stands for any text) options of their own: `change` is called
  /// with the constructor's options; what it sets to another value is the group's own, the rest follows the constructor's
  /// options from then on. A parameter belongs to the last group that names it. Throws ValueError for a pattern that
  /// matches nothing and for a bad option, and then changes nothing.
  template <class F>
  void group(std::string_view pattern, F change) {
    Group g{groups_.front().options, 0};
    change(g.options);
    add_group(pattern, g);
  }

  const char* method() const noexcept final { return Derived::name; }

 protected:
  void update(Entry& entry, const Tensor& g) final;
  std::vector<const char*> option_names() const final;
  double option(std::size_t group, std::string_view name) const final;
  void set_option(std::size_t group, std::string_view name, double value) final;
  void set_options(const std::vector<double>& values) final;
  std::size_t group_count() const noexcept final { return groups_.size(); }
  std::string formula(std::size_t group) const final;
  std::size_t rule_of(std::size_t group) const noexcept final;
  std::size_t rule_of(std::size_t group, const std::vector<double>& values) const final;
  std::vector<const char*> slot_names(std::size_t rule) const final;
  double initial(std::size_t group, std::size_t slot) const final;

 private:
  struct Group {
    Options options;
    std::uint64_t own;  // bit i: field i was set by this group and no longer follows group 0
  };

  void add_group(std::string_view pattern, Group group);
  static void check_options(const Options& options);
  static std::size_t rule_for(const Options& options) noexcept;
  const optim::Field<Options>& field(std::string_view name) const;
  template <class T>
  void run(Entry& entry, const Tensor& g);

  std::vector<Group> groups_;
};

}  // namespace optim
}  // namespace capstan

#include <capstan/optim/elementwise_impl.h>
