#include "support.h"

#include <functional>

using namespace capstan;

namespace {

/// Counts how many of its kind are alive.
struct Counted : nn::Module {
  static inline int alive = 0;
  double add;
  explicit Counted(double a) : add(a) { ++alive; }
  Counted(Counted&& other) noexcept : Module(std::move(other)), add(other.add) { ++alive; }
  ~Counted() override { --alive; }
  Tensor forward(const Tensor& x) override { return x * 2 + add; }
  Counted clone() const { return Counted(add); }
};

}  // namespace

TEST(Sequential, PassesTheOutputOn) {
  nn::Sequential m{Counted(1), Counted(10)};
  EXPECT_EQ(m(tensor(3)).item(), 24);  // (3*2 + 1)*2 + 10
  EXPECT_EQ(m.size(), 2u);
  m.append(Counted(0.5));
  EXPECT_EQ(m(tensor(3)).item(), 48.5);
  EXPECT_EQ(m.size(), 3u);
}

// A Linear with a bias and the ReLU behind it are one operation, with the bits of two; also in a clone.
TEST(Sequential, JoinsALinearAndAReLU) {
  nn::Sequential m{nn::Linear(7, 20), nn::ReLU(), nn::Linear(20, 5, {.bias = false}), nn::ReLU(), nn::ReLU(), nn::Linear(5, 3)};
  m.append(nn::ReLU());
  const Parameters w = m.parameters();
  const Tensor x = randn({40, 7});
  const auto gradients = [](const Parameters& of, const std::function<Tensor()>& forward, std::size_t operations) {
    Tape tape;
    const Tensor y = forward();
    EXPECT_EQ(tape.size(), operations);
    const Gradients g = tape.gradients(sum(square(y - 0.25)));
    std::vector<Tensor> all{y};
    for (const auto& [name, parameter] : of) all.push_back(g[parameter]);
    return all;
  };
  const auto apart = [&] {
    const Tensor h = relu(linear(relu(linear(x, w["0.weight"], w["0.bias"])), w["2.weight"]));
    return relu(linear(relu(h), w["5.weight"], w["5.bias"]));
  };
  const auto expected = gradients(w, apart, 7);
  nn::Sequential copy = m.clone();
  const auto joined = gradients(
                 w, [&] { return m(x); }, 5),
             of_copy = gradients(
                 copy.parameters(), [&] { return copy(x); }, 5);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_TRUE(same_bits(joined[i], expected[i])) << i;
    EXPECT_TRUE(same_bits(of_copy[i], expected[i])) << i;
  }
}

TEST(Sequential, EmptyGivesItsInput) {
  nn::Sequential m;
  const Tensor x = ones({2});
  EXPECT_EQ(m.size(), 0u);
  EXPECT_TRUE(same(m(x), x));
  EXPECT_TRUE(m.parameters().empty());
  EXPECT_EQ(m.clone().size(), 0u);
  m.append(nn::Linear(2, 1));
  EXPECT_EQ(names(m.parameters()), "0.weight 0.bias");
}

TEST(Sequential, NamesItsModulesByTheirPlace) {
  nn::Sequential m{nn::Linear(2, 3), nn::ReLU(), nn::Linear(3, 4, {.bias = false}), nn::Sequential{nn::Linear(4, 1)}, Net()};
  EXPECT_EQ(names(m.parameters()), "0.weight 0.bias 2.weight 3.0.weight 3.0.bias 4.hidden.weight 4.hidden.bias 4.out.weight 4.out.bias");
  nn::Sequential ten;
  for (int i = 0; i < 11; ++i) ten.append(nn::Linear(1, 1, {.bias = false}));
  EXPECT_EQ(names(ten.parameters()), "0.weight 1.weight 2.weight 3.weight 4.weight 5.weight 6.weight 7.weight 8.weight 9.weight 10.weight");
}

TEST(Sequential, AloneInAnotherIsMovedUnlessNested) {
  nn::Sequential moved{nn::Sequential{nn::Linear(2, 1)}};
  EXPECT_EQ(names(moved.parameters()), "0.weight 0.bias");
  nn::Sequential nested{nn::nest(nn::Sequential{nn::Linear(2, 1)})};
  EXPECT_EQ(names(nested.parameters()), "0.0.weight 0.0.bias");
  nn::Sequential deeper = nn::nest(nn::nest(nn::Sequential{nn::Linear(2, 1)}));
  EXPECT_EQ(names(deeper.parameters()), "0.0.0.weight 0.0.0.bias");
  EXPECT_EQ(deeper(ones({1, 2})).shape(), Shape({1, 1}));
}

TEST(Sequential, GivesItsModulesByNumber) {
  nn::Sequential m{nn::Linear(2, 3), nn::ReLU()};
  EXPECT_EQ(m[0].describe(), "Linear(2, 3)");
  EXPECT_EQ(m[1].describe(), "ReLU");
  EXPECT_TRUE(same(dynamic_cast<nn::Linear&>(m[0]).weight, m.parameters()["0.weight"]));
  EXPECT_EQ(thrown([&] { m[2]; }), "ValueError: [Sequential] there is no module 2 of 2");
  nn::Sequential none;
  EXPECT_EQ(thrown([&] { none[0]; }), "ValueError: [Sequential] there is no module 0 of 0");
}

TEST(Sequential, OwnsItsModules) {
  {
    nn::Sequential m{Counted(1), Counted(2)};
    EXPECT_EQ(Counted::alive, 2);
    nn::Sequential other = std::move(m);
    EXPECT_EQ(Counted::alive, 2);
    EXPECT_EQ(m.size(), 0u);  // NOLINT(bugprone-use-after-move): what is left is an empty one
    EXPECT_EQ(other.size(), 2u);
    m = std::move(other);
    EXPECT_EQ(m(tensor(3)).item(), 16);
    nn::Sequential copy = m.clone();
    EXPECT_EQ(Counted::alive, 4);
    EXPECT_EQ(copy(tensor(3)).item(), 16);
    m = nn::Sequential{Counted(5)};
    EXPECT_EQ(m(tensor(3)).item(), 11);
    EXPECT_EQ(Counted::alive, 3);
  }
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Sequential, OfAUsersModules) {
  nn::Sequential m{Net(), nn::Sigmoid()};
  EXPECT_EQ(m(ones({7, 5})).shape(), Shape({7, 1}));
  m.append(Net());
  EXPECT_TRUE(thrown([&] { m(ones({7, 5})); }).starts_with("ShapeError: [linear] "));
}
