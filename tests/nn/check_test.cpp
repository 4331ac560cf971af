// Modules that forget what they hold, and modules of other inputs.
#include <capstan/nn/check.h>
#include <capstan/nn/dropout.h>
#include <capstan/optim/adagrad.h>
#include <capstan/optim/sgd.h>

#include <memory>

#include "support.h"

using namespace capstan;

namespace {

/// Shows one child of two, a tensor that is no parameter, and a parameter of which nothing is made.
struct Forgetful : nn::Module {
  nn::Linear shown{3, 4}, forgotten{4, 2};
  Tensor scale = ones({2}), idle = parameter(ones({5})), frozen = parameter(ones({2}));
  Forgetful() { frozen.set_requires_grad(false); }
  Tensor forward(const Tensor& x) override { return forgotten(tanh(shown(x))) * scale + frozen; }
  void members(nn::Visitor& visit) override {
    visit("shown", shown);
    visit("scale", scale);
    visit("idle", idle);
    visit("frozen", frozen);
  }
};

/// Two inputs, and no forward of one.
struct Pair : nn::Module {
  nn::Linear left{3, 4}, right{2, 4};
  using Module::forward;
  Tensor forward(const Tensor& a, const Tensor& b) { return left(a) * right(b); }
  Tensor operator()(const Tensor& a, const Tensor& b) { return forward(a, b); }
  void members(nn::Visitor& visit) override {
    visit("left", left);
    visit("right", right);
  }
};

using Strings = std::vector<std::string>;

}  // namespace

TEST(Check, AModelOfWhichAllIsTrained) {
  nn::Sequential model{nn::Linear(3, 4), nn::ReLU(), nn::Dropout(0.1), nn::Linear(4, 1)};
  const std::string before = bits(model.state());
  const nn::ModelCheck check = nn::check(model, parameter(ones({2, 3})));  // the input is nobody's parameter
  EXPECT_TRUE(check.ok());
  EXPECT_EQ(to_string(check), "every parameter is shown, reached and trained\n");
  EXPECT_EQ(bits(model.state()), before);
}

TEST(Check, ListsWhatIsForgottenIdleOrFrozen) {
  Forgetful model;
  const nn::ModelCheck check = nn::check(model, ones({2, 3}));
  EXPECT_FALSE(check.ok());
  EXPECT_EQ(check.not_shown, (Strings{"f32 [2, 4], used by linear", "f32 [2], used by linear"}));
  EXPECT_EQ(check.not_reached, Strings{"idle"});
  EXPECT_EQ(check.no_gradient, (Strings{"scale", "frozen"}));
  EXPECT_EQ(to_string(check),
            "reached but not shown by members(), so never trained: f32 [2, 4], used by linear\n"
            "reached but not shown by members(), so never trained: f32 [2], used by linear\n"
            "shown but not reached from the output: idle\n"
            "shown but wants no gradient (frozen, or no parameter()): scale\n"
            "shown but wants no gradient (frozen, or no parameter()): frozen\n");
}

TEST(Check, OfOutputsWithoutAnyGradient) {
  nn::Sequential blind{nn::Linear(3, 2), [](const Tensor& x) { return x.detach(); }};
  EXPECT_EQ(nn::check(blind, ones({2, 3})).not_reached, (Strings{"0.weight", "0.bias"}));
  nn::Sequential whole{nn::Linear(3, 2), [](const Tensor& x) { return argmax(x, 1); }};
  EXPECT_EQ(thrown([&] {
              (void)nn::check(whole, ones({2, 3}));
            }),
            "ValueError: [check] the model's output must be f32 or f64, which carry gradients: i64 [2]");
}

TEST(Check, AModelOfOtherInputs) {
  Pair model;
  EXPECT_TRUE(nn::check(model, [&] { return model(ones({2, 3}), ones({2, 2})); }).ok());
  EXPECT_EQ(nn::check(model, [&] { return model.left(ones({2, 3})); }).not_reached, (Strings{"right.weight", "right.bias"}));
}

TEST(Modules, OfOtherInputsNameThemselves) {
  Pair model;
  nn::Module& base = model;
  EXPECT_EQ(thrown([&] {
              (void)base(ones({2, 3}));
            }),
            "ValueError: [forward] a module computes from one tensor only when it overrides forward(const Tensor&): (anonymous "
            "namespace)::Pair (call its own forward)");
  EXPECT_EQ(model(ones({2, 3}), ones({2, 2})).shape(), (Shape{2, 4}));
  optim::SGD sgd(model.parameters(), {.lr = 0.1});
  Tape tape;
  sgd.step(tape.gradients(sum(model(ones({2, 3}), ones({2, 2})))));
}

TEST(Sequential, GivesItsModulesAsWhatTheyAre) {
  nn::Sequential model{nn::Linear(3, 4), nn::ReLU(), nn::nest(nn::Linear(4, 1))};
  EXPECT_TRUE(same(model.get<nn::Linear>(0).weight, model.parameters()["0.weight"]));
  EXPECT_TRUE(same(model.get<nn::Sequential>(2).get<nn::Linear>(0).weight, model.parameters()["2.0.weight"]));
  EXPECT_EQ(thrown([&] { (void)model.get<nn::Linear>(1); }),
            "ValueError: [Sequential] module 1 must be what it is asked for: it is ReLU, not capstan::nn::Linear");
  EXPECT_EQ(thrown([&] { (void)model.get<nn::Linear>(3); }), "ValueError: [Sequential] there is no module 3 of 3");
}

TEST(Sequential, TakesFunctions) {
  const double factor = 2;
  nn::Sequential model{nn::Linear(3, 4), [factor](const Tensor& x) { return exp(x) * factor; }, nn::Linear(4, 1)};
  model.append([](const Tensor& x) { return -x; });
  const Tensor x = ones({2, 3});
  const auto &first = model.get<nn::Linear>(0), &last = model.get<nn::Linear>(2);
  const Tensor want = -linear(exp(linear(x, first.weight, first.bias)) * 2, last.weight, last.bias);
  EXPECT_EQ(bits(model(x)), bits(want));
  EXPECT_EQ(bits(model.clone()(x)), bits(want));
  EXPECT_EQ(names(model.parameters()), "0.weight 0.bias 2.weight 2.bias");
  EXPECT_EQ(model[1].describe(), "Lambda");
  nn::Sequential moving{[only = std::make_unique<int>(3)](const Tensor& t) { return t * *only; }};
  EXPECT_EQ(moving(tensor(2)).item(), 6);
  EXPECT_EQ(thrown([&] { (void)moving.clone(); }), "ValueError: [clone] a module needs a default constructor or a member clone(): Lambda");
}

// What no optimizer takes for parameters: a saved state.
static_assert(!std::is_constructible_v<optim::Adagrad, TensorMap> && !std::is_constructible_v<optim::SGD, TensorMap>);
static_assert(std::is_constructible_v<optim::Adagrad, Parameters> && std::is_constructible_v<optim::Adagrad, std::vector<Tensor>>);

TEST(Optimizers, TellOnceOfGradientsThatAreNobodys) {
  Forgetful model;
  Parameters shown;
  for (const auto& [name, w] : model.shown.parameters()) shown.insert(name, w);
  optim::SGD sgd(shown, {.lr = 0.1});
  const auto step = [&] {
    testing::internal::CaptureStderr();
    Tape tape;
    sgd.step(tape.gradients(sum(model(ones({2, 3})))));
    return testing::internal::GetCapturedStderr();
  };
  EXPECT_EQ(step(), "");  // nobody asked
  sgd.set_warn_unowned(true);
  const std::string text = step(), rest = " (what members() does not show is not trained; see nn::check())\n";
  const std::string begin = "[sgd] step 2: 2 of 4 gradients belong to none of this optimizer's parameters: f32 ";
  EXPECT_TRUE(text == begin + "[2, 4], f32 [2]" + rest || text == begin + "[2], f32 [2, 4]" + rest) << text;
  EXPECT_EQ(step(), "");  // once
  optim::SGD all(
      Parameters{{"w", model.shown.weight}, {"b", model.shown.bias}, {"v", model.forgotten.weight}, {"c", model.forgotten.bias}});
  all.set_warn_unowned(true);
  testing::internal::CaptureStderr();
  Tape tape;
  all.step(tape.gradients(sum(model(ones({2, 3})))));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}
