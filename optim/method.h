#pragma once
#include <capstan/optim/optimizer.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <type_traits>

namespace capstan::optim {

namespace detail {
/// a == b where just that is meant, without the warning of -Wfloat-equal in the files that include this.
constexpr bool equal(double a, double b) noexcept { return a <= b && a >= b; }

/// What `{}` stands for in the place of parameters: none. A method that inherits its constructors could take it for a copy of itself, made
/// by the default constructor that the language declares for it, and would refuse it as ambiguous.
enum class NoParameters {};
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

/// What the options of a method give it: their names, groups, checks, files, explain(). A method derives from one of the two
/// that build on this and say how it moves: Elementwise (each element by itself) or WholeTensor (anything else). Static
/// members that both ask for, those in brackets only where they are wanted:
///   - `name` and `fields`: what the method and its options are called (optim/field.h says what an option can be);
///   - `states`: the names of its slots, which have the parameter's shape and start at 0;
///   - [`double initial(const Options&, std::size_t slot)`]: what a slot starts from;
///   - [`void check(const Options&)`]: throws ValueError; without it every number is checked to be finite, lr, eps and weight_decay
///     not to be negative, and, where a parameter is f32, every number to be finite in f32 and no eps, or what begins so, to be 0
///     there;
///   - [`std::string formula(const Options&)`] and [`source`], the paper with its equation: for explain();
///   - [`Decay decay(const Options&)`]: where the option `weight_decay` goes in, when not as L2 into the gradient;
///   - [`void accept(const std::string& name, const Tensor& w)`]: throws ValueError for a parameter it cannot move.
template <class Derived, class Options>
class Method : public Optimizer {
 public:
  using Field = optim::Field<Options>;

  ~Method() override;

  /// The options of group k; 0 are the constructor's.
  const Options& options(std::size_t k = 0) const { return groups_.at(k).options; }

  /// Gives the parameters whose names match the pattern (`*` stands for any text) options of their own: `change` is called
  /// with the constructor's options; what it sets to another value is the group's own, the rest follows the constructor's
  /// options from then on. A parameter belongs to the last group that names it. A pattern that was given before names the same
  /// group: `change` is called with its options as they are now, so that a rate can be set at run time. Throws ValueError for a
  /// pattern that matches nothing and for a bad option, and then changes nothing.
  template <class F>
  requires std::is_invocable_v<F&, Options&>
  void group(std::string_view pattern, F change) {
    const std::size_t k = group_of(pattern);
    Options options = groups_[k].options;
    change(options);
    set_group(pattern, k, options);
  }

  using Optimizer::group;

  const char* method() const noexcept final { return Derived::name; }

 protected:
  /// `prepares`: as in Optimizer.
  Method(const Parameters& parameters, Options options, bool prepares = false);

  /// Where weight_decay goes in; Decay::own also when there is none.
  static Decay decay_of(const Options& options) noexcept;

  std::vector<const char*> option_names() const final;
  double option(std::size_t group, std::string_view name) const final;
  void set_option(std::size_t group, std::string_view name, double value) final;
  void set_options(const std::vector<double>& values) final;
  std::size_t group_count() const noexcept final { return groups_.size(); }
  void group_by_name(std::string_view pattern, const std::vector<Setting>& settings) override;
  std::string formula_of(std::size_t group) const final;
  const char* paper() const noexcept final;
  std::size_t rule_of(std::size_t group) const noexcept final;
  std::size_t rule_of(std::size_t group, const std::vector<double>& values) const final;
  double start_of(std::size_t group, std::size_t slot) const final;
  void accept_parameter(const std::string& name, const Tensor& parameter) const override;

 private:
  struct Group {
    Options options;
    std::uint64_t own = 0;     // bit i: field i was set by this group and no longer follows group 0
    std::string pattern = {};  // empty for group 0
  };

  std::size_t group_of(std::string_view pattern) const noexcept;  // 0: none has it yet
  void set_group(std::string_view pattern, std::size_t k, const Options& options);
  static void own_what_differs(Group& group, const Options& from) noexcept;
  static void check_options(const Options& options);
  static void require_held(const Options& options, bool any_f32);
  static std::size_t rule_for(const Options& options) noexcept;
  const optim::Field<Options>& field(std::string_view name) const;

  std::vector<Group> groups_;
};

}  // namespace capstan::optim

#include <capstan/optim/method_impl.h>
