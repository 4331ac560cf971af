#include <cmath>
#include <fstream>
#include <sstream>

#include "lbfgs.h"

// L-BFGS with its line search, against PyTorch's (tests/oracles/lbfgs.txt), and what it remembers.

using namespace capstan;

namespace {

struct Step {
  int evaluations;
  double loss;
  std::vector<double> w;
};
struct Case {
  std::string name, function;
  optim::LBFGSOptions options;
  std::vector<double> start;
  std::vector<Step> steps;
};

std::vector<Case> read_cases(const std::string& file) {
  std::ifstream in(CAPSTAN_TEST_FILES "/oracles/" + file);
  std::vector<Case> cases;
  std::string line, word;
  while (std::getline(in, line)) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    words >> word;
    if (word == "case") {
      words >> cases.emplace_back().name >> cases.back().function;
    } else if (word == "options") {
      while (words >> word) {
        const std::size_t equals = word.find('=');
        bool known = false;
        for (const auto& f : optim::LBFGS::fields)
          if (word.substr(0, equals) == f.name) {
            f.set(cases.back().options, std::stod(word.substr(equals + 1)));
            known = true;
          }
        EXPECT_TRUE(known) << word;
      }
    } else {
      EXPECT_TRUE(word == "start" || word == "step") << line;
      if (word == "step") words >> cases.back().steps.emplace_back().evaluations >> cases.back().steps.back().loss;
      std::vector<double>& to = word == "step" ? cases.back().steps.back().w : cases.back().start;
      for (double x; words >> x;) to.push_back(x);
      EXPECT_EQ(to.size(), 6u) << line;
    }
  }
  return cases;
}

Tensor bowl(const Tensor& x) {
  const Tensor steepness = tensor({1, 2, 3, 4, 5, 6}, x.dtype());
  return sum(steepness * square(x)) / 2 + square(square(sum(x))) / 10 + sum(exp(x));
}

double distance(const std::vector<double>& is, const std::vector<double>& want) {
  double d = 0;
  for (std::size_t i = 0; i < want.size(); ++i) d = std::max(d, std::abs(is[i] - want[i]) / std::max(1.0, std::abs(want[i])));
  return d;
}

/// The largest error of a run in which w is one tensor, or two of 2 and 4 elements.
double error(const Case& c, DType dtype, bool parted, bool count) {
  const Tensor start = tensor(c.start).to(dtype);
  std::vector<Tensor> w;
  if (parted) {
    w = {parameter(start.rows(0, 2).clone()), parameter(start.rows(2, 6).clone().reshape({2, 2}).clone())};
  } else {
    w = {parameter(start.clone())};
  }
  const auto loss_of = [&] {
    if (!parted) return c.function == "bowl" ? bowl(w[0]) : rosenbrock(w[0]);
    // The two parts side by side: sums of each with a matrix of zeros and ones.
    Tensor left = zeros({2, 6}, dtype), right = zeros({4, 6}, dtype);
    const auto one = [](const Tensor& m, std::int64_t i, std::int64_t k) {
      Tensor(m.rows(i, i + 1).reshape({6}).rows(k, k + 1)).assign(ones({1}, m.dtype()));
    };
    {
      const NoGrad pause;
      for (std::int64_t i = 0; i < 2; ++i) one(left, i, i);
      for (std::int64_t i = 0; i < 4; ++i) one(right, i, i + 2);
    }
    const Tensor x = matmul(w[0], left) + matmul(w[1].reshape({4}), right);
    return c.function == "bowl" ? bowl(x) : rosenbrock(x);
  };
  optim::LBFGS lbfgs(Parameters(w), c.options);
  double worst = 0;
  for (const Step& want : c.steps) {
    const double loss = lbfgs.step([&] {
      Tape tape;
      return tape.gradients(loss_of());
    });
    EXPECT_TRUE(!count || lbfgs.evaluations() == want.evaluations) << c.name << " " << lbfgs.evaluations();
    std::vector<double> now;
    for (const Tensor& part : w)
      for (const double x : values(part)) now.push_back(x);
    worst = std::max({worst, distance(now, want.w), std::abs(loss - want.loss) / std::max(1.0, std::abs(want.loss))});
  }
  return worst;
}

}  // namespace

TEST(LBFGS, AgreesWithTheReference) {
  std::vector<Case> cases = read_cases("lbfgs.txt");
  ASSERT_EQ(cases.size(), 8u);
  for (const Case& c : read_cases("lbfgs_plain.txt")) {
    EXPECT_FALSE(c.options.line_search);
    cases.push_back(c);
  }
  ASSERT_EQ(cases.size(), 13u);
  for (const Case& c : cases) {
    ASSERT_FALSE(c.steps.empty());
    EXPECT_LE(error(c, DType::f64, false, true), 1e-12) << c.name;
    EXPECT_LE(error(c, DType::f64, true, true), 1e-12) << c.name;
    Case off = c;  // a control: each of these must be seen
    off.start[1] += 1e-8;
    if (c.steps.back().loss > 1e-20 && c.name.find("tolerance") == std::string::npos) {
      EXPECT_GT(error(off, DType::f64, false, false), 1e-10) << c.name;
    }
  }
}

// In f32 the search compares losses that are all rounding near the bottom, and goes another way to the same end.
TEST(LBFGS, FindsTheSameBottomInF32) {
  std::size_t seen = 0;
  for (const Case& c : read_cases("lbfgs.txt")) {
    if (c.name != "bowl" && c.name != "bowl_long" && c.name != "rosenbrock_to_the_end") continue;
    ++seen;
    Tensor w = parameter(tensor(c.start).to(DType::f32));
    optim::LBFGS lbfgs(Parameters{{"w", w}}, c.options);
    double loss = 0;
    for (std::size_t t = 0; t < c.steps.size(); ++t)
      loss = lbfgs.step(closure([&] { return c.function == "bowl" ? bowl(w) : rosenbrock(w); }));
    EXPECT_NEAR(loss, c.steps.back().loss, 1e-5) << c.name;
    EXPECT_LE(distance(values(w), c.steps.back().w), 3e-3) << c.name;
  }
  EXPECT_EQ(seen, 3u);
}

TEST(LBFGS, ReadsMaxIterMaxEvalAndBothTolerances) {
  const auto evaluations = [](optim::LBFGSOptions o) {
    Tensor w = parameter(tensor({-1.2, 1.0, -1.2, 1.0}, DType::f64));
    optim::LBFGS lbfgs(Parameters{{"w", w}}, o);
    lbfgs.step(closure([&] { return rosenbrock(w); }));
    return lbfgs.evaluations();
  };
  const int all = evaluations({.max_iter = 300});
  EXPECT_GT(all, 20);
  EXPECT_LT(evaluations({.max_iter = 10}), all);
  EXPECT_EQ(evaluations({.max_iter = 20}), evaluations({.max_iter = 20, .max_eval = 25}));
  for (const double most : {1, 2, 3, 5, 12, 13}) EXPECT_EQ(evaluations({.max_iter = 300, .max_eval = most}), most);
  EXPECT_LT(evaluations({.max_iter = 300, .tolerance_grad = 1}), all);
  EXPECT_LT(evaluations({.max_iter = 300, .tolerance_change = 0.1}), all);
  EXPECT_EQ(evaluations({.tolerance_grad = 1e6}), 1);
}

TEST(LBFGS, RemembersOverSavingAndLoading) {
  const auto run = [](optim::LBFGS& o, Tensor& w) { return o.step(closure([&] { return rosenbrock(w); })); };
  Tensor w = parameter(tensor({-1.2, 1.0, 0.5, 2.0}, DType::f64));
  optim::LBFGS one(Parameters{{"w", w}}, {.max_iter = 5, .history_size = 3});
  run(one, w);
  Tensor twin = parameter(w.clone());
  optim::LBFGS other(Parameters{{"w", twin}});
  other.load_state(one.state());
  EXPECT_EQ(run(one, w), run(other, twin));
  EXPECT_EQ(bits(w), bits(twin));
  EXPECT_EQ(bits(one.state()), bits(other.state()));
}

TEST(LBFGS, TakesALossThatIsNotFiniteForTooFar) {
  Tensor w = parameter(tensor({4.0}, DType::f64));
  optim::LBFGS lbfgs(Parameters{{"w", w}}, {.lr = 1000, .max_iter = 100});
  const Tensor first = w - 1000.0;  // where the search begins: no logarithm there
  EXPECT_TRUE(std::isnan(log(first).item()));
  EXPECT_NEAR(lbfgs.step(closure([&] { return sum(square(w) - 2 * log(w)); })), 1, 1e-9);
  EXPECT_NEAR(w.item(), 1, 1e-4);

  Tensor x = parameter(tensor({2.0}, DType::f64));
  optim::LBFGS other(Parameters{{"x", x}}, {.lr = 1000, .max_iter = 100});
  EXPECT_TRUE(std::isinf(exp(square(x - 1000.0)).item()));
  EXPECT_NEAR(other.step(closure([&] { return sum(exp(square(x))); })), 1, 1e-9);
  EXPECT_NEAR(x.item(), 0, 1e-4);
}

TEST(LBFGS, StartsAfreshWithOtherParameters) {
  Tensor a = parameter(tensor({3.0, -2.0}, DType::f64)), b = parameter(tensor({5.0}, DType::f64));
  optim::LBFGS lbfgs(Parameters{{"a", a}, {"b", b}});
  const Tensor steep = tensor({1.0, 4.0}, DType::f64);
  const auto of_a = [&] { return sum(steep * square(a)); };
  for (int t = 0; t < 3; ++t) {
    Tape tape;
    lbfgs.step(tape.gradients(of_a()));
  }
  EXPECT_GT(lbfgs.state()["a/memory"].data<double>()[0], 0);
  {
    Tape tape;
    lbfgs.step(tape.gradients(of_a() + sum(square(b))));
  }
  EXPECT_EQ(lbfgs.state()["a/memory"].data<double>()[0], 0);
  for (int t = 0; t < 30; ++t) {
    Tape tape;
    lbfgs.step(tape.gradients(of_a() + sum(square(b))));
  }
  EXPECT_GT(lbfgs.state()["b/memory"].data<double>()[0], 0);
  EXPECT_LT(std::abs(values(a)[0]) + std::abs(values(a)[1]) + std::abs(b.item()), 1e-4);
}

TEST(LBFGS, RemembersNoStepThatItDidNotMake) {
  Tensor w = parameter(tensor({4.0}, DType::f64));
  optim::LBFGS lbfgs(Parameters{{"w", w}}, {.lr = 0.1, .tolerance_change = 1});
  const auto pairs = [&](double g) {
    lbfgs.step(Gradients::from({{w, full({1}, g, DType::f64)}}));
    return lbfgs.state()["w/memory"].data<double>()[0];
  };
  EXPECT_EQ(pairs(4), 0);
  EXPECT_EQ(pairs(0.5), 1);  // and too little slope to move
  const double there = w.item();
  EXPECT_EQ(pairs(0.25), 1);
  EXPECT_EQ(w.item(), there);
}
