// Models of very many parameters, and deep ones: what goes through all of them takes time in proportion.
#include <capstan/optim/adagrad.h>
#include <capstan/optim/average.h>

#include <ctime>

#include "support.h"

using namespace capstan;

namespace {

/// The processor's time for `body`, in seconds: the least of three.
template <class Body>
double seconds(Body body) {
  double least = 1e9;
  for (int i = 0; i < 3; ++i) {
    const std::clock_t begin = std::clock();
    body();
    least = std::min(least, static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
  }
  return least;
}

/// How much longer `times` as much takes. A machine with other work to do makes several of what is in proportion, not tens: the tests
/// ask what lies that far apart.
template <class Make, class Body>
double growth(int count, int times, Make make, Body body) {
  auto small = make(count), large = make(times * count);
  return seconds([&] { body(large); }) / seconds([&] { body(small); });
}

/// Many tensors of one element.
struct Wide : nn::Module {
  explicit Wide(int count) {
    for (int i = 0; i < count; ++i) {
      all.push_back(parameter(ones({1})));
      names.push_back("weight" + std::to_string(i));
    }
  }
  Tensor forward(const Tensor& x) override { return x; }
  void members(nn::Visitor& visit) override {
    for (std::size_t i = 0; i < all.size(); ++i) visit(names[i].c_str(), all[i]);
  }
  std::vector<Tensor> all;
  std::vector<std::string> names;
};

Gradients gradients_of(const std::vector<Tensor>& all) {
  Tape tape;
  Tensor loss = all[0] * 2;
  for (const Tensor& w : all) loss = loss + w;
  return tape.gradients(loss);
}

nn::Sequential nested(int depth) {
  nn::Sequential s;
  s.append(nn::Linear(1, 1));
  for (int i = 1; i < depth; ++i) {
    s = nn::nest(std::move(s));
    s.append(nn::Linear(1, 1));
  }
  return s;
}

// 64 times as many take 64 to 130 times as long, since caches are small; 4,096 times when each goes through all others.
constexpr int many = 1000, times = 64;
constexpr double in_proportion = 600;

}  // namespace

TEST(LargeModel, ItsParametersAreCollected) {
  EXPECT_EQ(Wide(many).parameters().size(), static_cast<std::size_t>(many));
  EXPECT_LT(growth(
                many, times, [](int n) { return Wide(n); }, [](Wide& m) { m.parameters(); }),
            in_proportion);
  EXPECT_LT(growth(
                many, times, [](int n) { return Wide(n); }, [](Wide& m) { m.load_state(m.state()); }),
            in_proportion);
  EXPECT_LT(growth(
                many, times, [](int n) { return Wide(n); }, [](Wide& m) { summary(m); }),
            in_proportion);
}

TEST(LargeModel, ItsOptimizerIsMadeSavedAndLoaded) {
  EXPECT_LT(growth(
                many, times, [](int n) { return Wide(n).parameters(); }, [](const Parameters& p) { optim::Adagrad(p, {}); }),
            in_proportion);
  EXPECT_LT(growth(
                many, times, [](int n) { return Wide(n).parameters(); },
                [](const Parameters& p) {
                  optim::Adagrad adagrad(p, {});
                  adagrad.load_state(adagrad.state());
                }),
            in_proportion);
  EXPECT_LT(growth(
                many, times, [](int n) { return Wide(n).parameters(); },
                [](const Parameters& p) {
                  optim::EMA ema(p, {});
                  ema.update();
                  ema.update();
                  ema.swap();
                }),
            in_proportion);
}

TEST(LargeModel, ItsGradientsAreAdded) {
  EXPECT_LT(growth(
                many, times, [](int n) { return std::pair(gradients_of(Wide(n).all), Gradients()); },
                [](std::pair<Gradients, Gradients>& g) {
                  g.second = g.first.clone();
                  g.second += g.first;
                }),
            in_proportion);
}

TEST(LargeModel, IsClonedHoweverDeep) {
  nn::Sequential deep = nested(200), copy = deep.clone();
  EXPECT_EQ(copy.parameters().size(), 400u);
  EXPECT_EQ(bits(copy.state()), bits(deep.state()));
  EXPECT_LT(growth(200, 8, nested, [](nn::Sequential& s) { s.clone(); }), 128);  // 512 where each level goes through all pairs
}

// Tensors that are tied across levels, dtypes and modes are matched once, by the outermost.
TEST(LargeModel, WhatIsInsideIsMatchedToo) {
  nn::Sequential inner{nn::Linear(2, 2), nn::Linear(2, 2)};
  static_cast<nn::Linear&>(inner[1]).weight = static_cast<nn::Linear&>(inner[0]).weight;
  nn::Sequential outer{nn::nest(std::move(inner)), nn::Linear(2, 2)};
  auto& middle = static_cast<nn::Sequential&>(outer[0]);
  static_cast<nn::Linear&>(outer[1]).weight = static_cast<nn::Linear&>(static_cast<nn::Sequential&>(middle[0])[0]).weight;
  middle[0].eval();
  outer.to(DType::f64);
  nn::Sequential copy = outer.clone();
  EXPECT_EQ(copy.parameters().size(), 4u);
  auto& copied = static_cast<nn::Sequential&>(static_cast<nn::Sequential&>(copy[0])[0]);
  EXPECT_TRUE(same(static_cast<nn::Linear&>(copied[0]).weight, static_cast<nn::Linear&>(copied[1]).weight));
  EXPECT_TRUE(same(static_cast<nn::Linear&>(copied[0]).weight, static_cast<nn::Linear&>(copy[1]).weight));
  EXPECT_FALSE(copied.training());
  EXPECT_FALSE(copied[1].training());
  EXPECT_TRUE(copy.training());
  EXPECT_TRUE(copy[1].training());
  EXPECT_EQ(copied[0].state().at(0).tensor.dtype(), DType::f64);
  const nn::Sequential alone = copied.clone();  // and by the outermost of the next one
  EXPECT_FALSE(alone.training());
}
