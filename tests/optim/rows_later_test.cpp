#include <capstan/capstan.h>
#include <capstan/core/threads.h>
#include <capstan/optim/missed_steps.h>

#include <algorithm>
#include <cmath>

#include "rows_step.h"

// Steps along row-sparse gradients of methods whose averages forget at g = 0: a row's catch up with that before they are used or read.

using namespace capstan;
using namespace rows_step;

namespace {

/// A rule of a user's: a step by the agreement with an average, 0 where g is.
struct AgreeingOptions {
  double lr = 0.01, beta = 0.9;
};
struct Agreeing : optim::Elementwise<Agreeing, AgreeingOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "agreeing";
  static constexpr Field fields[] = {{"lr", &AgreeingOptions::lr}, {"beta", &AgreeingOptions::beta, Range::fraction}};
  static constexpr std::array states = {"average"};
  template <class T>
  struct Rule {
    T lr, b;
    Rule(const AgreeingOptions& o, optim::StepInfo step) : lr(T(step.lr)), b(T(o.beta)) {}
    void operator()(T& w, T g, T& m) const {
      m = b * m + (1 - b) * g;
      w -= lr * (1 + sign(g) * sign(m)) * g;
    }
    optim::Fade<T> idle() const { return optim::Fade<T>(b); }
  };
};

std::vector<Case> forgetting() {
  std::vector<Case> all;
  for (const char* spec : {"rmsprop", "rmsprop alpha=0.5 eps=0", "rmsprop centered=1", "rmsprop centered=1 eps=1e-6 eps_inside_root=1",
                           "rmsprop alpha=0", "adadelta", "adadelta eps=1e-3 rho=0.99", "rprop", "rprop lr=100 etaplus=2"})
    all.push_back({spec, [spec](const Parameters& p) { return optim::make(spec, p); }});
  all.push_back({"a user's rule", [](const Parameters& p) { return std::make_unique<Agreeing>(p); }});
  return all;
}

/// The largest difference of two tensors, beside the size of what it is a difference of.
double off(const Tensor& a, const Tensor& b, double least) {
  double most = 0;
  const Tensor x = a.to(DType::f64), y = b.to(DType::f64);
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const double u = x.data<double>()[i], v = y.data<double>()[i];
    const double d = u == v || (std::isnan(u) && std::isnan(v)) ? 0 : std::abs(u - v) / std::max(std::abs(v), least);
    if (!(d <= most)) most = d;
  }
  return most;
}
double off(const TensorMap& a, const TensorMap& b, double least) {
  EXPECT_EQ(names(a), names(b));
  double most = 0;
  // A mean of both signs may be 0 but for its roundings.
  for (const auto& [name, t] : a)
    most = std::max(most, off(t, b[name], name.ends_with("grad_avg") || name.ends_with("/average") ? 0.01 : least));
  return most;
}

const Shape shape = {40, 3};

struct Twins {
  const Case& made_by;
  Tensor by_rows, dense;
  std::unique_ptr<optim::Optimizer> sparse, whole;
  Twins(const Case& c, DType dtype) : made_by(c), by_rows(parameter(start(shape, dtype))), dense(parameter(start(shape, dtype))) {
    sparse = c.make({{"w", by_rows}});
    whole = c.make({{"w", dense}});
  }
  void step(const RowSparse& g) {
    sparse->step(Gradients::from({{by_rows, g}}));
    whole->step(Gradients::from({{dense, g.dense()}}));
  }
  void set_lr(double lr) { sparse->set_lr(lr), whole->set_lr(lr); }
};

std::string raw(const Tensor& t, std::int64_t row) { return bits(t.rows(row, row + 1).clone()); }

const Case rmsprop{"rmsprop", [](const Parameters& p) { return optim::make("rmsprop", p); }};
RowSparse along(std::int64_t row, double g = 1, DType dtype = DType::f64) {
  return {tensor(std::vector{row}), full({1, 3}, g, dtype), shape};
}

}  // namespace

// A row's average rounds once a step in the dense run, and once or twice here.
TEST(RowsLater, FollowTheDenseRun) {
  std::mt19937_64 drawn(21);
  for (const Case& c : forgetting())
    for (const DType dtype : {DType::f64, DType::f32})
      for (const int between_reads : {0, 1, 7}) {
        Twins twins(c, dtype);
        ASSERT_NE(twins.sparse->explain().find("\n  a row-sparse gradient moves its rows alone, and their state catches up"),
                  std::string::npos)
            << c.name;
        const double bound = dtype == DType::f64 ? 1e-12 : 300 * 0x1p-22, least = dtype == DType::f64 ? 1e-290 : 1e-36;
        for (int t = 1; t <= 300; ++t) {
          twins.step(draw(drawn, shape, dtype, false));
          if (c.name != "rprop lr=100 etaplus=2") twins.set_lr(1.01 * twins.sparse->lr());
          ASSERT_LE(off(twins.by_rows, twins.dense, 0.05), bound) << c.name << " step " << t;
          if (t == 300 || (between_reads > 0 && t % between_reads == 0)) {
            ASSERT_LE(off(twins.sparse->state(), twins.whole->state(), least), bound) << c.name << " step " << t;
          }
        }
      }
}

// Where squares overflow, elements have stopped in either run.
TEST(RowsLater, FollowTheDenseRunAlongExtremes) {
  std::mt19937_64 drawn(22);
  for (const Case& c : forgetting())
    for (const DType dtype : {DType::f64, DType::f32}) {
      Twins twins(c, dtype);
      for (int t = 1; t <= 60; ++t) {
        const RowSparse g = draw(drawn, shape, dtype, true);
        const Values all = values(g.dense());
        if (std::all_of(all.begin(), all.end(), [](double x) { return std::isfinite(x); })) twins.step(g);  // duplicates may overflow
      }
      const double least = dtype == DType::f64 ? 1e-290 : 1e-36;
      EXPECT_LE(off(twins.by_rows, twins.dense, 0.05), dtype == DType::f64 ? 1e-10 : 1e-3) << c.name;
      EXPECT_LE(off(twins.sparse->state(), twins.whole->state(), least), dtype == DType::f64 ? 1e-10 : 1e-3)
          << c.name << " " << name(dtype);
    }
}

TEST(RowsLater, AreOtherwiseFarOff) {  // what the bounds above would let pass is nothing
  Twins twins(rmsprop, DType::f64);
  const Tensor v = (twins.step(along(3)), twins.sparse->live_state()["w/square_avg"]);
  for (int t = 0; t < 9; ++t) twins.step(along(7));
  const double unmoved = *v.rows(3, 4).clone().data<double>(),
               caught_up = twins.sparse->state()["w/square_avg"].rows(3, 4).clone().data<double>()[0];
  EXPECT_NEAR(caught_up / unmoved, std::pow(0.99, 9), 1e-14);
}

TEST(RowsLater, TakeTheRuleOfTheStepsTheyMissed) {
  std::mt19937_64 drawn(23);
  const auto run = [&](const char* spec, auto change) {
    const Case c{spec, [spec](const Parameters& p) { return optim::make(spec, p); }};
    Twins twins(c, DType::f64);
    for (int t = 0; t < 120; ++t) {
      twins.step(draw(drawn, shape, DType::f64, false));
      if (t % 20 == 19) change(*twins.sparse, t), change(*twins.whole, t);
      ASSERT_LE(off(twins.by_rows, twins.dense, 0.05), 1e-12) << spec << " step " << t;
    }
    EXPECT_LE(off(twins.sparse->state(), twins.whole->state(), 1e-290), 1e-12) << spec;
  };
  const auto set = [](const char* option, auto value) { return [=](optim::Optimizer& o, int t) { o.group("w", {{option, value(t)}}); }; };
  run("rmsprop", set("alpha", [](int t) { return t == 19 ? 0.5 : 0.9; }));
  run("rmsprop", set("momentum", [](int t) { return t % 40 == 19 ? 0.5 : 0; }));
  run("rmsprop", set("weight_decay", [](int t) { return t % 40 == 19 ? 0.1 : 0; }));
  run("rmsprop", set("centered", [](int t) { return t % 40 == 19 ? 1 : 0; }));
  run("adadelta", set("rho", [](int t) { return t == 19 ? 0.5 : 0.9; }));
  run("rprop", set("step_size_min", [](int t) { return t == 19 ? 0.02 : 1e-5; }));
  run("rmsprop", [](optim::Optimizer& o, int) {  // a reader that changes nothing
    o.effective_rates();
    o.set_lr(0.9 * o.lr());
  });
}

TEST(RowsLater, GiveTheDenseRunsRates) {
  Twins twins(rmsprop, DType::f64);
  for (int t = 0; t < 30; ++t) twins.step(along(t % 7, 1 + t));
  const Tensor a = twins.sparse->effective_rates()[0].rates, b = twins.whole->effective_rates()[0].rates;
  EXPECT_LE(off(a, b, 0), 1e-13);
  EXPECT_TRUE(std::isnan(a.data<double>()[a.numel() - 1]));
}

TEST(RowsLater, StepBetweenDenseSteps) {
  std::mt19937_64 drawn(24);
  for (const Case& c : forgetting()) {
    Twins twins(c, DType::f64);
    for (int t = 0; t < 100; ++t) {
      const RowSparse g = draw(drawn, shape, DType::f64, false);
      if (t % 9 == 4)
        twins.sparse->step(Gradients::from({{twins.by_rows, g.dense()}})), twins.whole->step(Gradients::from({{twins.dense, g.dense()}}));
      else
        twins.step(g);
      ASSERT_LE(off(twins.by_rows, twins.dense, 0.05), 1e-12) << c.name << " step " << t;
    }
    EXPECT_LE(off(twins.sparse->state(), twins.whole->state(), 1e-290), 1e-12) << c.name;
  }
}

TEST(RowsLater, GoOnAfterALoadToTheBit) {
  for (const Case& c : forgetting())
    for (const DType dtype : {DType::f64, DType::f32}) {
      std::mt19937_64 drawn(25);
      Twins first(c, dtype), second(c, dtype);
      for (int t = 0; t < 20; ++t) second.step(draw(drawn, shape, dtype, false));  // was at work
      for (int t = 0; t < 50; ++t) first.step(draw(drawn, shape, dtype, false));
      second.by_rows.detach().assign(first.by_rows);
      second.sparse->load_state(first.sparse->state());
      for (int t = 0; t < 50; ++t) {
        const RowSparse g = draw(drawn, shape, dtype, false);
        first.sparse->step(Gradients::from({{first.by_rows, g}}));
        second.sparse->step(Gradients::from({{second.by_rows, g}}));
        ASSERT_EQ(bits(first.by_rows), bits(second.by_rows)) << c.name << " step " << t;
      }
      EXPECT_EQ(bits(first.sparse->state()), bits(second.sparse->state())) << c.name;
    }
}

TEST(RowsLater, MissNoStepThatWasNotMade) {
  Tensor w = parameter(start(shape, DType::f64)), v = parameter(ones({2}, DType::f64));
  const auto optimizer = optim::make("rmsprop", {{"w", w}, {"v", v}});
  const auto rest = [&] {
    EXPECT_NE(thrown([&] { optimizer->step(Gradients::from({{w, along(3, NAN)}})); }), "");
    optimizer->step(Gradients::from({{v, ones({2}, DType::f64)}}));
  };
  rest();
  optimizer->step(Gradients::from({{w, along(3)}}));
  const Tensor average = optimizer->live_state()["w/square_avg"];
  const std::string before = raw(average, 3);
  for (int t = 0; t < 5; ++t) rest();
  optimizer->state();
  EXPECT_EQ(raw(average, 3), before);
  optimizer->step(Gradients::from({{w, along(4)}}));
  rest();
  optimizer->state();
  EXPECT_NEAR(average.rows(3, 4).clone().data<double>()[0] / 0.01, 0.99, 1e-15);
}

// Of the table and of the slots as they lie in memory.
TEST(RowsLater, WriteTheirRowsAlone) {
  constexpr std::int64_t many = 300, size = 3;
  for (const Case& c : forgetting()) {
    std::mt19937_64 drawn(26);
    Tensor w = parameter(start({many, size}, DType::f32));
    const auto optimizer = c.make({{"w", w}});
    optimizer->step(Gradients::from({{w, wobbles({many, size}, 0, DType::f32)}}));
    std::vector<Tensor> all = {w.detach()};
    for (const auto& [key, t] : optimizer->live_state())
      if (t.dim() == 2) all.push_back(t);
    const auto held = [&] {
      std::vector<std::string> each;
      for (const Tensor& t : all)
        for (std::int64_t row = 0; row < many; ++row) each.push_back(raw(t, row));
      return each;
    };
    const std::vector<std::string> first = held();
    std::vector<std::string> before = first;
    for (int t = 0; t < 1000; ++t) {
      const std::int64_t row = 3 * static_cast<std::int64_t>(drawn() % 100), other = 3 * static_cast<std::int64_t>(drawn() % 100);
      optimizer->set_lr(0.999 * optimizer->lr());
      optimizer->step(Gradients::from({{w, RowSparse{tensor(std::vector{row, other}), wobbles({2, size}, t, DType::f32), {many, size}}}}));
      if (t % 50 != 0) continue;
      const std::vector<std::string> now = held();
      if (t > 0) {
        for (std::size_t k = 0; k < now.size(); ++k)
          ASSERT_TRUE(now[k] == first[k] || k % 3 == 0) << c.name << " wrote row " << k % many << " of tensor " << k / many;
      }
      before = now;
      optimizer->step(Gradients::from({{w, RowSparse{tensor(std::vector{row}), wobbles({1, size}, t, DType::f32), {many, size}}}}));
      std::size_t written = 0;
      const std::vector<std::string> after = held();
      for (std::size_t k = 0; k < after.size(); ++k) written += after[k] != before[k];
      EXPECT_LE(written, all.size()) << c.name;
    }
    const std::vector<std::string> last = held();
    for (std::size_t k = 0; k < last.size(); ++k)
      ASSERT_TRUE(last[k] == first[k] || k % 3 == 0) << c.name << " wrote row " << k % many << " of tensor " << k / many;
    optimizer->state();  // brings them up to date
    EXPECT_FALSE(held() == last) << c.name;
  }
}

// In f32 0.99*x is x again below 51 times the least number: there a dense run's averages end.
TEST(RowsLater, FadeAsFarAsTheDenseRun) {
  Twins twins(rmsprop, DType::f32);
  twins.step(along(3, 1, DType::f32));
  for (int t = 0; t < 12'000; ++t) twins.step(along(7, 1e-3, DType::f32));
  const auto left = [](optim::Optimizer& o) { return o.state()["w/square_avg"].rows(3, 4).clone().data<float>()[0]; };
  EXPECT_EQ(left(*twins.whole), 50 * 0x1p-149f);
  EXPECT_EQ(left(*twins.sparse), 50 * 0x1p-149f);
  EXPECT_FALSE(std::isnan(twins.sparse->effective_rates()[0].rates.data<double>()[9]));
}

TEST(RowsLater, AreTheSameForAnyThreads) {
  struct Restore {
    int n = num_threads();
    ~Restore() { set_num_threads(n); }
  } const restore;
  for (const std::string spec : {"rmsprop centered=1", "rprop"}) {
    std::string first;
    for (const int threads : {1, 3}) {
      set_num_threads(threads);
      const Tensor w = parameter(start({40000, 16}, DType::f32));
      const auto optimizer = optim::make(spec, {{"w", w}});
      for (int t = 0; t < 4; ++t) {
        const Tensor index = empty({9000}, DType::i64);
        for (std::int64_t k = 0; k < 9000; ++k) index.data<std::int64_t>()[k] = (k * 7919 + 5000 * t) % 40000;
        Tape tape;
        optimizer->step(tape.gradients(sum(square(index_select(w, 0, index)))));
      }
      const std::string now = bits(w) + bits(optimizer->state());
      if (threads == 1) first = now;
      EXPECT_TRUE(now == first) << spec;
    }
  }
}

// 2^32 steps take too long: the counter alone goes that far.
TEST(RowsLater, CountIn32Bits) {
  const optim::Fade<double> idle(0.5);
  const std::int64_t from = 1'000'000'000'000, most = from + 0xffffffff;
  optim::detail::MissedSteps missed(4);
  const auto forget = [](const void*, std::int64_t steps, const void* states, std::int64_t first, std::int64_t n) {
    for (std::int64_t i = first; i < first + n; ++i) (*static_cast<double* const*>(states))[i] += static_cast<double>(steps);
  };
  missed.begin(idle, forget, from + 1);
  EXPECT_EQ(missed.move(2, from + 1), 0);
  EXPECT_FALSE(missed.ends(idle, most));
  EXPECT_TRUE(missed.ends(optim::Fade<double>(0.25), from + 2));
  missed.begin(idle, forget, most);
  EXPECT_EQ(missed.move(1, most), 0xfffffffe);
  EXPECT_TRUE(missed.ends(idle, most + 1));
  const Tensor counted = zeros({4, 1}, DType::f64);
  missed.catch_up({counted}, most);
  EXPECT_EQ(values(counted), (Values{0xffffffff, 0, 0xfffffffe, 0xffffffff}));
  EXPECT_FALSE(missed.ends(idle, most + 1));
  missed.begin(idle, forget, most + 1);
  EXPECT_EQ(missed.move(3, most + 2), 1);
}
