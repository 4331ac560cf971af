#include <capstan/core/threads.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "methods.h"
#include "support.h"

// The kit itself: a method that breaks one promise is caught by that promise's name, and its honest twin passes. The file is long by
// the methods that sin, which all of its tests share.

namespace {

using optim::Conformance;
using optim::Property;

enum class Sin {
  none,
  misnamed,
  ascends,
  stuck,
  deaf,
  writes_gradient,
  only_rows,
  restless,
  moves_idle,
  one_count_for_all,
  one_group_for_all,
  forgetful,
  remembers,
  minds_others,
  rough_in_f32,
  rough_in_f64,
  rounds_its_rate,
  half_decay,
  overflows,
  takes_nan,
  takes_all_options,
  counts_threads
};

struct SinnerOptions {
  double lr = 0.05, momentum = 0.5, boost = 0, weight_decay = 0.01;
};

/// Gradient descent with momentum over whole tensors, and one sin.
template <Sin sin>
struct Sinner : optim::MethodBase {
  using Field = optim::Field<SinnerOptions>;
  static constexpr auto name = "sinner";
  static constexpr std::array fields = {Field{"lr", &SinnerOptions::lr}, Field{"momentum", &SinnerOptions::momentum},
                                        Field{"boost", &SinnerOptions::boost}, Field{"weight_decay", &SinnerOptions::weight_decay}};

  explicit Sinner(const Parameters& parameters, SinnerOptions o = {}) : parameters_(parameters), groups_{{o, false}} {
    check(o);
    add_parameters(parameters);
    if (sin == Sin::takes_nan) set_check_finite(false);
  }
  template <class F>
  void group(std::string_view pattern, F change) {
    Group g = groups_.front();
    change(g.options);
    check(g.options);
    g.own_lr = g.options.lr != groups_.front().options.lr;
    assign_group(pattern, groups_.size());
    groups_.push_back(g);
  }
  const char* method() const noexcept override { return sin == Sin::misnamed ? "saint" : name; }

 protected:
  bool takes_rows(const Entry&) const override { return sin == Sin::only_rows; }
  void update(Entry& e, const Tensor& given) override {
    const Tensor g = e.rows ? RowSparse{*e.rows, given, e.parameter.shape()}.dense() : given;
    const SinnerOptions& o = groups_[sin == Sin::one_group_for_all ? 0 : e.group].options;
    Tensor w = e.parameter, m = e.state[0];
    const Tensor old_m = m.clone();
    m *= o.momentum;
    m += g;
    if (o.weight_decay != 0) m += w * ((sin == Sin::half_decay ? 0.5 : 1.0) * o.weight_decay);
    double rate = o.lr * (sin == Sin::deaf ? 1 : 1 + o.boost);
    if (sin == Sin::ascends) rate = -rate;
    if (sin == Sin::stuck && w.numel() == 2) rate = 0;
    if (sin == Sin::rough_in_f32 && w.dtype() == DType::f32) rate *= 1.01;
    if (sin == Sin::counts_threads) rate *= 1 + 0.001 * num_threads();
    if (sin == Sin::remembers) {
      static int t = 0;
      rate *= 1 + std::pow(0.5, ++t);
    }
    if (sin == Sin::minds_others) {
      static const void* last = nullptr;
      if (e.steps > 1 && last != this) rate *= 1.01;
      last = this;
    }
    if (sin == Sin::rounds_its_rate) rate = static_cast<double>(static_cast<float>(rate));
    if (sin == Sin::forgetful) rate *= 1 + 0.5 / ++steps_of_[e.name];  // a count that no state knows
    if (sin == Sin::one_count_for_all) {
      if (leader_.empty()) leader_ = e.name;
      if (leader_ == e.name) count_ = e.steps;
      rate *= 1 + 0.5 / static_cast<double>(count_);
    }
    Tensor kept = w.clone();
    w -= sin == Sin::rough_in_f64 ? (m * rate).to(DType::f32).to(w.dtype()) : m * rate;
    if (sin != Sin::overflows) {
      put_back(m, old_m, w);
      put_back(w, kept, w);
    }
    if (sin == Sin::only_rows && e.rows) {  // the others would go on by their momentum
      for (std::int64_t i = 0; i < e.rows->numel(); ++i) {
        const std::int64_t row = e.rows->data<std::int64_t>()[i];
        kept.rows(row, row + 1).assign(w.rows(row, row + 1));
      }
      w.assign(kept);
    }
    if (sin == Sin::restless) w *= 1 - 1e-6;
    if (sin == Sin::writes_gradient) {
      if (g.dtype() == DType::f32) g.data<float>()[0] = 0;
      if (g.dtype() == DType::f64) g.data<double>()[0] = 0;
    }
    if (sin == Sin::moves_idle)
      for (const auto& p : parameters_)
        if (p.name != e.name) Tensor(p.tensor) += 1e-3;
  }
  std::vector<const char*> option_names() const override {
    std::vector<const char*> names;
    for (const auto& f : fields) names.push_back(f.name);
    return names;
  }
  double option_of(std::size_t group, std::string_view option) const override { return field(option).get(groups_.at(group).options); }
  void set_option_of(std::size_t group, std::string_view option, double value) override {
    Group changed = groups_.at(group);
    field(option).set(changed.options, value);
    check(changed.options);
    groups_[group] = changed;
    for (Group& g : groups_)
      if (group == 0 && option == "lr" && !g.own_lr) g.options.lr = value;
  }
  void set_options(const std::vector<double>& values) override {
    std::vector<Group> changed = groups_;
    std::size_t i = 0;
    for (Group& g : changed) {
      for (const auto& f : fields) f.set(g.options, values.at(i++));
      check(g.options);
    }
    groups_ = changed;
  }
  std::size_t group_count() const noexcept override { return groups_.size(); }
  std::string formula_of(std::size_t) const override { return "m <- momentum*m + g, w <- w - lr*m"; }
  std::size_t rule_of(std::size_t) const noexcept override { return 0; }
  std::size_t rule_with(std::size_t, const std::vector<double>&) const override { return 0; }
  std::vector<const char*> slot_names(std::size_t) const override { return {"momentum"}; }
  double start_of(std::size_t, std::size_t) const override { return 0; }

 private:
  struct Group {
    SinnerOptions options;
    bool own_lr;
  };
  /// x <- old, where w is not finite.
  static void put_back(Tensor& x, const Tensor& old, const Tensor& w) {
    const auto each = [&]<class T>(T*) {
      for (std::int64_t i = 0; i < w.numel(); ++i)
        if (!optim::is_finite(w.data<T>()[i])) x.data<T>()[i] = old.data<T>()[i];
    };
    if (w.dtype() == DType::f32)
      each(static_cast<float*>(nullptr));
    else
      each(static_cast<double*>(nullptr));
  }
  static const Field& field(std::string_view option) {
    return *std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.name == option; });
  }
  static void check(const SinnerOptions& o) {
    if (sin == Sin::takes_all_options) return;
    for (const auto& f : fields)
      if (!std::isfinite(f.get(o))) throw ValueError("[sinner] every option must be finite");
    if (o.lr < 0 || o.weight_decay < 0) throw ValueError("[sinner] lr and weight_decay must not be negative");
  }

  Parameters parameters_;
  std::vector<Group> groups_;
  std::map<std::string, int> steps_of_;
  std::string leader_;
  std::int64_t count_ = 1;
};

/// Whose rule moves each further element half as far. It is called like one of the kit's parameters.
struct FadingOptions {
  double lr = 0.1;
};
struct Fading : optim::Elementwise<Fading, FadingOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "w";
  static constexpr Field fields[] = {{"lr", &FadingOptions::lr}};
  static constexpr std::array<const char*, 0> states = {};
  template <class T>
  struct Rule {
    mutable T lr;
    Rule(const FadingOptions&, optim::StepInfo step) : lr(T(step.lr)) {}
    void operator()(T& w, T g) const { w -= lr * g, lr /= 2; }
  };
};

/// Whose decay is its own business in one of two ways, and which has no groups.
struct HermitOptions {
  double lr = 0.1, weight_decay = 0.01;
  bool own = true;
};
struct Hermit : optim::Elementwise<Hermit, HermitOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "hermit";
  static constexpr Field fields[] = {
      {"lr", &HermitOptions::lr}, {"weight_decay", &HermitOptions::weight_decay}, {"own", &HermitOptions::own}};
  static constexpr std::array<const char*, 0> states = {};
  template <class T>
  struct Rule {
    T lr, pull;
    Rule(const HermitOptions& o, optim::StepInfo step) : lr(T(step.lr)), pull(T(o.own ? step.lr * o.weight_decay : 0)) {}
    void operator()(T& w, T g) const { w -= lr * g + pull * sign(w); }
  };
  static optim::Decay decay(const HermitOptions& o) { return o.own ? optim::Decay::own : optim::Decay::l2; }
  void group() = delete;
};

/// Whose rule says that it rests, and goes on by its momentum; or climbs, so that it makes 0 of -0.
struct DrifterOptions {
  double lr = 0.05, momentum = 0.5;
};
template <bool climbs>
struct Drifter : optim::Elementwise<Drifter<climbs>, DrifterOptions> {
  using optim::Elementwise<Drifter<climbs>, DrifterOptions>::Elementwise;
  static constexpr auto name = "drifter";
  static constexpr optim::Field<DrifterOptions> fields[] = {{"lr", &DrifterOptions::lr}, {"momentum", &DrifterOptions::momentum}};
  static constexpr std::array states = {"momentum"};
  template <class T>
  struct Rule {
    static constexpr bool rests = true;
    T lr, momentum;
    Rule(const DrifterOptions& o, optim::StepInfo step) : lr(T(step.lr)), momentum(T(o.momentum)) {}
    void operator()(T& w, T g, T& m) const {
      m = climbs ? m + g * g : momentum * m + g;
      w += (climbs ? (1 - momentum) * g : -m) * lr;
    }
  };
};

std::set<std::string> failed(const Conformance& report) {
  std::set<std::string> names;
  for (const Property& p : report.properties)
    if (p.outcome == Property::Outcome::failed) names.insert(p.name);
  return names;
}

std::string message(const Conformance& report, const std::string& property) {
  for (const Property& p : report.properties)
    if (p.name == property) return p.message;
  return "no such property";
}

template <Sin sin>
void expect_caught(const std::string& property, const std::string& words, const std::set<std::string>& also = {}) {
  const Conformance report = optim::conformance<Sinner<sin>>();
  std::set<std::string> all = also;
  all.insert(property);
  EXPECT_EQ(failed(report), all) << report.text();
  EXPECT_FALSE(report);
  EXPECT_EQ(message(report, property).substr(0, words.size()), words);
}

const std::string given = "lr 0.05, momentum 0.5, boost 0, weight_decay 0.01";

}  // namespace

TEST(Kit, PassesAnHonestMethod) {
  const Conformance report = optim::conformance<Sinner<Sin::none>>();
  EXPECT_TRUE(report);
  EXPECT_EQ(report.text(), R"(sinner two fresh runs agree to the bit: held
sinner tells its name and options: held
sinner converges on a parabola: held
sinner converges on Rosenbrock's valley: held
sinner every option changes the trajectory: held
sinner leaves the gradient alone: held
sinner moves by row-sparse gradients as by dense ones: held
sinner rests at zero gradient: held
sinner leaves a parameter without gradient alone: held
sinner starts a later parameter afresh: held
sinner moves a group by its own options: held
sinner goes on after a load to the bit: held
sinner f32 follows f64: held
sinner f64 is more exact than f32: held
sinner composes with clipping and decay: held
sinner keeps parameters finite: held
sinner refuses what is not finite: held
sinner refuses bad options: held
sinner gives the same bits for any number of threads: held
sinner moves each element by itself: not claimed (the method is no Elementwise))");
}

TEST(Kit, CatchesEachSinByTheNameOfTheProperty) {
  expect_caught<Sin::misnamed>("tells its name and options", "it is called saint and not sinner",
                               {"starts a later parameter afresh", "refuses bad options"});
  expect_caught<Sin::ascends>("converges on a parabola", "f32, at the best of eight rates ", {"converges on Rosenbrock's valley"});
  expect_caught<Sin::stuck>("converges on Rosenbrock's valley",
                            "f32, at the best of eight rates 1 of the first loss is left after 5000 steps, lr 0.05, ");
  expect_caught<Sin::deaf>("every option changes the trajectory", "no value of boost moves a f32 parameter elsewhere by more than 0");
  expect_caught<Sin::writes_gradient>("leaves the gradient alone", "a f32 gradient was changed, " + given);
  expect_caught<Sin::only_rows>("moves by row-sparse gradients as by dense ones",
                                "step 1 along 2 of 40 rows is another one than with zeros in all others, in f32, " + given);
  expect_caught<Sin::restless>("rests at zero gradient", "three gradients of 0 move a f32 parameter, lr 0.05, ");
  expect_caught<Sin::moves_idle>("leaves a parameter without gradient alone", "it was moved, " + given,
                                 {"moves a group by its own options"});
  expect_caught<Sin::one_count_for_all>("starts a later parameter afresh",
                                        "added after four steps, it moves otherwise than in an optimizer of its own, " + given,
                                        {"moves a group by its own options"});
  expect_caught<Sin::one_group_for_all>(
      "moves a group by its own options",
      "a group of lr 0.35, momentum 0.5, boost 0, weight_decay 0.01 in " + given + " moves otherwise than an optimizer with its options");
  expect_caught<Sin::forgetful>("goes on after a load to the bit",
                                "step 1 is another one after 0 steps in f32 with " + given + ", loaded into " + given);
  expect_caught<Sin::rough_in_f32>("f32 follows f64", "after ten steps they differ by ");
  expect_caught<Sin::rough_in_f64>("f64 is more exact than f32", "an f64 element jumps by ");
  expect_caught<Sin::rounds_its_rate>("f64 is more exact than f32", "an f64 element jumps by ");
  expect_caught<Sin::remembers>("two fresh runs agree to the bit", "the second run in f32 ends elsewhere than the first, " + given);
  expect_caught<Sin::half_decay>("composes with clipping and decay", "weight decay in f32 is ");
  EXPECT_EQ(failed(optim::conformance<Sinner<Sin::half_decay>>({.weight_decay = 0})),  // then with a decay of the kit's own
            std::set<std::string>{"composes with clipping and decay"});
  expect_caught<Sin::overflows>(
      "keeps parameters finite",
      "step 2, with gradients of 3.4028234663852886e+38 in one element, makes a f32 parameter infinite or NaN, " + given);
  expect_caught<Sin::takes_nan>("refuses what is not finite", "a loss of inf is taken, " + given);
  expect_caught<Sin::takes_all_options>("refuses bad options", "lr nan in a state is taken, " + given);
  expect_caught<Sin::counts_threads>("gives the same bits for any number of threads",
                                     "2 threads move 262400 elements otherwise than one, " + given);

  const Conformance minding = optim::conformance<Sinner<Sin::minds_others>>();  // which several properties see
  EXPECT_EQ(message(minding, "two fresh runs agree to the bit"),
            "beside another optimizer a run in f32 ends elsewhere than alone, " + given);

  const Conformance fading = optim::conformance<Fading>({}, {}, {.most = 1000});  // on one thread, or it were a race
  EXPECT_TRUE(failed(fading).contains("moves each element by itself")) << fading.text();
  EXPECT_EQ(message(fading, "moves each element by itself"), "15 elements in f32 move otherwise together than apart, lr 0.1");
}

TEST(Kit, PutsToTheProofThatARuleRests) {
  const char* const rows = "moves by row-sparse gradients as by dense ones";
  const auto step = [](int t) {
    return "step " + std::to_string(t) + " along 2 of 40 rows is another one than with zeros in all others, in f32, lr 0.05, momentum 0.5";
  };
  const Conformance by_momentum = optim::conformance<Drifter<false>>(), uphill = optim::conformance<Drifter<true>>();
  EXPECT_EQ(failed(by_momentum), std::set<std::string>{rows}) << by_momentum.text();
  EXPECT_EQ(message(by_momentum, rows), step(2));
  EXPECT_TRUE(failed(uphill).contains(rows)) << uphill.text();
  EXPECT_EQ(message(uphill, rows), step(1));
}

TEST(Kit, SaysWhatAMethodDoesNotClaim) {
  const Conformance report = optim::conformance<Blend>({.from = 0.5}, {{.from = 0.25, .two = true}});
  EXPECT_TRUE(report) << report.text();
  EXPECT_TRUE(report.text().find("blend rests at zero gradient: not claimed (rests() says so for each set)\n") != std::string::npos);
  EXPECT_EQ(failed(optim::conformance<Blend>({.from = 0.5}, {{.from = 0, .two = true}})), std::set<std::string>{});  // claimed, and held
}

// Nothing is passed over in silence.
TEST(Kit, SaysWhatWasLeftOut) {
  const auto expect_line = [](const Conformance& report, const std::string& line) {
    EXPECT_TRUE(report) << report.text();
    EXPECT_NE(("\n" + report.text() + "\n").find("\n" + report.method + " " + line + "\n"), std::string::npos) << line << "\n"
                                                                                                               << report.text();
  };
  const Conformance small = optim::conformance<Signum>({}, {}, {.most = 1000, .elsewhere = {"lr", "momentum"}});
  expect_line(small, "every option changes the trajectory: held (left out: lr, momentum, of which step(gradients) has no use)");
  expect_line(small, "composes with clipping and decay: held (left out: weight decay, for which there is no option)");
  expect_line(
      small, "gives the same bits for any number of threads: held (left out: more than 1000 elements, the most that a parameter may have)");
  expect_line(small, "rests at zero gradient: held");
  expect_line(optim::conformance<Blend>({.from = 0.5}, {{.from = 0, .two = true}}),
              "rests at zero gradient: held (left out: 1 of 2 sets, for which rests() says that it does not)");

  const Conformance own = optim::conformance<Hermit>(), either = optim::conformance<Hermit>({.own = false}, {{.own = true}});
  expect_line(own,
              "composes with clipping and decay: held (left out: weight decay, for which decay() says that the method has its own way)");
  expect_line(either,
              "composes with clipping and decay: held (left out: weight decay in 1 of 2 sets, for which decay() says that the method has "
              "its own way)");
  expect_line(own, "moves a group by its own options: not claimed (the method has no group())");
  expect_line(own, "refuses bad options: held (left out: group(), which the method does not have)");
  expect_line(optim::conformance<Hermit>({.own = false}), "composes with clipping and decay: held");
}

TEST(Kit, AsksForEverySetAndEachOption) {
  // Dampening has no say without momentum, nor can nesterov be set.
  const optim::SGDOptions plain{.lr = 0.1}, momentum{.lr = 0.1, .momentum = 0.5};
  EXPECT_EQ(message(optim::conformance<optim::SGD>(plain), "every option changes the trajectory"),
            "no value of dampening moves a f32 parameter elsewhere by more than 0");
  EXPECT_TRUE(optim::conformance<optim::SGD>(plain, {momentum}));
  EXPECT_EQ(thrown([&] { (void)optim::conformance<optim::SGD>(plain, {{.lr = -1}}); }), "ValueError: [sgd] lr must not be negative: -1");
  EXPECT_EQ(failed(optim::conformance<optim::SGD>(momentum, {}, {.parabola = -1, .rosenbrock = -1})),
            (std::set<std::string>{"converges on a parabola", "converges on Rosenbrock's valley"}));
}

TEST(Kit, RestoresTheNumberOfThreads) {
  const int before = num_threads();
  set_num_threads(5);
  EXPECT_TRUE(optim::conformance<optim::SGD>({.lr = 0.1, .momentum = 0.5}));
  EXPECT_EQ(num_threads(), 5);
  set_num_threads(before);
}
