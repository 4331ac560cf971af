#include <capstan/train/compare.h>

#include <capstan/core/create.h>
#include <capstan/core/error.h>
#include <capstan/core/text.h>
#include <capstan/train/scale.h>

#include <algorithm>
#include <cmath>

namespace capstan {

using capstan::detail::fail;
using capstan::detail::join;
using capstan::detail::left;

namespace {

/// Right-aligned, with four significant digits: "    0.0123".
std::string score_column(double value) {
  return capstan::detail::right(std::isfinite(value) ? capstan::detail::general(value + 0.0, 4) : "diverged", 11);
}

/// Two of one name could not be told apart in tables and charts.
void check_names(const std::vector<std::string>& specs) {
  for (std::size_t i = 0; i < specs.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (specs[i] == specs[j]) fail<ValueError>("compare", "each optimizer must be there once: '", specs[i], "' comes again");
}

}  // namespace

std::unique_ptr<optim::Optimizer> MakeOptimizer::operator()(const Parameters& parameters) const {
  if (others_)
    for (const std::string& spec : *others_) optim::make(spec, parameters);
  return optim::make(spec_, parameters, {{"lr", lr_}});
}

double Comparison::Attempt::last() const noexcept { return scores.empty() || !std::isfinite(scores.back()) ? INFINITY : scores.back(); }

const Comparison::Method& Comparison::winner() const noexcept {
  return *std::min_element(methods.begin(), methods.end(),
                           [](const Method& a, const Method& b) { return a.attempts[a.best].last() < b.attempts[b.best].last(); });
}

std::string Comparison::table() const {
  std::size_t width = 6;
  for (const Method& m : methods) width = std::max(width, m.spec.size());
  std::string s = join(left("method", width), "    best lr  last ", options.score);
  for (const Method& m : methods) {
    const Attempt& best = m.attempts[m.best];
    s += join("\n", left(m.spec, width), score_column(best.lr), score_column(best.last()),
              m.at_edge() ? "  (a better rate may lie outside)" : "");
  }
  s += join("\n\n", left("at lr", width));
  for (const double rate : options.rates) s += score_column(rate);
  for (const Method& m : methods) {
    if (m.attempts.size() != options.rates.size()) continue;  // at a rate of its own
    s += join("\n", left(m.spec, width));
    for (const Attempt& a : m.attempts) s += score_column(a.last());
  }
  return s;
}

plot::LineChart Comparison::curves() const {
  plot::LineChart chart({.title = options.title, .x = {.label = options.progress}, .y = {.label = options.score, .log = true}});
  for (const Method& m : methods) {
    const Attempt& best = m.attempts[m.best];
    if (best.scores.empty()) continue;
    std::vector<double> x(best.scores.size());
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i + 1);
    const bool is_said = optim::parse_spec(m.spec).find("lr").has_value();
    chart.add(is_said ? m.spec : join(m.spec, ", lr ", best.lr), x, best.scores);
  }
  return chart;
}

plot::LineChart Comparison::sweep() const {
  // Ten times worse than the beginning is bad enough: 10^40 would leave no room for the rest.
  double top = 0, most = 0, least = INFINITY;
  for (const Method& m : methods) {
    const std::vector<double>& best = m.attempts[m.best].scores;
    if (!best.empty()) top = std::max(top, 10 * best.front());
    for (const Attempt& a : m.attempts) {
      if (std::isfinite(a.last())) most = std::max(most, a.last());
      least = std::min(least, a.last());
    }
  }
  plot::Axis y_axis = {.label = "last " + options.score, .log = true};
  if (std::isfinite(top) && least < top && top < most) y_axis.high = top;
  std::string at_edge;
  for (const Method& m : methods)
    if (m.at_edge()) at_edge += join(at_edge.empty() ? "A better rate may lie outside the grid: " : ", ", m.spec);
  plot::LineChart chart({.title = options.title, .x = {.label = "lr", .log = true}, .y = y_axis, .note = at_edge});
  for (const Method& m : methods) {
    std::vector<double> x, y;
    for (const Attempt& a : m.attempts) {
      x.push_back(a.lr);
      y.push_back(a.last());
    }
    chart.add(m.spec, x, y);
  }
  return chart;
}

Comparison detail::compare(const std::vector<std::string>& specs, AnyProblem call, const void* problem, CompareOptions options) {
  if (specs.empty()) fail<ValueError>("compare", "there must be an optimizer");
  if (options.rates.empty()) fail<ValueError>("compare", "there must be a rate");
  for (const double rate : options.rates)
    if (!(rate > 0) || !std::isfinite(rate)) fail<ValueError>("compare", "rates must be finite and positive: ", rate);
  check_names(specs);
  Comparison result{{}, std::move(options)};
  for (const std::string& spec : specs) {
    optim::make(spec, {{"x", zeros({1, 1})}});  // a matrix, which all methods take
    const std::optional<double> own = optim::parse_spec(spec).find("lr");
    Comparison::Method m{spec, {}, 0};
    for (const double rate : own ? std::vector<double>{*own} : result.options.rates) m.attempts.push_back({rate, {}});
    result.methods.push_back(std::move(m));
  }
  const std::vector<std::string>* untried = &specs;
  for (Comparison::Method& m : result.methods) {
    for (Comparison::Attempt& a : m.attempts) {
      MakeOptimizer make(m.spec, a.lr);
      make.others_ = std::exchange(untried, nullptr);
      try {
        a.scores = call(problem, make);
      } catch (const NotFiniteError&) {
        continue;
      }
      if (a.scores.empty()) fail<ValueError>("compare", "the problem must return a score: none for ", m.spec, " at lr ", a.lr);
    }
    const auto least =
        std::min_element(m.attempts.begin(), m.attempts.end(), [](const auto& a, const auto& b) { return a.last() < b.last(); });
    m.best = static_cast<std::size_t>(least - m.attempts.begin());
  }
  return result;
}

}  // namespace capstan
