#include <capstan/train/scale.h>
#include <capstan/train/svg.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>

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

/// m * 10^e, with m one of 1, 2 and 5: the smallest such step that cuts the span into `target` parts at most.
struct Step {
  int mantissa, exponent;
  Step(double span, int target) {
    const double least = span / target;
    exponent = static_cast<int>(std::floor(std::log10(least)));
    const double rest = least / std::pow(10.0, exponent);
    mantissa = rest <= 1.0 + 1e-9 ? 1 : rest <= 2.0 + 1e-9 ? 2 : rest <= 5.0 + 1e-9 ? 5 : 10;
    if (mantissa == 10) mantissa = 1, ++exponent;
  }
  /// k steps, rounded once: 3 steps of 0.1 are 0.3.
  double times(double k) const { return exponent < 0 ? k * mantissa / std::pow(10.0, -exponent) : k * mantissa * std::pow(10.0, exponent); }
};

Ticks linear_ticks(double low, double high, int target) {
  const Step step(high - low, target);
  const double size = step.times(1), most = std::max(std::abs(low), std::abs(high));
  const int factor = most >= 1e5 || most < 1e-3 ? static_cast<int>(std::floor(std::log10(most))) : 0;
  Ticks out;
  if (factor != 0) out.factor = "×" + power_of_ten(factor);
  const double last = std::floor(high / size + 1e-6);
  for (double k = std::ceil(low / size - 1e-6); k <= last; ++k) {
    const std::string text = decimal(static_cast<std::int64_t>(k) * step.mantissa, step.exponent - factor);
    out.ticks.push_back({step.times(k), text, text_width(text, 1)});
  }
  return out;
}

Ticks log_ticks(double low, double high, int target) {
  const int first = static_cast<int>(std::floor(std::log10(low))), last = static_cast<int>(std::floor(std::log10(high) + 1e-9));
  const double slack = 1e-9;
  const auto inside = [&](double v) { return v >= low * (1 - slack) && v <= high * (1 + slack); };
  const auto value = [](int mantissa, int e) { return e < 0 ? mantissa / std::pow(10.0, -e) : mantissa * std::pow(10.0, e); };
  int decades = 0, named = 0;
  for (int e = first; e <= last; ++e)
    for (const int m : {1, 2, 5}) {
      decades += m == 1 && inside(value(m, e));
      named += inside(value(m, e));
    }
  if (named < 3) return linear_ticks(low, high, target);
  const bool is_short = first >= -3 && last <= 3;  // 0.001 to 9999 read better without powers
  int stride = 1;
  for (const int s : {2, 5, 10, 20, 50, 100, 200, 500})
    if (decades > stride * target) stride = s;
  Ticks out;
  for (int e = first; e <= last; ++e)
    for (int m = 1; m <= 9; ++m) {
      if (!inside(value(m, e)) || (m > 1 && stride > 1) || (stride > 5 && e % stride != 0)) continue;
      const bool is_named = decades >= 3 ? m == 1 && e % stride == 0 : m == 1 || m == 5 || (m == 2 && named <= target + 2);
      Tick tick{value(m, e), ""};
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

Ticks make_ticks(double low, double high, bool log, int target) {
  return log ? log_ticks(low, high, std::max(target, 2)) : linear_ticks(low, high, std::max(target, 2));
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
  for (const Tick& tick : linear_ticks(low, high, target).ticks)
    if (tick.value > low && tick.value < high) out.push_back(tick.value);
  return out;
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
