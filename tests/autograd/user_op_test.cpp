// Operations of a user, written outside the library with record(), and with xtensor's expressions through the bridge.
#include <capstan/autograd/gradcheck.h>
#include <capstan/core/xtensor.h>

#include <array>
#include <memory>

#include "support.h"

using namespace capstan;
using Args = std::vector<Tensor>;

namespace {

/// y = x^3, with Capstan's own operations.
Tensor cube(const Tensor& x) {
  return record("cube", x * x * x, {x}, [x = saved(x)](const Tensor& dy, Inputs& dx) { dx.add(0, dy * 3 * square(x.get())); });
}

/// y = e^x, whose rule uses the result.
Tensor my_exp(const Tensor& x) {
  return record("my_exp", exp(x.detach()), {x}, [](const Tensor& out, const Tensor& dy, Inputs& dx) { dx.add(0, dy * out); });
}

/// y = ln(1 + e^x) for matrices, as xtensor expressions.
Tensor my_softplus(const Tensor& x) {
  const auto v = as_xtensor<double, 2>(x);
  return record("softplus", from_xtensor(xt::log(1.0 + xt::exp(v))), {x}, [x = saved(x)](const Tensor& dy, Inputs& dx) {
    dx.add(0, from_xtensor(as_xtensor<double, 2>(dy) / (1.0 + xt::exp(-as_xtensor<double, 2>(x.get())))));
  });
}

/// y = a^2 b with broadcasting, which is undone by add_reduced.
Tensor square_times(const Tensor& a, const Tensor& b) {
  const NoGrad pause;
  const Tensor y = square(a) * b;
  return y;
}
Tensor recorded_square_times(const Tensor& a, const Tensor& b) {
  return record("square_times", square_times(a, b), {a, b}, [a = saved(a), b = saved(b)](const Tensor& dy, Inputs& dx) {
    if (dx.wants(0)) dx.add_reduced(0, dy * 2 * a.get() * b.get());
    if (dx.wants(1)) dx.add_reduced(1, dy * square(a.get()));
  });
}

/// y = 2 a - b for vectors, whose rule writes where the engine says, as a kernel does.
Tensor twice_minus(const Tensor& a, const Tensor& b) {
  const Tensor y = from_xtensor(2.0 * as_xtensor<double, 1>(a) - as_xtensor<double, 1>(b));
  return record("twice_minus", y, {a, b}, [](const Tensor& dy, Inputs& dx) {
    EXPECT_EQ(dx.count(), 2);
    for (int i = 0; i < dx.count(); ++i) {
      if (!dx.wants(i)) continue;
      EXPECT_EQ(dx.shape(i), dy.shape());
      const Inputs::Place to = dx.place(i);
      for (std::int64_t k = 0; k < dy.numel(); ++k) {
        const double g = (i == 0 ? 2 : -1) * dy.data<double>()[k];
        double& out = static_cast<double*>(to.data)[k];
        out = to.accumulate ? out + g : g;
      }
    }
  });
}

}  // namespace

TEST(UserOp, CapturesAsMuchAsARuleMay) {
  std::array<double, 32> factors;  // 256 bytes
  for (std::size_t i = 0; i < factors.size(); ++i) factors[i] = static_cast<double>(i);
  const Tensor x = parameter(d({1, 2}));
  Tape tape;
  Tensor y = x;
  for (int i = 0; i < 1000; ++i)  // more than one piece of the tape's memory
    y = record("scale", y.clone(), {y}, [factors](const Tensor& dy, Inputs& dx) { dx.add(0, dy * (factors[31] / 31)); });
  EXPECT_EQ(values(tape.gradients(sum(y))[x]), (Values{1, 1}));
}

TEST(UserOp, TakesAListOfInputs) {
  std::vector<Tensor> xs;
  for (int i = 0; i < 20'000; ++i) xs.push_back(i % 2 ? p({1, 2}) : d({3, 4}));  // more edges than one piece of memory holds
  Tape tape;
  const Tensor y = record("last", xs.back().clone(), xs, [](const Tensor& dy, Inputs& dx) {
    EXPECT_EQ(dx.count(), 20'000);
    for (int i = 0; i < dx.count(); ++i)
      if (dx.wants(i)) dx.add(i, dy * i);
  });
  const Gradients g = tape.gradients(sum(y));
  EXPECT_EQ(g.size(), 10'000u);
  EXPECT_FALSE(g.contains(xs[0]));
  EXPECT_EQ(values(g[xs[1]]), (Values{1, 1}));
  EXPECT_EQ(values(g[xs[19'999]]), (Values{19'999, 19'999}));
}

TEST(UserOp, OfCapstansOperations) {
  EXPECT_EQ(values(cube(d({2, -3}))), (Values{8, -27}));
  EXPECT_TRUE(gradcheck([](const Args& in) { return cube(in[0]); }, {d({{0.3, -1.2}, {2, 1}})}));
  EXPECT_TRUE(gradcheck([](const Args& in) { return my_exp(in[0]) * in[0]; }, {d({0.3, -1.2})}));
}

TEST(UserOp, OfXtensorsExpressions) {
  EXPECT_TRUE(near(my_softplus(d({{0, 1}})), d({{0.6931471805599453, 1.3132616875182228}}), 1e-15));
  const GradcheckResult r = gradcheck([](const Args& in) { return my_softplus(in[0] * 2); }, {d({{0.3, -1.2, 0}, {2, 1, -2}})});
  EXPECT_TRUE(r) << r.message;
}

TEST(UserOp, ThatBroadcasts) {
  EXPECT_EQ(values(recorded_square_times(d({{1, 2}, {3, 4}}), d({10, 100}))), (Values{10, 400, 90, 1600}));
  for (const auto& shapes : std::vector<std::vector<Shape>>{
           {{2, 3}, {3}}, {{3}, {2, 3}}, {{2, 1}, {1, 3}}, {{}, {2}}, {{2}, {}}, {{2, 3}, {2, 3}}, {{0, 2}, {2}}}) {
    const GradcheckResult r =
        gradcheck([](const Args& in) { return recorded_square_times(in[0], in[1]); }, {numbers(shapes[0]), numbers(shapes[1], -2, 2, 1)});
    EXPECT_TRUE(r) << r.message;
  }
}

TEST(UserOp, ThatWritesInPlace) {
  EXPECT_TRUE(gradcheck([](const Args& in) { return twice_minus(in[0], in[1]); }, {d({1, 2}), d({3, 5})}));
  EXPECT_TRUE(gradcheck([](const Args& in) { return twice_minus(in[0], in[0]); }, {d({1, 2})}));
  EXPECT_TRUE(gradcheck([](const Args& in) { return twice_minus(in[0], in[1]) * in[0] + in[1]; }, {d({1, 2}), d({3, 5})}));
  const auto shared = [](const Args& in) {  // the last sum gives both inputs one tensor, before the rule adds to it
    const Tensor y = twice_minus(in[0], in[1]);
    return y * y + (in[0] + in[1]);
  };
  EXPECT_TRUE(gradcheck(shared, {d({1, 2}), d({3, 5})}));
}

TEST(UserOp, OnlyTheWantedInputIsAskedFor) {
  const Tensor a = p({1, 2}), c = d({3, 4});
  Tape tape;
  bool asked = false;
  const Tensor y = record("probe", a * c, {c, a, c}, [&](const Tensor& dy, Inputs& dx) {
    asked = true;
    EXPECT_EQ(dx.count(), 3);
    EXPECT_FALSE(dx.wants(0));
    EXPECT_TRUE(dx.wants(1));
    EXPECT_FALSE(dx.wants(2));
    EXPECT_EQ(dx.shape(1), Shape{2});
    dx.add(0, d({7, 7, 7}));  // nobody wants it: dropped, whatever it is
    dx.add_reduced(2, dy);
    dx.add(1, dy);
    dx.add(1, dy * 2);
  });
  EXPECT_EQ(values(tape.gradients(sum(y))[a]), (Values{3, 3}));
  EXPECT_TRUE(asked);
}

TEST(UserOp, AGradientOfTheWrongShapeOrDtypeIsRefused) {
  const Tensor a = p({{1, 2}});
  const auto with = [&](Tensor g) {
    return thrown([&] {
      Tape tape;
      (void)tape.gradients(sum(record("mine", a.clone(), {d({1}), a}, [g](const Tensor&, Inputs& dx) { dx.add(1, g); }) * a));
    });
  };
  EXPECT_EQ(with(d({1, 2})), "ShapeError: [mine] the gradient for input 1 must have the input's shape: [2], the input is [1, 2]");
  EXPECT_EQ(with(d({{1, 2, 3}})), "ShapeError: [mine] the gradient for input 1 must have the input's shape: [1, 3], the input is [1, 2]");
  EXPECT_EQ(with(tensor({{1, 2}})), "ValueError: [mine] the gradient for input 1 must have the input's dtype: f32, the input is f64");
  EXPECT_EQ(with(d({{5, 6}})), "nothing");
  const auto reduced = [&](Tensor g) {
    return thrown([&] {
      Tape tape;
      (void)tape.gradients(sum(record("mine", a.clone(), {a}, [g](const Tensor&, Inputs& dx) { dx.add_reduced(0, g); })));
    });
  };
  EXPECT_EQ(reduced(d({{1, 2}, {3, 4}})), "nothing");
  EXPECT_EQ(reduced(d({1, 2})), "ShapeError: [mine] the gradient for input 0 must have the input's shape: [2], the input is [1, 2]");
  EXPECT_EQ(reduced(d({{1, 2, 3}})),
            "ShapeError: [mine] the gradient for input 0 must have the input's shape: [1, 3], the input is [1, 2]");
  // The same for an input that is itself a result.
  Tape tape;
  const Tensor y = a * 2, z = record("mine", y.clone(), {y}, [](const Tensor&, Inputs&dx) { dx.add(0, d({1})); });
  EXPECT_EQ(thrown([&] { (void)tape.gradients(sum(z)); }),
            "ShapeError: [mine] the gradient for input 0 must have the input's shape: [1], the input is [1, 2]");
}

TEST(UserOp, AGradientByRowsThatCannotBeIsRefused) {
  const Tensor w = p({{1, 2}, {3, 4}, {5, 6}});
  const auto with = [&](Tensor index, Tensor rows) {
    return thrown([&] {
      Tape tape;
      (void)tape.gradients(record("mine", d(1), {w}, [&](const Tensor&, Inputs& dx) { dx.add_rows(0, index, rows); }));
    });
  };
  const auto at = [](std::vector<std::int64_t> rows) { return tensor(rows); };
  EXPECT_EQ(with(at({2, 0}), d({{1, 1}, {2, 2}})), "nothing");
  EXPECT_EQ(
      with(at({2, 0}), d({{1, 1}})),
      "ShapeError: [mine] the gradient for input 0 must have a row of the input for each index: [1, 2] for 2 rows, the input is [3, 2]");
  EXPECT_EQ(
      with(at({2}), d({{1}})),
      "ShapeError: [mine] the gradient for input 0 must have a row of the input for each index: [1, 1] for 1 rows, the input is [3, 2]");
  EXPECT_EQ(with(at({2}), tensor({{1, 1}})),
            "ValueError: [mine] the gradient for input 0 must have the input's dtype: f32, the input is f64");
  EXPECT_EQ(with(d({2}), d({{1, 1}})), "ValueError: [mine] the rows of the gradient for input 0 must be i64 [n]: f64 [1]");
  for (const std::int64_t row : {std::int64_t{3}, std::int64_t{-1}, INT64_MAX})
    EXPECT_EQ(with(at({0, row}), d({{1, 1}, {1, 1}})),
              "ValueError: [mine] the gradient for input 0 must be for rows that there are: row " + std::to_string(row) + " of [3, 2]");
}

TEST(UserOp, ARuleIsCalledOnceWithTheSumOfAllUses) {
  const Tensor a = p({1, 2});
  Tape tape;
  int calls = 0;
  const Tensor y = record("once", a.clone(), {a}, [&](const Tensor& dy, Inputs& dx) {
    ++calls;
    EXPECT_EQ(values(dy), (Values{7, 7}));
    dx.add(0, dy);
  });
  EXPECT_EQ(values(tape.gradients(sum(y * 2 + y * 5))[a]), (Values{7, 7}));
  EXPECT_EQ(calls, 1);
}

TEST(UserOp, WhatARuleComputesIsNotRecorded) {
  const Tensor a = p({1, 2});
  Tape tape;
  const Tensor loss = sum(cube(a));
  EXPECT_EQ(tape.size(), 4u);  // the two products inside cube, cube itself, the sum
  EXPECT_EQ(values(tape.gradients(loss, {.keep = true})[a]), (Values{3, 12}));
  EXPECT_EQ(tape.size(), 4u);
}

// The place that a rule is kept in holds 256 bytes; what it captures is destroyed with the recording, or at once.
TEST(UserOp, CapturesAreDestroyed) {
  const Tensor a = p({1, 2});
  const auto counted = std::make_shared<int>(0);
  struct Large {
    std::shared_ptr<int> pointer;
    double more[30] = {1, 2, 3, 4, 5, 6, 7, 8};
  };
  static_assert(sizeof(Large) == 256);
  const auto call = [&] {
    return record("large", a.clone(), {a}, [large = Large{counted}](const Tensor& dy, Inputs& dx) { dx.add(0, dy * large.more[7]); });
  };
  (void)call();  // no tape
  EXPECT_EQ(counted.use_count(), 1);
  {
    Tape tape;
    const Tensor y = call(), z = call();
    EXPECT_EQ(counted.use_count(), 3);
    EXPECT_EQ(values(tape.gradients(sum(y))[a]), (Values{8, 8}));
    EXPECT_EQ(counted.use_count(), 1);
  }
  {
    Tape tape;
    const Tensor y = call();
    EXPECT_EQ(counted.use_count(), 2);
  }
  EXPECT_EQ(counted.use_count(), 1);
}

// A rule may itself take gradients on a tape of its own: a step of Newton's method inside a rule.
TEST(UserOp, ATapeInsideARule) {
  const Tensor a = p({1, 2});
  Tape tape;
  const Tensor y = record("own", square(a.detach()), {a}, [a = saved(a)](const Tensor& dy, Inputs& dx) {
    const Tensor x = a.get().detach();
    Tape inner;
    inner.watch(x);
    dx.add(0, inner.gradients(sum(square(x) * dy))[x]);
  });
  EXPECT_EQ(values(tape.gradients(sum(y * 3))[a]), (Values{6, 12}));
}
