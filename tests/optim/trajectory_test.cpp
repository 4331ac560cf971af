#include <capstan/optim/make.h>

#include <cmath>
#include <functional>
#include <set>

#include "all_methods.h"
#include "oracle.h"
#include "support.h"

// Each reference trajectory, in f64 to 1e-12 and in f32 to 1e-5, however the options are given.

namespace {

using oracle::Case;
using Trajectory = std::map<int, std::vector<double>>;
using Build = std::function<std::unique_ptr<optim::Optimizer>(const Parameters&)>;

Tensor row(const Case& c, const oracle::Row& r, DType dtype) {
  return tensor(std::vector<double>(r.begin(), r.end())).to(dtype).reshape(Shape(c.shape.data(), static_cast<int>(c.shape.size())));
}

/// The loss whose gradient the file states for step t.
Tensor loss_of(const Case& c, const Tensor& w, int t) {
  if (c.first_step) return sum(row(c, c.g, w.dtype()) * w);
  oracle::Row slope;
  for (std::size_t i = 0; i < oracle::size; ++i) slope[i] = c.b[i] * std::cos(0.7 * t + static_cast<double>(i));
  return sum(0.5 * row(c, c.a, w.dtype()) * w * w + row(c, slope, w.dtype()) * w);
}

Trajectory run(const Case& c, DType dtype, const Build& build) {
  Tensor w = parameter(row(c, c.w0, dtype).clone());
  const auto optimizer = build(Parameters{{"w", w}});
  Trajectory seen;
  for (int t = 1; t <= c.w.rbegin()->first; ++t) {
    Tape tape;
    const Tensor loss = loss_of(c, w, t);
    optimizer->step(tape.gradients(loss));
    if (c.w.count(t)) seen[t] = values(w);
  }
  return seen;
}

/// The largest error, in units of what the case allows.
double error(const Case& c, const Trajectory& seen, double tolerance) {
  double worst = 0;
  for (const auto& [t, want] : c.w)
    for (std::size_t i = 0; i < oracle::size; ++i) {
      const double size = c.first_step ? std::abs(want[i]) : std::max(1.0, std::abs(want[i])), off = std::abs(seen.at(t)[i] - want[i]);
      if (off == 0) continue;
      if (!(off / (size * tolerance) <= worst)) worst = size == 0 ? INFINITY : off / (size * tolerance);
    }
  return worst;
}

template <class Method, class Options>
Build with_struct(Options options) {
  return [options](const Parameters& p) { return std::make_unique<Method>(p, options); };
}

/// The case's options as the struct, field by field in the struct's order.
template <class Method, class Options>
Options listed(const Case& c) {
  const std::size_t elsewhere = c.method == "lbfgs" ? 1 : 0;  // line_search, of which step(gradients) has no use
  EXPECT_EQ(c.options.size() + elsewhere, std::size(Method::fields));
  for (std::size_t i = 0; i < c.options.size(); ++i) EXPECT_EQ(c.options[i].first, Method::fields[i].name);
  return options_with<Options>(Method::fields, c.options);
}

template <class Method, class Options>
void expect_equal_options(const Options& a, const Options& b) {
  for (const auto& f : Method::fields) EXPECT_EQ(f.get(a), f.get(b)) << f.name;
}

optim::AdagradOptions dialect(const std::string& preset) {
  const double rate = std::stod(preset.substr(preset.find('(') + 1));
  const std::string name = preset.substr(0, preset.find('('));
  if (name == "torch") return optim::AdagradOptions::torch(rate);
  if (name == "d2l") return optim::AdagradOptions::d2l(rate);
  if (name == "optax") return optim::AdagradOptions::optax(rate);
  if (name == "keras") return optim::AdagradOptions::keras(rate);
  if (name == "mlx") return optim::AdagradOptions::mlx(rate);
  EXPECT_EQ(name, "dynet");
  return optim::AdagradOptions::dynet(rate);
}

/// Every way to build the case's optimizer from its struct; each must list the case's options.
template <class Method, class Options>
std::vector<Build> structs(const Case& c) {
  const Options options = listed<Method, Options>(c);
  std::vector<Build> all = {with_struct<Method>(options)};
  if (c.preset == "default") {
    expect_equal_options<Method>(Options{}, options);
    all.push_back([](const Parameters& p) { return std::make_unique<Method>(p); });
  } else if (c.preset != "-") {
    if constexpr (std::is_same_v<Options, optim::AdagradOptions>) {
      expect_equal_options<Method>(dialect(c.preset), options);
      all.push_back(with_struct<Method>(dialect(c.preset)));
    } else {
      ADD_FAILURE() << c.preset;
    }
  }
  return all;
}

using Structs = std::vector<Build> (*)(const Case&);
const std::map<std::string, Structs> structs_of = {
#define CAPSTAN_STRUCTS(M) {optim::M::name, structs<optim::M, optim::OptionsOf<optim::M>>},
    CAPSTAN_METHODS(CAPSTAN_STRUCTS)
#undef CAPSTAN_STRUCTS
};

std::vector<Build> builds(const Case& c) {
  std::vector<Build> all = structs_of.at(c.method)(c);
  all.push_back([&c](const Parameters& p) { return optim::make(c.method + " " + c.settings, p); });
  return all;
}

class Trajectories : public testing::TestWithParam<std::size_t> {};

}  // namespace

TEST_P(Trajectories, AgreeWithTheReference) {
  const Case& c = oracle::cases().at(GetParam());
  SCOPED_TRACE(c.name);
  for (const Build& build : builds(c)) {
    EXPECT_LE(error(c, run(c, DType::f64, build), 1e-12), 1);
    EXPECT_LE(error(c, run(c, DType::f32, build), 1e-5), 1);
  }
  // The same bits, whichever way it was built.
  const Trajectory first = run(c, DType::f64, builds(c).front());
  for (const Build& build : builds(c)) EXPECT_EQ(run(c, DType::f64, build), first);
}

// A control: a rate that is off by 1e-9 must not pass.
TEST_P(Trajectories, WouldSeeASmallMistake) {
  const Case& c = oracle::cases().at(GetParam());
  SCOPED_TRACE(c.name);
  Case off = c;
  off.preset = "-";
  off.options.front().second *= 1 + 1e-9;
  EXPECT_GT(error(c, run(c, DType::f64, builds(off).front()), 1e-12), 4);
}

INSTANTIATE_TEST_SUITE_P(All, Trajectories, testing::Range<std::size_t>(0, oracle::cases().size()),
                         [](const auto& one) { return oracle::cases().at(one.param).name; });

// Every method that can be asked for by name has trajectories.
TEST(Trajectories, CoverEveryMethod) {
  std::set<std::string> covered;
  for (const Case& c : oracle::cases()) covered.insert(c.method);
  EXPECT_EQ(covered, std::set<std::string>(built_in_methods.begin(), built_in_methods.end()));
}

TEST(Trajectories, TheBooksRMSPropIsAPreset) {
  for (const Case& c : oracle::cases())
    if (c.name == "rmsprop_d2l" || c.name == "rmsprop_d2l_first_step") {
      expect_equal_options<optim::RMSProp>(optim::RMSPropOptions::d2l(0.01), listed<optim::RMSProp, optim::RMSPropOptions>(c));
      EXPECT_LE(error(c, run(c, DType::f64, with_struct<optim::RMSProp>(optim::RMSPropOptions::d2l(0.01))), 1e-12), 1);
    }
  EXPECT_EQ(optim::RMSPropOptions::d2l(0.01, 0.5).alpha, 0.5);
}

// The literal spelling that users type.
TEST(Trajectories, FollowDesignatedOptions) {
  const std::map<std::string, Build> literals = {
      {"adagrad_d2l", with_struct<optim::Adagrad>(optim::AdagradOptions{.lr = 0.1, .eps = 1e-6, .eps_inside_root = true})},
      {"adagrad_optax",
       with_struct<optim::Adagrad>(optim::AdagradOptions{.lr = 0.1, .eps = 1e-7, .eps_inside_root = true, .initial_accumulator = 0.1})},
      {"sgd_nesterov", with_struct<optim::SGD>(optim::SGDOptions{.lr = 0.1, .momentum = 0.9, .nesterov = true})},
      {"rmsprop_centered", with_struct<optim::RMSProp>(optim::RMSPropOptions{.centered = true})}};
  std::size_t seen = 0;
  for (const Case& c : oracle::cases()) {
    const auto literal = literals.find(c.name);
    if (literal == literals.end()) continue;
    EXPECT_LE(error(c, run(c, DType::f64, literal->second), 1e-12), 1) << c.name;
    ++seen;
  }
  EXPECT_EQ(seen, literals.size());
}
