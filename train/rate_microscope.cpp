#include <capstan/train/rate_microscope.h>

#include <capstan/core/create.h>
#include <capstan/core/text.h>
#include <capstan/optim/make.h>
#include <capstan/optim/methods.h>
#include <capstan/train/csv.h>
#include <capstan/train/figure.h>
#include <capstan/train/scale.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace capstan {

using capstan::detail::fail;
using capstan::detail::join;
using capstan::detail::left;
using capstan::detail::right;

namespace {

constexpr const char* kOp = "RateMicroscope";
constexpr std::size_t kMostKept = 256, kTableRows = 12;
constexpr int kCoarse = 4;        // so many bins are one in the file
constexpr double kFarthest = 40;  // decades: what lies beyond is counted in the last bin
constexpr double kQuantiles[] = {0, 0.05, 0.25, 0.5, 0.75, 0.95, 1};

/// Linear between the two nearest values, which it brings to their places.
double quantile(std::vector<double>& values, double q) {
  const double place = q * static_cast<double>(values.size() - 1), below = std::floor(place);
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(below);
  std::nth_element(values.begin(), at, values.end());
  return at + 1 == values.end() ? *at : *at + (place - below) * (*std::min_element(at + 1, values.end()) - *at);
}

/// The rates above 0 in steps of 1/detail::rate_bins of a decade.
int bin_of(double rate) { return static_cast<int>(std::floor(detail::rate_bins * std::clamp(std::log10(rate), -kFarthest, kFarthest))); }

/// One parameter's coordinates, or all, while they are looked at.
struct Sight {
  RateSummary summary;
  std::vector<double> rates, left;

  void add(const Sight& other) {
    summary.coordinates += other.summary.coordinates;
    summary.frozen += other.summary.frozen;
    summary.stopped += other.summary.stopped;
    rates.insert(rates.end(), other.rates.begin(), other.rates.end());
    left.insert(left.end(), other.left.begin(), other.left.end());
  }
  RateSummary finish() {
    summary.reached = std::ssize(rates);
    for (const double q : kQuantiles)
      if (!rates.empty()) summary.quantiles.push_back(quantile(rates, q));
    summary.left = left.empty() ? std::nan("") : quantile(left, 0.5);
    return summary;
  }
};

/// Three significant digits.
std::string rough(double value) { return capstan::detail::general(value, 3); }

/// "adabelief, adadelta, ", of the built-in methods.
std::string methods_with_rates() {
  std::string all;
  const Parameters w{{"w", zeros({1, 1})}};
  const auto add = [&](const char* name) {
    if (!optim::make(name, w)->effective_rates().empty()) all += std::string(name) + ", ";
  };
#define CAPSTAN_ADD(M) add(optim::M::name);
  CAPSTAN_METHODS(CAPSTAN_ADD)
#undef CAPSTAN_ADD
  return all;
}

std::string column(double value) { return right(capstan::detail::general(value, 4), 11); }
std::string column(std::int64_t value, std::size_t width) { return right(std::to_string(value), width); }

}  // namespace

double RateSummary::median() const noexcept { return quantiles.empty() ? std::nan("") : quantiles[3]; }

RateMicroscope::RateMicroscope(const optim::Optimizer& optimizer, RateMicroscopeOptions options)
    : optimizer_(&optimizer), options_(std::move(options)) {
  plot::detail::check_plan(kOp, options_.width, options_.height, {}, {});
  if (!(options_.frozen_below > 0 && options_.frozen_below < 1))
    fail<ValueError>(kOp, "frozen_below must lie in (0, 1): ", options_.frozen_below);
  if (!(options_.warn_from > 0 && options_.warn_from <= 1)) fail<ValueError>(kOp, "warn_from must lie in (0, 1]: ", options_.warn_from);
  if (optimizer.effective_rates().empty())
    fail<ValueError>(kOp, "the method must tell its effective rates: ", optimizer.method(),
                     " has none (those that do: ", methods_with_rates(), "and your own whose rule has a member rate())");
}

void RateMicroscope::observe() {
  const std::vector<optim::EffectiveRates> told = optimizer_->effective_rates();
  std::int64_t step = 0;
  for (const auto& t : told) step = std::max(step, t.steps);
  observe(step, told);
}

void RateMicroscope::observe(std::int64_t step) { observe(step, optimizer_->effective_rates()); }

std::size_t RateMicroscope::place_of(std::string_view parameter) const noexcept {
  std::size_t i = 0;
  while (i < first_.size() && first_[i].parameter != parameter) ++i;
  return i;
}

void RateMicroscope::observe(std::int64_t step, const std::vector<optim::EffectiveRates>& told) {
  if (!kept_.empty() && step <= kept_.back().step)
    fail<ValueError>(kOp, "each observation must be of a later step: ", step, " after ", kept_.back().step);
  Observation now{step, {}, std::vector<RateSummary>(first_.size()), 0, {}};
  Sight all;
  for (const optim::EffectiveRates& t : told) {
    const auto count = static_cast<std::size_t>(t.rates.numel());
    const std::size_t place = place_of(t.parameter);
    if (place == first_.size()) {
      first_.push_back({t.parameter, std::vector<double>(count, std::nan(""))});
      now.parameters.emplace_back();
    }
    first_[place].forgets = t.forgets;
    Sight own;
    own.summary.coordinates = t.rates.numel();
    const double* rates = t.rates.data<double>();
    for (std::size_t i = 0; i < count; ++i) {
      const double rate = rates[i], by_unit = rate / t.lr;
      if (!std::isfinite(rate)) continue;
      double& first = first_[place].rates[i];
      if (std::isnan(first) && by_unit > 0) first = by_unit;
      own.rates.push_back(rate);
      const bool stopped = rate == 0 && t.lr > 0;  // maybe from its first gradient on
      if (stopped) ++own.summary.stopped;
      const double left = stopped ? 0 : by_unit / first;
      if (std::isnan(left)) continue;  // lr is 0
      own.left.push_back(left);
      if (left < options_.frozen_below) ++own.summary.frozen;
    }
    all.add(own);
    now.parameters[place] = own.finish();
  }
  std::map<int, std::int64_t> bins;
  for (const double rate : all.rates)
    if (rate > 0) ++bins[bin_of(rate)];
  if (!bins.empty()) {
    now.first_bin = bins.begin()->first;
    now.counts.resize(static_cast<std::size_t>(bins.rbegin()->first - now.first_bin) + 1);
    for (const auto& bin : bins) now.counts[static_cast<std::size_t>(bin.first - now.first_bin)] = bin.second;
  }
  now.all = all.finish();

  if (seen_ > 0 && (seen_ - 1) % every_ != 0) kept_.pop_back();  // it was there only as the last
  kept_.push_back(std::move(now));
  ++seen_;
  if (kept_.size() <= kMostKept) return;
  std::vector<Observation> fewer;
  for (std::size_t i = 0; i < kept_.size(); i += 2) fewer.push_back(std::move(kept_[i]));  // the last one, of an odd number, too
  kept_ = std::move(fewer);
  every_ *= 2;
}

const RateMicroscope::Observation& RateMicroscope::last() const {
  if (kept_.empty()) fail<ValueError>(kOp, "there must be an observation: none was made (call observe() after a step)");
  return kept_.back();
}

const RateSummary& RateMicroscope::all() const { return last().all; }

const RateSummary& RateMicroscope::of(std::string_view parameter) const {
  const std::vector<RateSummary>& parameters = last().parameters;
  const std::size_t place = place_of(parameter);
  if (place < parameters.size()) return parameters[place];
  std::vector<std::string> names;
  for (const First& f : first_) names.push_back(f.parameter);
  const std::string near = capstan::detail::nearest(parameter, names);
  fail<ValueError>(kOp, "no parameter '", parameter, "' among the ", first_.size(), " that were observed",
                   near.empty() ? "" : join(" (did you mean '", near, "'?)"));
}

std::int64_t RateMicroscope::frozen() const noexcept { return kept_.empty() ? 0 : kept_.back().all.frozen; }

std::string RateMicroscope::warning() const {
  std::string names;
  std::size_t count = 0;
  bool all_tell = true, all_forget = true;
  for (std::size_t i = 0; !kept_.empty() && i < kept_.back().parameters.size(); ++i) {
    const RateSummary& s = kept_.back().parameters[i];
    if (s.frozen == 0 || static_cast<double>(s.frozen) < options_.warn_from * static_cast<double>(s.reached)) continue;
    all_tell = all_tell && first_[i].forgets.has_value();
    all_forget = all_forget && first_[i].forgets.value_or(true);
    if (++count <= 5)
      names += join(names.empty() ? "" : ", ", first_[i].parameter, s.left > 0 ? " by a factor of " : " to ",
                    s.left > 0 ? rough(1 / s.left) : "0", " (", s.frozen, " of ", s.coordinates,
                    s.coordinates == 1 ? " coordinate" : " coordinates", " frozen)");
  }
  if (count == 0) return "";
  if (count > 5) names += join(" and ", count - 5, " more");
  if (const std::int64_t stopped = kept_.back().all.stopped; stopped > 0)
    return join(optimizer_->method(), ": effective rates have vanished: ", names, ". Squares of gradients overflowed, which has stopped ",
                stopped, stopped == 1 ? " coordinate" : " coordinates",
                " for good: bound gradients by clip_value() or clip_norm(), or train in f64, with a new optimizer.");
  const char* advice =
      !all_forget ? "What it divides by never falls: take RMSProp or Adadelta, which forget, or start it afresh with a new optimizer."
      : all_tell
          ? "Gradients are much larger than at first: clip_norm() bounds single ones, and the average forgets them in time."
          : "Where the rule takes a sum, start it afresh with a new optimizer; where an average, clip_norm() bounds single gradients "
            "(the rule's `static constexpr bool forgets` tells which).";
  return join(optimizer_->method(), ": effective rates have vanished: ", names, ". ", advice);
}

std::string RateMicroscope::table() const {
  last();
  std::string s = "      step        5 %     median       95 %      frozen";
  const std::size_t rows = std::min(kept_.size(), kTableRows);
  for (std::size_t i = 0; i < rows; ++i) {
    const Observation& o = kept_[rows == 1 ? 0 : i * (kept_.size() - 1) / (rows - 1)];
    s += join("\n", column(o.step, 10));
    for (const std::size_t q : {1u, 3u, 5u}) s += column(o.all.quantiles.empty() ? std::nan("") : o.all.quantiles[q]);
    s += join(column(o.all.frozen, 12), " of ", o.all.coordinates);
  }
  std::size_t width = 9;
  for (const First& f : first_) width = std::max(width, f.parameter.size());
  s += join("\n\n", left("parameter", width), "     median  left of first      frozen");
  for (std::size_t i = 0; i < last().parameters.size(); ++i) {
    const RateSummary& r = last().parameters[i];
    s += join("\n", left(first_[i].parameter, width), column(r.median()), "    ", column(r.left), column(r.frozen, 12), " of ",
              r.coordinates);
  }
  return s;
}

void RateMicroscope::write_csv(const std::string& path) const {
  last();
  const auto coarse = [](int bin) { return static_cast<int>(std::floor(static_cast<double>(bin) / kCoarse)); };
  int low = std::numeric_limits<int>::max(), high = std::numeric_limits<int>::min();
  for (const Observation& o : kept_) {
    if (o.counts.empty()) continue;
    low = std::min(low, coarse(o.first_bin));
    high = std::max(high, coarse(o.first_bin + static_cast<int>(o.counts.size()) - 1));
  }
  std::string text = "step,coordinates,reached,frozen,left,least,5 %,25 %,median,75 %,95 %,largest";
  for (const First& f : first_)
    for (const char* what : {"median of ", "frozen of "}) detail::append_name(text += ',', what + f.parameter);
  for (int k = low; k <= high; ++k) text += join(",from ", plot::detail::value_text(std::pow(10, k / (1.0 * detail::rate_bins / kCoarse))));
  for (const Observation& o : kept_) {
    text += join("\n", o.step, ",", o.all.coordinates, ",", o.all.reached, ",", o.all.frozen);
    detail::append_number(text += ',', o.all.left);
    for (std::size_t q = 0; q < std::size(kQuantiles); ++q)
      detail::append_number(text += ',', o.all.quantiles.empty() ? std::nan("") : o.all.quantiles[q]);
    for (std::size_t i = 0; i < first_.size(); ++i) {
      const RateSummary s = i < o.parameters.size() ? o.parameters[i] : RateSummary{};
      detail::append_number(text += ',', s.median());
      text += join(",", s.frozen);
    }
    std::vector<std::int64_t> counts(low > high ? 0 : static_cast<std::size_t>(high - low) + 1);
    for (std::size_t i = 0; i < o.counts.size(); ++i)
      counts[static_cast<std::size_t>(coarse(o.first_bin + static_cast<int>(i)) - low)] += o.counts[i];
    for (const std::int64_t count : counts) text += join(",", count);
  }
  plot::detail::save_text(kOp, path, text + "\n");
}

void RateMicroscope::save(const std::string& path) const { plot::detail::save_picture(kOp, path, svg()); }

}  // namespace capstan
