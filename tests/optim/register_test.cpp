#include <capstan/optim/adagrad.h>

#include <algorithm>

#include "by_name.h"

// A user's methods by name.

namespace {

// PowerSign (Bello et al., Neural Optimizer Search, ICML 2017), under three names.
struct PowerSignOptions {
  double lr = 1e-3, beta = 0.9, base = 2.718281828459045;
  bool frozen = false;
};
template <class Derived>
struct PowerSignLike : optim::Elementwise<Derived, PowerSignOptions> {
  using optim::Elementwise<Derived, PowerSignOptions>::Elementwise;
  static constexpr optim::Field<PowerSignOptions> fields[] = {{"lr", &PowerSignOptions::lr},
                                                              {"beta", &PowerSignOptions::beta},
                                                              {"base", &PowerSignOptions::base},
                                                              {"frozen", &PowerSignOptions::frozen}};
  static constexpr std::array states = {"average"};
  template <class T>
  struct Rule {
    T up, down, b;
    Rule(const PowerSignOptions& o, optim::StepInfo step)
        : up(T(o.frozen ? 0 : step.lr * o.base)), down(T(o.frozen ? 0 : step.lr / o.base)), b(T(o.beta)) {}
    void operator()(T& w, T g, T& m) const {
      m = b * m + (1 - b) * g;
      w -= (g * m > T(0) ? up : down) * g;
    }
  };
};
struct PowerSign : PowerSignLike<PowerSign> {
  using PowerSignLike::PowerSignLike;
  static constexpr auto name = "powersign";
};
struct Impostor : PowerSignLike<Impostor> {
  using PowerSignLike::PowerSignLike;
  static constexpr auto name = "powersign";
};
struct NotAdagrad : PowerSignLike<NotAdagrad> {
  using PowerSignLike::PowerSignLike;
  static constexpr auto name = "adagrad";
};
struct TwoWords : PowerSignLike<TwoWords> {
  using PowerSignLike::PowerSignLike;
  static constexpr auto name = "power sign";
};
struct Nameless : PowerSignLike<Nameless> {
  using PowerSignLike::PowerSignLike;
  static constexpr auto name = "";
};

/// A method of whole tensors can be registered as well: it needs a name, fields and a constructor.
struct HalvingOptions {
  double lr = 0.5;
};
struct Halving : optim::Optimizer {
  static constexpr auto name = "halving";
  static constexpr optim::Field<HalvingOptions> fields[] = {{"lr", &HalvingOptions::lr}};
  Halving(const Parameters& parameters, HalvingOptions o) : lr_(o.lr) { add_parameters(parameters); }
  const char* method() const noexcept override { return name; }

 protected:
  void update(Entry& entry, const Tensor&) override { entry.parameter *= lr_; }
  double option(std::string_view) const override { return lr_; }
  void set_option(std::string_view, double value) override { lr_ = value; }
  std::vector<Option> all_options() const override { return {{"lr", lr_}}; }
  void set_options(const std::vector<double>& values) override { lr_ = values.at(0); }
  std::string describe() const override { return "w <- lr*w"; }

 private:
  double lr_;
};

}  // namespace

TEST(Register, MakesAUsersMethodKnownByItsName) {
  EXPECT_TRUE(optim::register_optimizer<PowerSign>());
  const PowerSign& made_one = made<PowerSign>("powersign lr=0.01 beta=0.5 frozen=true");
  EXPECT_EQ(made_one.options().lr, 0.01);
  EXPECT_EQ(made_one.options().beta, 0.5);
  EXPECT_EQ(made_one.options().base, PowerSignOptions{}.base);
  EXPECT_TRUE(made_one.options().frozen);

  const std::vector<std::string> before = optim::methods();
  EXPECT_EQ(std::count(before.begin(), before.end(), "powersign"), 1);
  EXPECT_TRUE(optim::register_optimizer<PowerSign>());  // once more changes nothing
  EXPECT_EQ(optim::methods(), before);

  optim::register_optimizer<Halving>();
  Tensor w = parameter(full({2}, 8));
  optim::make("halving lr=0.25", Parameters{{"w", w}})->step(Gradients::from({{w, ones({2})}}));
  EXPECT_EQ(values(w), (std::vector<double>{2, 2}));
}

TEST(Register, AnswersAMisspeltNameOrOptionWithTheNearest) {
  optim::register_optimizer<PowerSign>();
  EXPECT_TRUE(all_methods().find(", powersign") != std::string::npos);
  EXPECT_EQ(error_of("powersing lr=0.1"), no_method("powersing", "powersign"));
  EXPECT_EQ(error_of("powersign bta=0.1"),
            "ValueError: [powersign] there is no option 'bta' among lr, beta, base, frozen (did you mean 'beta'?)");
  EXPECT_EQ(error_of("powersign momentum=0.1"), "ValueError: [powersign] there is no option 'momentum' among lr, beta, base, frozen");
  EXPECT_EQ(error_of("powersign lr=-1"), "ValueError: [powersign] lr must not be negative: -1");
  EXPECT_EQ(error_of("powersign frozen=2"), "ValueError: [powersign] frozen must be 0 or 1: 2");
  EXPECT_EQ(error_of("powersign beta=true"), "ValueError: [powersign] beta must be a number: true");
}

TEST(Register, RefusesANameThatIsTakenOrNoWord) {
  optim::register_optimizer<PowerSign>();
  const std::vector<std::string> before = optim::methods();
  const std::string head = "ValueError: [register_optimizer] a method's name must ";
  EXPECT_EQ(thrown([] { optim::register_optimizer<Impostor>(); }), head + "come once: 'powersign' is another method's");
  EXPECT_EQ(thrown([] { optim::register_optimizer<NotAdagrad>(); }), head + "come once: 'adagrad' is another method's");
  EXPECT_EQ(thrown([] { optim::register_optimizer<TwoWords>(); }), head + "be one word: 'power sign'");
  EXPECT_EQ(thrown([] { optim::register_optimizer<Nameless>(); }), head + "be one word: ''");
  EXPECT_EQ(optim::methods(), before);
  EXPECT_NO_THROW(made<PowerSign>("powersign"));
  EXPECT_NO_THROW(made<optim::Adagrad>("adagrad"));
}
