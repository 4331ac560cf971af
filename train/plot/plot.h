#pragma once
#include <capstan/optim/schedule.h>
#include <capstan/train/chart.h>

namespace capstan::plot {

struct NamedSchedule {
  std::string name;
  optim::Schedule schedule;
};

/// The rates of steps 0 to steps - 1, a line for each schedule:
///
///     plot::schedule({{"cosine", optim::schedule::cosine(0.1, 900)}}, 1000).save("rate.svg");
///
/// Of more than 100,000 steps as many are drawn, evenly apart. An axis without a label gets "step" or "rate". Throws:
///   - ValueError unless steps > 0, and for no schedule.
LineChart schedule(const std::vector<NamedSchedule>& schedules, std::int64_t steps,
                   LineChartOptions options = {.title = "Learning rate", .x = {.label = "step"}, .y = {.label = "rate"}});
/// The same of one schedule: plot::schedule(optim::schedule::cosine(0.1, 900), 1000).
LineChart schedule(const optim::Schedule& schedule, std::int64_t steps,
                   LineChartOptions options = {.title = "Learning rate", .x = {.label = "step"}, .y = {.label = "rate"}});

}  // namespace capstan::plot
