#include <capstan/train/plot.h>

#include "support.h"

using namespace capstan;

TEST(Plot, DrawsTheRatesOfSchedules) {
  const optim::Schedule falling = optim::schedule::linear(0.5, 0.25, 4);
  const std::vector<double> x = {0, 1, 2, 3, 4, 5}, y = {0.5, 0.4375, 0.375, 0.3125, 0.25, 0.25};
  const std::vector<double> level = {1, 1, 1, 1, 1, 1};
  const plot::LineChartOptions options = {.title = "Learning rate", .x = {.label = "step"}, .y = {.label = "rate"}};
  EXPECT_EQ(plot::schedule({{"falling", falling}, {"level", optim::schedule::constant(1)}}, 6).svg(),
            plot::LineChart(options).add("falling", x, y).add("level", x, level).svg());
  EXPECT_EQ(plot::schedule(falling, 6).svg(), plot::LineChart(options).add("rate", x, y).svg());
  // Axes without a label get one; a title is the caller's.
  EXPECT_EQ(plot::schedule({{"falling", falling}}, 6, {.width = 300}).svg(),
            plot::LineChart({.x = {.label = "step"}, .y = {.label = "rate"}, .width = 300}).add("falling", x, y).svg());
  EXPECT_EQ(plot::schedule(falling, 6, {.x = {.label = "batch"}, .y = {.label = "lr"}}).svg(),
            plot::LineChart({.x = {.label = "batch"}, .y = {.label = "lr"}}).add("rate", x, y).svg());
}

TEST(Plot, DrawsALongScheduleByAPartOfItsSteps) {
  std::int64_t calls = 0, last = -1;
  const optim::Schedule counted = [&](std::int64_t step) {
    EXPECT_GT(step, last);
    ++calls;
    last = step;
    return 1.0;
  };
  plot::schedule({{"long", counted}}, 1'000'000'007);
  EXPECT_EQ(calls, 100'000);
  EXPECT_EQ(last, 1'000'000'006);
}

TEST(Plot, RefusesNothing) {
  EXPECT_EQ(thrown([] {
              plot::schedule({{"a", optim::schedule::constant(1)}}, 0);
            }),
            "ValueError: [plot::schedule] steps must be positive: 0");
  EXPECT_EQ(thrown([] {
              plot::schedule({{"a", optim::schedule::constant(1)}}, INT64_MAX);
            }),
            "ValueError: [plot::schedule] steps must be at most 2^53: 9223372036854775807");
  EXPECT_EQ(thrown([] { plot::schedule({}, 5); }), "ValueError: [plot::schedule] there must be a schedule");
}
