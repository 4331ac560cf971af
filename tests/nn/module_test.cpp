#include <type_traits>

#include "support.h"

using namespace capstan;

// Modules of a user's own: names, nesting, tied tensors, buffers, modes.

namespace {

/// Holds a module of the user's own, a Sequential, a tensor of its own and two buffers.
struct Deep : nn::Module {
  Net net;
  nn::Sequential head{nn::Linear(1, 3), nn::Tanh(), nn::Linear(3, 2)};
  Tensor scale = parameter(full({2}, 0.5)), unused;
  Tensor mean = zeros({2}), seen = zeros({}, DType::i64);
  Tensor forward(const Tensor& x) override { return head(net(x)) * scale - mean; }
  void members(nn::Visitor& visit) override {
    visit("net", net);
    visit("head", head);
    visit("scale", scale);
    visit("unused", unused);
    visit.buffer("mean", mean);
    visit.buffer("seen", seen);
  }
};

struct Tied : nn::Module {
  nn::Linear first{3, 3}, second{3, 3, {.bias = false}};
  Tied() { second.weight = first.weight; }
  Tensor forward(const Tensor& x) override { return second(first(x)); }
  void members(nn::Visitor& visit) override {
    visit("first", first);
    visit("second", second);
  }
};

/// Shows what it is told to.
struct Shows : nn::Module {
  std::vector<std::pair<std::string, Tensor>> tensors, buffers;
  Tensor forward(const Tensor& x) override { return x; }
  void members(nn::Visitor& visit) override {
    for (auto& [name, t] : tensors) visit(name.c_str(), t);
    for (auto& [name, t] : buffers) visit.buffer(name.c_str(), t);
  }
};

/// Doubles in training, as a dropout would do something.
struct Doubling : nn::Module {
  Tensor forward(const Tensor& x) override { return training() ? 2 * x : x; }
};
struct Wrapped : nn::Module {
  nn::Sequential inner{Doubling(), nn::Sequential{Doubling(), nn::ReLU()}};
  Doubling last;
  Tensor forward(const Tensor& x) override { return last(inner(x)); }
  void members(nn::Visitor& visit) override {
    visit("inner", inner);
    visit("last", last);
  }
};

template <class M>
constexpr bool moves_only =
    std::is_move_constructible_v<M>&& std::is_move_assignable_v<M> && !std::is_copy_constructible_v<M> && !std::is_copy_assignable_v<M>;
static_assert(moves_only<nn::Linear> && moves_only<nn::ReLU> && moves_only<nn::Tanh> && moves_only<nn::Sigmoid> &&
              moves_only<nn::Sequential>);
static_assert(moves_only<Net> && moves_only<Deep>);
static_assert(!std::is_constructible_v<nn::Sequential, int> && !std::is_constructible_v<nn::Sequential, nn::Linear, Tensor>);

}  // namespace

TEST(Modules, NameTheirParametersAsPyTorchDoes) {
  Deep deep;
  EXPECT_EQ(names(deep.parameters()),
            "net.hidden.weight net.hidden.bias net.out.weight net.out.bias head.0.weight head.0.bias head.2.weight head.2.bias scale");
  EXPECT_EQ(
      names(deep.state()),
      "net.hidden.weight net.hidden.bias net.out.weight net.out.bias head.0.weight head.0.bias head.2.weight head.2.bias scale mean seen");
  EXPECT_TRUE(same(deep.parameters()["net.hidden.weight"], deep.net.hidden.weight));
  EXPECT_TRUE(same_bits(deep.state()["mean"], deep.mean));
}

TEST(Modules, ComputeThroughAllThatTheyHold) {
  Deep deep;
  const Tensor x = tensor({{1, -2, 3, 0.5, 0}, {0, 1, 0, -1, 2}});
  const Tensor y = deep(x), want = deep.head(deep.net.out(relu(deep.net.hidden(x)))) * 0.5;
  EXPECT_EQ(bits(y), bits(want));
  Tape tape;
  const Gradients g = tape.gradients(sum(square(deep(x))));
  for (const auto& [name, parameter] : deep.parameters()) EXPECT_TRUE(g.contains(parameter)) << name;
  EXPECT_EQ(g.size(), deep.parameters().size());
  EXPECT_FALSE(g.contains(deep.mean));
}

TEST(Modules, GiveATiedTensorOnceUnderItsFirstName) {
  Tied tied;
  EXPECT_EQ(names(tied.parameters()), "first.weight first.bias");
  EXPECT_EQ(names(tied.state()), "first.weight first.bias");
  nn::init::constant(tied.first.weight, 1);
  nn::init::zeros(tied.first.bias);
  EXPECT_EQ(values(tied(ones({3}))), (Values{9, 9, 9}));
  {
    Tape tape;
    const Gradients g = tape.gradients(sum(tied(ones({3}))));
    EXPECT_EQ(values(g[tied.first.weight]), Values(9, 6));  // 3 as the first layer and 3 as the second
  }
  tied.to(DType::f64);
  EXPECT_TRUE(same(tied.first.weight, tied.second.weight));
  EXPECT_EQ(values(tied(ones({3}, DType::f64))), (Values{9, 9, 9}));
}

TEST(Modules, RefuseANameThatComesTwice) {
  Shows shows;
  shows.tensors = {{"a", ones({2})}, {"b", ones({2})}, {"a", ones({3})}};
  EXPECT_EQ(thrown([&] { shows.parameters(); }), "ValueError: [tensors] a name must come once: 'a'");
  EXPECT_EQ(thrown([&] { shows.state(); }), "ValueError: [tensors] a name must come once: 'a'");
  shows.tensors.pop_back();
  EXPECT_EQ(names(shows.parameters()), "a b");
  shows.buffers = {{"b", ones({2})}};
  EXPECT_EQ(names(shows.parameters()), "a b");
  EXPECT_EQ(thrown([&] { shows.state(); }), "ValueError: [tensors] a name must come once: 'b'");
}

TEST(Modules, TrainTheirParametersAndKeepTheirBuffers) {
  Shows shows;
  shows.tensors = {{"w", parameter(ones({2}))}};
  shows.buffers = {{"mean", ones({2})}, {"count", zeros({}, DType::i64)}, {"none", Tensor()}};
  EXPECT_EQ(names(shows.parameters()), "w");
  EXPECT_EQ(names(shows.state()), "w mean count");
  shows.load_state({{"w", tensor({1, 2})}, {"mean", tensor({3, 4})}, {"count", tensor(5, DType::i64)}});
  EXPECT_EQ(values(shows.buffers[0].second), (Values{3, 4}));
  EXPECT_EQ(shows.buffers[1].second.item(), 5);
  shows.to(DType::f64);
  EXPECT_EQ(shows.buffers[0].second.dtype(), DType::f64);
  EXPECT_EQ(shows.buffers[1].second.dtype(), DType::i64);
  EXPECT_FALSE(shows.buffers[0].second.requires_grad());
}

TEST(Modules, ThatHoldAGradientTakeNoState) {
  Shows shows;
  const Tensor w = parameter(ones({2}));
  Tape tape;
  const Gradients g = tape.gradients(sum(w));
  shows.tensors = {{"w", w}};
  shows.buffers = {{"slope", g[w]}};
  EXPECT_EQ(thrown([&] {
              shows.load_state({{"w", tensor({3, 4})}, {"slope", tensor({3, 4})}});
            }),
            "ValueError: [load_state] the state does not fit (anonymous namespace)::Shows:\n  slope: the model holds a gradient there, "
            "which is read-only");
  EXPECT_EQ(values(w), (Values{1, 1}));
}

TEST(Modules, WithoutMembersHoldNothing) {
  Doubling doubling;
  EXPECT_TRUE(doubling.parameters().empty());
  EXPECT_TRUE(doubling.state().empty());
  doubling.load_state({});
  doubling.to(DType::f64);
}

TEST(Modules, SwitchAllInsideBetweenTrainingAndEvaluation) {
  Wrapped m;
  const Tensor x = ones({1});
  EXPECT_TRUE(m.training());
  EXPECT_EQ(m(x).item(), 8);
  m.eval();
  EXPECT_FALSE(m.training());
  EXPECT_FALSE(m.inner.training() || m.inner[1].training() || m.last.training());
  EXPECT_EQ(m(x).item(), 1);
  m.last.train();
  EXPECT_EQ(m(x).item(), 2);
  m.train();
  EXPECT_EQ(m(x).item(), 8);
  m.train(false);
  EXPECT_EQ(m(x).item(), 1);
  Wrapped moved = std::move(m);
  EXPECT_FALSE(moved.training() || moved.last.training());
  EXPECT_EQ(moved(x).item(), 1);
}

TEST(Modules, DescribeThemselvesByTheirType) {
  EXPECT_EQ(Net().describe(), "Net");
  EXPECT_EQ(Doubling().describe(), "(anonymous namespace)::Doubling");
}

// parameters() taken before a move are the moved model's, whatever it is moved into.
TEST(Modules, KeepTheirParametersWhenMoved) {
  Net net;
  const Parameters before = net.parameters();
  const auto moves = [&](nn::Module& m, const std::string& prefix) {
    for (const auto& [name, t] : before) EXPECT_TRUE(same(m.parameters()[prefix + name], t)) << name;
    Tape tape;
    const Gradients g = tape.gradients(sum(m(ones({1, 5}))));
    for (const auto& [name, t] : before) EXPECT_TRUE(g.contains(t)) << name;
  };
  Net moved = std::move(net);
  moves(moved, "");
  Net assigned;
  assigned = std::move(moved);
  moves(assigned, "");
  nn::Sequential model{std::move(assigned), nn::ReLU()};
  moves(model, "0.");
  nn::Sequential outer{nn::Tanh(), std::move(model)};
  moves(outer, "1.0.");
  std::vector<nn::Sequential> several;
  several.push_back(std::move(outer));
  several.reserve(100);
  moves(several[0], "1.0.");
}

TEST(Modules, LiveStatesAreTheSameWithoutCopies) {
  Deep deep;
  const TensorMap live = deep.live_state(), state = deep.state();
  EXPECT_EQ(bits(live), bits(state));
  EXPECT_TRUE(same(live["scale"], deep.scale));
  EXPECT_TRUE(same(live["mean"], deep.mean));
  EXPECT_FALSE(same(state["scale"], deep.scale));
}
