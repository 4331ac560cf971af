#include <capstan/optim/adagrad.h>

#include "support.h"

using namespace capstan;

// A model as a whole: state, conversion, cloning.

namespace {

/// What default-constructing it does not know: a buffer, a rate, ties made later.
struct Stateful : nn::Module {
  nn::Linear a{2, 2}, b{2, 2};
  nn::Sequential rest{nn::Linear(2, 2), nn::ReLU()};
  Tensor mean = zeros({2}), seen = zeros({}, DType::i64);
  Tensor forward(const Tensor& x) override { return rest(b(a(x))) - mean; }
  void members(nn::Visitor& visit) override {
    visit("a", a);
    visit("b", b);
    visit("rest", rest);
    visit.buffer("mean", mean);
    visit.buffer("seen", seen);
  }
};

struct NoDefault : nn::Module {
  nn::Linear inner;
  explicit NoDefault(std::int64_t n) : inner(n, n) {}
  Tensor forward(const Tensor& x) override { return inner(x); }
  void members(nn::Visitor& visit) override { visit("inner", inner); }
};

struct OwnClone : NoDefault {
  using NoDefault::NoDefault;
  OwnClone clone() const {
    OwnClone copy(inner.weight.size(0));
    copy.inner = inner.clone();
    return copy;
  }
};

Tensor input() { return tensor({{1, -2, 3, 0.5, 0}, {0, 1, 0, -1, 2}}); }

/// The same values in other tensors, none shared.
void expect_deep_copy(nn::Module& model, nn::Module& copy) {
  EXPECT_EQ(bits(copy.state()), bits(model.state()));
  for (const auto& [name, t] : model.state())
    for (const auto& [other, c] : copy.state()) EXPECT_FALSE(same(t, c)) << name << " " << other;
  for (const auto& [name, t] : copy.parameters()) EXPECT_EQ(t.requires_grad(), model.parameters()[name].requires_grad()) << name;
}

}  // namespace

TEST(ModelState, GoesFromModelToModel) {
  Net a, b;
  EXPECT_NE(bits(a.state()), bits(b.state()));
  const Parameters before = b.parameters();
  b.load_state(a.state());
  EXPECT_EQ(bits(a.state()), bits(b.state()));
  for (const auto& [name, t] : before) EXPECT_TRUE(same(t, b.parameters()[name]));
  EXPECT_EQ(bits(a(input())), bits(b(input())));
  EXPECT_FALSE(same(a.hidden.weight, b.hidden.weight));
  nn::init::zeros(a.hidden.weight);  // nothing is shared
  EXPECT_NE(bits(a.state()), bits(b.state()));
  const std::uint32_t version = b.out.bias.version();
  b.load_state(b.state());
  EXPECT_EQ(b.out.bias.version(), version + 1);
}

TEST(ModelState, IsASnapshotAndParametersAreLive) {
  Net net;
  const TensorMap best = net.state();
  const Parameters live = net.parameters();
  const std::string before = bits(best);
  for (const auto& entry : best) EXPECT_FALSE(entry.tensor.requires_grad()) << entry.name;
  optim::Adagrad optimizer(net.parameters(), {.lr = 0.5});
  const TensorMap start = optimizer.state();
  for (int step = 0; step < 3; ++step) {
    Tape tape;
    optimizer.step(tape.gradients(sum(square(net(ones({2, 5}))))));
  }
  EXPECT_EQ(bits(best), before);
  EXPECT_NE(bits(live), before);
  EXPECT_TRUE(same(live["out.bias"], net.out.bias));
  net.load_state(best);
  EXPECT_EQ(bits(live), before);
  EXPECT_EQ(bits(start), bits(optim::Adagrad(net.parameters(), {.lr = 0.5}).state()));
}

TEST(ModelParameters, CanBeChangedInALoop) {
  Net net;
  for (auto& [name, w] : net.parameters()) w.set_requires_grad(false);
  for (const auto& entry : net.parameters()) EXPECT_FALSE(entry.tensor.requires_grad()) << entry.name;
  for (auto& [name, w] : net.parameters()) w *= 0;
  EXPECT_EQ(sum(net.hidden.weight).item(), 0);
  net.parameters()["out.bias"].set_requires_grad(true);
  EXPECT_TRUE(net.out.bias.requires_grad());
}

TEST(ModelState, LoadsUnderATapeWithoutBeingRecorded) {
  Net net;
  const TensorMap state = net.state();
  Tape tape;
  net.load_state(state);
  EXPECT_EQ(tape.size(), 0u);
}

TEST(ModelState, ListsAllThatDoesNotFitAndChangesNothing) {
  Net net;
  const std::string before = bits(net.state());
  TensorMap state;
  state.insert("hidden.weight", ones({4, 6}));
  state.insert("hidden.bias", ones({4}, DType::f64));
  state.insert("out.bias", ones({1}));
  state.insert("head.weight", ones({1}));
  state.insert("out.weigth", ones({1, 4}));
  EXPECT_EQ(thrown([&] { net.load_state(state); }), R"(ValueError: [load_state] the state does not fit Net:
  hidden.weight: f32 [4, 6], wanted f32 [4, 5]
  hidden.bias: f64 [4], wanted f32 [4]
  missing: out.weight
  unexpected: head.weight
  unexpected: out.weigth)");
  EXPECT_EQ(thrown([&] { net.load_state({}); }), R"(ValueError: [load_state] the state does not fit Net:
  missing: hidden.weight
  missing: hidden.bias
  missing: out.weight
  missing: out.bias)");
  nn::Sequential other{nn::Linear(2, 1)};
  EXPECT_EQ(thrown([&] {
              other.load_state({{"0.weight", ones({1, 2})}});
            }),
            "ValueError: [load_state] the state does not fit Sequential:\n  missing: 0.bias");
  EXPECT_EQ(bits(net.state()), before);
}

TEST(ModelTo, KeepsIdentity) {
  Net net;
  const Parameters before = net.parameters();
  const Values weight = values(net.hidden.weight);
  Tape tape;
  const Gradients g = tape.gradients(sum(net(input())));
  net.to(DType::f64);
  for (const auto& [name, t] : before) {
    EXPECT_EQ(t.dtype(), DType::f64);
    EXPECT_TRUE(same(t, net.parameters()[name]));
    EXPECT_TRUE(t.requires_grad());
    EXPECT_TRUE(g.contains(t));
    EXPECT_EQ(g[t].dtype(), DType::f32);  // what was computed before stays what it was
  }
  EXPECT_EQ(values(net.hidden.weight), weight);
  Tape other;
  const Gradients wide = other.gradients(sum(net(input().to(DType::f64))));
  for (const auto& [name, t] : before) {
    EXPECT_EQ(wide[t].dtype(), DType::f64);
    EXPECT_EQ(wide[t].shape(), t.shape());
  }
  net.to(DType::f64);  // nothing to do
  net.to(DType::f32);
  EXPECT_EQ(values(net.hidden.weight), weight);
}

TEST(ModelTo, RoundsToF32) {
  nn::Linear layer(1, 1, {.dtype = DType::f64});
  nn::init::constant(layer.weight, 0.1);
  layer.to(DType::f32);
  EXPECT_EQ(layer.weight.item(), static_cast<double>(0.1f));
}

// A view taken before keeps the old elements; a tape that saved them notices.
TEST(ModelTo, LeavesOldViewsReadable) {
  nn::Linear layer(3, 2);
  const Tensor row = layer.weight.rows(1, 2).detach();
  const std::string before = bits(row);
  for (int i = 0; i < 3; ++i) {
    layer.to(DType::f64);
    layer.to(DType::f32);
  }
  EXPECT_EQ(bits(row), before);
  Tensor x = parameter(ones({1, 3}));
  Tape tape;
  const Tensor loss = sum(layer(x));
  layer.to(DType::f64);
  EXPECT_TRUE(thrown([&] {
                (void)tape.gradients(loss);
              }).starts_with("ValueError: [linear] a tensor that the gradient needs was changed in place"));
}

TEST(ModelTo, RefusesWhatTakesNoGradients) {
  Net net;
  EXPECT_EQ(thrown([&] { net.to(DType::i64); }), "ValueError: [to] a model is f32 or f64: i64");
  EXPECT_EQ(thrown([&] { net.to(DType::boolean); }), "ValueError: [to] a model is f32 or f64: boolean");
  EXPECT_EQ(net.hidden.weight.dtype(), DType::f32);
}

TEST(ModelClone, IsDeepWithIdentitiesOfItsOwn) {
  nn::Sequential model{nn::Linear(5, 4), nn::ReLU(), nn::Sequential{nn::Linear(4, 3, {.bias = false}), nn::Tanh()}, nn::Linear(3, 1),
                       nn::Sigmoid()};
  nn::Sequential copy = model.clone();
  expect_deep_copy(model, copy);
  EXPECT_EQ(bits(copy(input())), bits(model(input())));
  EXPECT_EQ(nn::summary(copy), nn::summary(model));
  Tape tape;
  const Gradients g = tape.gradients(sum(model(input())));
  for (const auto& [name, t] : copy.parameters()) EXPECT_FALSE(g.contains(t)) << name;
  optim::Adagrad optimizer(model.parameters(), {.lr = 0.5});
  const std::string before = bits(copy.state());
  optimizer.step(g);
  EXPECT_EQ(bits(copy.state()), before);
  EXPECT_NE(bits(model.state()), before);
}

TEST(ModelClone, OfAUsersModule) {
  Net net;
  Net copy = nn::clone(net);
  expect_deep_copy(net, copy);
  EXPECT_EQ(bits(copy(input())), bits(net(input())));
  nn::Sequential model{Net(), nn::Tanh()};
  nn::Sequential both = model.clone();
  expect_deep_copy(model, both);
  OwnClone own(3), own_copy = nn::clone(own);
  expect_deep_copy(own, own_copy);
}

TEST(ModelClone, TakesAlongDtypesTiesBuffersModesAndWhatIsFrozen) {
  Stateful model;
  model.b.weight = model.a.weight;
  model.b.bias.set_requires_grad(false);
  model.mean.assign(tensor({3, 4}));
  model.seen.assign(tensor(5, DType::i64));
  model.rest.eval();
  model.to(DType::f64);
  const auto check = [&](Stateful& copy) {
    expect_deep_copy(model, copy);
    EXPECT_TRUE(same(copy.b.weight, copy.a.weight));
    EXPECT_FALSE(same(copy.b.weight, model.a.weight));
    EXPECT_FALSE(copy.b.bias.requires_grad());
    EXPECT_TRUE(copy.training());
    EXPECT_FALSE(copy.rest.training() || copy.rest[0].training() || copy.rest[1].training());
    EXPECT_TRUE(copy.a.training());
    const Tensor x = tensor({{1, 2}}, DType::f64);
    EXPECT_EQ(bits(copy(x)), bits(model(x)));
  };
  Stateful copy = nn::clone(model);
  check(copy);
  nn::Sequential outer{nn::ReLU(), nn::clone(model)}, outer_copy = outer.clone();
  check(dynamic_cast<Stateful&>(outer_copy[1]));
  model.eval();
  EXPECT_FALSE(nn::clone(model).training());
}

// Ties between the modules of a Sequential, which clones them one by one.
TEST(ModelClone, KeepsTiesAcrossModules) {
  nn::Sequential model{nn::Linear(3, 3), nn::Tanh(), nn::Linear(3, 3)};
  dynamic_cast<nn::Linear&>(model[2]).weight = dynamic_cast<nn::Linear&>(model[0]).weight;
  model[0].eval();
  nn::Sequential copy = model.clone();
  EXPECT_EQ(names(copy.parameters()), "0.weight 0.bias 2.bias");
  EXPECT_TRUE(same(dynamic_cast<nn::Linear&>(copy[2]).weight, dynamic_cast<nn::Linear&>(copy[0]).weight));
  EXPECT_FALSE(copy[0].training());
  EXPECT_TRUE(copy[1].training() && copy[2].training() && copy.training());
  expect_deep_copy(model, copy);
}

TEST(ModelClone, OfALinearKeepsWhatIsFrozen) {
  nn::Linear layer(3, 2);
  layer.weight.set_requires_grad(false);
  layer.eval();
  nn::Linear copy = layer.clone();
  expect_deep_copy(layer, copy);
  EXPECT_FALSE(copy.weight.requires_grad());
  EXPECT_TRUE(copy.bias.requires_grad());
  EXPECT_FALSE(copy.training());
}

TEST(ModelClone, RefusesAModuleThatCannotBe) {
  NoDefault module(3);
  const std::string text = "ValueError: [clone] a module needs a default constructor or a member clone(): (anonymous namespace)::NoDefault";
  EXPECT_EQ(thrown([&] { nn::clone(module); }), text);
  nn::Sequential model{nn::Linear(3, 3), std::move(module)};
  EXPECT_EQ(thrown([&] { model.clone(); }), text);
  EXPECT_EQ(model(ones({1, 3})).shape(), Shape({1, 3}));
  Net net;
  net.hidden = nn::Linear(7, 4);  // a default-constructed Net has another shape
  EXPECT_EQ(thrown([&] { nn::clone(net); }),
            "ValueError: [load_state] the state does not fit Net:\n  hidden.weight: f32 [4, 7], wanted f32 [4, 5]");
}
