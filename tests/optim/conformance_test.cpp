#include <capstan/core/threads.h>
#include <capstan/optim/make.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "methods.h"
#include "support.h"

// What every method does, the built-in ones and two of a user's: each test runs once for each row of the table.

namespace {

class Methods : public testing::TestWithParam<std::size_t> {
 protected:
  const Row& row() const { return rows().at(GetParam()); }
};

/// The parameter after `steps` steps along gradients that depend on it, from a fixed start, with a rising rate.
Tensor after(const Row& row, const Settings& settings, int steps, DType dtype, std::int64_t n = 7) {
  Tensor w = parameter(wobbles(row.shape(n), 3, dtype));
  const auto optimizer = row.build(Parameters{{"w", w}}, settings);
  for (int t = 0; t < steps; ++t) {
    optimizer->step(slopes({{w, wobbles(row.shape(n), 100 * t, dtype) + 0.5 * w.clone()}}));
    optimizer->set_lr(1.1 * optimizer->lr());
  }
  return w;
}

double distance(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = values(a), y = values(b);
  double d = 0;
  for (std::size_t i = 0; i < x.size(); ++i) d = std::max(d, std::abs(x[i] - y[i]));
  return d;
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Each, Methods, testing::Range<std::size_t>(0, rows().size()),
                         [](const auto& one) { return std::to_string(one.param) + "_" + rows().at(one.param).name; });

TEST(Methods, AllStandInTheTable) {
  EXPECT_EQ(rows().size(), 25u);
  std::set<std::string> names;
  for (const Row& row : rows()) names.insert(row.name);
  for (const std::string& name : optim::methods()) EXPECT_TRUE(names.count(name)) << name;
  EXPECT_EQ(optim::methods(), (std::vector<std::string>{"adabelief",
                                                        "adadelta",
                                                        "adafactor",
                                                        "adagrad",
                                                        "adam",
                                                        "adamax",
                                                        "adamw",
                                                        "ftrl",
                                                        "full_matrix_adagrad",
                                                        "lamb",
                                                        "lars",
                                                        "lbfgs",
                                                        "lion",
                                                        "muon",
                                                        "nadam",
                                                        "radam",
                                                        "rmsprop",
                                                        "rowwise_adagrad",
                                                        "rprop",
                                                        "schedule_free_adamw",
                                                        "sgd",
                                                        "signum",
                                                        "yogi"}));
}

TEST_P(Methods, TellTheirNameAndOptions) {
  Tensor w = zeros(row().shape(2));
  const auto optimizer = row().build(Parameters{{"w", w}}, {});
  EXPECT_EQ(optimizer->method(), row().name);
  std::string keys;
  for (const std::string& option : row().options) keys += row().name + "/" + option + " ";
  EXPECT_EQ(names(optimizer->state()), keys + row().name + "/step w/step");
}

TEST_P(Methods, HaveARowForEachOption) {
  std::set<std::string> changed;
  for (const Row::Change& c : row().changes) changed.insert(c.option);
  EXPECT_EQ(changed, std::set<std::string>(row().options.begin(), row().options.end()));
  for (const Row::Change& c : row().changes) {  // and the pair differs in that option alone
    Tensor w = zeros(row().shape(2));
    const auto a = row().build(Parameters{{"w", w}}, c.from), b = row().build(Parameters{{"w", w}}, c.to);
    const TensorMap x = a->state(), y = b->state();
    for (const std::string& option : row().options) {
      const std::string key = row().name + "/" + option;
      EXPECT_EQ(x[key].item() != y[key].item(), option == c.option) << key;
    }
  }
}

TEST_P(Methods, FeelEachOption) {
  for (const Row::Change& c : row().changes) {
    if (std::find(row().elsewhere.begin(), row().elsewhere.end(), c.option) != row().elsewhere.end()) continue;
    for (const DType dtype : {DType::f32, DType::f64})
      EXPECT_GT(distance(after(row(), c.from, 12, dtype), after(row(), c.to, 12, dtype)), 1e-4) << c.option;
  }
}

TEST_P(Methods, Converge) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Shape shape = row().shape(7);
    const Tensor bottom = wobbles(shape, 50, dtype), steepness = tensor({1, 0.5, 2, 1, 0.75, 1.5, 1}, dtype).reshape(shape);
    Tensor w = parameter(zeros(shape, dtype));
    const auto optimizer = row().build(Parameters{{"w", w}}, row().good);
    for (int t = 0; t < 400; ++t) {
      Tape tape;
      optimizer->step(tape.gradients(sum(0.5 * steepness * square(w - bottom))));
    }
    EXPECT_LT(distance(w, bottom), row().reach) << name(dtype);
    EXPECT_EQ(w.dtype(), dtype);
  }
}

TEST_P(Methods, LeaveTheGradientAlone) {
  for (const Settings& settings : row().all) {
    Tensor w = parameter(wobbles(row().shape(33), 0, DType::f32));
    const auto optimizer = row().build(Parameters{{"w", w}}, settings);
    const Gradients g = slopes({{w, wobbles(row().shape(33), 40, DType::f32)}});
    const std::string before = bits(g[w]);
    optimizer->step(g);
    optimizer->step(g);
    EXPECT_EQ(bits(g[w]), before);
    EXPECT_EQ(before, bits(wobbles(row().shape(33), 40, DType::f32)));
  }
}

// Nothing to go by and nothing remembered: the parameter keeps its bits. Only weight decay and a momentum from elsewhere than
// 0 (Blend's, Yogi's) move it.
TEST_P(Methods, LeaveAParameterWithZeroGradientAlone) {
  for (const DType dtype : {DType::f32, DType::f64})
    for (Settings settings : row().all) {
      for (auto& [option, value] : settings)
        if (option == "weight_decay" || option == "from" || (option == "initial_accumulator" && row().name == "yogi")) value = 0;
      Tensor w = parameter(wobbles(row().shape(37), 0, dtype));
      const std::string before = bits(w);
      const auto optimizer = row().build(Parameters{{"w", w}}, settings);
      for (int t = 0; t < 3; ++t) optimizer->step(slopes({{w, zeros(row().shape(37), dtype)}}));
      EXPECT_EQ(bits(w), before);
      optimizer->step(slopes({{w, ones(row().shape(37), dtype)}}));
      EXPECT_NE(bits(w), before);
    }
}

TEST_P(Methods, LeaveAParameterWithoutGradientAlone) {
  for (const Settings& settings : row().all) {
    Tensor w = parameter(wobbles(row().shape(5), 0, DType::f64)), idle = parameter(wobbles(row().shape(6), 9, DType::f64));
    const std::string before = bits(idle);
    const auto optimizer = row().build(Parameters{{"idle", idle}, {"w", w}}, settings);
    for (int t = 0; t < 3; ++t) optimizer->step(slopes({{w, ones(row().shape(5), DType::f64)}}));
    EXPECT_EQ(bits(idle), before);
    EXPECT_EQ(idle.version(), 0u);
    EXPECT_GE(w.version(), 3u);  // one for each step, and more where a method changes w in several goes
    EXPECT_TRUE(row().whole || w.version() == 3u);
    const TensorMap state = optimizer->state();
    EXPECT_EQ(*state["idle/step"].data<std::int64_t>(), 0);
    EXPECT_EQ(*state["w/step"].data<std::int64_t>(), 3);
    for (const auto& entry : state) EXPECT_TRUE(!entry.name.starts_with("idle/") || entry.name == "idle/step") << entry.name;
  }
}

// A parameter counts its own steps: added late, it moves as one of a fresh optimizer.
TEST_P(Methods, StartAParameterThatCameLaterAfresh) {
  if (row().together) return;
  for (const Settings& settings : row().all) {
    Tensor w = parameter(wobbles(row().shape(5), 0, DType::f64)), late = parameter(wobbles(row().shape(6), 9, DType::f64)),
           twin = parameter(late.clone());
    const auto optimizer = row().build(Parameters{{"w", w}}, settings), fresh = row().build(Parameters{{"twin", twin}}, settings);
    for (int t = 0; t < 4; ++t) optimizer->step(slopes({{w, wobbles(row().shape(5), t, DType::f64)}}));
    optimizer->add_parameters(Parameters{{"late", late}});
    for (int t = 0; t < 3; ++t) {
      const Tensor g = wobbles(row().shape(6), 20 + t, DType::f64);
      optimizer->step(slopes({{w, wobbles(row().shape(5), t, DType::f64)}, {late, g}}));
      fresh->step(slopes({{twin, g}}));
      EXPECT_EQ(bits(late), bits(twin));
    }
    const TensorMap state = optimizer->state();
    EXPECT_EQ(*state[row().name + "/step"].data<std::int64_t>(), 7);
    EXPECT_EQ(*state["w/step"].data<std::int64_t>(), 7);
    EXPECT_EQ(*state["late/step"].data<std::int64_t>(), 3);
  }
}

// The base reads weight_decay; no rule sees it.
TEST_P(Methods, DecayWeights) {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Settings& settings : row().all) {
      Settings plain = settings;
      double decay = 0;
      for (auto& [option, value] : plain)
        if (option == "weight_decay") decay = std::exchange(value, 0);
      if (decay == 0 || row().decay == optim::Decay::own) continue;
      Tensor w = parameter(wobbles(row().shape(40), 0, dtype)), twin = parameter(w.clone());
      const auto a = row().build(Parameters{{"w", w}}, settings), b = row().build(Parameters{{"w", twin}}, plain);
      for (int t = 0; t < 5; ++t) {
        const Tensor g = wobbles(row().shape(40), 10 * t, dtype);
        a->step(slopes({{w, g}}));
        if (row().decay == optim::Decay::decoupled || setting(settings, "decoupled_weight_decay") != 0) {
          twin *= 1 - b->lr() * decay;
          b->step(slopes({{twin, g}}));
        } else {
          const Tensor sum = g + twin.clone() * decay;
          b->step(slopes({{twin, sum}}));
        }
        EXPECT_EQ(bits(w), bits(twin)) << t;
      }
    }
}

// A tensor of n elements moves as n tensors of one element: blocks of 16, the rest after them, and nothing beside.
TEST_P(Methods, MoveEachElementByItself) {
  if (row().whole) return;
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Settings& settings : row().all)
      for (const std::int64_t n : {0, 1, 15, 16, 17, 33, 1000}) {
        constexpr std::int64_t guard = 24;
        const Tensor all = wobbles({n + 2 * guard}, 5, dtype);
        const Tensor w = all.rows(guard, guard + n);  // a view, at an address that is no multiple of a vector's size
        const std::string before = bits(all);
        std::vector<Tensor> single;
        for (std::int64_t i = 0; i < n; ++i) single.push_back(parameter(w.rows(i, i + 1).clone()));
        const auto together = row().build(Parameters{{"w", w}}, settings);
        std::unique_ptr<optim::Optimizer> apart;
        if (n > 0) apart = row().build(Parameters(single), settings);
        for (int t = 0; t < 3; ++t) {
          const Tensor g = wobbles(row().shape(n), 70 * t, dtype);
          Tape tape;
          tape.watch(w);
          together->step(tape.gradients(sum(w * g)));
          if (n == 0) continue;
          Tape other;
          Tensor loss = zeros({}, dtype);
          for (std::int64_t i = 0; i < n; ++i) loss = loss + sum(single[static_cast<std::size_t>(i)] * g.rows(i, i + 1));
          apart->step(other.gradients(loss));
        }
        std::string elements;
        for (const Tensor& s : single) elements += bits(s);
        EXPECT_EQ(bits(w), elements) << n;
        const std::string now = bits(all);
        const std::size_t edge = guard * size_of(dtype);
        EXPECT_EQ(now.substr(0, edge), before.substr(0, edge));
        EXPECT_EQ(now.substr(now.size() - edge), before.substr(before.size() - edge));
      }
}

TEST_P(Methods, GiveTheSameBitsForAnyNumberOfThreads) {
  struct Restore {
    int n = num_threads();
    ~Restore() { set_num_threads(n); }
  } const restore;
  const std::int64_t n = std::min<std::int64_t>(row().most, (1 << 20) + 7);
  for (const Settings& settings : row().all) {
    std::string first;
    for (const int threads : {1, 2, 3}) {
      set_num_threads(threads);
      const std::string now = bits(after(row(), settings, 2, DType::f32, n));
      if (first.empty()) first = now;
      EXPECT_TRUE(now == first) << threads;
    }
  }
}

TEST_P(Methods, RefuseEachBadOption) {
  ASSERT_FALSE(row().refused.empty());
  for (const Row::Refusal& r : row().refused) {
    Tensor w = zeros(row().shape(2));
    EXPECT_EQ(thrown([&] { row().build(Parameters{{"w", w}}, r.settings); }), "ValueError: [" + row().name + "] " + r.error);
  }
}

TEST_P(Methods, RefuseABadRate) {
  Tensor w = parameter(ones(row().shape(2)));
  const auto optimizer = row().build(Parameters{{"w", w}}, {{"lr", 0.25}});
  EXPECT_EQ(optimizer->lr(), 0.25);
  const std::string before = bits(optimizer->state());
  EXPECT_EQ(thrown([&] { optimizer->set_lr(-0.5); }), "ValueError: [" + row().name + "] lr must not be negative: -0.5");
  EXPECT_EQ(thrown([&] { optimizer->set_lr(NAN); }), "ValueError: [" + row().name + "] lr must be finite: nan");
  EXPECT_EQ(bits(optimizer->state()), before);
  optimizer->set_lr(0.5);
  EXPECT_EQ(optimizer->lr(), 0.5);
  optimizer->set_lr(0);               // a rate of nothing is a rate
  if (row().name == "rprop") return;  // where it is a first step size, which step_size_min bounds
  optimizer->step(slopes({{w, ones(row().shape(2))}}));
  EXPECT_EQ(values(w), (std::vector<double>{1, 1}));
}
