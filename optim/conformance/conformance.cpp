#include <capstan/optim/conformance.h>

#include <capstan/core/threads.h>
#include <capstan/optim/conformance_checks.h>

// The report, and the checks of how a method moves.
namespace capstan::optim {

using capstan::detail::join;

Conformance::operator bool() const noexcept {
  return std::none_of(properties.begin(), properties.end(), [](const Property& p) { return p.outcome == Property::Outcome::failed; });
}

std::string Conformance::text() const {
  std::string s;
  for (const Property& p : properties) {
    const char* word = p.outcome == Property::Outcome::held ? "held" : p.outcome == Property::Outcome::failed ? "FAILED" : "not claimed";
    s += join(s.empty() ? "" : "\n", method, " ", p.name, ": ", word, p.message.empty() ? "" : join(" (", p.message, ")"));
  }
  return s;
}

namespace detail {

namespace {

/// The parameter after `steps` steps along gradients that depend on it and have small and large times, from a fixed start.
Tensor after(const Trial& trial, int steps, DType dtype, const Shape& shape) {
  Tensor w = parameter(irregular(shape, 3, dtype));
  const auto optimizer = trial.build(Parameters{{"kit.w", w}});
  for (int t = 0; t < steps; ++t) {
    const double size = t % 5 == 3 ? 0.125 : 1;
    trial.step(*optimizer, gradients_of({{w, size * irregular(shape, 100 * t, dtype) + 0.5 * w.clone()}}));
    optimizer->set_lr(1.1 * optimizer->lr());  // some options weigh the rates of different steps
  }
  return w;
}

/// How much of the first loss is left in the end; infinite when it got worse without bound.
template <class Loss>
double share_left(const Trial& trial, const Tensor& start, int steps, Loss loss) {
  Tensor w = parameter(start.clone());
  const auto optimizer = trial.build(Parameters{{"kit.w", w}});
  const double first = loss(w).item();
  for (int t = 0; t < steps; ++t) {
    Tape tape;
    const Tensor now = loss(w);
    if (!(now.item() < 1e6 * first)) return INFINITY;
    if (now.item() == 0) return 0;
    trial.step(*optimizer, tape.gradients(now));
  }
  return loss(w).item() / first;
}

template <class Loss>
void converges(const Subject& s, double left, int steps, const Tensor& start, Loss loss) {
  const Trial given = Trial(s, 0).with("weight_decay", 0);  // which has another bottom
  for (const DType dtype : both_dtypes) {
    double best = INFINITY;
    for (const double factor : {1.0, 0.1, 10.0, 0.01, 100.0, 1e-3, 1e3, 1e-4}) {
      best = std::min(best, share_left(given.with("lr", given.get("lr") * factor), start.to(dtype), steps, loss));
      if (best <= left) break;
    }
    expect(best <= left, dtype, ", at the best of eight rates ", best, " of the first loss is left after ", steps, " steps, ",
           given.text());
  }
}

/// That weight decay goes in through the gradient, or is decoupled.
void expect_decay(const Trial& trial, double decay, DType dtype) {
  Tensor w = parameter(irregular({3, 4}, 0, dtype)), l2 = parameter(w.clone()), decoupled = parameter(w.clone());
  const Trial plain = trial.with("weight_decay", 0);
  const auto whole = trial.build(Parameters{{"kit.w", w}}), added = plain.build(Parameters{{"kit.w", l2}}),
             taken = plain.build(Parameters{{"kit.w", decoupled}});
  for (int t = 0; t < 5; ++t) {
    const Tensor g = irregular({3, 4}, 100 * t, dtype);
    whole->step(gradients_of({{w, g}}));
    added->step(gradients_of({{l2, g + decay * l2.clone()}}));
    decoupled *= 1 - trial.get("lr") * decay;
    taken->step(gradients_of({{decoupled, g}}));
  }
  const double off = std::min(distance(w, l2), distance(w, decoupled));
  expect(off <= (dtype == DType::f64 ? 1e-12 : 1e-5), "weight decay in ", dtype, " is ", off,
         " away from decay through the gradient and from decoupled decay, ", trial.text());
}

}  // namespace

void converges_on_parabola(const Subject& s) {
  converges(s, s.settings.parabola, 1000, zeros({3, 4}, DType::f64), [](const Tensor& w) {
    const DType dtype = w.dtype();
    const Tensor bottom = irregular({3, 4}, 50, dtype), steepness = tensor({1, 0.5, 2, 1, 0.75, 1.5, 1, 0.5, 1, 2, 0.25, 1}, dtype);
    return 0.5 * sum(steepness.reshape({3, 4}) * square(w - bottom));
  });
}

void converges_on_rosenbrock(const Subject& s) {
  converges(s, s.settings.rosenbrock, 5000, tensor({-1.2, 1}, DType::f64).reshape(shape_of(s, 2)), [](const Tensor& w) {
    const Tensor x = w.rows(0, 1), y = w.rows(1, 2);
    return sum(square(1 - x) + 100 * square(y - square(x)));
  });
}

std::string feels_each_option(const Subject& s) {
  std::string elsewhere;
  for (std::size_t k = 0; k < s.options.size(); ++k) {
    if (std::count(s.settings.elsewhere.begin(), s.settings.elsewhere.end(), s.options[k]) > 0) {
      elsewhere += join(elsewhere.empty() ? "" : ", ", s.options[k]);
      continue;
    }
    for (const DType dtype : both_dtypes) {
      double most = 0;
      for_sets(s, [&](const Trial& trial) {
        const double old = trial.values[k];
        const Tensor base = after(trial, 12, dtype, {3, 4});
        for (const double value : trial.others(k)) {
          if (most > 1e-4 || value == old) continue;
          try {
            const double d = distance(base, after(trial.with(s.options[k], value), 12, dtype, {3, 4}));
            if (std::isfinite(d)) most = std::max(most, d);
          } catch (const Error&) {  // a value that the method refuses says nothing
          }
        }
      });
      expect(most > 1e-4, "no value of ", s.options[k], " moves a ", dtype, " parameter elsewhere by more than ", most);
    }
  }
  return elsewhere.empty() ? "" : left_out(elsewhere, ", of which step(gradients) has no use");
}

void follows_f64(const Subject& s) {
  for_sets(s, [&](const Trial& trial) {
    const Tensor single = after(trial, 10, DType::f32, {3, 4}), exact = after(trial, 10, DType::f64, {3, 4});
    const double off = distance(single, exact);
    expect(off <= 1e-4, "after ten steps they differ by ", off, ", ", trial.text());
    expect(single.dtype() == DType::f32 && exact.dtype() == DType::f64, "a parameter's dtype changed, ", trial.text());
  });
}

std::string composes(const Subject& s) {
  std::size_t own = 0;
  bool has_decay = false;
  for_sets(s, [&](const Trial& trial) {
    Tensor w = parameter(irregular({3, 4}, 0, DType::f64)), by_hand = parameter(w.clone());
    const auto a = trial.build(Parameters{{"kit.w", w}}), b = trial.build(Parameters{{"kit.w", by_hand}});
    for (int t = 0; t < 5; ++t) {
      const Tensor g = irregular({3, 4}, 100 * t, DType::f64);
      trial.step(*a, clip_value(clip_norm(gradients_of({{w, 4 * g}}), 1), 0.25));
      trial.step(*b, gradients_of({{by_hand, clip_value(clip_norm(gradients_of({{by_hand, 4 * g}}), 1), 0.25)[by_hand].clone()}}));
    }
    expect(bits(w) == bits(by_hand), "clipped gradients move it otherwise than the same numbers from a tape, ", trial.text());

    if (trial.place("weight_decay") == Trial::no_option) return;
    has_decay = true;
    const double decay = trial.get("weight_decay") == 0 ? 0.1 : trial.get("weight_decay");
    const Trial with = trial.with("weight_decay", decay);
    if (with.decays_itself()) {
      ++own;
      return;
    }
    for (const DType dtype : both_dtypes) expect_decay(with, decay, dtype);
  });
  if (!has_decay) return left_out("weight decay, for which there is no option");
  if (own == 0) return "";
  return left_out("weight decay", own < s.count ? join(" in ", own, " of ", s.count, " sets") : "",
                  ", for which decay() says that the method has its own way");
}

std::string same_for_any_threads(const Subject& s) {
  struct Restore {
    int n = num_threads();
    ~Restore() { set_num_threads(n); }
  } const restore;
  const Shape shape = s.settings.most < 262'400 ? shape_of(s, s.settings.most) : Shape{1025, 256};
  for_sets(s, [&](const Trial& trial) {
    std::string first;
    for (const int threads : {1, 2, 3}) {
      set_num_threads(threads);
      const std::string now = bits(after(trial, 2, DType::f32, shape));
      if (threads == 1) first = now;
      expect(now == first, threads, " threads move ", shape.numel(), " elements otherwise than one, ", trial.text());
    }
  });
  return shape.numel() < 262'400 ? left_out("more than ", shape.numel(), " elements, the most that a parameter may have") : "";
}

void moves_each_element_by_itself(const Subject& s) {
  if (!s.elementwise) throw NotClaimed{"the method is no Elementwise"};
  if (s.settings.together) throw NotClaimed{"all parameters make one step"};
  for_sets(s, [&](const Trial& trial) {
    for (const DType dtype : both_dtypes)
      for (const std::int64_t n : {0, 1, 15, 16, 17, 33, 1000}) {
        constexpr std::int64_t guard = 24;
        const Tensor all = irregular({n + 2 * guard}, 5, dtype);
        // A view, at an address that is no multiple of a vector's size. Gradients by rows are made for no view.
        const Tensor view = all.rows(guard, guard + n), w = s.only_rows ? parameter(view.clone()) : view;
        const std::string before = bits(all);
        std::vector<Tensor> single, backwards;  // the other way round, so that a rule which changes as it goes cannot hide
        for (std::int64_t i = 0; i < n; ++i) single.push_back(parameter(w.rows(i, i + 1).clone()));
        for (std::int64_t i = n - 1; i >= 0; --i) backwards.push_back(single[static_cast<std::size_t>(i)]);
        const auto together = trial.build(Parameters{{"kit.w", w}});
        const auto apart = n == 0 ? nullptr : trial.build(Parameters(backwards));
        for (int t = 0; t < 3; ++t) {
          const Tensor g = irregular({n}, 70 * t, dtype);
          Tape tape;
          tape.watch(w);
          trial.step(*together, tape.gradients(sum(w * g)));
          std::vector<GradientFor> slopes;
          for (std::int64_t i = 0; i < n; ++i) slopes.emplace_back(single[static_cast<std::size_t>(i)], g.rows(i, i + 1));
          if (apart) trial.step(*apart, gradients_of(slopes));
        }
        std::string elements;
        for (const Tensor& t : single) elements += bits(t);
        expect(bits(w) == elements, n, " elements in ", dtype, " move otherwise together than apart, ", trial.text());
        const std::string now = bits(all);
        const std::size_t edge = guard * size_of(dtype);
        expect(now.substr(0, edge) == before.substr(0, edge) && now.substr(now.size() - edge) == before.substr(before.size() - edge),
               "the memory beside ", n, " elements was written, ", trial.text());
      }
  });
}

Conformance check_conformance(const Subject& s) {
  for_sets(s, [](const Trial& trial) { trial.build(Parameters{{"kit.w", zeros(shape_of(trial.subject, 2))}}); });
  Conformance report{s.name, {}};
  const auto check = [&](const char* name, auto holds) {
    using enum Property::Outcome;
    Property p{name, held, ""};
    try {
      if constexpr (std::is_void_v<decltype(holds())>)
        holds();
      else
        p.message = holds();
    } catch (const Broken& broken) {
      p = {name, failed, broken.message};
    } catch (const NotClaimed& nothing) {
      p = {name, not_claimed, nothing.message};
    } catch (const std::exception& error) {
      p = {name, failed, error.what()};
    }
    report.properties.push_back(std::move(p));
  };
  check("two fresh runs agree to the bit", [&] { agrees_with_itself(s); });  // first: a static variable may get stuck in time
  check("tells its name and options", [&] { tells_name_and_options(s); });
  check("converges on a parabola", [&] { converges_on_parabola(s); });
  check("converges on Rosenbrock's valley", [&] { converges_on_rosenbrock(s); });
  check("every option changes the trajectory", [&] { return feels_each_option(s); });
  check("leaves the gradient alone", [&] { leaves_gradient_alone(s); });
  check("moves by row-sparse gradients as by dense ones", [&] { follows_rows(s); });
  check("rests at zero gradient", [&] { return rests_at_zero_gradient(s); });
  check("leaves a parameter without gradient alone", [&] { leaves_idle_alone(s); });
  check("starts a later parameter afresh", [&] { starts_later_afresh(s); });
  check("moves a group by its own options", [&] { moves_group_by_its_options(s); });
  check("goes on after a load to the bit", [&] { goes_on_after_load(s); });
  check("f32 follows f64", [&] { follows_f64(s); });
  check("f64 is more exact than f32", [&] { is_exact_in_f64(s); });
  check("composes with clipping and decay", [&] { return composes(s); });
  check("keeps parameters finite", [&] { keeps_finite(s); });
  check("refuses what is not finite", [&] { refuses_non_finite(s); });
  check("refuses bad options", [&] { return refuses_bad_options(s); });
  check("gives the same bits for any number of threads", [&] { return same_for_any_threads(s); });
  check("moves each element by itself", [&] { moves_each_element_by_itself(s); });
  return report;
}

}  // namespace detail

}  // namespace capstan::optim
