#include <capstan/optim/whole_tensor.h>

#include <cmath>
#include <type_traits>

#include "methods.h"
#include "support.h"

// Methods written outside the library. Signum and Blend also stand in the table that every method goes through.

namespace {

/// No rule for one element: the whole tensor moves by lr along its gradient's direction (normalised gradient descent).
struct Normalised : optim::MethodBase {
  explicit Normalised(const Parameters& parameters, double rate) : rates_{rate} { add_parameters(parameters); }
  void group(std::string_view pattern, double rate) {
    assign_group(pattern, rates_.size());
    rates_.push_back(rate);
  }
  const char* method() const noexcept override { return "normalised"; }

 protected:
  void update(Entry& entry, const Tensor& g) override {
    const double norm = std::sqrt(sum(square(g)).item());
    entry.state[0].assign(entry.state[0] + norm);
    if (norm > 0) entry.parameter -= g * (rates_[entry.group] / norm);
  }
  std::vector<const char*> option_names() const override { return {"lr"}; }
  double option_of(std::size_t group, std::string_view) const override { return rates_.at(group); }
  void set_option_of(std::size_t group, std::string_view, double value) override { rates_.at(group) = value; }
  void set_options(const std::vector<double>& values) override { rates_ = values; }
  std::size_t group_count() const noexcept override { return rates_.size(); }
  std::string formula_of(std::size_t) const override { return "w <- w - lr*g/|g|"; }
  std::size_t rule_of(std::size_t) const noexcept override { return 0; }
  std::size_t rule_with(std::size_t, const std::vector<double>&) const override { return 0; }
  std::vector<const char*> slot_names(std::size_t) const override { return {"travelled"}; }
  double start_of(std::size_t, std::size_t) const override { return 0; }

 private:
  std::vector<double> rates_;
};

/// As the comment of WholeTensor prints it.
struct LARSOptions {
  double lr = 0.1, trust = 1e-3, weight_decay = 0;
};
struct PlainLARS : optim::WholeTensor<PlainLARS, LARSOptions> {
  using WholeTensor::WholeTensor;
  static constexpr auto name = "plain_lars";
  static constexpr Field fields[] = {
      {"lr", &LARSOptions::lr}, {"trust", &LARSOptions::trust}, {"weight_decay", &LARSOptions::weight_decay}};
  static constexpr std::array states = {"momentum"};
  static void move(const LARSOptions& o, optim::StepInfo step, Tensor& w, const Tensor& g, Tensor& m) {
    m.assign(0.9 * m + g * (step.lr * o.trust * norm(w).item() / (norm(g).item() + 1e-8)));
    w -= m;
  }
};

static_assert(!std::is_copy_constructible_v<Signum> && !std::is_copy_assignable_v<optim::Adagrad> &&
              !std::is_move_constructible_v<optim::SGD>);

}  // namespace

TEST(UsersMethod, MovesByTheSignOfItsMomentum) {
  Tensor w = parameter(tensor({1.0, 2.0, 3.0}, DType::f64));
  Signum signum(Parameters{{"w", w}}, {.lr = 0.25, .momentum = 0.5});
  signum.step(Gradients::from({{w, tensor({8.0, -4.0, 0.0}, DType::f64)}}));
  EXPECT_EQ(values(w), (std::vector<double>{0.75, 2.25, 3}));
  EXPECT_EQ(values(signum.state()["w/momentum"]), (std::vector<double>{4, -2, 0}));
  signum.step(Gradients::from({{w, tensor({-4.0, 8.0, -1.0}, DType::f64)}}));  // momentum 0, 3, -0.5
  EXPECT_EQ(values(w), (std::vector<double>{0.75, 2, 3.25}));
  EXPECT_EQ(signum.options().momentum, 0.5);
}

TEST(UsersMethod, HasGroupsAndSchedules) {
  Tensor w = parameter(zeros({2})), b = parameter(zeros({2}));
  Signum signum(Parameters{{"w", w}, {"b", b}}, {.lr = 0.25});
  signum.group("b", [](auto& o) { o.lr = 2; });
  signum.set_lr(0.5);
  signum.step(Gradients::from({{w, ones({2})}, {b, ones({2})}}));
  EXPECT_EQ(values(w), (std::vector<double>{-0.5, -0.5}));
  EXPECT_EQ(values(b), (std::vector<double>{-2, -2}));
  EXPECT_EQ(thrown([&] { signum.group("c", [](auto& o) { o.lr = 2; }); }),
            "ValueError: [signum] a group's pattern must match a parameter: 'c' among w, b");
}

TEST(UsersMethod, SignsOfNumbers) {
  EXPECT_EQ(sign(2.5f), 1.0f);
  EXPECT_EQ(sign(-1e-300), -1.0);
  EXPECT_EQ(sign(0.0), 0.0);
  EXPECT_EQ(sign(-0.0), 0.0);
  EXPECT_EQ(sign(-INFINITY), -1.0f);
  EXPECT_FALSE(std::signbit(sign(-0.0)));
  EXPECT_TRUE(std::isnan(sign(NAN)));
  EXPECT_EQ(sign(-3), -1);
  EXPECT_EQ(sign(3u), 1u);
}

// A slot's start may depend on the options, of the group too.
TEST(UsersMethod, StartsItsSlotsFromWhatItSays) {
  Tensor a = parameter(zeros({2})), b = parameter(zeros({2}));
  Blend blend(Parameters{{"a", a}, {"b", b}}, {.lr = 1, .keep = 1, .from = 4, .two = true});
  blend.group("b", [](auto& o) { o.from = 8; });
  blend.step(Gradients::from({{a, ones({2})}, {b, ones({2})}}));
  EXPECT_EQ(values(blend.state()["a/fast"]), (std::vector<double>{5, 5}));
  EXPECT_EQ(values(blend.state()["b/fast"]), (std::vector<double>{9, 9}));
  EXPECT_EQ(values(blend.state()["b/slow"]), (std::vector<double>{1, 1}));
  EXPECT_EQ(values(a), (std::vector<double>{-3, -3}));
  EXPECT_EQ(thrown([&] { blend.group("b", [](auto& o) { o.keep = 2; }); }), "ValueError: [blend] keep must not be above 1: 2.000000");
}

TEST(UsersMethod, OfWholeTensorsIsOneFunction) {
  Tensor w = parameter(tensor({3.0, 4.0}, DType::f64)), b = parameter(tensor({2.0}, DType::f64));
  PlainLARS lars(Parameters{{"w", w}, {"b", b}}, {.lr = 1, .trust = 0.5});
  lars.group("b", [](auto& o) { o.weight_decay = 0.5; });
  lars.step(Gradients::from({{w, tensor({0.0, 8.0}, DType::f64)}, {b, tensor({-5.0}, DType::f64)}}));  // b: g = -5 + 0.5*2
  EXPECT_NEAR(values(w)[0], 3, 1e-12);
  EXPECT_NEAR(values(w)[1], 4 - 2.5, 1e-8);
  EXPECT_NEAR(values(b)[0], 2 + 1, 1e-8);
  EXPECT_EQ(lars.explain(),
            "plain_lars: lr 1, trust 0.5, weight_decay 0\n  1 parameter, 2 elements, 16 bytes of state\n"
            "group 1: lr 1, trust 0.5, weight_decay 0.5\n  1 parameter, 1 element, 8 bytes of state\n"
            "  a row-sparse gradient moves every row");
  Tensor w2 = parameter(w.clone()), b2 = parameter(b.clone());
  PlainLARS other(Parameters{{"w", w2}, {"b", b2}});
  other.group("b", [](auto& o) { o.weight_decay = 1; });
  other.load_state(lars.state());
  lars.step(Gradients::from({{w, ones({2}, DType::f64)}}));
  other.step(Gradients::from({{w2, ones({2}, DType::f64)}}));
  EXPECT_EQ(bits(w2) + bits(other.state()), bits(w) + bits(lars.state()));
}

TEST(UsersMethod, FromTheGroundUpHasTheRestFromTheBase) {
  Tensor w = parameter(zeros({2}, DType::f64)), b = parameter(zeros({1}, DType::f64));
  Normalised n(Parameters{{"w", w}, {"b", b}}, 5);
  n.group("b", 2);
  const auto g = [&] { return Gradients::from({{w, tensor({3.0, -4.0}, DType::f64)}, {b, tensor({7.0}, DType::f64)}}); };
  {
    Tape tape;  // while one runs, changes in place need NoGrad: the base has it
    const Gradients first = tape.gradients(sum(w * tensor({3.0, -4.0}, DType::f64)) + sum(b * 7.0));
    n.step(first);
  }
  EXPECT_EQ(values(w), (std::vector<double>{-3, 4}));
  EXPECT_EQ(values(b), (std::vector<double>{-2}));
  EXPECT_EQ(n.lr(), 5);
  EXPECT_EQ(names(n.state()), "normalised/lr normalised/1/lr normalised/step w/step w/travelled b/step b/group b/travelled");
  EXPECT_EQ(n.explain(),
            "normalised: w <- w - lr*g/|g|\n  1 parameter, 2 elements, 16 bytes of state\n"
            "group 1: w <- w - lr*g/|g|\n  1 parameter, 1 element, 8 bytes of state\n"
            "  a row-sparse gradient moves every row");
  Tensor w2 = parameter(w.clone()), b2 = parameter(b.clone());
  Normalised other(Parameters{{"w", w2}, {"b", b2}}, 1);
  other.group("b", 1);
  other.load_state(n.state());
  n.step(g());
  other.step(Gradients::from({{w2, tensor({3.0, -4.0}, DType::f64)}, {b2, tensor({7.0}, DType::f64)}}));
  EXPECT_EQ(bits(w2) + bits(b2) + bits(other.state()), bits(w) + bits(b) + bits(n.state()));
  EXPECT_EQ(thrown([&] { n.step(Gradients()); }),
            "ValueError: [normalised] none of the 2 parameters has a gradient (were they made from this optimizer's model?)");
}
