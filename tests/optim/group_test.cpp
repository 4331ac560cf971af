#include <capstan/optim/inject.h>

#include "methods.h"
#include "support.h"

// Groups of parameters with options of their own, and the list of parameters itself.

namespace {

/// Four parameters named as a model's, each with gradient 1, and an optimizer that moves each by its rate.
struct Model {
  Tensor w0 = parameter(zeros({2}, DType::f64)), b0 = parameter(zeros({2}, DType::f64)), w1 = parameter(zeros({2}, DType::f64)),
         b1 = parameter(zeros({2}, DType::f64));
  Parameters parameters() const { return {{"0.weight", w0}, {"0.bias", b0}, {"1.weight", w1}, {"1.bias", b1}}; }

  /// How far each of the four moves in one step.
  std::vector<double> moves(optim::Optimizer& optimizer) {
    const std::vector<double> before = {w0.data<double>()[0], b0.data<double>()[0], w1.data<double>()[0], b1.data<double>()[0]};
    const Tensor g = ones({2}, DType::f64);
    optimizer.step(Gradients::from({{w0, g}, {b0, g}, {w1, g}, {b1, g}}));
    std::vector<double> moved;
    std::size_t i = 0;
    for (const Tensor* t : {&w0, &b0, &w1, &b1}) moved.push_back(before[i++] - t->data<double>()[0]);
    return moved;
  }
};

using Moves = std::vector<double>;

}  // namespace

TEST(Groups, ChangeWhatTheyNameAndInheritTheRest) {
  Model m;
  optim::SGD sgd(m.parameters(), {.lr = 0.5, .weight_decay = 0.25});
  sgd.group("*.bias", [](auto& o) { o.weight_decay = 0; });
  EXPECT_EQ(sgd.options().weight_decay, 0.25);
  EXPECT_EQ(sgd.options(0).lr, 0.5);
  EXPECT_EQ(sgd.options(1).weight_decay, 0);
  EXPECT_EQ(sgd.options(1).lr, 0.5);
  EXPECT_THROW(sgd.options(2), std::out_of_range);
  EXPECT_EQ(m.moves(sgd), (Moves{0.5, 0.5, 0.5, 0.5}));
  EXPECT_EQ(m.moves(sgd), (Moves{0.5 - 0.0625, 0.5, 0.5 - 0.0625, 0.5}));
}

TEST(Groups, FollowSetLrUnlessTheySetARateOfTheirOwn) {
  Model m;
  optim::SGD sgd(m.parameters(), {.lr = 0.5});
  sgd.group("*.bias", [](auto& o) { o.weight_decay = 0.125; });
  sgd.group("1.*", [](auto& o) { o.lr = 0.25; });
  EXPECT_EQ(m.moves(sgd), (Moves{0.5, 0.5, 0.25, 0.25}));
  sgd.set_lr(1);
  EXPECT_EQ(sgd.lr(), 1);
  EXPECT_EQ(sgd.options(1).lr, 1);
  EXPECT_EQ(sgd.options(2).lr, 0.25);
  sgd.group("0.weight", [](auto& o) { o.lr *= 4; });  // begins from the rate of now
  sgd.set_lr(2);
  EXPECT_EQ(sgd.options(3).lr, 4);
  Model fresh;
  optim::SGD other(fresh.parameters(), {.lr = 0.5});
  other.group("*.bias", [](auto&) {});
  other.set_lr(0);
  EXPECT_EQ(fresh.moves(other), (Moves{0, 0, 0, 0}));
}

TEST(Groups, GiveAParameterToTheLastThatNamesIt) {
  Model m;
  optim::SGD sgd(m.parameters(), {.lr = 1});
  sgd.group("*", [](auto& o) { o.lr = 2; });
  sgd.group("*.bias", [](auto& o) { o.lr = 3; });
  sgd.group("0.*", [](auto& o) { o.lr = 4; });
  sgd.group("1.weight", [](auto& o) { o.lr = 5; });
  EXPECT_EQ(m.moves(sgd), (Moves{4, 4, 5, 3}));
}

TEST(Groups, MatchNamesByStars) {
  struct {
    const char* pattern;
    Moves moved;
  } const cases[] = {{"*", {2, 2, 2, 2}},    {"0.weight", {2, 1, 1, 1}}, {"*weight", {2, 1, 2, 1}},
                     {"0*", {2, 2, 1, 1}},   {"*.*", {2, 2, 2, 2}},      {"*i*", {2, 2, 2, 2}},
                     {"1.*s", {1, 1, 1, 2}}, {"**ias**", {1, 2, 1, 2}},  {"*b*i*s", {1, 2, 1, 2}}};
  for (const auto& c : cases) {
    Model m;
    optim::SGD sgd(m.parameters(), {.lr = 1});
    sgd.group(c.pattern, [](auto& o) { o.lr = 2; });
    EXPECT_EQ(m.moves(sgd), c.moved) << c.pattern;
  }
}

TEST(Groups, ThatMatchNothingAreRefusedWithTheList) {
  Model m;
  optim::SGD sgd(m.parameters(), {.lr = 1});
  const std::string before = bits(sgd.state());
  for (const char* pattern : {"*.biass", "", "weight", "0.weight.", "?.bias", "0.WEIGHT"}) {
    EXPECT_EQ(thrown([&] { sgd.group(pattern, [](auto& o) { o.lr = 2; }); }),
              "ValueError: [sgd] a group's pattern must match a parameter: '" + std::string(pattern) +
                  "' among 0.weight, 0.bias, 1.weight, 1.bias");
    EXPECT_EQ(bits(sgd.state()), before);
  }
  EXPECT_EQ(m.moves(sgd), (Moves{1, 1, 1, 1}));
}

TEST(Groups, WithABadOptionAreRefused) {
  for (const Row& row : rows()) {
    if (row.name != "sgd") continue;
    Model m;
    optim::SGD sgd(m.parameters(), {.lr = 1});
    const std::string before = bits(sgd.state());
    for (const Row::Refusal& r : row.refused) {
      EXPECT_EQ(thrown([&] { sgd.group("*", [&](auto& o) { o = options_with<optim::SGDOptions>(optim::SGD::fields, r.settings); }); }),
                "ValueError: [sgd] " + r.error);
      EXPECT_EQ(bits(sgd.state()), before);
    }
    EXPECT_EQ(m.moves(sgd), (Moves{1, 1, 1, 1}));
  }
}

TEST(Groups, MayUseARuleOfTheirOwn) {
  Model m, twin;
  optim::SGD sgd(m.parameters(), {.lr = 1});
  sgd.group("*.bias", [](auto& o) { o.momentum = 0.5; });
  EXPECT_EQ(m.moves(sgd), (Moves{1, 1, 1, 1}));
  EXPECT_EQ(m.moves(sgd), (Moves{1, 1.5, 1, 1.5}));
  const TensorMap state = sgd.state();
  EXPECT_FALSE(state.contains("0.weight/momentum"));
  EXPECT_TRUE(state.contains("0.bias/momentum"));
  optim::SGD other(twin.parameters(), {.lr = 1});
  other.group("*.bias", [](auto& o) { o.momentum = 0.25; });
  other.load_state(state);
  EXPECT_EQ(other.options(1).momentum, 0.5);
  EXPECT_EQ(twin.moves(other), (Moves{1, 1.75, 1, 1.75}));
}

TEST(Groups, AreSavedWithTheirNumber) {
  Model m;
  optim::SGD sgd(m.parameters(), {.lr = 0.5});
  sgd.group("*.bias", [](auto& o) { o.lr = 0.25; });
  EXPECT_EQ(names(sgd.state()),
            "sgd/lr sgd/momentum sgd/dampening sgd/nesterov sgd/weight_decay "
            "sgd/1/lr sgd/1/momentum sgd/1/dampening sgd/1/nesterov sgd/1/weight_decay "
            "sgd/step 0.weight/step 0.bias/step 0.bias/group 1.weight/step 1.bias/step 1.bias/group");
  EXPECT_EQ(sgd.state()["sgd/1/lr"].item(), 0.25);
  optim::SGD without_group(m.parameters());
  EXPECT_EQ(thrown([&] { without_group.load_state(sgd.state()); }), R"(ValueError: [sgd] the state does not fit this optimizer:
  unexpected: sgd/1/lr
  unexpected: sgd/1/momentum
  unexpected: sgd/1/dampening
  unexpected: sgd/1/nesterov
  unexpected: sgd/1/weight_decay
  unexpected: 0.bias/group
  unexpected: 1.bias/group)");
  optim::SGD with_group(m.parameters());
  with_group.group("*.bias", [](auto& o) { o.lr = 3; });
  with_group.load_state(sgd.state());
  EXPECT_EQ(with_group.lr(), 0.5);
  EXPECT_EQ(with_group.options(1).lr, 0.25);
  with_group.set_lr(8);  // the group's rate is its own still
  EXPECT_EQ(with_group.options(1).lr, 0.25);
}

TEST(Groups, OwnWhatTheyLoadAndSetLrLeavesIt) {
  Model m;
  optim::SGD sgd(m.parameters(), {.lr = 0.5});
  sgd.group("*.bias", [](auto& o) { o.lr = 0.25; });
  optim::SGD other(m.parameters(), {.lr = 0.25});
  other.group("*.bias", [](auto& o) { o.lr = 0.25; });  // no rate of its own as long as it says the constructor's
  other.load_state(sgd.state());
  other.set_lr(8);
  EXPECT_EQ(other.options(1).lr, 0.25);
  EXPECT_EQ(other.options(1).momentum, 0);
  EXPECT_EQ(other.lr(), 8);
}

TEST(Groups, AreSetOnceMoreByTheirPattern) {
  Model m;
  optim::SGD sgd(m.parameters(), {.lr = 1});
  sgd.group("*.bias", [](auto& o) { o.lr = 2; });
  for (int t = 0; t < 100; ++t) sgd.group("*.bias", [](auto& o) { o.lr /= 2; });
  sgd.group("*.bias", [](auto& o) { o.lr = 1; });  // its own still, though it says the constructor's
  EXPECT_EQ(thrown([&] { sgd.group("*.bias", [](auto& o) { o.lr = -1; }); }), "ValueError: [sgd] lr must not be negative: -1");
  EXPECT_EQ(sgd.options(1).lr, 1);
  EXPECT_THROW((void)sgd.options(2), std::out_of_range);
  EXPECT_FALSE(sgd.state().contains("sgd/2/lr"));
  sgd.set_lr(4);
  EXPECT_EQ(m.moves(sgd), (Moves{4, 1, 4, 1}));
  sgd.group("1.*", [](auto& o) { o.lr = 8; });
  EXPECT_EQ(m.moves(sgd), (Moves{4, 1, 8, 8}));
  sgd.group("*.bias", [](auto&) {});  // the last that names it
  EXPECT_EQ(m.moves(sgd), (Moves{4, 1, 8, 1}));
}

TEST(Groups, AreLoadedByThoseWhoseParametersAreTheSame) {
  Model m;
  optim::SGD sgd(m.parameters(), {.lr = 0.5}), other(m.parameters());
  sgd.group("*.bias", [](auto& o) { o.lr = 0.25; });
  sgd.group("0.bias", [](auto& o) { o.lr = 0.125; });
  other.group("0.*", [](auto& o) { o.lr = 3; });
  other.group("0.bias", [](auto& o) { o.lr = 4; });
  other.group("1.bias", [](auto& o) { o.lr = 5; });
  const std::string before = bits(other.state());
  EXPECT_EQ(thrown([&] { other.load_state(sgd.state()); }), R"(ValueError: [sgd] the state does not fit this optimizer:
  missing: sgd/3/lr
  missing: sgd/3/momentum
  missing: sgd/3/dampening
  missing: sgd/3/nesterov
  missing: sgd/3/weight_decay
  missing: 0.weight/group
  1.bias/group: 1, wanted 3)");
  EXPECT_EQ(thrown([&] { other.load_state(without(other.state(), "1.bias/group", tensor(0, DType::i64))); }),
            "ValueError: [sgd] the state does not fit this optimizer:\n  1.bias/group: 0, wanted 3");
  EXPECT_EQ(bits(other.state()), before);
}

TEST(ParameterLists, AreRefusedWhenEmptyOrTwice) {
  Tensor w = parameter(ones({2})), b = parameter(ones({3}));
  EXPECT_EQ(thrown([&] { optim::SGD sgd(Parameters{{"w", w}, {"w", b}}); }), "ValueError: [tensors] a name must come once: 'w'");
  EXPECT_EQ(thrown([&] {
              optim::SGD sgd(Parameters{{"w", w}, {"b", b}, {"again", w}});
            }),
            "ValueError: [sgd] a parameter must come once: 'again' is 'w'");
  EXPECT_EQ(thrown([&] { optim::SGD sgd(std::vector<Tensor>{w, w}); }), "ValueError: [sgd] a parameter must come once: '1' is '0'");
  EXPECT_EQ(thrown([&] { optim::SGD sgd(Parameters{{"w", Tensor()}}); }), "ValueError: [tensors] a tensor must be defined: 'w'");
  EXPECT_EQ(thrown([&] {
              optim::RMSProp rmsprop(Parameters{{"w", w}, {"labels", zeros({2}, DType::i64)}});
            }),
            "ValueError: [rmsprop] parameters are f32 or f64: 'labels' is i64");
  EXPECT_EQ(thrown([&] {
              Signum signum(Parameters{{"mask", zeros({2}, DType::boolean)}});
            }),
            "ValueError: [signum] parameters are f32 or f64: 'mask' is boolean");
}

TEST(ParameterLists, GrowOrStayAsTheyWere) {
  Tensor w = parameter(ones({2})), b = parameter(ones({3}));
  optim::SGD sgd(Parameters{{"w", w}}, {.lr = 1});
  const std::string before = bits(sgd.state());
  EXPECT_EQ(thrown([&] { sgd.add_parameters({}); }), "ValueError: [sgd] needs at least one parameter");
  EXPECT_EQ(thrown([&] { sgd.add_parameters({{"b", b}, {"w", b.clone()}}); }), "ValueError: [sgd] a parameter's name must come once: 'w'");
  EXPECT_EQ(thrown([&] { sgd.add_parameters({{"b", b}, {"v", w}}); }), "ValueError: [sgd] a parameter must come once: 'v' is 'w'");
  EXPECT_EQ(thrown([&] { sgd.add_parameters({{"b", b}, {"c", b}}); }), "ValueError: [sgd] a parameter must come once: 'c' is 'b'");
  EXPECT_EQ(thrown([&] {
              sgd.add_parameters({{"b", b}, {"n", zeros({1}, DType::i64)}});
            }),
            "ValueError: [sgd] parameters are f32 or f64: 'n' is i64");
  EXPECT_EQ(thrown([&] {
              sgd.add_parameters({{"sgd", b}});
            }),
            "ValueError: [sgd] a parameter must not be named like the method: 'sgd' (their state would have the same names)");
  EXPECT_EQ(bits(sgd.state()), before);
  sgd.group("*", [](auto& o) { o.lr = 2; });
  sgd.add_parameters({{"b", b}});  // in no group until one names it
  sgd.step(Gradients::from({{w, ones({2})}}));
  sgd.step(Gradients::from({{b, ones({3})}}));
  EXPECT_EQ(values(w), (Moves{-1, -1}));
  EXPECT_EQ(values(b), (Moves{0, 0, 0}));
  sgd.group("b", [](auto& o) { o.lr = 4; });
  sgd.step(Gradients::from({{b, ones({3})}}));
  EXPECT_EQ(values(b), (Moves{-4, -4, -4}));
}

TEST(Groups, WithWhichAnOptionDoesNotFitKeepAllAsTheyWere) {
  Tensor w = parameter(ones({2})), b = parameter(ones({3}));
  optim::SGD sgd(Parameters{{"w", w}, {"b", b}}, {.lr = 1, .momentum = 0.9});
  sgd.group("b", [](auto& o) { o.nesterov = true; });
  const std::string before = bits(sgd.state());
  optim::Inject inject(sgd, {{"momentum", optim::schedule::linear(0, 0, 4)}});
  EXPECT_NE(thrown([&] { inject.step(Gradients::from({{w, ones({2})}})); }).find("[sgd] nesterov needs momentum"), std::string::npos);
  EXPECT_EQ(bits(sgd.state()), before);
  sgd.load_state(sgd.state());
}
