#include <capstan/optim/schedule.h>
#include <capstan/optim/sgd.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <sstream>

#include "support.h"

using namespace capstan;

// Schedules against tests/oracles/schedules.txt, and what they refuse.

namespace {

using optim::Plateau;
using optim::PlateauOptions;
using optim::Schedule;
namespace schedule = optim::schedule;

constexpr double NaN = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();

struct Reference {
  std::map<std::string, std::vector<double>> rates;
  std::vector<double> results;
};

Reference read_reference() {
  Reference r;
  std::ifstream file(std::string(CAPSTAN_TEST_FILES) + "/oracles/schedules.txt");
  std::string line, name;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word == "case") words >> name;
    std::vector<double>* numbers = word == "rates" ? &r.rates[name] : word == "results" ? &r.results : nullptr;
    while (numbers && words >> word) numbers->push_back(std::stod(word));
  }
  return r;
}

std::map<std::string, Schedule> schedules() {
  return {
      {"constant", schedule::constant(0.1)},
      {"step", schedule::step(0.3, 7, 0.5)},
      {"multi_step", schedule::multi_step(0.3, {5, 20, 20, 41})},
      {"exponential", schedule::exponential(0.3, 0.93)},
      {"linear", schedule::linear(0.2, 0.05, 33)},
      {"linear_up", schedule::linear(0.1, 0.3, 25)},
      {"polynomial", schedule::polynomial(0.2, 0.01, 47, 2.5)},
      {"polynomial_to_zero", schedule::polynomial(0.2, 0, 40, 2)},
      {"cosine", schedule::cosine(0.2, 43, 0.01)},
      {"cosine_to_zero", schedule::cosine(0.2, 60)},
      {"cosine_restarts", schedule::cosine_restarts(0.2, 13)},
      {"cosine_restarts_longer", schedule::cosine_restarts(0.2, 5, 2, 0.01)},
      {"inverse_sqrt", schedule::inverse_sqrt(0.2, 16)},
      {"warm_up", schedule::warm_up(schedule::cosine(0.2, 40, 0.02), 10, 0.01)},
      {"join", schedule::join({schedule::constant(0.3), schedule::linear(0.2, 0.1, 10), schedule::exponential(0.1, 0.9)}, {8, 31})},
      {"one_cycle", schedule::one_cycle(0.2, 60)},
      {"one_cycle_linear", schedule::one_cycle(0.2, 60, {.pct_start = 0.25, .linear = true, .div_factor = 10, .final_div_factor = 100})},
      {"one_cycle_three", schedule::one_cycle(0.2, 60, {.pct_start = 0.4, .three_phase = true})},
      {"one_cycle_three_linear", schedule::one_cycle(0.2, 60, {.pct_start = 0.5, .linear = true, .three_phase = true})}};
}

std::map<std::string, PlateauOptions> plateaus() {
  return {{"plateau", {.patience = 3}},
          {"plateau_cooldown", {.factor = 0.5, .patience = 1, .cooldown = 3, .min_lr = 0.01}},
          {"plateau_absolute", {.factor = 0.3, .patience = 2, .threshold = 0.05, .relative = false}},
          {"plateau_eps", {.factor = 0.5, .patience = 0, .eps = 0.02}},
          {"plateau_max", {.patience = 2, .relative = false, .maximize = true}}};
}

}  // namespace

TEST(Schedules, HaveTheReferencesRates) {
  const Reference reference = read_reference();
  std::size_t cases = 0;
  for (const auto& [name, rate] : schedules()) {
    ASSERT_TRUE(reference.rates.count(name)) << name;
    const std::vector<double>& want = reference.rates.at(name);
    ASSERT_EQ(want.size(), 60u) << name;
    for (std::size_t t = 0; t < want.size(); ++t) EXPECT_NEAR(rate(static_cast<std::int64_t>(t)), want[t], 1e-12) << name << " " << t;
    ++cases;
  }
  for (const auto& [name, options] : plateaus()) {
    ASSERT_TRUE(reference.rates.count(name)) << name;
    const std::vector<double>& want = reference.rates.at(name);
    ASSERT_EQ(want.size(), reference.results.size()) << name;
    Plateau plateau(options);
    for (std::size_t t = 0; t < want.size(); ++t) {
      EXPECT_NEAR(plateau.next(options.maximize ? -reference.results[t] : reference.results[t]), want[t], 1e-12) << name << " " << t;
      EXPECT_NEAR(plateau.lr(), want[t], 1e-12);
    }
    ++cases;
  }
  EXPECT_EQ(cases, reference.rates.size());
}

// -1 again is no progress, just as +1 again: PyTorch takes it for some, since -1*(1 - threshold) is above -1.
TEST(Schedules, OfAPlateauSeeNegativeResultsAsPositiveOnes) {
  for (const bool maximize : {false, true})
    for (const bool relative : {true, false})
      for (const double result : {1.0, -1.0, 0.0, 1e300, -1e300, -1e-300}) {
        Plateau plateau({.lr = 1, .factor = 0.5, .patience = 2, .relative = relative, .maximize = maximize});
        EXPECT_EQ(plateau.next(result), 1);
        for (int t = 0; t < 2; ++t) EXPECT_EQ(plateau.next(result), 1) << result;
        EXPECT_EQ(plateau.next(result), 0.5) << result << maximize << relative;
      }
  for (const bool maximize : {false, true}) {
    const double sign = maximize ? 1 : -1;
    for (const double best : {2.0, -2.0}) {
      Plateau plateau({.lr = 1, .factor = 0.5, .patience = 0, .threshold = 0.25, .maximize = maximize});
      plateau.next(best);
      EXPECT_EQ(plateau.next(best + sign * 0.51), 1) << best;    // a quarter of 2, and more
      EXPECT_EQ(plateau.next(best + sign * 0.52), 0.5) << best;  // of the new best
    }
    Plateau plateau({.lr = 1, .patience = 0, .threshold = 1, .maximize = maximize});
    EXPECT_EQ(plateau.next(maximize ? inf : -inf), 1);  // the first is the best, even this
    EXPECT_LT(plateau.next(sign * 5), 1);
  }
}

TEST(Schedules, KeepTheirLastRate) {
  constexpr std::int64_t far = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t t : {std::int64_t{43}, std::int64_t{1000}, far}) {
    EXPECT_EQ(schedule::cosine(0.2, 43, 0.01)(t), 0.01);
    EXPECT_EQ(schedule::linear(0.2, 0.05, 33)(t), 0.05);
    EXPECT_EQ(schedule::polynomial(0.2, 0.01, 43, 0.5)(t), 0.01);
    EXPECT_EQ(schedule::constant(0.2)(t), 0.2);
    EXPECT_EQ(schedule::one_cycle(0.2, 43)(t), schedule::one_cycle(0.2, 43)(42));
    EXPECT_EQ(schedule::warm_up(schedule::constant(0.2), 10)(t), 0.2);
  }
  EXPECT_DOUBLE_EQ(schedule::one_cycle(0.2, 43)(42), 0.2 / 25 / 1e4);
  for (const std::int64_t multiplier : {std::int64_t{1}, std::int64_t{2}, std::int64_t{3}, far}) {
    const double rate = schedule::cosine_restarts(0.2, 3, multiplier, 0.01)(far);
    EXPECT_TRUE(rate >= 0.01 && rate <= 0.2) << rate;
  }
  EXPECT_EQ(schedule::exponential(0.2, 0.5)(far), 0);
}

TEST(Schedules, StayAtZero) {
  EXPECT_EQ(optim::schedule::exponential(0, 2)(2000), 0);
  EXPECT_EQ(optim::schedule::step(0, 1, 10)(400), 0);
  EXPECT_EQ(optim::schedule::multi_step(0, {1, 2}, 1e300)(5), 0);
}

TEST(Schedules, AreValuesThatAnOptimizerFollows) {
  Tensor w = parameter(zeros({1}, DType::f64));
  optim::SGD sgd(Parameters{{"w", w}});
  const Schedule falling = [](std::int64_t step) { return 1.0 / static_cast<double>(1 + step); };
  const Schedule copy = falling;
  double moved = 0;
  for (std::int64_t step = 0; step < 4; ++step) {
    sgd.set_lr(copy(step));
    sgd.step(Gradients::from({{w, ones({1}, DType::f64)}}));
    moved += falling(step);
  }
  EXPECT_DOUBLE_EQ(-w.item(), moved);
  EXPECT_EQ(sgd.lr(), 0.25);
  EXPECT_EQ(thrown([&] { copy(-1); }), "ValueError: [schedule] a step must not be negative: -1");
}

TEST(Schedules, RefuseWhatCannotBe) {
  const std::vector<std::pair<std::string, void (*)()>> cases = {
      {"[constant] lr must be finite and not negative: -1", [] { schedule::constant(-1); }},
      {"[constant] lr must be finite and not negative: nan", [] { schedule::constant(NaN); }},
      {"[step] lr must be finite and not negative: inf", [] { schedule::step(inf, 1); }},
      {"[step] every must be positive: 0", [] { schedule::step(1, 0); }},
      {"[step] gamma must be finite and not negative: -0.5", [] { schedule::step(1, 1, -0.5); }},
      {"[multi_step] lr must be finite and not negative: -2", [] { schedule::multi_step(-2, {1}); }},
      {"[multi_step] milestones must not fall: 9 comes before 4",
       [] {
         schedule::multi_step(1, {3, 9, 4});
       }},
      {"[multi_step] gamma must be finite and not negative: nan", [] { schedule::multi_step(1, {}, NaN); }},
      {"[exponential] lr must be finite and not negative: -1", [] { schedule::exponential(-1, 0.5); }},
      {"[exponential] gamma must be finite and not negative: inf", [] { schedule::exponential(1, inf); }},
      {"[linear] from must be finite and not negative: -1", [] { schedule::linear(-1, 1, 2); }},
      {"[linear] to must be finite and not negative: nan", [] { schedule::linear(1, NaN, 2); }},
      {"[linear] steps must be positive: 0", [] { schedule::linear(1, 2, 0); }},
      {"[polynomial] from must be finite and not negative: -1", [] { schedule::polynomial(-1, 0, 2); }},
      {"[polynomial] to must be finite and not negative: -1", [] { schedule::polynomial(1, -1, 2); }},
      {"[polynomial] steps must be positive: -3", [] { schedule::polynomial(1, 0, -3); }},
      {"[polynomial] power must be finite and positive: 0", [] { schedule::polynomial(1, 0, 3, 0); }},
      {"[cosine] lr must be finite and not negative: -1", [] { schedule::cosine(-1, 2); }},
      {"[cosine] steps must be positive: 0", [] { schedule::cosine(1, 0); }},
      {"[cosine] end must be finite and not negative: -1", [] { schedule::cosine(1, 2, -1); }},
      {"[cosine_restarts] lr must be finite and not negative: -1", [] { schedule::cosine_restarts(-1, 2); }},
      {"[cosine_restarts] first must be positive: 0", [] { schedule::cosine_restarts(1, 0); }},
      {"[cosine_restarts] multiplier must be positive: 0", [] { schedule::cosine_restarts(1, 2, 0); }},
      {"[cosine_restarts] end must be finite and not negative: nan", [] { schedule::cosine_restarts(1, 2, 1, NaN); }},
      {"[inverse_sqrt] lr must be finite and not negative: -1", [] { schedule::inverse_sqrt(-1, 2); }},
      {"[inverse_sqrt] warm_up must be positive: 0", [] { schedule::inverse_sqrt(1, 0); }},
      {"[warm_up] steps must be positive: 0", [] { schedule::warm_up(schedule::constant(1), 0); }},
      {"[warm_up] from must be finite and not negative: -1", [] { schedule::warm_up(schedule::constant(1), 2, -1); }},
      {"[join] there must be one boundary less than schedules: 2 schedules, 0 boundaries",
       [] {
         schedule::join({schedule::constant(1), schedule::constant(2)}, {});
       }},
      {"[join] there must be one boundary less than schedules: 0 schedules, 0 boundaries", [] { schedule::join({}, {}); }},
      {"[join] a boundary must be positive: 0",
       [] {
         schedule::join({schedule::constant(1), schedule::constant(2)}, {0});
       }},
      {"[join] boundaries must rise: 4 comes before 4",
       [] {
         schedule::join({schedule::constant(1), schedule::constant(2), schedule::constant(3)}, {4, 4});
       }},
      {"[one_cycle] max must be finite and not negative: -1", [] { schedule::one_cycle(-1, 9); }},
      {"[one_cycle] steps must be positive: 0", [] { schedule::one_cycle(1, 0); }},
      {"[one_cycle] pct_start must lie in (0, 1): 1", [] { schedule::one_cycle(1, 9, {.pct_start = 1}); }},
      {"[one_cycle] pct_start must lie in (0, 1): nan", [] { schedule::one_cycle(1, 9, {.pct_start = NaN}); }},
      {"[one_cycle] pct_start must lie in (0, 0.5]: 0.75", [] { schedule::one_cycle(1, 9, {.pct_start = 0.75, .three_phase = true}); }},
      {"[one_cycle] pct_start * steps must be above 1: 0.25 * 4", [] { schedule::one_cycle(1, 4, {.pct_start = 0.25}); }},
      {"[one_cycle] div_factor must be finite and positive: 0", [] { schedule::one_cycle(1, 9, {.div_factor = 0}); }},
      {"[one_cycle] final_div_factor must be finite and positive: inf", [] { schedule::one_cycle(1, 9, {.final_div_factor = inf}); }},
      {"[plateau] lr must be finite and not negative: -1", [] { Plateau({.lr = -1}); }},
      {"[plateau] factor must be finite and not negative: nan", [] { Plateau({.factor = NaN}); }},
      {"[plateau] factor must be below 1: 1", [] { Plateau({.factor = 1}); }},
      {"[plateau] patience must not be negative: -1", [] { Plateau({.patience = -1}); }},
      {"[plateau] threshold must be finite and not negative: inf", [] { Plateau({.threshold = inf}); }},
      {"[plateau] cooldown must not be negative: -2", [] { Plateau({.cooldown = -2}); }},
      {"[plateau] min_lr must be finite and not negative: -1", [] { Plateau({.min_lr = -1}); }},
      {"[plateau] eps must be finite and not negative: -1", [] { Plateau({.eps = -1}); }}};
  for (const auto& [text, make] : cases) EXPECT_EQ(thrown(make), "ValueError: " + text);
}

TEST(APlateau, GoesOnFromItsState) {
  const Reference reference = read_reference();
  for (const auto& [name, options] : plateaus())
    for (std::size_t before = 0; before <= reference.results.size(); ++before) {
      Plateau run(options), resumed(options);
      const double sign = options.maximize ? -1 : 1;
      for (std::size_t t = 0; t < before; ++t) run.next(sign * reference.results[t]);
      resumed.next(sign * 0.001);
      resumed.load_state(run.state());
      for (std::size_t t = before; t < reference.results.size(); ++t) {
        const double rate = run.next(sign * reference.results[t]);
        EXPECT_EQ(resumed.next(sign * reference.results[t]), rate) << name;
      }
    }
}

TEST(APlateau, RefusesAStateThatDoesNotFit) {
  Plateau plateau({.patience = 1});
  for (const double result : {3.0, 2.0, 2.0}) plateau.next(result);
  const std::string before = bits(plateau.state());
  EXPECT_EQ(names(plateau.state()), "lr best bad cooldown");
  TensorMap state = without(without(plateau.state(), "lr"), "best", zeros({2}, DType::f64));
  state = without(state, "bad", zeros({}, DType::f32));
  state.insert("extra", ones({}));
  EXPECT_EQ(thrown([&] { plateau.load_state(state); }), R"(ValueError: [plateau] the state does not fit:
  missing: lr
  best: f64 [2], wanted f64 []
  bad: f32 [], wanted i64 []
  unexpected: extra)");
  state = without(without(plateau.state(), "lr", full({}, -1, DType::f64)), "best", full({}, NaN, DType::f64));
  state = without(without(state, "bad", tensor(-1, DType::i64)), "cooldown", tensor(-2, DType::i64));
  EXPECT_EQ(thrown([&] { plateau.load_state(state); }), R"(ValueError: [plateau] the state does not fit:
  lr: must be finite and not negative: -1
  best: must be a number: nan
  bad: a count must not be negative: -1
  cooldown: a count must not be negative: -2)");
  EXPECT_EQ(bits(plateau.state()), before);
}
