#include <capstan/optim/conformance_gtest.h>
#include <capstan/optim/sgd.h>

#include <algorithm>
#include <cmath>

#include "support.h"

// The kit's looks at numbers: rules that keep or compute what they should not, and reference trajectories.

using namespace capstan;
using optim::Conformance;
using optim::Property;

namespace {

struct StillOptions {
  double lr = 0.1, momentum = 0.5;
};
/// A rule whose steps are counted in a static variable.
struct Counts : optim::Elementwise<Counts, StillOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "counts";
  static constexpr Field fields[] = {{"lr", &StillOptions::lr}, {"momentum", &StillOptions::momentum}};
  static constexpr std::array states = {"momentum"};
  template <class T>
  struct Rule {
    T lr, b;
    Rule(const StillOptions& o, optim::StepInfo step) : b(T(o.momentum)) {
      static int t = 0;
      lr = T(step.lr * (1 + 0.5 * std::sin(++t)));  // no two runs alike, however many there are
    }
    void operator()(T& w, T g, T& m) const {
      m = b * m + (1 - b) * g;
      w -= lr * m;
    }
  };
};
/// A rule that computes in float, whatever T is.
struct Single : optim::Elementwise<Single, StillOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "single";
  static constexpr Field fields[] = {{"lr", &StillOptions::lr}, {"momentum", &StillOptions::momentum}};
  static constexpr std::array states = {"momentum"};
  template <class T>
  struct Rule {
    float lr, b;
    Rule(const StillOptions& o, optim::StepInfo step) : lr(static_cast<float>(step.lr)), b(static_cast<float>(o.momentum)) {}
    void operator()(T& w, T g, T& m) const {
      const float now = b * static_cast<float>(m) + (1 - b) * static_cast<float>(g);
      m = T(now);
      w -= T(lr * now);
    }
  };
};

bool fails(const Conformance& report, const std::string& property) {
  return std::any_of(report.properties.begin(), report.properties.end(),
                     [&](const Property& p) { return p.name == property && p.outcome == Property::Outcome::failed; });
}

}  // namespace

TEST(Kit, CatchesRulesThatKeepOrComputeElsewhere) {
  EXPECT_TRUE(fails(optim::conformance<Counts>(), "two fresh runs agree to the bit"));
  const Conformance single = optim::conformance<Single>();
  EXPECT_TRUE(fails(single, "f64 is more exact than f32")) << single.text();
}

TEST(Kit, ComparesWithAReferenceTrajectory) {
  const optim::SGDOptions o{.lr = 0.5, .momentum = 0.5};
  const optim::Trajectory right = {.start = {1, 2}, .gradients = {{2, -2}, {1, 0}}, .expected = {{0, 3}, {-1, 3.5}}};
  optim::expect_trajectory<optim::SGD>(o, right);
  EXPECT_EQ(optim::follows<optim::SGD>(o, right).name, "follows its reference trajectory");
  optim::Trajectory wrong = right;
  wrong.expected[1][1] = 3.5 + 1e-11;
  EXPECT_EQ(optim::follows<optim::SGD>(o, wrong).message, "after step 2 element 1 in f64 is 3.5 and not 3.50000000001");
  EXPECT_EQ(optim::follows<optim::SGD>(o, wrong, 1e-10).outcome, Property::Outcome::held);
  wrong.expected[1][1] = NAN;
  EXPECT_EQ(optim::follows<optim::SGD>(o, wrong).outcome, Property::Outcome::failed);
  wrong.gradients.pop_back();
  EXPECT_EQ(thrown([&] { optim::follows<optim::SGD>(o, wrong); }),
            "ValueError: [sgd] a trajectory must have a start of its shape, and as many gradients as expected parameters, one at least: 2 "
            "elements of [2], 1 gradients, 2 expected");
  wrong = right;
  wrong.gradients[1] = {1};
  EXPECT_EQ(thrown([&] { optim::follows<optim::SGD>(o, wrong); }),
            "ValueError: [sgd] each row of a trajectory must be as long as its start: a gradient has 1, not 2");
  const optim::Trajectory row = {.start = {3, 4}, .gradients = {{1, 0}}, .expected = {{2, 4}}, .shape = {1, 2}};
  optim::expect_trajectory<optim::SGD>(optim::SGDOptions{.lr = 1}, row);
}
