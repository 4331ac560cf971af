#pragma once
#include <capstan/core/error.h>
#include <capstan/optim/adagrad.h>
#include <capstan/optim/conformance_gtest.h>
#include <capstan/optim/elementwise.h>
#include <capstan/optim/rmsprop.h>
#include <capstan/optim/sgd.h>

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace capstan;

// A method of a user's, exactly as the guide prints it.
// clang-format off
struct SignumOptions { double lr = 1e-3, momentum = 0.9; };

/// Signum (Bernstein et al., ICML 2018, alg. 2):  m <- b*m + (1-b)*g,  w <- w - lr*sign(m).
struct Signum : optim::Elementwise<Signum, SignumOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "signum";
  static constexpr Field fields[] = {{"lr", &SignumOptions::lr}, {"momentum", &SignumOptions::momentum}};   // for files, errors, make()
  static constexpr std::array states = {"momentum"};                       // one slot per element, from zero
  template <class T> struct Rule {
    T lr, b;
    Rule(const SignumOptions& o, optim::StepInfo step) : lr(T(step.lr)), b(T(o.momentum)) {}
    void operator()(T& w, T g, T& m) const { m = b * m + (1 - b) * g; w -= lr * sign(m); }
  };
};
// clang-format on

/// A user's method with every optional member: two rules with slots of their own, what they start from, checks, a formula.
struct BlendOptions {
  double lr = 0.1, keep = 0.5, from = 0.25, weight_decay = 0;
  bool two = false;
};
struct Blend : optim::Elementwise<Blend, BlendOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "blend";
  static constexpr Field fields[] = {{"lr", &BlendOptions::lr},
                                     {"keep", &BlendOptions::keep},
                                     {"from", &BlendOptions::from},
                                     {"weight_decay", &BlendOptions::weight_decay},
                                     {"two", &BlendOptions::two}};
  template <class T>
  struct One {
    static constexpr std::array states = {"fast"};
    T lr, keep;
    One(const BlendOptions& o, optim::StepInfo step) : lr(T(step.lr)), keep(T(o.keep)) {}
    void operator()(T& w, T g, T& fast) const {
      fast = keep * fast + g;
      w -= lr * fast;
    }
  };
  template <class T>
  struct Two {
    static constexpr std::array states = {"fast", "slow"};
    T lr, keep, start;
    Two(const BlendOptions& o, optim::StepInfo step) : lr(T(step.lr)), keep(T(o.keep)), start(T(1.0 / static_cast<double>(step.t))) {}
    void operator()(T& w, T g, T& fast, T& slow) const {
      fast = keep * fast + g;
      slow += start * (g - slow);
      w -= lr * (fast + slow) / T(2);
    }
  };
  template <class T>
  using Rules = optim::RuleList<One<T>, Two<T>>;
  static std::size_t rule_index(const BlendOptions& o) { return o.two ? 1 : 0; }
  static double initial(const BlendOptions& o, std::size_t slot) { return slot == 0 ? o.from : 0; }
  static bool rests(const BlendOptions& o) { return o.from == 0; }
  static void check(const BlendOptions& o) {
    if (o.keep > 1) throw ValueError("[blend] keep must not be above 1: " + std::to_string(o.keep));
  }
  static std::string formula(const BlendOptions& o) { return std::string(o.two ? "two" : "one") + " sums"; }
};

/// Options by name, whatever the method.
using Settings = std::vector<std::pair<std::string, double>>;

template <class Options, class Fields>
Options options_with(const Fields& fields, const Settings& settings) {
  Options o;
  for (const auto& [name, value] : settings) {
    bool known = false;
    for (const auto& f : fields)
      if (name == f.name) {
        f.set(o, value);
        known = true;
      }
    EXPECT_TRUE(known) << name;
  }
  return o;
}

/// What a row needs of a method's type.
struct Builder {
  std::unique_ptr<optim::Optimizer> (*make)(const Parameters&, const Settings&);
  optim::Conformance (*conform)(const std::vector<Settings>& sets, const optim::ConformanceOptions& options);

  std::unique_ptr<optim::Optimizer> operator()(const Parameters& parameters, const Settings& settings) const {
    return make(parameters, settings);
  }
};

template <class Method, class Options>
constexpr Builder build = {[](const Parameters& parameters, const Settings& settings) -> std::unique_ptr<optim::Optimizer> {
                             return std::make_unique<Method>(parameters, options_with<Options>(Method::fields, settings));
                           },
                           [](const std::vector<Settings>& sets, const optim::ConformanceOptions& options) {
                             std::vector<Options> more;
                             for (const Settings& settings : sets) more.push_back(options_with<Options>(Method::fields, settings));
                             const Options first = more.front();
                             more.erase(more.begin());
                             return optim::conformance<Method>(first, more, options);
                           }};

/// One row of the table that every method goes through.
struct Row {
  std::string name;
  Builder build;
  std::vector<std::string> options;  // in their order
  Settings good;                     // with which it comes within `reach` of a parabola's bottom in 400 steps
  double reach;
  struct Change {
    std::string option;
    Settings from, to;
  };
  std::vector<Change> changes;  // each option: two settings that differ in it alone
  struct Refusal {
    Settings settings;
    std::string error;  // without "[name] "
  };
  std::vector<Refusal> refused;
  std::vector<Settings> all;              // one for each rule, with every option set
  std::string slots;                      // of each of them: "| first second| first"
  optim::Decay decay = optim::Decay::l2;  // where weight_decay goes in, unless an option of that name says decoupled
  bool whole = false;                     // moves a tensor as a whole
  bool matrices = false;                  // and takes only matrices
  std::int64_t most = 1 << 30;            // elements that a parameter may have here
  bool together = false;                  // all parameters make one step
  std::vector<std::string> elsewhere;     // options that count for step(closure) only, which its own test sees
  std::vector<std::string> shared;        // numbers that all parameters share

  /// A shape of n elements that the method takes.
  Shape shape(std::int64_t n) const { return matrices ? Shape{n, 1} : Shape{n}; }
};

/// The option makes itself felt beside a rate of 0.1.
Row::Change felt(const char* option, double to);
/// What every option that must not be negative refuses, and every one that must lie in [0, 1); then some of the row's own.
std::vector<Row::Refusal> refusals(const std::vector<const char*>& not_negative, const std::vector<const char*>& in_unit,
                                   std::vector<Row::Refusal> more = {});

const std::vector<Row>& rows();
std::vector<Row> first_rows(), adam_rows(), other_rows(), whole_rows(), contrib_rows(), users_rows();  // which make them up

inline constexpr double NaN = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();

inline double setting(const Settings& settings, std::string_view option) {
  for (const auto& [name, value] : settings)
    if (name == option) return value;
  return 0;
}

/// What make() knew before any test registered a method.
extern const std::vector<std::string> built_in_methods;

/// So that a failure names the method.
inline void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }
