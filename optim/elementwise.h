#pragma once
#include <capstan/core/threads.h>
#include <capstan/optim/method.h>
#include <capstan/optim/rule_loop.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace capstan {

/// -1, 0 or 1, for optimizer rules; NaN stays NaN.
template <class T>
requires std::is_arithmetic_v<T> T sign(T x) {
  // Two choices one after the other: nested in each other they become twice as many instructions in a loop.
  const T zero = x + T(0);  // or NaN, but never -0
  const T above = x > T(0) ? T(1) : zero;
  return x < T(0) ? T(-1) : above;
}

namespace optim {

/// The rules among which a method's options choose.
template <class... Rule>
struct RuleList {};

namespace detail {
template <class Rule, class T>
struct Made;
}

/// A method that moves each element by itself. The author writes the options and the rule for one element:
///
///     struct SignumOptions { double lr = 1e-3, momentum = 0.9; };
///     struct Signum : optim::Elementwise<Signum, SignumOptions> {
///       using Elementwise::Elementwise;
///       static constexpr auto name = "signum";
///       static constexpr Field fields[] = {{"lr", &SignumOptions::lr},
///                                             {"momentum", &SignumOptions::momentum}};
///       static constexpr std::array states = {"momentum"};
///       template <class T> struct Rule {
///         T lr, b;
///         Rule(const SignumOptions& o, optim::StepInfo step) : lr(T(step.lr)), b(T(o.momentum)) {}
///         void operator()(T& w, T g, T& m) const { m = b * m + (1 - b) * g; w -= lr * sign(m); }
///       };
///     };
///
/// A rule holds numbers. Its constructor computes the step's scalars, once for all parameters that share them. Its call moves one element,
/// given w, g and one number for each of `states`, which start at 0. A member `weight_decay` of the options is read here, as Method's
/// `decay` says.
///
/// From that come f32 and f64, one pass over memory, the best instruction set, threads, groups, saving and loading, explain(). An element
/// whose new w is infinite or NaN stays as it was, its state with it. What else the state holds is the rule's to say. Where w stays finite
/// while a slot does not, such as in sign(m), `m = optim::finite_or(next, m)` keeps it (optim/finite.h).
///
/// Optional static members beside those that Method lists:
///   - `template <class T> using Rules = RuleList<A<T>, B<T>>`: several rules, each with `states` of its own, of which rule_index()
///     chooses one.
/// Optional members of a rule:
///   - `static constexpr bool rests = true`: with g = 0 the rule leaves w and each state as they are, to the bit, wherever they
///     stand. A step along a row-sparse gradient then touches its rows alone, unless there is weight decay. The kit of
///     optim/conformance.h proves it;
///   - `auto idle() const` instead: with g = 0 w stays, and the result tells what becomes of the states: `return optim::Fade<T>(keep);`
///     where each becomes keep times what it was. A step along a row-sparse gradient touches its rows alone, too. A row's states catch
///     up before they are used or read, with the rule of the steps they missed. Another result than Fade is a few numbers whose
///     after(n) gives a function of the states: what n steps make of them;
///   - a third argument of its constructor, `const Derived& method`: for a number that all parameters share (Optimizer::share());
///   - `T rate(T s, ...) const`, for effective_rates() and RateMicroscope: how far a unit of gradient moved w in a step. It is given one
///     number for each of `states` as they are after that step;
///   - `static constexpr bool forgets`, beside rate(): true where the rule divides by an average, false where by a sum or a maximum
///     that never falls. A microscope's warning says what to do by it.
template <class Derived, class Options>
class Elementwise : public Method<Derived, Options> {
 public:
  /// Throws ValueError for an option out of its range, naming it and its value. `prepares`: as in Optimizer.
  explicit Elementwise(const Parameters& parameters, Options options = {}, bool prepares = false);
  /// An optimizer without parameters, which add_parameters() brings: `Adam({}, {.lr = 1})`.
  explicit Elementwise(detail::NoParameters, Options options = {}, bool prepares = false) : Elementwise(Parameters(), options, prepares) {}
  ~Elementwise() override;

 protected:
  using Entry = Optimizer::Entry;
  void update_all() final;
  bool takes_rows(const Entry& entry) const final;
  bool catches_up(const Entry& entry) const final;
  std::vector<const char*> slot_names(std::size_t rule) const final;
  bool rates(const Entry& entry, double* out) const final;
  std::optional<bool> forgets(const Entry& entry) const final;

 private:
  std::size_t rule_in_use(const Entry& entry) const noexcept {
    return entry.rule == Optimizer::no_rule ? this->rule_of(entry.group) : entry.rule;
  }
  template <class Rule>
  Rule make_rule(const Options& options, StepInfo step) const;
  template <class Made>
  void move(Entry& entry, const Tensor& g, Made& made) const;
  template <class Rule, class T>
  void move_by(Entry& entry, const Tensor& g, detail::Made<Rule, T>& made) const;
};

}  // namespace optim
}  // namespace capstan

#include <capstan/optim/elementwise_impl.h>
