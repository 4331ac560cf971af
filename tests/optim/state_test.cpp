#include <capstan/optim/make.h>

#include <limits>

#include "methods.h"
#include "support.h"

// state() and load_state(): what does not fit is listed whole. That what goes out comes back to the bit, the kit checks.

namespace {

class States : public testing::TestWithParam<std::size_t> {
 protected:
  const Row& row() const { return rows().at(GetParam()); }
};

/// Two parameters, one of which gets no gradient in the first two steps, and their optimizer.
struct Training {
  Tensor a, b;
  std::unique_ptr<optim::Optimizer> optimizer;

  Training(const Row& row, const Settings& settings, DType dtype)
      : a(parameter(wobbles({3, 6}, 0, dtype))),
        b(parameter(wobbles(row.shape(5), 30, dtype))),
        optimizer(row.build(Parameters{{"a", a}, {"b", b}}, settings)) {}
  void step(int t) {
    const Tensor ga = wobbles({3, 6}, 50 + 40 * t, a.dtype()), gb = wobbles(b.shape(), 90 + 40 * t, a.dtype());
    optimizer->step(t < 2 ? Gradients::from({{a, ga}}) : Gradients::from({{a, ga}, {b, gb}}));
  }
  std::string all_bits() const { return bits(a) + bits(b) + bits(optimizer->state()); }
};

}  // namespace

INSTANTIATE_TEST_SUITE_P(Each, States, testing::Range<std::size_t>(0, rows().size()),
                         [](const auto& one) { return std::to_string(one.param) + "_" + rows().at(one.param).name; });

// A file has an order of its own.
TEST_P(States, ComeBackInAnyOrder) {
  for (const Settings& settings : row().all) {
    Training run(row(), settings, DType::f64), other(row(), settings, DType::f64);
    run.step(0);
    run.step(2);
    const TensorMap state = run.optimizer->state();
    TensorMap backwards;
    for (auto entry = state.end(); entry != state.begin();) {
      --entry;
      backwards.insert(entry->name, entry->tensor);
    }
    other.optimizer->load_state(backwards);
    EXPECT_EQ(bits(other.optimizer->state()), bits(state));
  }
}

TEST_P(States, LiveOnesAreTheSameWithoutCopies) {
  for (const Settings& settings : row().all) {
    Training run(row(), settings, DType::f32);
    for (int t = 0; t < 3; ++t) run.step(t);
    const TensorMap live = run.optimizer->live_state(), again = run.optimizer->live_state(), state = run.optimizer->state();
    EXPECT_EQ(bits(live), bits(state));
    for (const auto& [name, t] : live) {
      if (t.numel() < 3) continue;  // a number
      EXPECT_EQ(t.header()->data, again[name].header()->data) << name;
      EXPECT_NE(t.header()->data, state[name].header()->data) << name;
    }
  }
}

TEST_P(States, AreDeepCopies) {
  const Settings& settings = row().all.back();
  Training run(row(), settings, DType::f64);
  for (int t = 0; t < 3; ++t) run.step(t);
  const TensorMap state = run.optimizer->state();
  const std::string before = bits(state);
  run.step(3);
  EXPECT_EQ(bits(state), before);  // stepping changes no state that was taken
  run.optimizer->load_state(state);
  for (const auto& entry : state)
    if (entry.tensor.dim() > 0) Tensor(entry.tensor).assign(zeros(entry.tensor.shape(), DType::f64));
  EXPECT_EQ(bits(run.optimizer->state()), before);  // nor does the loaded optimizer keep what it was given
}

TEST_P(States, NameASlotForEachOfTheRules) {
  std::string seen;
  for (const Settings& settings : row().all) {
    Training run(row(), settings, DType::f32);
    run.step(2);
    const TensorMap state = run.optimizer->state();
    seen += "|";
    for (const auto& [key, tensor] : state)
      if (key.starts_with("a/") && key != "a/step") {
        seen += " " + key.substr(2);
        EXPECT_TRUE(row().whole || tensor.shape() == run.a.shape());
        EXPECT_EQ(tensor.dtype(), DType::f32);
      } else if (key != "b/step" && key != "a/step" && key != row().name + "/step" && !key.starts_with("b/")) {
        EXPECT_EQ(tensor.dtype(), DType::f64) << key;
        EXPECT_EQ(tensor.dim(), 0) << key;
      }
    EXPECT_EQ(state["a/step"].dtype(), DType::i64);
  }
  EXPECT_EQ(seen, row().slots);
}

// Whatever single tensor is lost, or has another shape or dtype: it is named, and nothing changes.
TEST_P(States, RefuseAnythingMissingOrOfAnotherKind) {
  for (const Settings& settings : row().all) {
    Training run(row(), settings, DType::f32), other(row(), settings, DType::f32);
    for (int t = 0; t < 4; ++t) run.step(t);
    other.step(2);
    const TensorMap state = run.optimizer->state();
    const std::string before = other.all_bits(), head = "ValueError: [" + row().name + "] the state does not fit this optimizer:";
    for (const auto& [key, tensor] : state) {
      const std::string missing = thrown([&, &name = key] { other.optimizer->load_state(without(state, name)); });
      if (key != "a/step" && key != "b/step") {
        EXPECT_EQ(missing, head + "\n  missing: " + key);
      } else {  // without the count it is not known whether there should be slots
        EXPECT_TRUE(missing.starts_with(head + "\n  missing: " + key)) << missing;
      }
      const Tensor wide = zeros({2, 2}, tensor.dtype());
      const std::string wrong = thrown([&, &name = key] { other.optimizer->load_state(without(state, name, wide)); });
      EXPECT_TRUE(wrong.starts_with(head + "\n  " + key + ": " + name(tensor.dtype()) + " [2, 2], wanted " + name(tensor.dtype()) + " " +
                                    to_string(tensor.shape())))
          << wrong;
      const DType dtype = tensor.dtype() == DType::f64 ? DType::f32 : DType::f64;
      const std::string kind = thrown([&, &name = key, &t = tensor] { other.optimizer->load_state(without(state, name, t.to(dtype))); });
      EXPECT_TRUE(kind.starts_with(head + "\n  " + key + ": " + name(dtype) + " " + to_string(tensor.shape()) + ", wanted " +
                                   name(tensor.dtype()) + " " + to_string(tensor.shape())))
          << kind;
      EXPECT_EQ(other.all_bits(), before);
    }
  }
}

TEST_P(States, RefuseABadOption) {
  for (const Row::Refusal& r : row().refused) {
    if (r.settings.size() > 1) continue;
    const auto& [option, value] = r.settings.front();
    Training run(row(), {}, DType::f32);  // before its first step: else a momentum that comes from nowhere misses its slots too
    const std::string before = run.all_bits(), key = row().name + "/" + option;
    const TensorMap state = without(run.optimizer->state(), key, full({}, value, DType::f64));
    EXPECT_EQ(thrown([&] { run.optimizer->load_state(state); }), "ValueError: [" + row().name + "] " + r.error);
    EXPECT_EQ(run.all_bits(), before);
  }
}

// Slots and counts that fit do not come in with options that do not.
TEST_P(States, TakeAllOrNothing) {
  for (const Settings& settings : row().all) {
    Training run(row(), settings, DType::f32), other(row(), settings, DType::f32);
    for (int t = 0; t < 4; ++t) run.step(t);
    other.step(0);
    const std::string before = other.all_bits();
    const TensorMap state = without(run.optimizer->state(), row().name + "/lr", full({}, -0.5, DType::f64));
    EXPECT_EQ(thrown([&] { other.optimizer->load_state(state); }), "ValueError: [" + row().name + "] lr must not be negative: -0.5");
    EXPECT_EQ(other.all_bits(), before);
  }
}

TEST(State, ListsAllThatDoesNotFit) {
  Tensor w = parameter(ones({2, 3})), b = parameter(ones({3}));
  optim::Adagrad adagrad(Parameters{{"w", w}, {"b", b}}, {.lr = 0.1});
  adagrad.step(Gradients::from({{w, ones({2, 3})}, {b, ones({3})}}));
  const std::string before = bits(adagrad.state());
  TensorMap state = without(without(adagrad.state(), "adagrad/eps"), "w/sum", ones({3, 2}));
  state = without(without(state, "b/sum", ones({3}, DType::f64)), "b/step", ones({}, DType::f32));
  state.insert("extra", ones({2}));
  EXPECT_EQ(thrown([&] { adagrad.load_state(state); }), R"(ValueError: [adagrad] the state does not fit this optimizer:
  missing: adagrad/eps
  w/sum: f32 [3, 2], wanted f32 [2, 3]
  b/step: f32 [], wanted i64 []
  unexpected: b/sum
  unexpected: extra)");
  EXPECT_EQ(bits(adagrad.state()), before);
  EXPECT_EQ(thrown([&] { adagrad.load_state({}); }), R"(ValueError: [adagrad] the state does not fit this optimizer:
  missing: adagrad/lr
  missing: adagrad/eps
  missing: adagrad/eps_inside_root
  missing: adagrad/initial_accumulator
  missing: adagrad/lr_decay
  missing: adagrad/weight_decay
  missing: adagrad/step
  missing: w/step
  missing: b/step)");
  EXPECT_EQ(bits(adagrad.state()), before);
}

TEST(State, OfAModelIsOfNoMethod) {
  optim::Adagrad adagrad(Parameters{{"0.weight", parameter(ones({2}))}});
  EXPECT_EQ(thrown([&] {
              adagrad.load_state({{"0.weight", ones({2})}});
            }),
            R"(ValueError: [adagrad] the state does not fit this optimizer:
  missing: adagrad/lr
  missing: adagrad/eps
  missing: adagrad/eps_inside_root
  missing: adagrad/initial_accumulator
  missing: adagrad/lr_decay
  missing: adagrad/weight_decay
  missing: adagrad/step
  missing: 0.weight/step
  unexpected: 0.weight)");
}

TEST(State, OfAnotherMethodIsRefused) {
  Tensor w = parameter(ones({2}));
  optim::SGD sgd(Parameters{{"w", w}}, {.momentum = 0.5});
  sgd.step(Gradients::from({{w, ones({2})}}));
  optim::Adagrad adagrad(Parameters{{"w", w}});
  EXPECT_EQ(thrown([&] { adagrad.load_state(sgd.state()); }), R"(ValueError: [adagrad] the state does not fit this optimizer:
  method: sgd, wanted adagrad
  missing: adagrad/lr
  missing: adagrad/eps
  missing: adagrad/eps_inside_root
  missing: adagrad/initial_accumulator
  missing: adagrad/lr_decay
  missing: adagrad/weight_decay
  missing: adagrad/step
  missing: w/sum
  unexpected: sgd/lr
  unexpected: sgd/momentum
  unexpected: sgd/dampening
  unexpected: sgd/nesterov
  unexpected: sgd/weight_decay
  unexpected: sgd/step
  unexpected: w/momentum)");
}

// A buffer that the loaded options call for may not start from nothing without a word, nor one be dropped that they do not.
TEST(State, MustHoldTheSlotsThatItsOptionsCallFor) {
  Tensor w = parameter(ones({2}));
  optim::SGD plain(Parameters{{"w", w}}), momentum(Parameters{{"w", w}}, {.momentum = 0.5});
  plain.step(Gradients::from({{w, ones({2})}}));
  momentum.step(Gradients::from({{w, ones({2})}}));
  EXPECT_EQ(thrown([&] { plain.load_state(without(momentum.state(), "w/momentum")); }),
            "ValueError: [sgd] the state does not fit this optimizer:\n  missing: w/momentum");
  TensorMap more = plain.state();
  more.insert("w/momentum", ones({2}));
  EXPECT_EQ(thrown([&] { momentum.load_state(more); }),
            "ValueError: [sgd] the state does not fit this optimizer:\n  unexpected: w/momentum");
  EXPECT_EQ(momentum.options().momentum, 0.5);
  EXPECT_EQ(plain.options().momentum, 0);
}

TEST(State, RefusesANegativeCount) {
  Tensor w = parameter(ones({2}));
  optim::SGD sgd(Parameters{{"w", w}});
  const Tensor bad = tensor(-3, DType::i64);
  const TensorMap state = without(without(sgd.state(), "sgd/step", bad), "w/step", bad);
  EXPECT_EQ(thrown([&] { sgd.load_state(state); }), R"(ValueError: [sgd] the state does not fit this optimizer:
  sgd/step: a count must not be negative: -3
  w/step: a count must not be negative: -3)");
  EXPECT_EQ(
      thrown([&] { sgd.load_state(without(sgd.state(), "sgd/step", tensor(std::vector<std::int64_t>{INT64_MAX}).reshape(Shape{}))); }),
      "ValueError: [sgd] the state does not fit this optimizer:\n  sgd/step: a count must not be above 2^53: 9223372036854775807");
}

TEST(State, TakesAFlagForWhatItIs) {
  Tensor w = parameter(ones({2}));
  optim::SGD sgd(Parameters{{"w", w}}, {.momentum = 0.5});
  for (const double value : {0.5, -1.0, 2.0}) {
    const TensorMap state = without(sgd.state(), "sgd/nesterov", full({}, value, DType::f64));
    EXPECT_EQ(thrown([&] { sgd.load_state(state); }), "ValueError: [sgd] nesterov must be 0 or 1: " + std::string(value == 0.5 ? "0.5"
                                                                                                                  : value < 0  ? "-1"
                                                                                                                               : "2"));
  }
  EXPECT_EQ(
      thrown([&] { sgd.load_state(without(sgd.state(), "sgd/nesterov", full({}, std::numeric_limits<double>::quiet_NaN(), DType::f64))); }),
      "ValueError: [sgd] nesterov must be 0 or 1: nan");
  sgd.load_state(without(sgd.state(), "sgd/nesterov", ones({}, DType::f64)));
  EXPECT_TRUE(sgd.options().nesterov);
}

// An option that changes between two steps keeps what both rules know; the state in between already has the new slots.
TEST(State, BetweenTwoRulesIsThatOfTheNextStep) {
  const auto make = [](Tensor& w) { return std::make_unique<optim::RMSProp>(Parameters{{"w", w}}, optim::RMSPropOptions{.lr = 0.1}); };
  const auto switch_on = [](optim::RMSProp& o) { o.group("w", [](auto& options) { options.momentum = 0.5; }); };
  Tensor w = parameter(wobbles({5}, 0, DType::f64));
  const auto run = make(w);
  run->step(Gradients::from({{w, wobbles({5}, 9, DType::f64)}}));
  const Tensor average = run->state()["w/square_avg"];
  switch_on(*run);
  const TensorMap state = run->state();
  EXPECT_EQ(bits(state["w/square_avg"]), bits(average));
  EXPECT_EQ(bits(state["w/momentum"]), bits(zeros({5}, DType::f64)));
  Tensor twin = parameter(w.clone());
  const auto other = make(twin);
  switch_on(*other);
  other->load_state(state);
  for (int t = 0; t < 3; ++t) {
    run->step(Gradients::from({{w, wobbles({5}, 20 + t, DType::f64)}}));
    other->step(Gradients::from({{twin, wobbles({5}, 20 + t, DType::f64)}}));
    EXPECT_EQ(bits(twin), bits(w));
  }
}
