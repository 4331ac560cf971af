#include <capstan/optim/conformance_checks.h>

#include <limits>

// The checks of what a method leaves alone, keeps, and refuses. They stand in one file because all of them look at one Training.
namespace capstan::optim::detail {

using capstan::detail::join;

namespace {

/// Two parameters, one of which gets no gradient in the first two steps, and their optimizer.
struct Training {
  Tensor a, b;
  const Trial& trial;
  std::unique_ptr<Optimizer> optimizer;

  Training(const Trial& of, DType dtype)
      : a(parameter(irregular({3, 6}, 0, dtype))),
        b(parameter(irregular(shape_of(of.subject, 5), 30, dtype))),
        trial(of),
        optimizer(trial.build(Parameters{{"kit.a", a}, {"kit.b", b}})) {}
  void step(int t) {
    const Tensor ga = irregular({3, 6}, 50 + 40 * t, a.dtype()), gb = irregular(b.shape(), 90 + 40 * t, a.dtype());
    trial.step(*optimizer, t < 2 ? gradients_of({{a, ga}}) : gradients_of({{a, ga}, {b, gb}}));
  }
  std::string everything() const {
    return join(bits(a), bits(b), bits(optimizer->state()), static_cast<int>(a.version()), static_cast<int>(b.version()));
  }
};

/// Throws Broken unless body throws ValueError and leaves the training as it was.
template <class Body>
void expect_refusal(const Training& training, const std::string& what, const Trial& trial, Body body) {
  const std::string before = training.everything();
  bool refused = false;
  try {
    body();
  } catch (const ValueError&) {
    refused = true;
  }
  expect(refused, what, " is taken, ", trial.text());
  expect(training.everything() == before, what, " is refused after something was changed, ", trial.text());
}

/// Where a state holds the k-th option: a chain's under a part's name, which is found by another value.
std::vector<std::string> keys_of(const Trial& trial, std::size_t k) {
  if (!trial.subject.chain) return {join(trial.subject.name, "/", trial.subject.options[k])};
  const TensorMap before = Training(trial, DType::f32).optimizer->state();
  std::vector<std::string> keys;
  for (const double value : trial.others(k)) {
    try {
      const Trial with = trial.with(trial.subject.options[k], value);
      const TensorMap after = Training(with, DType::f32).optimizer->state();
      for (const auto& entry : before)
        if (entry.tensor.dtype() == DType::f64 && entry.tensor.dim() == 0 && after.contains(entry.name) &&
            after[entry.name].item() != entry.tensor.item())
          keys.push_back(entry.name);
    } catch (const Error&) {  // a value that the method refuses
    }
    if (!keys.empty()) break;
  }
  return keys;
}

TensorMap with_option(const TensorMap& state, const std::string& key, double value) {
  TensorMap changed;
  for (const auto& entry : state) changed.insert(entry.name, entry.name == key ? full({}, value, DType::f64) : entry.tensor);
  return changed;
}

}  // namespace

void agrees_with_itself(const Subject& s) {
  for_sets(s, [&](const Trial& trial) {
    for (const DType dtype : both_dtypes) {
      const auto run = [&](bool beside) {
        Training one(trial, dtype), other(trial, dtype);
        for (int t = 0; t < 5; ++t) {
          if (beside) other.step(t);
          one.step(t);
        }
        return one.everything();
      };
      const std::string first = run(false);
      expect(run(false) == first, "the second run in ", dtype, " ends elsewhere than the first, ", trial.text());
      expect(run(true) == first, "beside another optimizer a run in ", dtype, " ends elsewhere than alone, ", trial.text());
    }
  });
}

void tells_name_and_options(const Subject& s) {
  for_sets(s, [&](const Trial& trial) {
    const Training training(trial, DType::f32);
    expect(std::string_view(training.optimizer->method()) == s.name, "it is called ", training.optimizer->method(), " and not ", s.name);
    expect(trial.place("lr") != Trial::no_option, "there is no option lr");
    const TensorMap state = training.optimizer->state();
    for (std::size_t k = 0; s.chain && k < s.options.size(); ++k)
      expect(!keys_of(trial, k).empty(), "no number of the state follows ", s.options[k], ", ", trial.text());
    std::size_t i = 0;
    for (const char* option : s.options) {
      if (s.chain) break;
      const std::string key = join(s.name, "/", option);
      expect(i < state.size() && state.at(i).name == key, "the state does not list ", key, " in its place");
      expect(state.at(i).tensor.item() == trial.values[i], "the state's ", key, " is ", state.at(i).tensor.item(), ", ", trial.text());
      ++i;
    }
    expect(training.optimizer->lr() == trial.get("lr"), "lr() is ", training.optimizer->lr(), ", ", trial.text());
    expect(training.optimizer->explain().starts_with(join(s.name, ": ")), "explain() does not begin with the name");
  });
}

void leaves_gradient_alone(const Subject& s) {
  for_sets(s, [&](const Trial& trial) {
    for (const DType dtype : both_dtypes) {
      Tensor w = parameter(irregular({11, 3}, 0, dtype));
      const auto optimizer = trial.build(Parameters{{"kit.w", w}});
      const Gradients g = gradients_of({{w, irregular({11, 3}, 40, dtype)}});
      for (int t = 0; t < 2; ++t) trial.step(*optimizer, g);
      expect(bits(g[w]) == bits(irregular({11, 3}, 40, dtype)), "a ", dtype, " gradient was changed, ", trial.text());
    }
  });
}

std::string rests_at_zero_gradient(const Subject& s) {
  std::size_t restless = 0;
  for_sets(s, [&](const Trial& set) {
    const Trial trial = set.with("weight_decay", 0);
    if (!trial.rests()) {
      ++restless;
      return;
    }
    for (const DType dtype : both_dtypes) {
      Tensor w = parameter(irregular(shape_of(s, 37), 0, dtype));
      const std::string before = bits(w);
      const auto optimizer = trial.build(Parameters{{"kit.w", w}});
      for (int t = 0; t < 3; ++t) trial.step(*optimizer, gradients_of({{w, zeros(shape_of(s, 37), dtype)}}));
      expect(bits(w) == before, "three gradients of 0 move a ", dtype, " parameter, ", trial.text());
      for (int t = 0; t < 3; ++t) trial.step(*optimizer, gradients_of({{w, ones(shape_of(s, 37), dtype)}}));
      expect(bits(w) != before, "three gradients of 1 after that do not move a ", dtype, " parameter, ", trial.text());
    }
  });
  if (restless == s.count) throw NotClaimed{"rests() says so for each set"};
  return restless == 0 ? "" : left_out(restless, " of ", s.count, " sets, for which rests() says that it does not");
}

void leaves_idle_alone(const Subject& s) {
  for_sets(s, [&](const Trial& trial) {
    Tensor w = parameter(irregular(shape_of(s, 5), 0, DType::f64)), idle = parameter(irregular(shape_of(s, 6), 9, DType::f64));
    const std::string before = bits(idle);
    const auto optimizer = trial.build(Parameters{{"kit.idle", idle}, {"kit.w", w}});
    for (int t = 0; t < 3; ++t) trial.step(*optimizer, gradients_of({{w, ones(shape_of(s, 5), DType::f64)}}));
    expect(bits(idle) == before && idle.version() == 0, "it was moved, ", trial.text());
    const TensorMap state = optimizer->state();
    expect(*state["kit.idle/step"].data<std::int64_t>() == 0 && *state["kit.w/step"].data<std::int64_t>() == 3, "its steps were counted, ",
           trial.text());
    for (const auto& entry : state)
      expect(!entry.name.starts_with("kit.idle/") || entry.name == "kit.idle/step", "it has a state: ", entry.name, ", ", trial.text());
  });
}

void starts_later_afresh(const Subject& s) {
  if (s.settings.together) throw NotClaimed{"all parameters make one step"};
  for_sets(s, [&](const Trial& trial) {
    Tensor w = parameter(irregular(shape_of(s, 5), 0, DType::f64)), late = parameter(irregular(shape_of(s, 6), 9, DType::f64)),
           twin = parameter(late.clone());
    const auto optimizer = trial.build(Parameters{{"kit.w", w}}), fresh = trial.build(Parameters{{"kit.twin", twin}});
    for (int t = 0; t < 4; ++t) trial.step(*optimizer, gradients_of({{w, irregular(shape_of(s, 5), t, DType::f64)}}));
    optimizer->add_parameters(Parameters{{"kit.late", late}});
    for (int t = 0; t < 3; ++t) {
      const Tensor g = irregular(shape_of(s, 6), 20 + t, DType::f64);
      trial.step(*optimizer, gradients_of({{w, irregular(shape_of(s, 5), t, DType::f64)}, {late, g}}));
      trial.step(*fresh, gradients_of({{twin, g}}));
      expect(bits(late) == bits(twin), "added after four steps, it moves otherwise than in an optimizer of its own, ", trial.text());
    }
    const TensorMap state = optimizer->state();
    for (const auto& [key, steps] :
         {std::pair{join(s.name, "/step"), 7}, {std::string("kit.w/step"), 7}, {std::string("kit.late/step"), 3}})
      expect(*state[key].data<std::int64_t>() == steps, key, " is ", *state[key].data<std::int64_t>(), " and not ", steps);
  });
}

void moves_group_by_its_options(const Subject& s) {
  if (s.settings.together) throw NotClaimed{"all parameters make one step"};
  if (!s.group) throw NotClaimed{"the method has no group()"};
  for_sets(s, [&](const Trial& trial) {
    for_sets(s, [&](const Trial& other) {
      const Trial own = other.with("lr", 2 * trial.get("lr") + 0.25), inherits = other.with("lr", trial.get("lr"));
      for (const Trial* group : {&own, &inherits}) {
        Training both(trial, DType::f64), alone(trial, DType::f64);
        Tensor b = parameter(both.b.clone());
        const auto apart = group->build(Parameters{{"kit.b", b}});
        s.group(*both.optimizer, "kit.b", group->values);
        for (int t = 0; t < 6; ++t) {
          if (t == 4) {  // the rate that the group did not set follows the optimizer's
            both.optimizer->set_lr(0.75 * trial.get("lr"));
            alone.optimizer->set_lr(0.75 * trial.get("lr"));
            if (group == &inherits) apart->set_lr(0.75 * trial.get("lr"));
          }
          both.step(t);
          alone.step(t);
          if (t >= 2) trial.step(*apart, gradients_of({{b, irregular(shape_of(s, 5), 90 + 40 * t, DType::f64)}}));
        }
        expect(bits(both.b) == bits(b), "a group of ", group->text(), " in ", trial.text(),
               " moves otherwise than an optimizer with its options");
        expect(bits(both.a) == bits(alone.a), "a group of ", group->text(), " in ", trial.text(), " moves others too");
      }
    });
    Training training(trial, DType::f64);
    expect_refusal(training, "a group's pattern that matches nothing", trial, [&] { s.group(*training.optimizer, "c", trial.values); });
  });
}

// The other optimizer was made with other options, and may have been at work with another rule before.
void goes_on_after_load(const Subject& s) {
  for_sets(s, [&](const Trial& from) {
    for_sets(s, [&](const Trial& to) {
      for (const DType dtype : both_dtypes)
        for (const int before : {0, 1, 4})
          for (const int used : {0, 3}) {
            Training run(from, dtype), other(to, dtype);
            for (int t = 0; t < before; ++t) run.step(t);
            for (int t = 0; t < used; ++t) other.step(t);
            const auto same = [&] {
              return bits(run.a) == bits(other.a) && bits(run.b) == bits(other.b) &&
                     bits(run.optimizer->state()) == bits(other.optimizer->state());
            };
            const std::string where = join("after ", before, " steps in ", dtype, " with ", from.text(), ", loaded into ", to.text());
            other.optimizer->load_state(run.optimizer->state());
            other.a.assign(run.a);
            other.b.assign(run.b);
            expect(same(), "the loaded state is another one ", where);
            for (int t = before; t < before + 3; ++t) {
              run.step(t);
              other.step(t);
              expect(same(), "step ", t + 1 - before, " is another one ", where);
            }
          }
    });
  });
}

void refuses_non_finite(const Subject& s) {
  constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  for_sets(s, [&](const Trial& trial) {
    for (const DType dtype : both_dtypes) {
      Training training(trial, dtype);
      for (int t = 0; t < 3; ++t) training.step(t);
      const auto step = [&](double loss, double steep) {
        Tape tape;
        const Tensor one = training.b.rows(3, 4);
        const Tensor root = sum(sqrt(one - one.detach()));  // 0, and infinitely steep
        const Tensor value = sum(training.a) + sum(training.b) + full({}, loss, dtype);
        trial.step(*training.optimizer, tape.gradients(std::isfinite(loss) ? value + steep * root : value));
      };
      for (const double bad : {inf, -inf, nan}) {
        expect_refusal(training, join("a loss of ", bad), trial, [&] { step(bad, 0); });
        expect_refusal(training, join("a gradient with ", bad, " in ", dtype), trial, [&] {
          step(0, std::isnan(bad) ? 0 : bad > 0 ? 1 : -1);
        });
      }
      expect_refusal(training, "a step without any gradient", trial, [&] { trial.step(*training.optimizer, Gradients()); });
    }
  });
}

std::string refuses_bad_options(const Subject& s) {
  constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  for_sets(s, [&](const Trial& trial) {
    for (std::size_t k = 0; k < s.options.size(); ++k) {
      const std::string option = s.options[k];
      std::vector<double> bad = {nan, inf, -inf};
      if (option == "lr" || option == "eps" || option == "weight_decay") bad.push_back(-0.5);
      const FieldInfo& field = s.fields[k];
      const bool is_number = field.kind == FieldInfo::Kind::number;
      if (!is_number) bad = {0.5, field.kind == FieldInfo::Kind::word ? static_cast<double>(field.count) : 0x1p60, nan};
      const std::vector<std::string> keys = keys_of(trial, k);
      for (const double value : bad) {
        const std::string what = join(option, " ", value);
        Training training(trial, DType::f32);
        training.step(0);
        const Trial wrong = trial.with(option, value);
        for (const std::string& key : keys)
          expect_refusal(training, what + " in a state", trial,
                         [&] { training.optimizer->load_state(with_option(training.optimizer->state(), key, value)); });
        if (!is_number) continue;  // elsewhere it is a bool, an integer or an enumerator
        expect_refusal(training, what + " in the constructor", trial, [&] { wrong.build(Parameters{{"kit.w", zeros(shape_of(s, 2))}}); });
        if (option == "lr") expect_refusal(training, what + " in set_lr()", trial, [&] { training.optimizer->set_lr(value); });
        if (s.group) expect_refusal(training, what + " in group()", trial, [&] { s.group(*training.optimizer, "kit.b", wrong.values); });
      }
    }
  });
  return s.group ? "" : left_out("group(), which the method does not have");
}

}  // namespace capstan::optim::detail
