#include <capstan/optim/chain.h>
#include <capstan/optim/make.h>
#include <capstan/optim/whole_tensor.h>

#include "all_methods.h"
#include "support.h"

// What a whole-tensor method must do in place, what all parameters share, and optimizers that get their parameters later.

using namespace capstan;

namespace {

struct PlainOptions {
  double lr = 0.5, weight_decay = 0;
};

enum class Slip { none, parameter, state, late, refuses };

/// w <- w - lr*m, m <- m + g, and what its author may get wrong.
template <Slip slip>
struct Plain : optim::WholeTensor<Plain<slip>, PlainOptions> {
  using Base = optim::WholeTensor<Plain<slip>, PlainOptions>;
  using Base::Base;
  static constexpr auto name = "plain";
  static constexpr optim::Field<PlainOptions> fields[] = {{"lr", &PlainOptions::lr}, {"weight_decay", &PlainOptions::weight_decay}};
  static constexpr std::array states = {"sum"};
  static optim::Decay decay(const PlainOptions&) { return optim::Decay::decoupled; }
  static void move(const PlainOptions&, optim::StepInfo step, Tensor& w, const Tensor& g, Tensor& m) {
    if constexpr (slip == Slip::state)
      m = m + g;
    else
      m += g;
    w -= m * 0.25;
    if constexpr (slip == Slip::parameter) w = w - step.lr * m;
    if constexpr (slip == Slip::late)
      if (step.t == 3 && w.numel() == 1) w = w - step.lr * m;
    if constexpr (slip == Slip::refuses)
      if (w.numel() == 1) throw ValueError("[plain] no");
    w -= step.lr * m;
  }
};

template <Slip slip>
std::string told(int fine) {
  Tensor first = parameter(ones({2, 2})), w = parameter(ones({1}));
  Plain<slip> plain(Parameters{{"first", first}, {"w", w}}, {.weight_decay = 0.1});
  const auto gradients = [&] { return Gradients::from({{first, ones({2, 2})}, {w, ones({1})}}); };
  for (int t = 0; t < fine; ++t) plain.step(gradients());
  const auto all = [&] {
    return bits(first) + bits(w) + bits(plain.state()) + std::to_string(first.version()) + " " + std::to_string(w.version());
  };
  const std::string before = all(), text = thrown([&] { plain.step(gradients()); });
  EXPECT_EQ(all(), before) << text;
  return text;
}

}  // namespace

TEST(InPlace, AMethodThatMakesAnotherTensorIsToldAtOnce) {
  EXPECT_EQ(
      told<Slip::parameter>(0),
      "ValueError: [plain] move() must change the parameter 'first' in place: it made another tensor (write w -= ... or w.assign(...), "
      "not w = ...)");
  EXPECT_EQ(told<Slip::state>(0),
            "ValueError: [plain] move() must change the state 'sum' of 'first' in place: it made another tensor (write sum -= ... or "
            "sum.assign(...), not sum = ...)");
  EXPECT_EQ(
      told<Slip::late>(2),
      "ValueError: [plain] move() must change the parameter 'w' in place: it made another tensor (write w -= ... or w.assign(...), not "
      "w = ...)");
}

TEST(InPlace, WhatAMethodThrowsLeavesAllParametersAsTheyWere) { EXPECT_EQ(told<Slip::refuses>(0), "ValueError: [plain] no"); }

namespace {

struct TogetherOptions {
  double lr = 0.5;
};

/// All parameters move by the largest |g| that was seen so far, until one is too large.
struct Together : optim::Elementwise<Together, TogetherOptions> {
  explicit Together(const Parameters& parameters, TogetherOptions o = {})
      : Elementwise(parameters, o, true), largest(share("largest", 0.25)), count(share("count", 0)) {}
  static constexpr auto name = "together";
  static constexpr Field fields[] = {{"lr", &TogetherOptions::lr}};
  static constexpr std::array<const char*, 0> states = {};
  template <class T>
  struct Rule {
    T rate;
    Rule(const TogetherOptions&, optim::StepInfo step, const Together& method) : rate(T(step.lr / method.largest)) {}
    void operator()(T& w, T g) const { w -= rate * g; }
  };

  double &largest, &count;

 protected:
  void prepare(double) override {
    ++count;
    for (const Entry& e : entries())
      if (e.gradient) largest = std::max(largest, max(abs(*e.gradient)).item());
    if (largest > 100) throw ValueError("[together] too large");
  }
};

struct Twice : Together {
  explicit Twice(const Parameters& parameters, const char* other) : Together(parameters) { share(other, 1); }
};

}  // namespace

TEST(Shared, IsSavedLoadedExplainedAndGivenBack) {
  Tensor w = parameter(zeros({2}, DType::f64)), b = parameter(zeros({1}, DType::f64));
  Together together(Parameters{{"w", w}, {"b", b}});
  together.step(Gradients::from({{w, tensor({1.0, -4.0}, DType::f64)}, {b, tensor({2.0}, DType::f64)}}));
  EXPECT_EQ(values(w), (Values{-0.125, 0.5}));
  EXPECT_EQ(values(b), (Values{-0.25}));
  EXPECT_EQ(together.largest, 4);
  EXPECT_EQ(together.explain(),
            "together: lr 0.5\n  2 parameters, 3 elements, 0 bytes of state\n  a row-sparse gradient moves every row\n  for all "
            "parameters: largest 4, count 1");
  const TensorMap state = together.state();
  EXPECT_EQ(state["together/largest"].item(), 4);
  EXPECT_EQ(state["together/count"].item(), 1);

  const std::string before = bits(state) + bits(w) + bits(b);
  EXPECT_EQ(thrown([&] { together.step(Gradients::from({{w, full({2}, 200, DType::f64)}})); }), "ValueError: [together] too large");
  EXPECT_EQ(bits(together.state()) + bits(w) + bits(b), before);

  Together other(Parameters{{"w", w}, {"b", b}});
  other.load_state(state);
  EXPECT_EQ(other.largest, 4);
  EXPECT_EQ(bits(other.state()), bits(state));
  EXPECT_EQ(thrown([&] { other.load_state(without(state, "together/largest")); }),
            "ValueError: [together] the state does not fit this optimizer:\n  missing: together/largest");
}

TEST(Shared, HasANameOfItsOwn) {
  Tensor w = parameter(zeros({2}));
  for (const char* taken : {"lr", "step", "largest"})
    EXPECT_EQ(thrown([&] {
                Twice(Parameters{{"w", w}}, taken);
              }),
              "ValueError: [together] what all parameters share must have a name of its own: '" + std::string(taken) + "'");
}

// As in optimizers that had their parameters from the beginning, for every method.
TEST(Empty, GetsItsParametersLater) {
  for (const std::string& method : built_in_methods) {
    Tensor w = parameter(ones({2, 2})), twin = parameter(ones({2, 2}));
    const auto late = optim::make(method, {}), early = optim::make(method, {{"w", twin}});
    EXPECT_NE(late->explain().find("0 parameters, 0 elements, 0 bytes of state"), std::string::npos) << late->explain();
    EXPECT_EQ(thrown([&] {
                late->step(Gradients::from({{w, ones({2, 2})}}));
              }),
              "ValueError: [" + method + "] there are no parameters to move (add_parameters() takes them in)");
    late->load_state(late->state());
    late->add_parameters({{"w", w}});
    for (int t = 0; t < 3; ++t) {
      late->step(Gradients::from({{w, ones({2, 2})}}));
      early->step(Gradients::from({{twin, ones({2, 2})}}));
    }
    EXPECT_EQ(bits(w), bits(twin)) << method;
    EXPECT_EQ(bits(late->state()), bits(early->state())) << method;
  }
}

namespace {

/// An optimizer of `{}`, with other options and without, which gets its parameter later.
template <class Method>
void expect_braces() {
  Method plain({}), set({}, {.lr = 0.25}), listed{{}, {.lr = 0.25}};
  for (Method* const optimizer : {&plain, &set, &listed}) {
    EXPECT_EQ(optimizer->lr(), optimizer == &plain ? optim::OptionsOf<Method>().lr : 0.25);
    EXPECT_TRUE(optimizer->parameters().empty());
    Tensor w = parameter(ones({2, 2}));
    optimizer->add_parameters({{"w", w}});
    optimizer->step(Gradients::from({{w, ones({2, 2})}}));
    EXPECT_NE(values(w), (Values{1, 1, 1, 1})) << Method::name;
  }
}
}  // namespace

TEST(Empty, IsWhatBracesStandFor) {
  using namespace optim;
#define CAPSTAN_BRACES(M) expect_braces<optim::M>();
  CAPSTAN_METHODS(CAPSTAN_BRACES)
#undef CAPSTAN_BRACES
  expect_braces<::Signum>();  // a user's, and one with a constructor of its own
  expect_braces<Blend>();
  expect_braces<Plain<Slip::none>>();
  expect_braces<Together>();
  Tensor w = parameter(ones({2}));
  Chain chain({}, transform::scale_by_learning_rate(0.5));
  chain.add_parameters({{"w", w}});
  chain.step(Gradients::from({{w, ones({2})}}));
  EXPECT_EQ(values(w), (Values{0.5, 0.5}));
  Adam named({{"w", w}}, {.lr = 0.25});  // and a list is the list of parameters
  EXPECT_EQ(named.parameters().size(), 1u);
  EXPECT_EQ(thrown([&] { Adam({}, {.lr = -1}); }), "ValueError: [adam] lr must not be negative: -1");
}
