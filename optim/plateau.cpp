#include <capstan/core/create.h>
#include <capstan/core/text.h>
#include <capstan/optim/schedule.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace capstan::optim {

using capstan::detail::cat;
using capstan::detail::fail;

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
  const double sign = o.maximize ? 1 : -1, goal = o.relative ? best_ * (1 + sign * o.threshold) : best_ + sign * o.threshold;
  const bool better = o.maximize ? result > goal : result < goal;
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
  const auto count = [](std::int64_t n) { return tensor(std::vector<std::int64_t>{n}).reshape(Shape{}); };
  return {{"lr", full({}, lr_, DType::f64)}, {"best", full({}, best_, DType::f64)}, {"bad", count(bad_)}, {"cooldown", count(cooldown_)}};
}

void Plateau::load_state(const TensorMap& state) {
  std::string wrong;
  const auto complain = [&](const auto&... parts) { wrong += cat("\n  ", parts...); };
  const auto take = [&](const char* name, DType dtype) -> double {
    const Tensor* t = state.find(name);
    if (!t) {
      complain("missing: ", name);
    } else if (t->dtype() != dtype || t->shape() != Shape{}) {
      complain(name, ": ", t->dtype(), " ", t->shape(), ", wanted ", dtype, " []");
    } else {
      return t->item();
    }
    return 0;
  };
  const double lr = take("lr", DType::f64), best = take("best", DType::f64);
  const double bad = take("bad", DType::i64), cooldown = take("cooldown", DType::i64);
  for (const auto& entry : state)
    if (entry.name != "lr" && entry.name != "best" && entry.name != "bad" && entry.name != "cooldown") complain("unexpected: ", entry.name);
  if (!(lr >= 0) || !std::isfinite(lr)) complain("lr: must be finite and not negative: ", lr);
  if (std::isnan(best)) complain("best: must be a number: ", best);
  if (bad < 0) complain("bad: must not be negative: ", bad);
  if (cooldown < 0) complain("cooldown: must not be negative: ", cooldown);
  if (!wrong.empty()) fail<ValueError>("plateau", "the state does not fit:", wrong);
  lr_ = lr;
  best_ = best;
  bad_ = static_cast<std::int64_t>(bad);
  cooldown_ = static_cast<std::int64_t>(cooldown);
}

}  // namespace capstan::optim
