#include <capstan/optim/chain.h>
#include <capstan/optim/conformance_gtest.h>
#include <capstan/optim/own_part.h>

#include <cmath>

#include "chain.h"
#include "support.h"

// Parts of a chain with memory, written outside the library.

using namespace capstan;
using namespace optim::transform;

namespace {

enum class Form { root, plain };

struct OwnRssOptions {
  double start = 0.1, eps = 1e-7;
  Form form = Form::root;
};

/// scale_by_rss() once more.
struct OwnRss {
  static constexpr auto name = "own_rss";
  static constexpr optim::Field<OwnRssOptions> fields[] = {
      {"start", &OwnRssOptions::start},
      {"eps", &OwnRssOptions::eps},
      optim::Field<OwnRssOptions>::choice<&OwnRssOptions::form>("form", {"root", "plain"})};
  static constexpr std::array states = {"sum"};
  template <class T>
  struct Rule {
    T eps;
    bool root;
    Rule(const OwnRssOptions& o, std::int64_t) : eps(T(o.eps)), root(o.form == Form::root) {}
    void operator()(T& u, T, T& s) const {
      s += u * u;
      const T below = root ? std::sqrt(s + eps) : s + eps;
      u = below == T(0) ? T(0) : u / below;
    }
  };
  static double initial(const OwnRssOptions& o, std::size_t) { return o.start; }
  static void check(const OwnRssOptions& o) {
    if (o.start < 0 || o.eps < 0 || o.start + o.eps == 0) throw ValueError("[own_rss] start + eps must be positive");
  }
};

/// t and w are told: u <- u/t + share*w, and the largest |u| is kept.
struct Told {
  struct Options {
    double share = 0.5;
  };
  static constexpr auto name = "told";
  static constexpr optim::Field<Options> fields[] = {{"share", &Options::share}};
  static constexpr std::array states = {"largest"};
  template <class T>
  struct Rule {
    T t, share;
    Rule(const Options& o, std::int64_t step) : t(T(step)), share(T(o.share)) {}
    void operator()(T& u, T w, T& largest) const {
      largest = std::abs(u) > largest ? std::abs(u) : largest;
      u = u / t + share * w;
    }
  };
};

struct OwnAdagradOptions {
  double lr = 0.1, eps = 1e-7, keep = 0.5;
  Form form = Form::root;
};
struct OwnChain : optim::Chain {
  static constexpr auto name = "own_chain";
  static constexpr optim::Field<OwnAdagradOptions> fields[] = {
      {"lr", &OwnAdagradOptions::lr},
      {"eps", &OwnAdagradOptions::eps},
      optim::Field<OwnAdagradOptions>::choice<&OwnAdagradOptions::form>("form", {"root", "plain"})};
  explicit OwnChain(const Parameters& parameters, OwnAdagradOptions o = {})
      : Chain(parameters, chain(stateful(
                                    "average", {"m"}, [](const Tensor& u, const Tensor&, Tensor& m) { return m = 0.5 * m + u; },
                                    "m <- 0.5*m + u, u <- m"),
                                elementwise<OwnRss>({.eps = o.eps, .form = o.form}), scale_by_learning_rate(o.lr))) {}
  const char* method() const noexcept override { return name; }
};

}  // namespace

TEST(OwnPart, OfARuleHasTheBitsOfTheBuiltInOne) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    Tensor a = parameter(wobbles({70'000}, 0, dtype)), b = parameter(a.clone());
    optim::Chain own(Parameters{{"w", a}}, chain(elementwise<OwnRss>(), scale_by_learning_rate(1))),
        built_in(Parameters{{"w", b}}, chain(scale_by_rss(), scale_by_learning_rate(1)));
    for (int t = 0; t < 3; ++t) {
      own.step(Gradients::from({{a, wobbles({70'000}, 50 * t, dtype)}}));
      built_in.step(Gradients::from({{b, wobbles({70'000}, 50 * t, dtype)}}));
    }
    EXPECT_EQ(bits(a), bits(b));
    EXPECT_EQ(bits(own.state()["chain/0.own_rss/w/sum"]), bits(built_in.state()["chain/0.scale_by_rss/w/sum"]));
  }
}

TEST(OwnPart, ToldItsStepAndTheParameter) {
  Tensor w = parameter(ones({1}, DType::f64));
  optim::Chain told(Parameters{{"w", w}}, chain(elementwise<Told>(), scale(-1)));
  told.step(Gradients::from({{w, full({1}, -4, DType::f64)}}));  // u = -4 + 0.5
  EXPECT_EQ(values(w), (Values{4.5}));
  told.step(Gradients::from({{w, full({1}, 3, DType::f64)}}));  // 1.5 + 2.25
  EXPECT_EQ(values(w), (Values{0.75}));
  EXPECT_EQ(values(told.state()["chain/0.told/w/largest"]), (Values{4}));
  EXPECT_EQ(told.state()["chain/0.told/w/count"].data<std::int64_t>()[0], 2);
  told.set_number("0.told/share", 2);
  EXPECT_EQ(told.number("0.told/share"), 2);
  EXPECT_EQ(told.explain().substr(0, told.explain().find("\n  1.")), "chain: u <- g\n  0.told: share 2");
}

TEST(OwnPart, OfAFunctionChangesItsSlotsAsItLikes) {
  const auto in_place = [](const Tensor& u, const Tensor&, Tensor& m, Tensor& n) {
    m *= 0.5;
    m += u;
    n += 1;
    return m + n;
  };
  const auto anew = [](const Tensor& u, const Tensor& w, Tensor& m, Tensor& n) {
    m = 0.5 * m + u;
    n = n + ones(w.shape(), w.dtype());
    return m + n;
  };
  Tensor a = parameter(ones({2}, DType::f64)), b = parameter(ones({2}, DType::f64));
  optim::Chain first(Parameters{{"w", a}}, chain(stateful("f", {"m", "n"}, in_place), scale(-0.1))),
      second(Parameters{{"w", b}}, chain(stateful("f", {"m", "n"}, anew), scale(-0.1)));
  for (int t = 0; t < 3; ++t) {
    first.step(Gradients::from({{a, wobbles({2}, t, DType::f64)}}));
    second.step(Gradients::from({{b, wobbles({2}, t, DType::f64)}}));
  }
  EXPECT_EQ(bits(a), bits(b));
  EXPECT_EQ(bits(first.state()), bits(second.state()));
  EXPECT_EQ(values(first.state()["chain/0.f/w/n"]), (Values{3, 3}));
  EXPECT_EQ(first.explain().substr(0, first.explain().find("\n  1.")), "chain: u <- g\n  0.f: u <- f(u, w)");
  optim::Chain third(Parameters{{"w", b}}, chain(stateful("f", {"m", "n"}, anew), scale(-0.1)));
  third.load_state(first.state());
  EXPECT_EQ(bits(third.state()), bits(first.state()));
}

// One tensor for two things, or the parameter's own, would change with the other.
TEST(OwnPart, HoldsNoTensorOfAnother) {
  Tensor w = parameter(ones({2}, DType::f64));
  optim::Chain chain_of(Parameters{{"w", w}},
                        chain(stateful("f", {"before", "same", "again"},
                                       [](const Tensor& u, const Tensor& p, Tensor& before, Tensor& same, Tensor& again) {
                                         before = p;
                                         same = again = u;
                                         return p;
                                       }),
                              scale(-0.5)));
  const Gradients g = Gradients::from({{w, ones({2}, DType::f64)}});
  chain_of.step(g);
  EXPECT_EQ(values(w), (Values{0.5, 0.5}));
  w.assign(full({2}, 9, DType::f64));
  EXPECT_EQ(values(chain_of.state()["chain/0.f/w/before"]), (Values{1, 1}));
  EXPECT_EQ(values(g[w]), (Values{1, 1}));
}

TEST(OwnPart, LeavesEverythingAsItWasWhenItThrows) {
  Tensor a = parameter(ones({2})), b = parameter(ones({1}));
  optim::Chain c(Parameters{{"a", a}, {"b", b}}, chain(stateful("f", {"m"},
                                                                [](const Tensor& u, const Tensor& w, Tensor& m) {
                                                                  m += u;
                                                                  if (w.numel() == 1 && max(m).item() > 1) throw ValueError("[f] no");
                                                                  return m;
                                                                }),
                                                       scale(-1)));
  const auto step = [&] { c.step(Gradients::from({{a, ones({2})}, {b, ones({1})}})); };
  step();
  const std::string before = bits(a) + bits(b) + bits(c.state());
  EXPECT_EQ(thrown(step), "ValueError: [f] no");
  EXPECT_EQ(bits(a) + bits(b) + bits(c.state()), before);
}

TEST(OwnPart, RefusesWhatCannotBe) {
  const auto keep = [](const Tensor& u, const Tensor&, Tensor&) { return u; };
  EXPECT_EQ(thrown([&] { stateful("two words", {"m"}, keep); }),
            "ValueError: [chain] a part's names must be words without '/': 'two words'");
  EXPECT_EQ(thrown([&] { stateful("f", {"a/b"}, keep); }), "ValueError: [chain] a part's names must be words without '/': 'a/b'");
  EXPECT_EQ(thrown([&] { stateful("f", {"count"}, keep); }),
            "ValueError: [chain] f: the name of a slot or an option must come once, and 'count' is taken: 'count'");
  EXPECT_EQ(thrown([&] {
              stateful("f", {"m", "m"}, [](const Tensor& u, const Tensor&, Tensor&, Tensor&) { return u; });
            }),
            "ValueError: [chain] f: the name of a slot or an option must come once, and 'count' is taken: 'm'");
  EXPECT_EQ(thrown([&] { elementwise<OwnRss>({.start = NAN}); }), "ValueError: [own_rss] start must be finite: nan");
  EXPECT_EQ(thrown([&] { elementwise<OwnRss>({.start = 0, .eps = 0}); }), "ValueError: [own_rss] start + eps must be positive");

  Tensor w = parameter(ones({2}));
  optim::Chain c(Parameters{{"w", w}}, chain(elementwise<OwnRss>({.start = 0}), scale(-1)));
  EXPECT_EQ(thrown([&] { c.set_number("0.own_rss/eps", 0); }), "ValueError: [own_rss] start + eps must be positive");
  EXPECT_EQ(thrown([&] { c.set_number("0.own_rss/form", 2); }), "ValueError: [own_rss] form must be root or plain, or 0 to 1: 2");
  TensorMap state = c.state();
  state["chain/0.own_rss/eps"].data<double>()[0] = 0;
  EXPECT_EQ(thrown([&] { c.load_state(state); }), "ValueError: [own_rss] start + eps must be positive");
  EXPECT_EQ(c.number("0.own_rss/eps"), 1e-7);

  for (const bool slot : {false, true}) {
    optim::Chain wrong(Parameters{{"w", w}}, chain(stateful("f", {"m"},
                                                            [slot](const Tensor& u, const Tensor&, Tensor& m) {
                                                              if (slot) m = zeros({3});
                                                              return slot ? u : sum(u);
                                                            }),
                                                   scale(-1)));
    EXPECT_EQ(thrown([&] {
                wrong.step(Gradients::from({{w, ones({2})}}));
              }),
              slot ? "ValueError: [chain] f: m must have the parameter's dtype and shape: f32 [3] for 'w', which is f32 [2]"
                   : "ValueError: [chain] f: the update must have the parameter's dtype and shape: f32 [] for 'w', which is f32 [2]");
  }
}

TEST(OwnPart, GoesThroughTheKitInAChain) {
  optim::expect_conformance(optim::conformance<OwnChain>({.eps = 1e-3}, {{.lr = 0.05, .eps = 0.1, .form = Form::plain}}));
}

TEST(OwnPart, WaitsForParameters) {
  Tensor w = parameter(ones({2}));
  optim::Chain c(Parameters{}, partition({{"w", chain(elementwise<OwnRss>(), scale(-1))}, {"b", scale(-1)}}));
  c.add_parameters({{"w", w}});
  EXPECT_EQ(thrown([&] {
              c.step(Gradients::from({{w, ones({2})}}));
            }),
            "ValueError: [chain] 0.partition: a pattern must be the first to match some parameter: 'b' among w");
  EXPECT_EQ(thrown([&] {
              c.group("w", {{"lr", 1}});
            }),
            "ValueError: [chain] there are no groups of parameters: 'w' (methods that move each parameter by itself have them; a chain has "
            "partition())");
}
