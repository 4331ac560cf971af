// The activations as modules, and Dropout.
#include <capstan/autograd/checkpoint.h>
#include <capstan/nn/dropout.h>
#include <capstan/optim/adagrad.h>

#include <limits>
#include <thread>

#include "support.h"

using namespace capstan;

namespace {

const Tensor& some() {
  static const Tensor x = tensor({-2, -0.5, 0, 0.5, 2});
  return x;
}

/// What a module gives, alone, cloned and inside a Sequential.
template <class M>
void expect_same(M m, const Tensor& expected, const std::string& description) {
  EXPECT_EQ(bits(m(some())), bits(expected));
  EXPECT_EQ(m.describe(), description);
  EXPECT_TRUE(m.parameters().size() == 0);
  M copy = nn::clone(m);
  EXPECT_EQ(bits(copy(some())), bits(expected));
  nn::Sequential s{std::move(m)};
  EXPECT_EQ(bits(s.clone()(some())), bits(expected));
}

}  // namespace

TEST(Activations, AreTheirOperations) {
  expect_same(nn::LeakyReLU(), leaky_relu(some()), "LeakyReLU(0.01)");
  expect_same(nn::LeakyReLU(0.25), leaky_relu(some(), 0.25), "LeakyReLU(0.25)");
  expect_same(nn::ELU(), elu(some()), "ELU(1)");
  expect_same(nn::ELU(0.5), elu(some(), 0.5), "ELU(0.5)");
  expect_same(nn::GELU(), gelu(some()), "GELU");
  expect_same(nn::GELU(Gelu::tanh), gelu(some(), Gelu::tanh), "GELU(tanh)");
  expect_same(nn::SiLU(), silu(some()), "SiLU");
  expect_same(nn::Softplus(), softplus(some()), "Softplus");
  expect_same(nn::Softplus(2), softplus(some(), 2), "Softplus(2)");
  EXPECT_EQ(thrown([] { nn::Softplus m(0); }), "ValueError: [Softplus] beta must be positive and finite: 0");
  EXPECT_EQ(thrown([] { nn::Softplus m(std::numeric_limits<double>::infinity()); }),
            "ValueError: [Softplus] beta must be positive and finite: inf");
}

TEST(Dropout, DropsWhileTrainingOnly) {
  manual_seed(1);
  nn::Dropout drop(0.5);
  EXPECT_EQ(drop.describe(), "Dropout(0.5)");
  const Tensor x = ones({100});
  const Tensor y = drop(x);
  EXPECT_EQ(values(sum(y) / 2)[0], 100 - values(sum((y == 0).to(DType::f32)))[0]);
  EXPECT_NE(bits(y), bits(x));
  manual_seed(1);
  EXPECT_EQ(bits(drop(x)), bits(y));
  nn::Sequential model{nn::Linear(2, 2), nn::Dropout(0.9)};
  model.eval();
  const Tensor z = ones({3, 2});
  EXPECT_EQ(bits(model(z)), bits(model[0](z)));
  nn::Dropout copy = nn::clone(drop);
  EXPECT_TRUE(copy.training());
  drop.eval();
  EXPECT_EQ(bits(nn::clone(drop)(x)), bits(x));
}

TEST(Dropout, DrawsFromItsOwnGenerator) {
  const Tensor x = ones({100});
  nn::Dropout drop(0.5, Generator{.seed = 7}), again(0.5, Generator{.seed = 7}), other(0.5, Generator{.seed = 8});
  const Generator before = default_generator(Purpose::dropout);
  const Tensor first = drop(x), second = drop(x);
  EXPECT_EQ(default_generator(Purpose::dropout).draw, before.draw);
  EXPECT_EQ(drop.generator->draw, 2u);
  EXPECT_EQ(bits(again(x)), bits(first));
  EXPECT_EQ(bits(again.clone()(x)), bits(second));
  EXPECT_NE(bits(other(x)), bits(first));
  drop.generator->draw = 0;
  EXPECT_EQ(bits(drop(x)), bits(first));
  drop.eval();
  EXPECT_EQ(bits(drop(x)), bits(x));
  EXPECT_EQ(drop.generator->draw, 1u);
}

TEST(Dropout, OfItsOwnGeneratorInACheckpoint) {
  nn::Dropout own(0.5, Generator{.seed = 7}), shared(0.5);
  const Tensor w = parameter(ones({100}));
  const auto through = [&](nn::Dropout& drop) {
    Tape tape;
    const Tensor y = checkpoint([&](const std::vector<Tensor>& in) { return drop(in[0]) * 3.0; }, {w});
    return bits(tape.gradients(sum(y))[w]) == bits(y.detach());  // of a product with the mask: the mask, again
  };
  EXPECT_TRUE(through(shared));
  EXPECT_EQ(thrown([&] { (void)through(own); }),
            "ValueError: [Dropout] a checkpoint can draw the same numbers again from the default generator only: Dropout(0.5) has its own");
  EXPECT_EQ(own.generator->draw, 0u);
  own.eval();
  EXPECT_TRUE(through(own));
}

// Two threads, a tape each, at the same time: each with generators of its own makes the run that it makes alone.
TEST(Dropout, IsRepeatableInTwoThreads) {
  struct Run {
    nn::Sequential model;
    explicit Run(std::uint64_t seed)
        : model{nn::Linear(20, 30), nn::Dropout(0.3, Generator{.seed = seed, .purpose = 1}), nn::Tanh(),
                nn::Dropout(0.5, Generator{.seed = seed, .purpose = 2}), nn::Linear(30, 1)} {}
    std::string operator()() {
      optim::Adagrad optimizer(model.parameters(), {.lr = 0.1});
      const Tensor x = ones({8, 20});
      for (int step = 0; step < 30; ++step) {
        Tape tape;
        optimizer.step(tape.gradients(sum(square(model(x)))));
      }
      return bits(model.state());
    }
  };
  const auto made = [](std::uint64_t seed) {
    manual_seed(seed);
    return Run(seed);
  };
  const std::string alone_1 = made(1)(), alone_2 = made(2)();
  for (int round = 0; round < 3; ++round) {
    Run one = made(1), two = made(2);
    std::string second;
    std::thread thread([&] { second = two(); });
    const std::string first = one();
    thread.join();
    EXPECT_TRUE(first == alone_1 && second == alone_2);
  }
}

TEST(Dropout, RefusesAProbabilityOutsideItsRange) {
  EXPECT_EQ(thrown([] { nn::Dropout m(1.5); }), "ValueError: [Dropout] p must lie in [0, 1]: 1.5");
  EXPECT_EQ(thrown([] { nn::Dropout m(std::numeric_limits<double>::quiet_NaN()); }), "ValueError: [Dropout] p must lie in [0, 1]: nan");
}
