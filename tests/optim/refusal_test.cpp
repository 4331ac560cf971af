#include <capstan/nn/linear.h>

#include <cmath>

#include "methods.h"
#include "support.h"

// What a step refuses, before it has changed anything.

namespace {

/// The bits of everything that a step could change.
std::string everything(const optim::Optimizer& optimizer, std::initializer_list<Tensor> parameters) {
  std::string all = bits(optimizer.state());
  for (const Tensor& t : parameters) all += bits(t) + std::to_string(t.version());
  return all;
}

/// Finite losses whose gradients are not: sqrt is infinitely steep at 0, and 0 times that is NaN.
Gradients steep(const Tensor& w, double factor) {
  Tape tape;
  return tape.gradients(sum(factor * sqrt(w)));
}

}  // namespace

TEST(Refusals, NameTheStepTheParameterAndTheFirstBadIndex) {
  for (const Row& row : rows())
    for (const DType dtype : {DType::f32, DType::f64}) {
      Tensor ok = parameter(ones({3, 1}, dtype)), w = parameter(ones({2, 3}, dtype));
      const auto optimizer = row.build(Parameters{{"ok", ok}, {"0.weight", w}}, {});
      const auto refused = [&](double factor) {
        const std::string before = everything(*optimizer, {ok, w});
        const std::string text = thrown([&] {
          Tape tape;
          optimizer->step(tape.gradients(sum(ok) + sum(factor * sqrt(w))));
        });
        EXPECT_EQ(everything(*optimizer, {ok, w}), before);
        return text;
      };
      const auto set = [&](std::vector<double> v) { w.assign(tensor(v).to(dtype).reshape({2, 3})); };
      const std::string head = "NotFiniteError: [" + row.name + "] step ", tail = " (a lower lr, clip_value(), or set_check_finite(false))";
      set({1, 4, 0, 1, 0, 1});
      EXPECT_EQ(refused(2), head + "1: the gradient for '0.weight' must be finite: inf at [0, 2]" + tail);
      EXPECT_EQ(refused(-2), head + "1: the gradient for '0.weight' must be finite: -inf at [0, 2]" + tail);
      EXPECT_EQ(refused(0), head + "1: the gradient for '0.weight' must be finite: nan at [0, 2]" + tail);
      set({4, 4, 4, 4, 4, 4});
      optimizer->step(Gradients::from({{w, ones({2, 3}, dtype)}}));  // a refused step does not count
      set({1, 1, 1, 1, 1, 0});
      EXPECT_EQ(refused(2), head + "2: the gradient for '0.weight' must be finite: inf at [1, 2]" + tail);
    }
}

TEST(Refusals, FindTheIndexWhereverItIs) {
  for (const std::int64_t n : {1, 2, 15, 16, 17, 64, 1000, 100000})
    for (const std::int64_t at : {std::int64_t{0}, n / 2, n - 1}) {
      Tensor w = parameter(ones({n}));
      w.data<float>()[at] = 0;
      optim::SGD sgd(Parameters{{"w", w}});
      EXPECT_EQ(thrown([&] { sgd.step(steep(w, 1)); }), "NotFiniteError: [sgd] step 1: the gradient for 'w' must be finite: inf at [" +
                                                            std::to_string(at) +
                                                            "] (a lower lr, clip_value(), or set_check_finite(false))");
    }
  Tensor scalar = parameter(zeros({}));
  optim::SGD sgd(Parameters{{"x", scalar}});
  EXPECT_EQ(thrown([&] { sgd.step(steep(scalar, 1)); }),
            "NotFiniteError: [sgd] step 1: the gradient for 'x' must be finite: inf at [] (a lower lr, clip_value(), or "
            "set_check_finite(false))");
}

// A large gradient is looked through in pieces, by any number of threads.
TEST(Refusals, NameTheFirstOfSeveralIndices) {
  const int before = num_threads();
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    for (const std::int64_t first : {0, 130000, 370000}) {
      Tensor w = parameter(ones({500000}));
      for (const std::int64_t at : {first, first + 1, std::int64_t{400000}, std::int64_t{499999}}) w.data<float>()[at] = 0;
      optim::SGD sgd(Parameters{{"w", w}});
      EXPECT_EQ(thrown([&] { sgd.step(steep(w, 1)); }), "NotFiniteError: [sgd] step 1: the gradient for 'w' must be finite: inf at [" +
                                                            std::to_string(first) +
                                                            "] (a lower lr, clip_value(), or set_check_finite(false))");
    }
  }
  set_num_threads(before);
}

TEST(Refusals, TakeAFiniteGradientOfAnySize) {
  Tensor w = parameter(zeros({4}));
  optim::SGD sgd(Parameters{{"w", w}}, {.lr = 1});
  const double most = 3.4e38, least = 1e-45;
  sgd.step(Gradients::from({{w, tensor({most, -most, least, 0.0})}}));
  EXPECT_TRUE(std::isfinite(values(w)[0]) && std::isfinite(values(w)[1]));
  EXPECT_NE(values(w)[2], 0);
}

TEST(Refusals, NameTheLoss) {
  for (const Row& row : rows()) {
    Tensor w = parameter(ones(row.shape(2)));
    const auto optimizer = row.build(Parameters{{"w", w}}, {});
    const std::string before = everything(*optimizer, {w});
    for (const double value : {static_cast<double>(INFINITY), static_cast<double>(-INFINITY), static_cast<double>(NAN)}) {
      Tape tape;
      const Tensor loss = sum(w) + full({}, value);  // the gradient is finite
      const Gradients g = tape.gradients(loss);
      const std::string text = std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
      EXPECT_EQ(thrown([&] { optimizer->step(g); }), "NotFiniteError: [" + row.name + "] step 1: the loss must be finite: " + text +
                                                         " (a lower lr, or set_check_finite(false))");
      EXPECT_EQ(everything(*optimizer, {w}), before);
    }
  }
}

TEST(Refusals, OfWhatIsNotFiniteCanBeTurnedOff) {
  Tensor w = parameter(tensor({0.0, 4.0}));
  optim::SGD sgd(Parameters{{"w", w}}, {.lr = 1});
  sgd.set_check_finite(false);
  sgd.step(steep(w, 1));
  EXPECT_EQ(values(w), (std::vector<double>{0, 3.75}));  // what infinity would move stays
  sgd.set_check_finite(true);
  w.assign(tensor({0.0, 4.0}));
  EXPECT_EQ(thrown([&] { sgd.step(steep(w, 1)); }),
            "NotFiniteError: [sgd] step 2: the gradient for 'w' must be finite: inf at [0] (a lower lr, clip_value(), or "
            "set_check_finite(false))");
}

// One set of gradients for two optimizers: that the first found its own finite says nothing of the other's.
TEST(Refusals, LookAtEachOptimizersOwnGradients) {
  Tensor a = parameter(ones({2})), b = parameter(zeros({2}));
  optim::SGD first(Parameters{{"a", a}}), second(Parameters{{"b", b}});
  Tape tape;
  const Gradients g = tape.gradients(sum(a) + sum(sqrt(b)));
  first.step(g);
  EXPECT_EQ(thrown([&] { second.step(g); }),
            "NotFiniteError: [sgd] step 1: the gradient for 'b' must be finite: inf at [0] (a lower lr, clip_value(), or "
            "set_check_finite(false))");
  EXPECT_EQ(values(b), (std::vector<double>{0, 0}));
}

// What the optimizer does not move is not its business.
TEST(Refusals, DoNotLookAtStrangersGradients) {
  Tensor a = parameter(ones({2})), stranger = parameter(zeros({2}));
  optim::SGD sgd(Parameters{{"a", a}}, {.lr = 1});
  Tape tape;
  sgd.step(tape.gradients(sum(a) + sum(sqrt(stranger))));
  EXPECT_EQ(values(a), (std::vector<double>{0, 0}));
}

TEST(Refusals, WhenNoParameterHasAGradient) {
  for (const Row& row : rows()) {
    Tensor a = parameter(ones(row.shape(2))), b = parameter(ones(row.shape(2))), stranger = parameter(ones(row.shape(2)));
    const auto optimizer = row.build(Parameters{{"a", a}, {"b", b}}, {});
    const std::string before = everything(*optimizer, {a, b}),
                      text = "ValueError: [" + row.name +
                             "] none of the 2 parameters has a gradient (were they made from this optimizer's model?)";
    EXPECT_EQ(thrown([&] { optimizer->step(Gradients()); }), text);
    EXPECT_EQ(thrown([&] { optimizer->step(Gradients::from({{stranger, ones(row.shape(2))}})); }), text);
    const Tensor copy = parameter(a.clone());
    EXPECT_EQ(thrown([&] { optimizer->step(Gradients::from({{copy, ones(row.shape(2))}})); }), text);
    EXPECT_EQ(everything(*optimizer, {a, b}), before);
  }
}

// A parameter lives on in the optimizer; a new tensor in its place in memory is somebody else.
TEST(Refusals, KnowAParameterByItsIdentity) {
  optim::SGD sgd(
      [] {
        Tensor gone = parameter(ones({2}));
        return Parameters{{"w", gone}};
      }(),
      {.lr = 1});
  Tensor other = parameter(ones({2}));
  EXPECT_NE(thrown([&] { sgd.step(Gradients::from({{other, ones({2})}})); }), "nothing");
  EXPECT_EQ(values(other), (std::vector<double>{1, 1}));
}

TEST(Refusals, AskForAConversionBeforeTheOptimizer) {
  for (const Row& row : rows())
    for (const Settings& settings : row.all) {
      if (row.matrices) continue;  // no bias
      nn::Linear model(3, 2);
      const auto optimizer = row.build(model.parameters(), settings);
      const auto step = [&] {
        Tape tape;
        optimizer->step(tape.gradients(sum(square(model(ones({4, 3}, model.weight.dtype()))))));
      };
      step();
      const bool has_slots = optimizer->state().size() > row.options.size() + 3;
      model.to(DType::f64);
      const std::string before = everything(*optimizer, {model.weight, model.bias});
      if (has_slots) {
        EXPECT_EQ(thrown(step),
                  "ValueError: [" + row.name +
                      "] the state must have the parameter's dtype: 'weight' is f64, its state f32 (convert the model first and make the "
                      "optimizer then)");
        EXPECT_EQ(everything(*optimizer, {model.weight, model.bias}), before);
        model.to(DType::f32);
      }
      EXPECT_EQ(thrown(step), "nothing");
    }
}

TEST(Refusals, OfAGradientFromBeforeAConversion) {
  nn::Linear model(3, 2);
  optim::SGD sgd(model.parameters());
  Tape tape;
  const Gradients g = tape.gradients(sum(model(ones({4, 3}))));
  model.to(DType::f64);
  const std::string before = everything(sgd, {model.weight, model.bias});
  EXPECT_EQ(thrown([&] { sgd.step(g); }),
            "ValueError: [sgd] the gradient must have the parameter's dtype: 'weight' is f64, its gradient f32");
  EXPECT_EQ(everything(sgd, {model.weight, model.bias}), before);
}

// A step is no operation: a tape that runs does not record it, and says so when it needed the value of before.
TEST(Steps, AreNotRecorded) {
  Tensor w = parameter(ones({2}));
  optim::SGD sgd(Parameters{{"w", w}}, {.lr = 1});
  Tape tape;
  const Tensor loss = sum(w * w);
  const std::size_t size = tape.size();
  const Gradients g = tape.gradients(loss, {.keep = true});
  sgd.step(g);
  EXPECT_EQ(tape.size(), size);
  EXPECT_EQ(values(w), (std::vector<double>{-1, -1}));
  EXPECT_TRUE(w.requires_grad());
  EXPECT_TRUE(thrown([&] { (void)tape.gradients(loss); }).find("was changed in place") != std::string::npos);
}

// What is known to be finite is not looked through again, and what changed is.
TEST(NotFinite, IsFoundAfterWhateverChangesAGradient) {
  const Tensor w = parameter(full({1000}, 1.0)), v = parameter(full({2}, 1.0));
  const auto gradients = [&] {
    Tape tape;
    return tape.gradients(sum(square(w)) + sum(v));
  };
  optim::SGD optimizer({{"w", w}, {"v", v}}, {.lr = 0.0});
  const auto refused = [&](const Gradients& g) {
    return thrown([&] { optimizer.step(g); }).find("must be finite: inf") != std::string::npos;
  };
  Gradients g = gradients();
  optimizer.step(g);
  g *= 1e38;
  g *= 1e38;
  EXPECT_TRUE(refused(g));
  Gradients sum = gradients();
  EXPECT_GT(global_norm(sum), 0);
  optimizer.step(sum);
  sum += g;
  EXPECT_TRUE(refused(sum));
  EXPECT_TRUE(refused(sum.clone()));
  const Gradients clipped = clip_norm(gradients(), 1e-3);
  optimizer.step(clipped);
  EXPECT_TRUE(std::isinf(global_norm(g)));
  EXPECT_TRUE(refused(g));
}

// What the refused step had gathered is not the next one's: under AddressSanitizer this was a use after free.
TEST(Refusals, OfRowSparseGradientsLeaveNothing) {
  std::vector<Tensor> tables;
  Parameters all;
  for (int i = 0; i < 5; ++i) {
    tables.push_back(parameter(ones({8, 2})));
    all.insert("t" + std::to_string(i), tables.back());
  }
  const Tensor w = parameter(ones({2}));
  all.insert("w", w);
  optim::SGD sgd(all, {.lr = 1});
  const auto gradients = [&](double factor) {
    Tape tape;
    Tensor loss = sum(factor * sqrt(w));
    for (const Tensor& t : tables) loss = loss + sum(index_select(t, 0, tensor(std::vector<std::int64_t>{1})));
    return tape.gradients(loss);
  };
  {
    const NoGrad pause;
    const_cast<Tensor&>(w).assign(zeros({2}));
  }
  const std::string before = everything(sgd, {w, tables[0], tables[4]});
  EXPECT_NE(thrown([&] { sgd.step(gradients(1)); }), "");
  EXPECT_EQ(everything(sgd, {w, tables[0], tables[4]}), before);
  {
    const NoGrad pause;
    const_cast<Tensor&>(w).assign(ones({2}));
  }
  sgd.step(gradients(1));
  for (const Tensor& t : tables) EXPECT_EQ(values(t), (std::vector<double>{1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(values(w), (std::vector<double>{0.5, 0.5}));
}
