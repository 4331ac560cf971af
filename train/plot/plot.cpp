#include <capstan/train/plot.h>

#include <capstan/core/text.h>

#include <algorithm>

namespace capstan::plot {

using capstan::detail::fail;

LineChart schedule(const std::vector<NamedSchedule>& schedules, std::int64_t steps, LineChartOptions options) {
  if (steps < 1) fail<ValueError>("plot::schedule", "steps must be positive: ", steps);
  if (steps > std::int64_t{1} << 53) fail<ValueError>("plot::schedule", "steps must be at most 2^53: ", steps);
  if (schedules.empty()) fail<ValueError>("plot::schedule", "there must be a schedule");
  if (options.x.label.empty()) options.x.label = "step";
  if (options.y.label.empty()) options.y.label = "rate";
  LineChart chart(std::move(options));
  const std::int64_t points = std::min<std::int64_t>(steps, 100'000);
  std::vector<std::int64_t> drawn(static_cast<std::size_t>(points));
  for (std::int64_t i = 0; i < points; ++i)
    drawn[static_cast<std::size_t>(i)] =
        points == steps
            ? i
            : static_cast<std::int64_t>(static_cast<double>(steps - 1) * (static_cast<double>(i) / static_cast<double>(points - 1)));
  std::vector<double> x(drawn.begin(), drawn.end()), y(drawn.size());
  for (const NamedSchedule& s : schedules) {
    std::transform(drawn.begin(), drawn.end(), y.begin(), [&](std::int64_t step) { return s.schedule(step); });
    chart.add(s.name, x, y);
  }
  return chart;
}

LineChart schedule(const optim::Schedule& schedule, std::int64_t steps, LineChartOptions options) {
  return plot::schedule(std::vector<NamedSchedule>{{"rate", schedule}}, steps, std::move(options));
}

}  // namespace capstan::plot
