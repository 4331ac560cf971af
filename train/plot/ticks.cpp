#include <capstan/train/scale.h>
#include <capstan/train/svg.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <utility>

namespace capstan::plot::detail {
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
        target_(std::max(2, static_cast<int>(room.pixels / (room.side_by_side ? 55 : 32)))) {
    if (!log) return;
    first_ = static_cast<int>(std::floor(std::log10(low)));
    last_ = static_cast<int>(std::floor(std::log10(high) + 1e-9));
  }

  Ticks linear() const {
    Ticks best = at_steps(room_.whole);
    if (named(best) == 0 && room_.whole) best = at_steps(false);  // no whole number is in sight
    if (merit(best) < 5) take(best, at_few_steps());
    for (int target = 2; named(best) == 0; ++target) best = thinned(evenly(low_, high_, target, false));  // wide texts, or a short axis
    return best;
  }

  Ticks logarithmic() const {
    Ticks best;
    if (named(at({1})) >= 3)
      for (const int most : {std::max(target_, 4), 100})
        for (const int stride : {1, 2, 3, 5, 10, 20, 50, 100, 200, 500})
          for (int phase = 0; phase < stride && stride <= last_ - first_ + 1; ++phase)
            if (Ticks ticks = at({1}, stride, phase); named(ticks) <= most && take(best, std::move(ticks))) return best;
    for (Ticks& ticks : std::array{at({1, 2, 5}), at({1, 3}), at({1, 2, 3, 4, 5, 6, 7, 8, 9}), at_steps(room_.whole), at({1})})
      if (take(best, std::move(ticks))) return best;
    if (take(best, spread())) return best;
    if (merit(best) < 5) take(best, at_few_steps());
    return named(best) == 0 ? linear() : best;
  }

 private:
  /// Puts a better set into the place of `best`; whether that is as good as can be.
  bool take(Ticks& best, Ticks ticks) const {
    if (fits(ticks) && merit(ticks) > merit(best)) best = std::move(ticks);
    return merit(best) == 6;
  }

  /// First that the named ticks tell both ends of the axis, then that there are three of them.
  int merit(const Ticks& ticks) const {
    const int count = named(ticks);
    const auto has_text = [](const Tick& tick) { return !tick.text.empty(); };
    if (count < 2) return count;
    const Tick& first = *std::find_if(ticks.ticks.begin(), ticks.ticks.end(), has_text);
    const Tick& last = *std::find_if(ticks.ticks.rbegin(), ticks.ticks.rend(), has_text);
    return std::min(count, 3) + (is_at_low_end(scale_(first.value)) && is_at_high_end(scale_(last.value)) ? 3 : 0);
  }
  bool is_at_low_end(double pixel) const { return pixel <= 0.2 * room_.pixels; }
  bool is_at_high_end(double pixel) const { return pixel >= 0.8 * room_.pixels; }

  /// Whether two texts do not come near each other.
  bool apart(const Tick& a, const Tick& b) const {
    const double room = room_.side_by_side ? tick_font * (a.width + b.width) / 2 + 12 : 15;
    return std::abs(scale_(a.value) - scale_(b.value)) >= room;
  }
  bool fits(const Ticks& ticks) const {
    const Tick* before = nullptr;
    for (const Tick& tick : ticks.ticks) {
      if (tick.text.empty()) continue;
      if (before && !apart(tick, *before)) return false;
      before = &tick;
    }
    return true;
  }
  /// Without the texts that would touch the one before.
  Ticks thinned(Ticks ticks) const {
    const Tick* before = nullptr;
    for (Tick& tick : ticks.ticks) {
      if (before && !apart(tick, *before)) tick.text.clear();
      if (!tick.text.empty()) before = &tick;
    }
    return ticks;
  }

  /// At the multiples of 1, 2 or 5 times a power of ten: of as many as are wanted, else of fewer, else of more.
  Ticks at_steps(bool whole) const {
    Ticks best;
    for (int target = target_; target >= 2; --target)
      if (take(best, evenly(low_, high_, target, whole))) return best;
    for (int target = target_ + 1; target <= room_.pixels / 16; ++target)
      if (take(best, evenly(low_, high_, target, whole))) return best;
    return best;
  }
  /// Where that leaves an end without a name: every second, third ... of more steps than there is room to name, from whichever on.
  Ticks at_few_steps() const {
    Ticks best;
    for (int target = target_ + 1; merit(best) < 6 && target <= 40; ++target) {
      const Ticks all = evenly(low_, high_, target, room_.whole);
      for (std::size_t stride = 2; stride <= 8; ++stride)
        for (std::size_t first = 0; first < stride; ++first) {
          Ticks some = all;
          for (std::size_t i = 0; i < some.ticks.size(); ++i)
            if (i % stride != first) some.ticks[i].text.clear();
          take(best, std::move(some));
        }
    }
    return best;
  }

  bool is_inside(double value) const { return value >= low_ * (1 - 1e-9) && value <= high_ * (1 + 1e-9); }

  /// The tick at digits/10 * 10^exponent, for digits from 10 to 99.
  Tick tick_at(int digits, int exponent) const {
    const bool is_whole = digits % 10 == 0;
    const int m = is_whole ? digits / 10 : digits, e = is_whole ? exponent : exponent - 1;
    if (first_ >= -3 && last_ <= 3) {  // 0.001 to 9999 read better without powers
      const std::string text = decimal(m, e);
      return {times_power(m, e), text, text_width(text, 1)};
    }
    const std::string factor = digits == 10 ? "" : decimal(m, is_whole ? 0 : -1) + "×";
    return {times_power(m, e), factor + power_of_ten(exponent), text_width(factor + "10", 1) + 0.73 * text_width(decimal(exponent, 0), 1)};
  }

  /// These multiples of the powers of ten that are `phase` beyond those which the stride divides are named; the others have small ticks.
  Ticks at(std::initializer_list<int> mantissas, int stride = 1, int phase = 0) const {
    Ticks out;
    for (int e = first_; e <= last_; ++e) {
      const bool is_named = (e - phase) % stride == 0;
      for (int m = 1; m <= (stride == 1 ? 9 : 1); ++m) {
        const double value = times_power(m, e);
        if (!is_inside(value) || (stride > 5 && !is_named)) continue;
        const bool has_text = is_named && std::find(mantissas.begin(), mantissas.end(), m) != mantissas.end();
        out.ticks.push_back(has_text ? tick_at(10 * m, e) : Tick{value, ""});
      }
    }
    return out;
  }

  /// The less, the rounder.
  static int roughness(int digits) {
    if (digits == 10) return 0;
    if (digits == 20 || digits == 50) return 1;
    if (digits == 30) return 2;
    if (digits % 10 == 0 || digits == 15) return 3;
    return digits % 2 == 0 || digits == 25 ? 4 : 5;
  }

  /// Names at the roundest value of either end, and at round ones elsewhere as far as there is room.
  Ticks spread() const {
    std::vector<std::pair<int, Tick>> candidates;  // with their roughness
    for (int e = first_; e <= last_; ++e)
      for (int digits = 10; digits <= 99; ++digits) {
        Tick tick = tick_at(digits, e);
        if (is_inside(tick.value) && !(room_.whole && std::floor(tick.value) != tick.value))
          candidates.emplace_back(roughness(digits), std::move(tick));
      }
    std::stable_sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<Tick> chosen;
    const auto choose = [&](std::size_t most, auto is_here) {
      for (const auto& [unused, tick] : candidates) {
        const auto is_free = [&, &t = tick](const Tick& other) { return apart(t, other); };
        if (chosen.size() < most && is_here(scale_(tick.value)) && std::all_of(chosen.begin(), chosen.end(), is_free))
          chosen.push_back(tick);
      }
    };
    choose(1, [&](double pixel) { return is_at_low_end(pixel); });
    choose(2, [&](double pixel) { return is_at_high_end(pixel); });
    choose(static_cast<std::size_t>(std::max(target_, 4)), [](double) { return true; });
    Ticks out = at({});
    for (const Tick& tick : chosen) {
      const auto place =
          std::lower_bound(out.ticks.begin(), out.ticks.end(), tick.value, [](const Tick& t, double v) { return t.value < v; });
      if (place != out.ticks.end() && place->value == tick.value)
        *place = tick;
      else
        out.ticks.insert(place, tick);
    }
    return out;
  }

  double low_, high_;
  TickRoom room_;
  Scale scale_;
  int target_;
  int first_ = 0, last_ = 0;  // of a log axis: the decades that it touches
};

}  // namespace

Ticks make_ticks(double low, double high, bool log, const TickRoom& room) {
  const Axle axle(low, high, log, room);
  return log ? axle.logarithmic() : axle.linear();
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

}  // namespace capstan::plot::detail
