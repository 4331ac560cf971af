#include <capstan/train/scale.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace capstan::plot::detail {

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

bool is_wide(double low, double high) noexcept {
  return std::isfinite(high - low) && high - low >= std::max(1e-9 * std::max(std::abs(low), std::abs(high)), 1e-290);
}

std::string value_text(double value) {
  char text[32];
  std::string out(text, std::to_chars(text, text + sizeof text, value + 0.0, std::chars_format::general, 6).ptr);
  if (out[0] == '-') out.replace(0, 1, "\xE2\x88\x92");
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

}  // namespace capstan::plot::detail
