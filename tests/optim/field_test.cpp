#include <capstan/optim/conformance_gtest.h>
#include <capstan/optim/inject.h>
#include <capstan/optim/make.h>

#include <algorithm>
#include <cmath>

#include "support.h"

// Options that are whole numbers or words.

using namespace capstan;

namespace {

enum class Shrink { never, first, always };

struct MixedOptions {
  double lr = 0.1;
  std::int64_t warm_up = 2;
  int power = 1;
  Shrink shrink = Shrink::first;
};

/// w <- w - lr*min(1, t/warm_up)^power*g, halved where `shrink` says so.
struct Mixed : optim::Elementwise<Mixed, MixedOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "mixed";
  static constexpr Field fields[] = {{"lr", &MixedOptions::lr},
                                     {"warm_up", &MixedOptions::warm_up},
                                     {"power", &MixedOptions::power},
                                     Field::choice<&MixedOptions::shrink>("shrink", {"never", "first", "always"})};
  static constexpr std::array<const char*, 0> states = {};
  template <class T>
  struct Rule {
    T rate;
    Rule(const MixedOptions& o, optim::StepInfo step) {
      double share = std::min(1.0, static_cast<double>(step.t) / static_cast<double>(std::max<std::int64_t>(o.warm_up, 1)));
      share = std::pow(share, o.power);
      if (o.shrink == Shrink::always || (o.shrink == Shrink::first && step.t == 1)) share /= 2;
      rate = T(step.lr * share);
    }
    void operator()(T& w, T g) const { w -= rate * g; }
  };
};

struct BoundOptions {
  double lr = 0.5, keep = 0.5, floor = 1, rise = 0, weight_decay = 0;
};

/// Numbers with ranges, and a formula that is a text.
struct Bound : optim::Elementwise<Bound, BoundOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "bound";
  static constexpr auto formula = "m <- {keep}*m + g, w <- w - {lr}*m{other}/{floor}";
  static constexpr Field fields[] = {{"lr", &BoundOptions::lr},
                                     {"keep", &BoundOptions::keep, Range::fraction},
                                     {"floor", &BoundOptions::floor, Range::positive},
                                     {"rise", &BoundOptions::rise, Range::not_negative},
                                     {"weight_decay", &BoundOptions::weight_decay}};
  static constexpr std::array<const char*, 0> states = {};
  template <class T>
  struct Rule {
    Rule(const BoundOptions&, optim::StepInfo) {}
    void operator()(T& w, T g) const { w -= g; }
  };
};

double after(const std::string& spec, int steps, const std::vector<optim::Setting>& settings = {}) {
  Tensor w = parameter(zeros({1}, DType::f64));
  const auto optimizer = optim::make(spec, {{"w", w}}, settings);
  for (int t = 0; t < steps; ++t) optimizer->step(Gradients::from({{w, full({1}, -1, DType::f64)}}));
  return w.data<double>()[0];
}

}  // namespace

TEST(Fields, HoldWholeNumbersAndWords) {
  optim::register_optimizer<Mixed>();
  EXPECT_EQ(after("mixed lr=1", 2), 0.25 + 1);
  EXPECT_EQ(after("mixed lr=1 shrink=never", 2), 0.5 + 1);
  EXPECT_EQ(after("mixed lr=1 shrink=always warm_up=4 power=2", 2), 1.0 / 32 + 1.0 / 8);
  EXPECT_EQ(after("mixed lr=1 shrink=2 power=0", 1), 0.5);
  EXPECT_EQ(after("mixed", 1, {{"lr", 1}, {"shrink", "never"}, {"warm_up", 0}}), 1);
}

TEST(Fields, AreSavedLoadedAndExplained) {
  Tensor w = parameter(zeros({1}));
  Mixed a(Parameters{{"w", w}}, {.warm_up = 7, .power = -3, .shrink = Shrink::always}), b(Parameters{{"w", w}});
  EXPECT_EQ(a.explain(),
            "mixed: lr 0.1, warm_up 7, power -3, shrink always\n  1 parameter, 1 element, 0 bytes of state\n"
            "  a row-sparse gradient moves every row");
  const TensorMap state = a.state();
  EXPECT_EQ(state["mixed/warm_up"].item(), 7);
  EXPECT_EQ(state["mixed/power"].item(), -3);
  EXPECT_EQ(state["mixed/shrink"].item(), 2);
  b.load_state(state);
  EXPECT_EQ(b.options().warm_up, 7);
  EXPECT_EQ(b.options().power, -3);
  EXPECT_EQ(b.options().shrink, Shrink::always);
  a.group("w", [](auto& o) { o.shrink = Shrink::never; });
  EXPECT_EQ(a.options(1).shrink, Shrink::never);
  optim::Inject inject(b, {{"power", [](std::int64_t t) { return static_cast<double>(t); }}});
  inject.step(Gradients::from({{w, ones({1})}}));
  inject.step(Gradients::from({{w, ones({1})}}));
  EXPECT_EQ(b.options().power, 1);
}

TEST(Fields, RefuseWhatTheyAreNot) {
  optim::register_optimizer<Mixed>();
  const auto refused = [](const std::string& spec) { return thrown([&] { optim::make(spec, {{"w", zeros({1})}}); }); };
  EXPECT_EQ(refused("mixed warm_up=1.5"), "ValueError: [mixed] warm_up must be whole, from -9007199254740992 to 9007199254740992: 1.5");
  EXPECT_EQ(refused("mixed warm_up=nan"), "ValueError: [mixed] warm_up must be whole, from -9007199254740992 to 9007199254740992: nan");
  EXPECT_EQ(refused("mixed power=3e9"), "ValueError: [mixed] power must be whole, from -2147483648 to 2147483647: 3e+09");
  EXPECT_EQ(refused("mixed power=two"), "ValueError: [mixed] power must be a number: two");
  EXPECT_EQ(refused("mixed shrink=last"), "ValueError: [mixed] shrink must be never, first or always, or 0 to 2: last");
  EXPECT_EQ(refused("mixed shrink=true"), "ValueError: [mixed] shrink must be never, first or always, or 0 to 2: true");
  EXPECT_EQ(refused("mixed shrink=3"), "ValueError: [mixed] shrink must be never, first or always, or 0 to 2: 3");
  EXPECT_EQ(refused("mixed shrink=0.5"), "ValueError: [mixed] shrink must be never, first or always, or 0 to 2: 0.5");
  EXPECT_EQ(refused("sgd nesterov=yes"), "ValueError: [sgd] nesterov must be 0, 1, true or false: yes");
  EXPECT_EQ(thrown([] {
              Mixed(Parameters{{"w", zeros({1})}}, {.shrink = static_cast<Shrink>(5)});
            }),
            "ValueError: [mixed] shrink must be never, first or always, or 0 to 2: 5");
  Tensor w = parameter(zeros({1}));
  Mixed m(Parameters{{"w", w}});
  TensorMap state = m.state();
  state["mixed/shrink"].data<double>()[0] = 1e300;
  EXPECT_EQ(thrown([&] { m.load_state(state); }), "ValueError: [mixed] shrink must be never, first or always, or 0 to 2: 1e+300");
}

TEST(Fields, SayWhatANumberMayBe) {
  optim::register_optimizer<Bound>();
  const auto refused = [](const std::string& spec) { return thrown([&] { optim::make(spec, {{"w", zeros({1})}}); }); };
  EXPECT_EQ(refused("bound keep=1"), "ValueError: [bound] keep must lie in [0, 1): 1");
  EXPECT_EQ(refused("bound floor=0"), "ValueError: [bound] floor must be above 0: 0");
  EXPECT_EQ(refused("bound rise=-1"), "ValueError: [bound] rise must not be negative: -1");
  EXPECT_EQ(refused("bound rise=nan"), "ValueError: [bound] rise must be finite: nan");
  EXPECT_EQ(refused("bound keep=0 floor=1e-9 rise=1e9"), "nothing");
}

TEST(Fields, StandInAFormulaByTheirNames) {
  Bound plain({{"w", zeros({1})}}, {.weight_decay = 0.25});
  EXPECT_EQ(plain.explain().substr(0, plain.explain().find('\n')), "bound: g <- g + 0.25*w, m <- 0.5*m + g, w <- w - 0.5*m{other}/1");
}

TEST(Fields, GoThroughTheKit) {
  optim::expect_conformance(optim::conformance<Mixed>({}, {{.warm_up = 6, .power = 2, .shrink = Shrink::always}}));
}

// What make() returns has groups by name.
TEST(GroupByName, MovesAsTheTypedOne) {
  optim::register_optimizer<Mixed>();
  for (const char* spec : {"adamw lr=0.1", "sgd lr=0.1 momentum=0.5", "lamb lr=0.1", "mixed lr=0.1"}) {
    Tensor w = parameter(ones({2}, DType::f64)), b = parameter(ones({2}, DType::f64)), alone = parameter(ones({2}, DType::f64));
    const auto optimizer = optim::make(spec, {{"w", w}, {"b", b}}), other = optim::make(spec, {{"b", alone}});
    optimizer->group("b", {{"lr", 0.5}});
    other->set_lr(0.5);
    for (int t = 0; t < 3; ++t) {
      optimizer->step(Gradients::from({{w, ones({2}, DType::f64)}, {b, ones({2}, DType::f64)}}));
      other->step(Gradients::from({{alone, ones({2}, DType::f64)}}));
    }
    EXPECT_EQ(bits(b), bits(alone)) << spec;
    EXPECT_NE(bits(b), bits(w)) << spec;
    optimizer->group("b", {{"lr", 0.25}});  // the same group, at run time
    EXPECT_EQ(optimizer->state()[std::string(optimizer->method()) + "/1/lr"].item(), 0.25) << spec;
  }
}

TEST(GroupByName, RefusesAndChangesNothing) {
  Tensor w = parameter(ones({2}));
  const auto sgd = optim::make("sgd", {{"w", w}});
  const std::string before = bits(sgd->state());
  EXPECT_EQ(thrown([&] { sgd->group("v", {{"lr", 1}}); }), "ValueError: [sgd] a group's pattern must match a parameter: 'v' among w");
  EXPECT_EQ(thrown([&] {
              sgd->group("w", {{"weight-decay", 1}});
            }),
            "ValueError: [sgd] there is no option 'weight-decay' among lr, momentum, dampening, nesterov, weight_decay (did you mean "
            "'weight_decay'?)");
  EXPECT_EQ(thrown([&] { sgd->group("w", {{"lr", -1}}); }), "ValueError: [sgd] lr must not be negative: -1");
  EXPECT_EQ(thrown([&] { sgd->group("w", {{"lr", 1}, {"lr", 2}}); }), "ValueError: [sgd] a setting must come once: 'lr' in the group 'w'");
  EXPECT_EQ(bits(sgd->state()), before);
  const auto lbfgs = optim::make("lbfgs", {{"w", w}});
  EXPECT_EQ(thrown([&] {
              lbfgs->group("w", {{"lr", 1}});
            }),
            "ValueError: [lbfgs] there are no groups of parameters: 'w' (methods that move each parameter by itself have them; a chain has "
            "partition())");
}
