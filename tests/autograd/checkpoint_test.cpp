// checkpoint(): recomputed instead of kept.
#include "ops_table.h"

#include <capstan/autograd/checkpoint.h>
#include <capstan/autograd/profile.h>
#include <capstan/autograd/tape_state.h>

using namespace capstan;

namespace {

/// Two layers with a parameter that is used twice inside and once more outside.
struct Model {
  Tensor w = parameter(numbers({4, 4}, -1, 1, 0)), b = parameter(numbers({4}, -1, 1, 1));
  Tensor block(const Tensor& x) const { return tanh(linear(tanh(linear(x, w, b)), w, b)); }
  Tensor loss(const Tensor& x, bool again, double p = 0) const {
    const auto f = [this, p](const Args& in) { return dropout(block(in[0] * 1.5), p, p > 0); };
    const Tensor first = again ? checkpoint(f, {x}) : f({x});
    const Tensor second = again ? checkpoint(f, {first}) : f({first});
    return sum(square(linear(second, w, b)));
  }
};

}  // namespace

TEST(Checkpoint, SameBitsWithFewerNodes) {
  const Model m;
  const Tensor x = parameter(numbers({3, 4}));
  const auto run = [&](bool again, std::size_t& size) {
    Tape tape;
    const Tensor loss = m.loss(x, again);
    size = tape.size();
    return tape.gradients(loss);
  };
  std::size_t kept = 0, dropped = 0;
  const Gradients plain = run(false, kept), recomputed = run(true, dropped);
  EXPECT_EQ(plain.loss(), recomputed.loss());
  EXPECT_EQ(dropped, kept - 2 * 5 + 2);
  for (const Tensor& t : {m.w, m.b, x}) EXPECT_TRUE(same_bits(plain[t], recomputed[t]));
}

TEST(Checkpoint, DropoutDrawsTheSameNumbers) {
  const Model m;
  const Tensor x = parameter(numbers({3, 4}));
  const auto run = [&](bool again) {
    manual_seed(3);
    Tape tape;
    Gradients g = tape.gradients(m.loss(x, again, 0.4));
    return std::pair(std::move(g), default_generator(Purpose::dropout).draw);
  };
  const auto plain = run(false), recomputed = run(true);
  EXPECT_EQ(plain.second, recomputed.second);
  EXPECT_EQ(plain.second, 2u);
  for (const Tensor& t : {m.w, m.b, x}) EXPECT_TRUE(same_bits(plain.first[t], recomputed.first[t]));
}

TEST(Checkpoint, OneInsideAnother) {
  const Model m;
  const Tensor x = parameter(numbers({3, 4}));
  const auto inner = [&](const Args& in) { return m.block(in[0]); };
  const auto outer = [&](const Args& in) { return m.block(checkpoint(inner, {in[0]})); };
  Tape plain;
  const Gradients expected = plain.gradients(sum(m.block(m.block(x))));
  Tape tape;
  const Gradients g = tape.gradients(sum(checkpoint(outer, {x})));
  for (const Tensor& t : {m.w, m.b, x}) EXPECT_TRUE(same_bits(g[t], expected[t]));
}

TEST(Checkpoint, KeptAndOftenNeedsNoMoreMemory) {
  const Tensor x = parameter(numbers({2, 2}));
  const auto f = [](const Args& in) {
    Tensor y = in[0];
    for (int i = 0; i < 40; ++i) y = sin(y);
    return y;
  };
  Tape tape;
  const Tensor loss = sum(checkpoint(f, {checkpoint(f, {x})}));
  const std::string once = bits(tape.gradients(loss, {.keep = true})[x]);
  const auto filled = [] { return capstan::detail::thread_tapes.current->arena.mark(); };
  const auto before = filled();
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(bits(tape.gradients(loss, {.keep = true})[x]), once);
  EXPECT_EQ(filled().used, before.used);  // hundreds of pieces, were each recording kept
  EXPECT_EQ(filled().next, before.next);
}

TEST(Checkpoint, KeptAndTwice) {
  const Model m;
  const Tensor x = parameter(numbers({3, 4}));
  Tape tape;
  const Tensor loss = m.loss(x, true);
  const std::size_t size = tape.size();
  const Gradients first = tape.gradients(loss, {.keep = true});
  EXPECT_EQ(tape.size(), size);
  const Gradients second = tape.gradients(loss);
  EXPECT_TRUE(same_bits(first[m.w], second[m.w]));
}

TEST(Checkpoint, ChosenGradients) {
  const Model m;
  const Tensor v = parameter(numbers({4})), u = parameter(numbers({4}, -1, 1, 2));
  const auto f = [&](const Args& in) { return m.block(in[0] + v); };
  Tape tape;
  const Tensor loss = sum(checkpoint(f, {numbers({3, 4}) * u}));
  const Gradients all = tape.gradients(loss, {.keep = true}), some = tape.gradients(loss, {.keep = true, .inputs = {v}});
  EXPECT_EQ(all.size(), 4u);
  EXPECT_EQ(some.size(), 1u);
  EXPECT_TRUE(same_bits(all[v], some[v]));
  EXPECT_TRUE(same_bits(tape.gradients(loss)[u], all[u]));
}

TEST(Checkpoint, OfHigherOrder) {
  const Tensor x = parameter(d({0.5, -0.25}));
  const auto second = [&](bool again) {
    const auto f = [](const Args& in) { return tanh(in[0]) * in[0]; };
    Tape tape({.higher_order = true});
    const Tensor y = sum(again ? checkpoint(f, {x}) : f({x}));
    return tape.gradient(sum(tape.gradient(y, x)), x).clone();
  };
  EXPECT_TRUE(near(second(true), second(false), 1e-15));
}

TEST(Checkpoint, PlainWhereNothingIsRecorded) {
  int calls = 0;
  const auto f = [&calls](const Args& in) {
    ++calls;
    return in[0] * 2;
  };
  EXPECT_TRUE(near(checkpoint(f, {d({1, 2})}), d({2, 4}), 0));
  Tape tape;
  EXPECT_TRUE(near(checkpoint(f, {d({1, 2})}), d({2, 4}), 0));
  EXPECT_EQ(tape.size(), 0u);
  EXPECT_EQ(calls, 2);
  const Tensor x = parameter(d({1, 2}));
  const Tensor same = checkpoint([](const Args& in) { return in[0]; }, {x});
  EXPECT_TRUE(near(tape.gradient(sum(same * same), x), d({2, 4}), 0));
}

TEST(Checkpoint, AChangeInPlaceIsFound) {
  const Model m;
  const Tensor x = parameter(numbers({3, 4}));
  for (const Tensor& changed : {m.w, x}) {
    Tape tape;
    const Tensor loss = sum(checkpoint([&](const Args& in) { return m.block(in[0]); }, {x}));
    {
      const NoGrad pause;
      Tensor t = changed;
      t += 1.0;
    }
    const std::string error = thrown([&] { (void)tape.gradients(loss); });
    EXPECT_EQ(error.rfind("ValueError: [checkpoint] a tensor that the gradient needs was changed in place: ", 0), 0u) << error;
  }
}

TEST(Checkpoint, WhatTheFunctionThrowsLeavesAllAsItWas) {
  const Tensor x = parameter(d({1, 2}));
  int calls = 0;
  const auto f = [&calls](const Args& in) {
    if (++calls > 1) throw std::runtime_error("again");
    return in[0] * 2;
  };
  const Generator before = default_generator(Purpose::dropout);
  Tape tape;
  EXPECT_THROW((void)checkpoint([](const Args& in) { return matmul(in[0], d({1})); }, {x}), ShapeError);
  const Tensor y = x * 3;  // recorded, not probed
  EXPECT_EQ(tape.size(), 1u);
  const Tensor loss = sum(y + checkpoint(f, {x}));
  EXPECT_THROW((void)tape.gradients(loss), std::runtime_error);
  EXPECT_EQ(default_generator(Purpose::dropout).draw, before.draw);
  Tape next;
  EXPECT_TRUE(near(next.gradient(sum(x * x), x), d({2, 4}), 0));
}
