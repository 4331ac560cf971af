#include <capstan/optim/adam.h>
#include <capstan/optim/elementwise.h>
#include <capstan/optim/make.h>
#include <capstan/optim/rmsprop.h>

#include <cmath>

#include "rates.h"

namespace {

/// A user's method that only sums.
struct SumOptions {
  double lr = 1;
};
struct Sum : optim::Elementwise<Sum, SumOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "absolute_sum";
  static constexpr Field fields[] = {{"lr", &SumOptions::lr}};
  static constexpr std::array states = {"sum"};
  template <class T>
  struct Rule {
    T lr;
    Rule(const SumOptions&, optim::StepInfo step) : lr(T(step.lr)) {}
    void operator()(T& w, T g, T& s) const {
      s += std::abs(g);
      w -= s == T(0) ? T(0) : rate(s) * g;
    }
    T rate(T s) const { return lr / s; }
  };
};

/// A user's RMSProp, by a name that nobody knows.
struct OwnAverage : optim::Elementwise<OwnAverage, SumOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "own_average";
  static constexpr Field fields[] = {{"lr", &SumOptions::lr}};
  static constexpr std::array states = {"average"};
  template <class T>
  struct Rule {
    T lr;
    Rule(const SumOptions&, optim::StepInfo step) : lr(T(step.lr)) {}
    void operator()(T& w, T g, T& s) const {
      s = T(0.9) * s + T(0.1) * g * g;
      w -= rate(s) * g;
    }
    static constexpr bool forgets = true;
    T rate(T s) const { return lr / (std::sqrt(s) + T(1e-8)); }
  };
};

}  // namespace

// From |g| = 1.9e19 on a square of f32 is infinite, and the coordinate stops, be it at once or later.
TEST(RateMicroscope, SeesWhatASquareThatOverflowedHasStopped) {
  Tensor w = parameter(zeros({3}));
  optim::Adagrad adagrad(Parameters{{"w", w}}, plain());
  RateMicroscope microscope(adagrad);
  step(adagrad, w, {1, 1, 1e20});
  microscope.observe();
  EXPECT_EQ(microscope.all().stopped, 1);
  EXPECT_EQ(microscope.frozen(), 1);
  EXPECT_EQ(microscope.all().reached, 3);
  step(adagrad, w, {1, 1e20, 1});
  microscope.observe();
  EXPECT_EQ(microscope.all().stopped, 2);
  EXPECT_EQ(microscope.of("w").stopped, 2);
  EXPECT_EQ(microscope.warning(),
            "adagrad: effective rates have vanished: w to 0 (2 of 3 coordinates frozen). Squares of gradients overflowed, which has "
            "stopped 2 coordinates for good: bound gradients by clip_value() or clip_norm(), or train in f64, with a new optimizer.");
  optim::RMSProp rmsprop(Parameters{{"w", w}}, {.centered = true});
  RateMicroscope other(rmsprop);
  step(rmsprop, w, {1, 1e25, 1e20});  // 1e25: the square of the average overflows too, so that the coordinate stays as it was
  other.observe();
  EXPECT_EQ(other.all().stopped, 1);
  EXPECT_EQ(other.all().reached, 2);
  for (const double x : values(w)) EXPECT_TRUE(std::isfinite(x));
}

TEST(RateMicroscope, SeesRatesAndTheirQuantiles) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    Tensor w = parameter(zeros({5}, dtype)), b = parameter(zeros({1}, dtype));
    optim::Adagrad adagrad(Parameters{{"w", w}, {"b", b}}, plain());
    RateMicroscope microscope(adagrad);
    EXPECT_EQ(microscope.frozen(), 0);
    EXPECT_EQ(microscope.warning(), "");
    step(adagrad, w, {1, 0.5, -0.25, 0.125, 0.0625});  // rates 1, 2, 4, 8, 16
    microscope.observe();
    const RateSummary& s = microscope.all();
    EXPECT_EQ(s.coordinates, 6);
    EXPECT_EQ(s.reached, 5);
    EXPECT_EQ(s.frozen, 0);
    ASSERT_EQ(s.quantiles.size(), 7u);
    const Values want{1, 1.2, 2, 4, 8, 14.4, 16};
    for (std::size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(s.quantiles[i], want[i], 1e-12) << i;
    EXPECT_EQ(s.median(), 4);
    EXPECT_EQ(s.left, 1);
    EXPECT_EQ(microscope.of("w").median(), 4);
    EXPECT_EQ(microscope.of("w").coordinates, 5);
    EXPECT_EQ(microscope.of("b").reached, 0);
    EXPECT_TRUE(std::isnan(microscope.of("b").median()));
    EXPECT_TRUE(std::isnan(microscope.of("b").left));
    step(adagrad, w, {0, 0, 0, std::sqrt(63.0) / 8, 0});  // the fourth falls from 8 to 1
    microscope.observe();
    EXPECT_NEAR(microscope.of("w").quantiles[3], 2, 1e-6);
    EXPECT_EQ(microscope.all().left, 1);  // of most
  }
}

TEST(RateMicroscope, CountsFrozenCoordinates) {
  Tensor w = parameter(zeros({2, 2}, DType::f64));
  optim::Adagrad adagrad(Parameters{{"w", w}}, plain());
  RateMicroscope microscope(adagrad, {.frozen_below = 0.125});
  microscope.observe();  // before the first step: nobody has a rate
  EXPECT_EQ(microscope.all().reached, 0);
  EXPECT_TRUE(microscope.all().quantiles.empty());
  step(adagrad, w, {1, 1, 1, 0});
  microscope.observe();
  step(adagrad, w, {std::sqrt(63.0), 10, 0, 3});  // 1/8 is not below 1/8
  microscope.observe();
  EXPECT_EQ(microscope.frozen(), 1);
  EXPECT_EQ(microscope.all().reached, 4);
  step(adagrad, w, {1, 0, 0, 0});
  microscope.observe();
  EXPECT_EQ(microscope.frozen(), 2);
  adagrad.set_lr(1e-6);  // a schedule freezes nothing, a rate of 0 neither
  step(adagrad, w, {0, 0, 1, 0});
  microscope.observe();
  EXPECT_EQ(microscope.frozen(), 2);
  EXPECT_NEAR(microscope.all().quantiles.back(), 1e-6 / std::sqrt(2), 1e-20);
  adagrad.set_lr(0);
  step(adagrad, w, {0, 0, 1, 0});
  microscope.observe();
  EXPECT_EQ(microscope.frozen(), 0);
  EXPECT_EQ(microscope.all().quantiles, Values(7, 0));
  EXPECT_TRUE(std::isnan(microscope.all().left));
}

TEST(RateMicroscope, WarnsOfRatesThatVanishedAndSaysWhatToDo) {
  Tensor w = parameter(zeros({4}, DType::f64)), b = parameter(zeros({1}, DType::f64)), c = parameter(zeros({4}, DType::f64));
  optim::Adagrad adagrad(Parameters{{"w", w}, {"b", b}, {"c", c}}, plain());
  RateMicroscope microscope(adagrad);
  for (const Tensor& p : {w, c}) step(adagrad, p, {1, 1, 1, 1});
  step(adagrad, b, {0.01});
  microscope.observe(1);
  EXPECT_EQ(microscope.warning(), "");
  step(adagrad, w, {2000, 2000, 2, 2});
  step(adagrad, b, {50});
  step(adagrad, c, {2000, 1, 1, 1});
  microscope.observe(2);
  EXPECT_EQ(microscope.frozen(), 4);
  EXPECT_EQ(microscope.warning(),
            "adagrad: effective rates have vanished: w by a factor of 4.47 (2 of 4 coordinates frozen), b by a factor of 5e+03 (1 of 1 "
            "coordinate frozen). What it divides by never falls: take RMSProp or Adadelta, which forget, or start it afresh with a new "
            "optimizer.");
  optim::Adagrad restarted(Parameters{{"w", w}, {"b", b}, {"c", c}}, plain());  // as it says
  step(restarted, w, {1, 1, 1, 1});
  RateMicroscope other(restarted);
  other.observe();
  EXPECT_EQ(other.of("w").median(), 1);
  EXPECT_EQ(other.warning(), "");
}

TEST(RateMicroscope, WarnsOfAverages) {
  Tensor w = parameter(zeros({1}, DType::f64));
  optim::RMSProp rmsprop(Parameters{{"w", w}}, {.lr = 1, .alpha = 0.5, .eps = 0});
  RateMicroscope microscope(rmsprop, {.frozen_below = 0.1});
  step(rmsprop, w, {1});
  microscope.observe();
  step(rmsprop, w, {1000});
  microscope.observe();
  EXPECT_EQ(microscope.warning(),
            "rmsprop: effective rates have vanished: w by a factor of 1e+03 (1 of 1 coordinate frozen). Gradients are much larger than at "
            "first: clip_norm() bounds single ones, and the average forgets them in time.");
  for (int t = 0; t < 20; ++t) step(rmsprop, w, {1});
  microscope.observe();
  EXPECT_EQ(microscope.frozen(), 0);
  EXPECT_EQ(microscope.warning(), "");
}

// The rule says whether it forgets, and the method's name does not matter.
TEST(RateMicroscope, AsksTheRuleWhatToDo) {
  const auto advice = [](auto&& optimizer, const Tensor& w) {
    RateMicroscope microscope(optimizer, {.frozen_below = 0.1});
    for (const double g : {1.0, 1e6}) {
      step(optimizer, w, {g});
      microscope.observe();
    }
    const std::string text = microscope.warning();
    return text.substr(std::min(text.size(), text.find("frozen). ") + 9));
  };
  const auto w = [] { return parameter(zeros({1}, DType::f64)); };
  const std::string forgets = "Gradients are much", never = "What it divides by never falls";
  Tensor p = w();
  EXPECT_TRUE(advice(OwnAverage(Parameters{{"w", p}}), p).starts_with(forgets));
  for (const char* spec : {"rmsprop", "rmsprop momentum=0.5", "rmsprop centered=1", "adam", "adamax", "nadam", "adabelief", "yogi", "adamw",
                           "schedule_free_adamw"}) {
    p = w();
    EXPECT_TRUE(advice(*optim::make(spec, Parameters{{"w", p}}, {{"lr", 1}}), p).starts_with(forgets)) << spec;
  }
  for (const char* spec : {"adagrad", "adagrad eps_inside_root=1", "ftrl", "rowwise_adagrad", "adam amsgrad=1", "adamw amsgrad=1"}) {
    p = w();
    EXPECT_TRUE(advice(*optim::make(spec, Parameters{{"w", p}}, {{"lr", 1}}), p).starts_with(never)) << spec;
  }
  for (const char* spec : {"radam", "yogi"}) {  // whose first steps divide by nothing
    p = w();
    const auto optimizer = optim::make(spec, Parameters{{"w", p}});
    EXPECT_EQ(optimizer->effective_rates().at(0).forgets, true) << spec;
  }
  Tensor a = w(), b = w();
  optim::Adam mixed(Parameters{{"a", a}, {"b", b}});
  mixed.group("b", [](auto& o) { o.amsgrad = true; });
  RateMicroscope microscope(mixed, {.frozen_below = 0.1});
  for (const double g : {1.0, 1e6}) {
    step(mixed, a, {g});
    step(mixed, b, {g});
    microscope.observe();
  }
  EXPECT_NE(microscope.warning().find(never), std::string::npos) << microscope.warning();
}

TEST(RateMicroscope, ShortensALongWarning) {
  Parameters parameters;
  for (int k = 0; k < 7; ++k) parameters.insert("w" + std::to_string(k), parameter(zeros({1}, DType::f64)));
  Sum sums(parameters, {});
  RateMicroscope microscope(sums, {.frozen_below = 0.5});
  for (const double g : {1.0, 3.0}) {
    for (const auto& p : parameters) step(sums, p.tensor, {g});
    microscope.observe();
  }
  EXPECT_EQ(microscope.warning(),
            "absolute_sum: effective rates have vanished: w0 by a factor of 4 (1 of 1 coordinate frozen), w1 by a factor of 4 (1 of 1 "
            "coordinate frozen), w2 by a factor of 4 (1 of 1 coordinate frozen), w3 by a factor of 4 (1 of 1 coordinate frozen), w4 by a "
            "factor of 4 (1 of 1 coordinate frozen) and 2 more. Where the rule takes a sum, start it afresh with a new optimizer; where an "
            "average, clip_norm() bounds single gradients (the rule's `static constexpr bool forgets` tells which).");
}

TEST(RateMicroscope, FollowsGroupsLaterParametersAndEmptyOnes) {
  Tensor w = parameter(zeros({1}, DType::f64)), b = parameter(zeros({1}, DType::f64)), none = parameter(zeros({0}, DType::f64)),
         late = parameter(zeros({3}, DType::f64));
  optim::Adagrad adagrad(Parameters{{"w", w}, {"b", b}, {"none", none}}, plain());
  adagrad.group("b", [](auto& o) { o.lr = 8; });
  RateMicroscope microscope(adagrad, {.frozen_below = 0.5});
  step(adagrad, w, {1});
  step(adagrad, b, {1});
  microscope.observe();
  EXPECT_EQ(microscope.of("b").median(), 8);
  EXPECT_EQ(microscope.of("none").coordinates, 0);
  adagrad.add_parameters({{"late", late}});
  adagrad.set_lr(0.25);  // b keeps its own
  step(adagrad, w, {1});
  step(adagrad, b, {3});
  step(adagrad, late, {1, 0, 2});
  microscope.observe();
  EXPECT_EQ(microscope.all().coordinates, 5);
  EXPECT_EQ(microscope.of("late").reached, 2);
  EXPECT_EQ(microscope.of("late").left, 1);
  EXPECT_NEAR(microscope.of("b").left, 1 / std::sqrt(10), 1e-15);
  EXPECT_NEAR(microscope.of("w").left, 1 / std::sqrt(2), 1e-15);
  EXPECT_EQ(microscope.frozen(), 1);
  Folder folder;
  microscope.write_csv(folder.file("rates.csv"));
  const auto rows = lines(read(folder.file("rates.csv")));
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_TRUE(
      rows[0].starts_with("step,coordinates,reached,frozen,left,least,5 %,25 %,median,75 %,95 %,largest,median of w,frozen of w,"
                          "median of b,frozen of b,median of none,frozen of none,median of late,frozen of late,from 0.1,from 0.125893,"))
      << rows[0];
  EXPECT_TRUE(rows[1].starts_with("1,2,2,0,1,1,1.35,2.75,4.5,6.25,")) << rows[1];
  EXPECT_NE(rows[1].find(",8,1,0,8,0,nan,0,nan,0,0,"), std::string::npos) << rows[1];  // the late one was not there yet
  EXPECT_TRUE(rows[2].starts_with("2,5,4,1,")) << rows[2];
}

TEST(RateMicroscope, ShowsATable) {
  Tensor w = parameter(zeros({4}, DType::f64)), bias = parameter(zeros({1}, DType::f64));
  optim::Adagrad adagrad(Parameters{{"hidden.weight", w}, {"bias", bias}}, plain());
  RateMicroscope microscope(adagrad, {.frozen_below = 0.3});
  microscope.observe(0);
  for (int t = 1; t <= 40; ++t) {
    step(adagrad, w, {1, 1, 1, 1});
    microscope.observe(10 * t);
  }
  const auto rows = lines(microscope.table());
  ASSERT_EQ(rows.size(), 1 + 12 + 1 + 3u) << microscope.table();
  EXPECT_EQ(rows[0], "      step        5 %     median       95 %      frozen");
  EXPECT_EQ(rows[1], "         0        nan        nan        nan           0 of 5");
  EXPECT_EQ(rows[2], "        30     0.5774     0.5774     0.5774           0 of 5");
  EXPECT_EQ(rows[12], "       400     0.1581     0.1581     0.1581           4 of 5");
  EXPECT_EQ(rows[13], "");
  EXPECT_EQ(rows[14], "parameter         median  left of first      frozen");
  EXPECT_EQ(rows[15], "hidden.weight     0.1581         0.1581           4 of 4");
  EXPECT_EQ(rows[16], "bias                 nan            nan           0 of 1");
}

// Of many observations few are kept, evenly apart, with the last one.
TEST(RateMicroscope, KeepsABoundedHistory) {
  Tensor w = parameter(zeros({1}, DType::f64));
  optim::Adagrad adagrad(Parameters{{"w", w}}, plain());
  RateMicroscope microscope(adagrad);
  Folder folder;
  for (int t = 0; t < 1500; ++t) {
    if (t % 100 == 0) step(adagrad, w, {1});
    microscope.observe(t);
    if (t % 250 != 249 && t != 257) continue;
    microscope.write_csv(folder.file("rates.csv"));
    const auto rows = lines(read(folder.file("rates.csv")));
    EXPECT_LE(rows.size(), 1 + 256u);
    EXPECT_GE(rows.size(), 1 + std::min(t, 128) + 0u);
    std::vector<int> steps;
    for (std::size_t i = 1; i < rows.size(); ++i) steps.push_back(std::stoi(rows[i]));
    EXPECT_EQ(steps.front(), 0);
    EXPECT_EQ(steps.back(), t);
    for (std::size_t i = 2; i + 1 < steps.size(); ++i) EXPECT_EQ(steps[i] - steps[i - 1], steps[1] - steps[0]);
    EXPECT_NEAR(microscope.all().median(), 1 / std::sqrt(t / 100 + 1), 1e-15);
  }
}

TEST(RateMicroscope, RefusesWhatCannotBe) {
  Tensor w = parameter(zeros({2}, DType::f64));
  const Parameters parameters{{"weight", w}};
  for (const char* method : {"sgd", "lion", "lamb"}) {
    const auto optimizer = optim::make(method, parameters);
    const std::string text = thrown([&] { const RateMicroscope microscope(*optimizer); });
    EXPECT_TRUE(text.starts_with("ValueError: [RateMicroscope] the method must tell its effective rates: " + std::string(method) +
                                 " has none (those that do: adabelief, adadelta, adagrad, "))
        << text;
    EXPECT_TRUE(text.ends_with(", yogi, and your own whose rule has a member rate())")) << text;
    EXPECT_EQ(text.find(" " + std::string(method) + ","), std::string::npos) << text;
  }
  optim::Adagrad adagrad(parameters, plain());
  const auto refused = [&](const RateMicroscopeOptions& options) {
    return thrown([&] { const RateMicroscope microscope(adagrad, options); });
  };
  EXPECT_EQ(refused({.frozen_below = 0}), "ValueError: [RateMicroscope] frozen_below must lie in (0, 1): 0");
  EXPECT_EQ(refused({.frozen_below = 1}), "ValueError: [RateMicroscope] frozen_below must lie in (0, 1): 1");
  EXPECT_EQ(refused({.warn_from = 0}), "ValueError: [RateMicroscope] warn_from must lie in (0, 1]: 0");
  EXPECT_EQ(refused({.warn_from = NAN}), "ValueError: [RateMicroscope] warn_from must lie in (0, 1]: nan");
  EXPECT_EQ(refused({.width = 10}), "ValueError: [RateMicroscope] a picture measures from 200 x 150 to 10000 x 10000 pixels: 10 x 380");

  RateMicroscope microscope(adagrad);
  const std::string none = "ValueError: [RateMicroscope] there must be an observation: none was made (call observe() after a step)";
  EXPECT_EQ(thrown([&] { microscope.all(); }), none);
  EXPECT_EQ(thrown([&] { microscope.of("weight"); }), none);
  EXPECT_EQ(thrown([&] { microscope.table(); }), none);
  EXPECT_EQ(thrown([&] { microscope.write_csv("/nowhere/rates.csv"); }), none);
  EXPECT_EQ(thrown([&] { microscope.svg(); }),
            "ValueError: [RateMicroscope] there must be a rate to draw: 0 observations, and in none a rate above 0 (call observe() after a "
            "step)");
  step(adagrad, w, {1, 2});
  microscope.observe();
  EXPECT_EQ(thrown([&] { microscope.observe(); }), "ValueError: [RateMicroscope] each observation must be of a later step: 1 after 1");
  EXPECT_EQ(thrown([&] { microscope.observe(-3); }), "ValueError: [RateMicroscope] each observation must be of a later step: -3 after 1");
  EXPECT_EQ(lines(microscope.table()).size(), 5u);  // still one
  EXPECT_EQ(thrown([&] { microscope.of("weigth"); }),
            "ValueError: [RateMicroscope] no parameter 'weigth' among the 1 that were observed (did you mean 'weight'?)");
  EXPECT_EQ(thrown([&] { microscope.of("b"); }), "ValueError: [RateMicroscope] no parameter 'b' among the 1 that were observed");
  EXPECT_EQ(thrown([&] { microscope.save("/nowhere/rates.svg"); }),
            "IoError: [RateMicroscope] cannot write the file: /nowhere/rates.svg: No such file or directory (create the directory first?)");
}
