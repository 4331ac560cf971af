#pragma once
#include <capstan/optim/elementwise.h>

#include <algorithm>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace capstan::optim {

class Chain;

/// What conformance() found out about one property.
struct Property {
  enum class Outcome { held, failed, not_claimed };
  std::string name;
  Outcome outcome;
  std::string message;  // failed: with which options, and what was seen; not claimed: why not; held: what was left out, and why
};

struct Conformance {
  std::string method;
  std::vector<Property> properties;

  /// Whether none has failed.
  explicit operator bool() const noexcept;
  /// A line for each property.
  std::string text() const;
};

struct ConformanceOptions {
  double parabola = 1e-4;    // how much of the first loss may be left of a parabola of 12 variables after 1,000 steps
  double rosenbrock = 1e-2;  // the same of Rosenbrock's valley from (-1.2, 1) after 5,000 steps
  bool matrices = false;     // the method takes parameters of two axes only
  bool together = false;     // a parameter's step depends on the others, so that it promises nothing of a group or a later one
  std::int64_t most = std::int64_t{1} << 30;  // elements that a parameter may have
  std::vector<std::string> elsewhere = {};    // options that step(gradients) has no use for
};

namespace detail {

/// A method with its type put aside; values are those of its fields, in their order.
struct Subject {
  const char* name;
  std::vector<const char*> options;
  std::vector<FieldInfo> fields;
  const void* sets;  // the vector of options
  std::size_t count;
  bool elementwise, chain, only_rows;
  ConformanceOptions settings;
  std::vector<double> (*values)(const Subject&, std::size_t set);
  std::unique_ptr<Optimizer> (*build)(const Subject&, std::size_t set, const std::vector<double>& values, const Parameters&);
  bool (*rests)(const Subject&, std::size_t set, const std::vector<double>& values);
  bool (*decays_itself)(const Subject&, std::size_t set, const std::vector<double>& values);
  void (*group)(Optimizer&, std::string_view pattern, const std::vector<double>& values);  // null: the method has none
};
Conformance check_conformance(const Subject& subject);

template <class Derived, class Options>
std::true_type moves_elements(const Elementwise<Derived, Options>*);
std::false_type moves_elements(const void*);

}  // namespace detail

/// Puts a method to the proof of all that Capstan promises of one, with `set` and with each of `more` sets of options. Reports by name
/// what held. It needs no test framework:
///
///     const auto report = optim::conformance<SGD>({.lr = 0.1}, {{.lr = 0.1, .momentum = 0.9}, {.lr = 0.1, .weight_decay = 0.01}});
///     std::puts(report.text().c_str());
///     return report ? 0 : 1;
///
/// The properties:
///   - "two fresh runs agree to the bit", one after the other and side by side: no static variable holds what a run knows;
///   - "tells its name and options": method() is Method::name, state() lists every field (a Chain's has a number that follows each);
///   - "converges on a parabola", "converges on Rosenbrock's valley": with the first set, without weight decay, at its rate
///     or at some rate lr * 10^k, k = -4 ... 3, in f32 and f64, as close as ConformanceOptions say;
///   - "every option changes the trajectory": in f32 and f64, by more than 1e-4, with another value in one of the sets;
///   - "leaves the gradient alone";
///   - "moves by row-sparse gradients as by dense ones": parameters and states have the same bits, whether the gradient of a few
///     rows comes by rows or with zeros in all others, over several steps with other rows each. A method whose rule says `rests` (or that
///     overrides takes_rows()) is given these rows alone, and so it is its claim that is proved. Where averages catch up later, by
///     idle(), they agree to 1e-12 in f64. A method with `static constexpr bool only_rows = true`, which refuses dense gradients, does not
///     promise it, and is given gradients by rows for all the rest;
///   - "rests at zero gradient": from its start and without weight decay a parameter whose gradients are all 0 keeps its bits.
///     A method that cannot promise that has `static bool rests(const Options&)` and says for which options it can;
///   - "leaves a parameter without gradient alone", and its state;
///   - "starts a later parameter afresh": after add_parameters() it moves as in an optimizer of its own;
///   - "moves a group by its own options" and inherits the rate that it does not set; when it has group();
///   - "goes on after a load to the bit": into an optimizer with other options, and one that was at work;
///   - "f32 follows f64": to 1e-4 over ten steps;
///   - "f64 is more exact than f32": where options, parameters and gradients change by 2^-31 of themselves, 512 times, no element jumps as
///     it does where one of them, or something computed of them, is rounded to f32;
///   - "composes with clipping and decay": gradients are values; weight_decay adds weight_decay * w to them (L2), or takes
///     lr * weight_decay * w from w before the step (decoupled, Loshchilov & Hutter, ICLR 2019), to 1e-12 in f64 and 1e-5 in
///     f32, with that of the set or else 0.1, unless decay() says that the method has a way of its own;
///   - "keeps parameters finite": whatever finite gradients come, from the smallest number of the dtype to the largest, with one
///     sign or both, in all elements or in one, no element becomes infinite or NaN;
///   - "refuses what is not finite", a gradient or loss, before anything is changed;
///   - "refuses bad options": NaN and infinity for any, a negative lr, eps and weight_decay, in the constructor, set_lr(), group()
///     and load_state(), before anything is changed;
///   - "gives the same bits for any number of threads": 1, 2 and 3, which it sets and restores;
///   - "moves each element by itself", when Method is an Elementwise whose parameters do not depend on each other.
///
/// What of a property a method does not promise, or the kit cannot try, is left out, and the report says so beside "held".
/// Give a set for each rule that options can choose, and one in which each option has a say (dampening has none without
/// momentum). Weakness: it is a sample, not a proof; the method's own numbers are for the author to check, against a
/// reference trajectory. Throws what the constructor throws for a set that the method refuses.
template <class Method, class Options = OptionsOf<Method>>
Conformance conformance(const Options& set = {}, const std::vector<Options>& more = {}, ConformanceOptions options = {}) {
  using detail::Subject;
  std::vector<Options> sets = {set};
  sets.insert(sets.end(), more.begin(), more.end());
  Subject s{};
  s.name = Method::name;
  s.fields = detail::infos(Method::fields);
  for (const FieldInfo& f : s.fields) s.options.push_back(f.name);
  s.sets = &sets;
  s.count = sets.size();
  s.elementwise = decltype(detail::moves_elements(static_cast<const Method*>(nullptr)))::value;
  s.chain = std::is_base_of_v<Chain, Method>;
  if constexpr (requires { Method::only_rows; }) s.only_rows = Method::only_rows;
  s.settings = std::move(options);
  s.values = [](const Subject& subject, std::size_t index) {
    return detail::values_of(Method::fields, (*static_cast<const std::vector<Options>*>(subject.sets))[index]);
  };
  static constexpr auto with = [](const Subject& subject, std::size_t index, const std::vector<double>& values) {
    return detail::with_values(Method::fields, values, (*static_cast<const std::vector<Options>*>(subject.sets))[index]);
  };
  s.build = [](const Subject& subject, std::size_t index, const std::vector<double>& values,
               const Parameters& parameters) -> std::unique_ptr<Optimizer> {
    return std::make_unique<Method>(parameters, with(subject, index, values));
  };
  s.rests = [](const Subject& subject, std::size_t index, const std::vector<double>& values) {
    if constexpr (requires(const Options& o) { Method::rests(o); })
      return Method::rests(with(subject, index, values));
    else
      return static_cast<void>(subject), static_cast<void>(index), static_cast<void>(values), true;
  };
  s.decays_itself = [](const Subject& subject, std::size_t index, const std::vector<double>& values) {
    if constexpr (requires(const Options& o) { Method::decay(o); })
      return Method::decay(with(subject, index, values)) == Decay::own;
    else
      return static_cast<void>(subject), static_cast<void>(index), static_cast<void>(values), false;
  };
  const auto any_change = [](Options&) {};
  if constexpr (requires(Method & m) { m.group("", any_change); })
    s.group = [](Optimizer& optimizer, std::string_view pattern, const std::vector<double>& values) {
      static_cast<Method&>(optimizer).group(pattern, [&](Options& o) { o = detail::with_values(Method::fields, values, o); });
    };
  return detail::check_conformance(s);
}

/// A method's own numbers as another program has computed them.
struct Trajectory {
  std::vector<double> start;                   // the parameter, of one axis or of `shape`
  std::vector<std::vector<double>> gradients;  // one for each step
  std::vector<std::vector<double>> expected;   // the parameter after each step
  Shape shape = {};
};

namespace detail {
Property follows(const char* method, const Trajectory& trajectory, double tolerance, const void* context,
                 std::unique_ptr<Optimizer> (*build)(const void* context, const Parameters&));
}

/// Steps the method along the trajectory's gradients and reports whether it was where it should be after each. That is to `tolerance`
/// times max(1, |expected|) in f64, and to 1e-5 of it in f32. It needs no test framework; optim/conformance_gtest.h has
/// expect_trajectory().
///
///     const auto numbers = optim::follows<SGD>({.lr = 0.5}, {.start = {1}, .gradients = {{2}, {2}}, .expected = {{0}, {-1}}});
///
/// Throws ValueError for a trajectory without a step, or whose rows are not as long as its start.
template <class Method, class Options = OptionsOf<Method>>
Property follows(const Options& options, const Trajectory& trajectory, double tolerance = 1e-12) {
  return detail::follows(Method::name, trajectory, tolerance, &options,
                         [](const void* o, const Parameters& parameters) -> std::unique_ptr<Optimizer> {
                           return std::make_unique<Method>(parameters, *static_cast<const Options*>(o));
                         });
}

}  // namespace capstan::optim
