#include <capstan/core/text.h>
#include <capstan/optim/schedule.h>
#include <capstan/optim/state_reader.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace capstan::optim {

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
  return {
      {"lr", detail::number(lr_)}, {"best", detail::number(best_)}, {"bad", detail::count(bad_)}, {"cooldown", detail::count(cooldown_)}};
}

void Plateau::load_state(const TensorMap& state) {
  detail::StateReader reader(state);
  const double lr = reader.take_number("lr"), best = reader.take_number("best");
  if (!(lr >= 0) || !std::isfinite(lr)) reader.complain("lr: must be finite and not negative: ", lr);
  if (std::isnan(best)) reader.complain("best: must be a number: ", best);
  const std::int64_t bad = reader.take_count("bad"), cooldown = reader.take_count("cooldown");
  reader.require_fit("plateau", "the state does not fit:");
  lr_ = lr;
  best_ = best;
  bad_ = bad;
  cooldown_ = cooldown;
}

}  // namespace capstan::optim
