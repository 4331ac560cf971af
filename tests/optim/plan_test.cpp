#include <capstan/optim/whole_tensor.h>

#include "support.h"

// Methods of whole tensors that plan their steps, and need no copy of what they move.

using namespace capstan;

namespace {

struct PlanOptions {
  double lr = 0.25, weight_decay = 0;
  bool decoupled = false;
};
using Fields = optim::Field<PlanOptions>;

/// m <- m/2 + g,  w <- w - lr*m/|m|, where |m| is in each element as large as in all; both ways.
template <class Derived>
struct Halving : optim::WholeTensor<Derived, PlanOptions> {
  using Base = optim::WholeTensor<Derived, PlanOptions>;
  using Base::Base;
  static constexpr auto name = "halving";
  static constexpr Fields fields[] = {
      {"lr", &PlanOptions::lr}, {"weight_decay", &PlanOptions::weight_decay}, {"decoupled", &PlanOptions::decoupled}};
  static constexpr std::array states = {"average"};
  static optim::Decay decay(const PlanOptions& o) { return o.decoupled ? optim::Decay::decoupled : optim::Decay::l2; }
};
struct Moved : Halving<Moved> {
  using Halving::Halving;
  static void move(const PlanOptions&, optim::StepInfo step, Tensor& w, const Tensor& g, Tensor& m) {
    m.assign(0.5 * m + g);
    w -= m * (step.lr / (norm(m).item() * static_cast<double>(step.t)));
  }
};
struct Planned : Halving<Planned> {
  using Halving::Halving;
  static std::array<Tensor, 2> plan(const PlanOptions&, optim::StepInfo step, const Tensor&, const Tensor& g, const Tensor& old) {
    const Tensor m = 0.5 * old + g;
    return {m * (step.lr / (norm(m).item() * static_cast<double>(step.t))), m};
  }
};

enum class Made { shape, dtype, state_shape, throws, nothing, gradient, parameter, infinite };
template <Made made>
struct Odd : Halving<Odd<made>> {
  using Halving<Odd<made>>::Halving;
  static std::array<Tensor, 2> plan(const PlanOptions&, optim::StepInfo, const Tensor& w, const Tensor& g, const Tensor& m) {
    const bool here = w.dim() == 1;  // the second parameter
    if (made == Made::shape && here) return {ones({3}), m};
    if (made == Made::dtype && here) return {g.to(DType::f64), m};
    if (made == Made::state_shape && here) return {g * 1.0, ones({2, 1})};
    if (made == Made::throws && here) throw ValueError("[halving] no");
    if (made == Made::nothing) return {};
    if (made == Made::gradient) return {g, g};
    if (made == Made::parameter) return {w, w};
    if (made == Made::infinite && here) return {tensor({INFINITY, 1.0}, DType::f32), m};
    return {g * 1.0, m + g};
  }
};

/// Two parameters of 2 and an optimizer of them.
template <class Method>
struct Pair {
  explicit Pair(PlanOptions o = {}, DType dtype = DType::f32)
      : a(parameter(full({2, 1}, 2, dtype))), b(parameter(full({2}, 2, dtype))), optimizer(Parameters{{"a", a}, {"b", b}}, o) {}
  void step(int t) { optimizer.step(Gradients::from({{a, wobbles({2, 1}, 7 * t, a.dtype())}, {b, wobbles({2}, 7 * t + 3, b.dtype())}})); }
  std::string numbers() const { return bits(a) + bits(b) + bits(optimizer.state()); }
  std::string all() const { return numbers() + std::to_string(a.version()) + " " + std::to_string(b.version()); }
  Tensor a, b;
  Method optimizer;
};

template <Made made>
std::string refused() {
  Pair<Odd<made>> run;
  const std::string before = run.all(), text = thrown([&] { run.step(0); });
  EXPECT_EQ(run.all(), before) << text;
  return text;
}

}  // namespace

TEST(Plan, MovesAsInPlace) {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const PlanOptions& o : {PlanOptions{}, {.weight_decay = 0.1}, {.weight_decay = 0.1, .decoupled = true}}) {
      Pair<Moved> moved(o, dtype);
      Pair<Planned> planned(o, dtype);
      for (int t = 0; t < 5; ++t) {
        moved.step(t);
        planned.step(t);
        EXPECT_EQ(planned.numbers() == moved.numbers(), true) << t;
      }
      EXPECT_EQ(planned.a.version(), 5u);
    }
}

TEST(Plan, ThatCannotBeChangesNothing) {
  EXPECT_EQ(refused<Made::shape>(),
            "ValueError: [halving] plan() must give the parameter 'b' a tensor of its shape and dtype: f32 [3] for f32 [2]");
  EXPECT_EQ(refused<Made::dtype>(),
            "ValueError: [halving] plan() must give the parameter 'b' a tensor of its shape and dtype: f64 [2] for f32 [2]");
  EXPECT_EQ(refused<Made::state_shape>(),
            "ValueError: [halving] plan() must give the state 'average' of 'b' a tensor of its shape and dtype: f32 [2, 1] for f32 [2]");
  EXPECT_EQ(refused<Made::throws>(), "ValueError: [halving] no");
}

TEST(Plan, OfNothingLeavesAllButTheCount) {
  Pair<Odd<Made::nothing>> run;
  run.step(0);
  EXPECT_EQ(values(run.a), (Values{2, 2}));
  EXPECT_EQ(values(run.optimizer.state()["b/average"]), (Values{0, 0}));
  EXPECT_EQ(run.optimizer.step_count(), 1);
}

// What a plan was given may change later, and its state does not follow.
TEST(Plan, MayNameWhatItWasGiven) {
  Pair<Odd<Made::gradient>> run;
  Gradients g = Gradients::from({{run.a, ones({2, 1})}});
  run.optimizer.step(g);
  g *= 2;
  EXPECT_EQ(values(run.a), (Values{1, 1}));
  EXPECT_EQ(values(run.optimizer.state()["a/average"]), (Values{1, 1}));
  Pair<Odd<Made::parameter>> other;
  other.step(0);
  EXPECT_EQ(values(other.a), (Values{0, 0}));
  EXPECT_EQ(values(other.optimizer.state()["a/average"]), (Values{2, 2}));
}

TEST(Plan, ThatIsNotFiniteLeavesTheElement) {
  Pair<Odd<Made::infinite>> run;
  run.step(0);
  EXPECT_EQ(values(run.b), (Values{2, 1}));
}
