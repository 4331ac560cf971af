// What a method promises, its numbers, and its name.
#include <sign_momentum/sign_momentum.h>

#include <capstan/capstan.h>
#include <capstan/optim/conformance_gtest.h>
#include <capstan/optim/make.h>

using namespace capstan;
using sign_momentum::SignMomentum;

// Each set of options in which another rule, or another option, has a say is one more.
TEST(SignMomentum, KeepsWhatAMethodPromises) {
  optim::expect_conformance(optim::conformance<SignMomentum>({.lr = 0.01}, {{.momentum = 0.5}}));
}

// From the paper's formula, by hand or by another program: not from this one.
TEST(SignMomentum, FollowsThePaper) {
  optim::expect_trajectory<SignMomentum>(
      {.lr = 0.125, .momentum = 0.5},
      {.start = {1, -2}, .gradients = {{4, -2}, {-6, 1}, {1, 3}}, .expected = {{0.875, -1.875}, {1, -1.875}, {1.125, -2}}});
}

TEST(SignMomentum, IsFoundByItsName) {
  optim::register_optimizer<SignMomentum>();
  const auto optimizer = optim::make("sign_momentum lr=0.01 momentum=0.8", {{"w", parameter(zeros({3}))}});
  EXPECT_STREQ(optimizer->method(), "sign_momentum");
  EXPECT_EQ(optimizer->lr(), 0.01);
}
