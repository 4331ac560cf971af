#include <capstan/optim/schedule.h>

#include <capstan/core/state_reader.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace capstan::optim {

using capstan::detail::fail;

double Schedule::operator()(std::int64_t step) const {
  if (step < 0) fail<ValueError>("schedule", "a step must not be negative: ", step);
  return function_->at(step);
}

namespace schedule {

namespace {

void require_rate(const char* op, const char* name, double value) {
  if (!(value >= 0) || !std::isfinite(value)) fail<ValueError>(op, name, " must be finite and not negative: ", value);
}
void require_count(const char* op, const char* name, std::int64_t value) {
  if (value < 1) fail<ValueError>(op, name, " must be positive: ", value);
}

/// lr*gamma^n; 0 for lr = 0 where gamma^n is infinite, too.
double shrunk(double lr, double gamma, std::int64_t n) { return lr == 0 ? 0 : lr * std::pow(gamma, static_cast<double>(n)); }

/// How much of `steps` is done, from 0 to 1.
double share(std::int64_t t, std::int64_t steps) { return t >= steps ? 1 : static_cast<double>(t) / static_cast<double>(steps); }
/// From `from` at share 0 to `to` at share 1: half a cosine, or a line.
double half_cosine(double from, double to, double share) { return to + (from - to) * (1 + std::cos(std::numbers::pi * share)) / 2; }
double line(double from, double to, double share) { return share == 1 ? to : from + (to - from) * share; }

}  // namespace

Schedule constant(double lr) {
  require_rate("constant", "lr", lr);
  return {[lr](std::int64_t) { return lr; }};
}

Schedule step(double lr, std::int64_t every, double gamma) {
  require_rate("step", "lr", lr);
  require_count("step", "every", every);
  require_rate("step", "gamma", gamma);
  return {[=](std::int64_t t) { return shrunk(lr, gamma, t / every); }};
}

Schedule multi_step(double lr, std::vector<std::int64_t> milestones, double gamma) {
  require_rate("multi_step", "lr", lr);
  for (std::size_t i = 1; i < milestones.size(); ++i)
    if (milestones[i] < milestones[i - 1])
      fail<ValueError>("multi_step", "milestones must not fall: ", milestones[i - 1], " comes before ", milestones[i]);
  require_rate("multi_step", "gamma", gamma);
  return {[lr, milestones = std::move(milestones), gamma](std::int64_t t) {
    return shrunk(lr, gamma, std::upper_bound(milestones.begin(), milestones.end(), t) - milestones.begin());
  }};
}

Schedule exponential(double lr, double gamma) {
  require_rate("exponential", "lr", lr);
  require_rate("exponential", "gamma", gamma);
  return {[=](std::int64_t t) { return shrunk(lr, gamma, t); }};
}

Schedule linear(double from, double to, std::int64_t steps) {
  require_rate("linear", "from", from);
  require_rate("linear", "to", to);
  require_count("linear", "steps", steps);
  return {[=](std::int64_t t) { return line(from, to, share(t, steps)); }};
}

Schedule polynomial(double from, double to, std::int64_t steps, double power) {
  require_rate("polynomial", "from", from);
  require_rate("polynomial", "to", to);
  require_count("polynomial", "steps", steps);
  if (!(power > 0) || !std::isfinite(power)) fail<ValueError>("polynomial", "power must be finite and positive: ", power);
  return {[=](std::int64_t t) { return to + (from - to) * std::pow(1 - share(t, steps), power); }};
}

Schedule cosine(double lr, std::int64_t steps, double end) {
  require_rate("cosine", "lr", lr);
  require_count("cosine", "steps", steps);
  require_rate("cosine", "end", end);
  return {[=](std::int64_t t) { return half_cosine(lr, end, share(t, steps)); }};
}

Schedule cosine_restarts(double lr, std::int64_t first, std::int64_t multiplier, double end) {
  require_rate("cosine_restarts", "lr", lr);
  require_count("cosine_restarts", "first", first);
  require_count("cosine_restarts", "multiplier", multiplier);
  require_rate("cosine_restarts", "end", end);
  return {[=](std::int64_t t) {
    std::int64_t period = first;
    if (multiplier == 1) t %= period;
    while (t >= period) {
      t -= period;
      period =
          period > std::numeric_limits<std::int64_t>::max() / multiplier ? std::numeric_limits<std::int64_t>::max() : period * multiplier;
    }
    return half_cosine(lr, end, share(t, period));
  }};
}

Schedule inverse_sqrt(double lr, std::int64_t warm_up) {
  require_rate("inverse_sqrt", "lr", lr);
  require_count("inverse_sqrt", "warm_up", warm_up);
  return {[=](std::int64_t t) {
    const double n = static_cast<double>(t) + 1, w = static_cast<double>(warm_up);
    return lr * std::min(n / w, std::sqrt(w / n));
  }};
}

Schedule warm_up(Schedule then, std::int64_t steps, double from) {
  require_rate("warm_up", "from", from);
  require_count("warm_up", "steps", steps);
  const double to = then(0);
  return {[=, then = std::move(then)](std::int64_t t) { return t < steps ? line(from, to, share(t, steps)) : then(t - steps); }};
}

Schedule join(std::vector<Schedule> schedules, std::vector<std::int64_t> boundaries) {
  if (schedules.size() != boundaries.size() + 1)
    fail<ValueError>("join", "there must be one boundary less than schedules: ", schedules.size(), " schedules, ", boundaries.size(),
                     " boundaries");
  for (std::size_t i = 0; i < boundaries.size(); ++i) {
    require_count("join", "a boundary", boundaries[i]);
    if (i > 0 && boundaries[i] <= boundaries[i - 1])
      fail<ValueError>("join", "boundaries must rise: ", boundaries[i - 1], " comes before ", boundaries[i]);
  }
  return {[schedules = std::move(schedules), boundaries = std::move(boundaries)](std::int64_t t) {
    const auto i = static_cast<std::size_t>(std::upper_bound(boundaries.begin(), boundaries.end(), t) - boundaries.begin());
    return schedules[i](i == 0 ? t : t - boundaries[i - 1]);
  }};
}

Schedule one_cycle(double max, std::int64_t steps, OneCycleOptions o) {
  require_rate("one_cycle", "max", max);
  require_count("one_cycle", "steps", steps);
  const double most = o.three_phase ? 0.5 : 1, n = static_cast<double>(steps);
  if (!(o.pct_start > 0 && (o.pct_start < most || (o.three_phase && o.pct_start == most))))
    fail<ValueError>("one_cycle", "pct_start must lie in (0, ", o.three_phase ? "0.5]" : "1)", ": ", o.pct_start);
  const double top = o.pct_start * n - 1, back = o.three_phase ? 2 * top : top, last = n - 1;
  if (!(top > 0)) fail<ValueError>("one_cycle", "pct_start * steps must be above 1: ", o.pct_start, " * ", steps);
  for (const auto& [name, value] : {std::pair{"div_factor", o.div_factor}, {"final_div_factor", o.final_div_factor}})
    if (!(value > 0) || !std::isfinite(value)) fail<ValueError>("one_cycle", name, " must be finite and positive: ", value);
  const double start = max / o.div_factor, end = start / o.final_div_factor;
  return {[=](std::int64_t step) {
    const double t = std::min(static_cast<double>(step), last);
    const auto between = o.linear ? line : half_cosine;
    if (t <= top) return between(start, max, t / top);
    if (t <= back) return between(max, start, (t - top) / (back - top));
    return between(o.three_phase ? start : max, end, (t - back) / (last - back));
  }};
}

}  // namespace schedule

namespace {
constexpr double infinity = std::numeric_limits<double>::infinity();
}

Plateau::Plateau(PlateauOptions o) : options_(o), lr_(o.lr), best_(o.maximize ? -infinity : infinity) {
  for (const auto& [name, value] :
       {std::pair{"lr", o.lr}, {"factor", o.factor}, {"threshold", o.threshold}, {"min_lr", o.min_lr}, {"eps", o.eps}})
    if (!(value >= 0) || !std::isfinite(value)) fail<ValueError>("plateau", name, " must be finite and not negative: ", value);
  if (o.factor >= 1) fail<ValueError>("plateau", "factor must be below 1: ", o.factor);
  for (const auto& [name, value] : {std::pair{"patience", o.patience}, {"cooldown", o.cooldown}})
    if (value < 0) fail<ValueError>("plateau", name, " must not be negative: ", value);
}

double Plateau::next(double result) {
  const PlateauOptions& o = options_;
  // By a share of |best|: by one of best, as in PyTorch, -1 again would be better than -1.
  const double margin = std::isinf(best_) ? 0 : o.relative ? o.threshold * std::abs(best_) : o.threshold;
  const bool better = o.maximize ? result > best_ + margin : result < best_ - margin;
  bad_ = better ? 0 : bad_ + 1;
  if (better) best_ = result;
  if (cooldown_ > 0) {
    --cooldown_;
    bad_ = 0;
  }
  if (bad_ > o.patience) {
    const double cut = std::max(lr_ * o.factor, o.min_lr);
    if (lr_ - cut > o.eps) lr_ = cut;
    cooldown_ = o.cooldown;
    bad_ = 0;
  }
  return lr_;
}

TensorMap Plateau::state() const {
  return {{"lr", capstan::detail::number(lr_)},
          {"best", capstan::detail::number(best_)},
          {"bad", capstan::detail::count(bad_)},
          {"cooldown", capstan::detail::count(cooldown_)}};
}

void Plateau::load_state(const TensorMap& state) {
  capstan::detail::StateReader reader(state);
  const double lr = reader.read_number("lr"), best = reader.read_number("best");
  if (!(lr >= 0) || !std::isfinite(lr)) reader.complain("lr: must be finite and not negative: ", lr);
  if (std::isnan(best)) reader.complain("best: must be a number: ", best);
  const std::int64_t bad = reader.read_count("bad"), cooldown = reader.read_count("cooldown");
  reader.require_fit("plateau", "the state does not fit:");
  lr_ = lr;
  best_ = best;
  bad_ = bad;
  cooldown_ = cooldown;
}

}  // namespace capstan::optim
