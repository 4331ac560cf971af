#include <capstan/train/scale.h>
#include <capstan/train/svg.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>

namespace capstan::train::detail {
namespace {

constexpr std::string_view kMinus = "\xE2\x88\x92";

/// digits * 10^exponent, exactly, without an exponent part.
std::string decimal(std::int64_t digits, int exponent) {
  std::string text = std::to_string(std::abs(digits));
  if (digits == 0) exponent = std::min(exponent, 0);
  if (exponent >= 0) text.append(static_cast<std::size_t>(exponent), '0');
  if (exponent < 0) {
    const auto places = static_cast<std::size_t>(-exponent);
    if (text.size() <= places) text.insert(0, places + 1 - text.size(), '0');
    text.insert(text.size() - places, ".");
  }
  return (digits < 0 ? std::string(kMinus) : "") + text;
}

std::string power_of_ten(int exponent) { return "10<tspan dy=\"-4\" font-size=\"8\">" + decimal(exponent, 0) + "</tspan>"; }

/// m * 10^e, rounded once: 3 times 0.1 is 0.3.
double times_power(double m, int e) { return e < 0 ? m / std::pow(10.0, -e) : m * std::pow(10.0, e); }

/// m * 10^e, with m one of 1, 2 and 5: the smallest such step that cuts the span into `target` parts at most.
struct Step {
  int mantissa, exponent;
  Step(double span, int target, bool whole) {
    const double least = span / target;
    exponent = static_cast<int>(std::floor(std::log10(least)));
    const double rest = least / std::pow(10.0, exponent);
    mantissa = rest <= 1.0 + 1e-9 ? 1 : rest <= 2.0 + 1e-9 ? 2 : rest <= 5.0 + 1e-9 ? 5 : 10;
    if (mantissa == 10) mantissa = 1, ++exponent;
    if (whole && exponent < 0) mantissa = 1, exponent = 0;
  }
  double times(double k) const { return times_power(k * mantissa, exponent); }
};

/// Texts without a factor from 0.001 to 9,999,999.
int factor_of(double most, const Step& step) {
  if (most >= 1e-3 && most < 1e7) return 0;
  const int exponent = static_cast<int>(std::floor(std::log10(most)));
  const bool fractions = most < 2 * std::pow(10.0, exponent) && step.exponent == exponent - 1;  // 0.2 to 1.0: rather 2 to 10
  return fractions ? exponent - 1 : exponent;
}

Ticks evenly(double low, double high, int target, bool whole) {
  const Step step(high - low, target, whole);
  const double size = step.times(1);
  const int factor = factor_of(std::max(std::abs(low), std::abs(high)), step);
  Ticks out;
  if (factor != 0) out.factor = "×" + power_of_ten(factor);
  const double last = std::floor(high / size + 1e-6);
  for (double k = std::ceil(low / size - 1e-6); k <= last; ++k) {
    const std::string text = decimal(static_cast<std::int64_t>(k) * step.mantissa, step.exponent - factor);
    out.ticks.push_back({step.times(k), text, text_width(text, 1)});
  }
  return out;
}

int named(const Ticks& ticks) {
  return static_cast<int>(std::count_if(ticks.ticks.begin(), ticks.ticks.end(), [](const Tick& t) { return !t.text.empty(); }));
}

/// One axis, for which sets of ticks are tried.
class Axle {
 public:
  Axle(double low, double high, bool log, const TickRoom& room)
      : low_(low),
        high_(high),
        room_(room),
        scale_(low, high, log, 0, room.pixels),
        target_(std::max(2, static_cast<int>(room.pixels / (room.side_by_side ? 55 : 32)))) {}

  Ticks linear() const {
    int target = target_;
    Ticks ticks = evenly(low_, high_, target, room_.whole);
    while (target > 2 && !fits(ticks)) ticks = evenly(low_, high_, --target, room_.whole);
    for (target = target_ + 1; named(ticks) < 3 && target <= room_.pixels / 16; ++target)
      if (Ticks more = evenly(low_, high_, target, room_.whole); named(more) > named(ticks) && fits(more)) ticks = std::move(more);
    return ticks;
  }

  Ticks logarithmic() const {
    constexpr int strides[] = {1, 2, 3, 5, 10, 20, 50, 100, 200, 500};
    if (named(at({1}, 1)) >= 3)
      for (const int stride : strides)
        if (Ticks ticks = at({1}, stride); named(ticks) <= std::max(target_, 4) && fits(ticks)) return ticks;
    Ticks best;
    for (Ticks ticks : {at({1, 2, 5}, 1), at({1, 3}, 1), at({1, 2, 3, 4, 5, 6, 7, 8, 9}, 1), linear(), at({1}, 1)}) {
      if (!fits(ticks) || named(ticks) <= named(best)) continue;
      best = std::move(ticks);
      if (named(best) >= 3) break;
    }
    return best.ticks.empty() ? linear() : best;
  }

 private:
  /// Whether no two texts come near each other.
  bool fits(const Ticks& ticks) const {
    const Tick* before = nullptr;
    for (const Tick& tick : ticks.ticks) {
      if (tick.text.empty()) continue;
      const double room = room_.side_by_side ? tick_font * (tick.width + (before ? before->width : 0)) / 2 + 12 : 15;
      if (before && std::abs(scale_(tick.value) - scale_(before->value)) < room) return false;
      before = &tick;
    }
    return true;
  }

  /// These multiples of the powers of ten that the stride divides are named; the others have small ticks.
  Ticks at(std::initializer_list<int> mantissas, int stride) const {
    const int first = static_cast<int>(std::floor(std::log10(low_))), last = static_cast<int>(std::floor(std::log10(high_) + 1e-9));
    const bool is_short = first >= -3 && last <= 3;  // 0.001 to 9999 read better without powers
    Ticks out;
    for (int e = first; e <= last; ++e)
      for (int m = 1; m <= 9; ++m) {
        const double value = times_power(m, e);
        const bool inside = value >= low_ * (1 - 1e-9) && value <= high_ * (1 + 1e-9);
        if (!inside || (m > 1 && stride > 1) || (stride > 5 && e % stride != 0)) continue;
        const bool is_named = e % stride == 0 && std::find(mantissas.begin(), mantissas.end(), m) != mantissas.end();
        Tick tick{value, ""};
        if (is_named && is_short) {
          tick.text = decimal(m, e);
          tick.width = text_width(tick.text, 1);
        } else if (is_named) {
          tick.text = (m == 1 ? "" : decimal(m, 0) + "×") + power_of_ten(e);
          tick.width = text_width((m == 1 ? "10" : "5×10"), 1) + 0.73 * text_width(decimal(e, 0), 1);
        }
        out.ticks.push_back(std::move(tick));
      }
    return out;
  }

  double low_, high_;
  TickRoom room_;
  Scale scale_;
  int target_;
};

}  // namespace

Scale::Scale(double low, double high, bool log, double first_pixel, double last_pixel)
    : low_(low),
      high_(high),
      log_(log),
      origin_(log ? std::log10(low) : low),
      span_((log ? std::log10(high) : high) - origin_),
      first_(first_pixel),
      length_(last_pixel - first_pixel) {}

double Scale::operator()(double value) const noexcept {
  const double at = log_ ? (value > 0 ? std::log10(value) : std::nan("")) : value;
  const double pixel = first_ + (at - origin_) / span_ * length_;
  return std::isfinite(at) ? std::clamp(pixel, -1e150, 1e150) : std::nan("");
}

Ticks make_ticks(double low, double high, bool log, const TickRoom& room) {
  const Axle axle(low, high, log, room);
  return log ? axle.logarithmic() : axle.linear();
}

bool is_wide(double low, double high) noexcept {
  return std::isfinite(high - low) && high - low >= std::max(1e-9 * std::max(std::abs(low), std::abs(high)), 1e-290);
}

std::vector<double> round_values(double low, double high, int target) {
  std::vector<double> out;
  if (!is_wide(low, high)) {  // rounding would leave few of them apart
    for (int k = 1; k < target; ++k) {
      const double share = static_cast<double>(k) / target, value = low * (1 - share) + high * share;
      if (value > (out.empty() ? low : out.back()) && value < high) out.push_back(value);
    }
    return out.empty() ? std::vector<double>{high} : out;
  }
  for (const Tick& tick : evenly(low, high, target, false).ticks)
    if (tick.value > low && tick.value < high) out.push_back(tick.value);
  return out;
}

std::vector<double> round_ratios(double low, double high, int most) {
  std::vector<double> out;
  const auto fill = [&](std::initializer_list<int> mantissas, int stride) {
    out.clear();
    for (int e = static_cast<int>(std::floor(std::log10(low))); e <= static_cast<int>(std::floor(std::log10(high))); ++e)
      for (const int m : mantissas) {
        const double value = times_power(m, e);
        if (e % stride == 0 && value > low && value < high) out.push_back(value);
      }
    return static_cast<int>(out.size()) <= most;
  };
  bool few = fill({1, 2, 5}, 1) || fill({1, 3}, 1);
  for (int stride = 1; !few; ++stride) few = fill({1}, stride);
  return out.size() < 3 ? round_values(low, high, most) : out;
}

std::string value_text(double value) {
  char text[32];
  std::string out(text, std::to_chars(text, text + sizeof text, value, std::chars_format::general, 6).ptr);
  if (out[0] == '-') out.replace(0, 1, kMinus);
  return out;
}

void widen(double& low, double& high, bool log) {
  if (log) {
    if (high / low < 1.0001) low /= 1.5, high *= 1.5;
    return;
  }
  if (is_wide(low, high)) return;
  const double margin = low == high && low == 0 ? 1 : std::max(0.1 * std::abs(low), 1e-290);
  low -= margin;
  high += margin;
}

}  // namespace capstan::train::detail
