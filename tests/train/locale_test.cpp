// What the library writes and reads is the same in every locale that a program may choose.
#include <capstan/autograd/profile.h>
#include <capstan/core/random.h>
#include <capstan/data/table.h>
#include <capstan/nn/linear.h>
#include <capstan/optim/schedule.h>
#include <capstan/train/compare.h>
#include <capstan/train/contour.h>
#include <capstan/train/log.h>
#include <capstan/train/plot.h>
#include <capstan/train/progress.h>

#include "../comma_locale.h"
#include "rates.h"

namespace {

std::string tensors() {
  std::ostringstream out;
  out << tensor({{1.5, 2.25}, {-1e-9, 1e30}}) << "\n"
      << tensor({0.1, 1.0 / 3, 12345.678}, DType::f64) << "\n"
      << tensor(1.5) << tensor(0.1, DType::f64) << "\n"
      << tensor({2.0000000000000004, 9, 4}, DType::f64) << arange(123456789, 123456791, 1, DType::i64) << zeros({2}) << "\n";
  return out.str();
}

std::string errors() {
  std::string s = thrown([] { uniform({1234567}, 2.5, 1.5); }) + thrown([] { optim::make("sgd lr=-0.5", {{"w", zeros({2})}}); });
  s += thrown([] { data::read_table("/missing"); }) + thrown([] { CsvLog("/missing/x", {"a"}); });
  return s;
}

std::string graph() {
  const Tensor w = parameter(ones({1000, 2}));
  Tape tape;
  const Tensor y = sum(w * w);
  return to_dot(tape, {{"w", w}}) + to_string(std::vector<OperationProfile>{{"mul", 1234567, 2500, 1.5e-6, 2.5e-3}});
}

std::string read_back() {
  const auto optimizer = optim::make("adagrad lr=0.125 eps=1e-7", {{"w", parameter(ones({2}))}});
  return optimizer->explain() + to_string(data::parse_table("a,b\n1.5,-2e-3\n0.25,1234.5\n", {.header = true}));
}

std::string microscope() {
  const Folder folder;
  const Tensor w = parameter(zeros({3}, DType::f64));
  optim::Adagrad optimizer({{"w", w}}, plain());
  RateMicroscope rates(optimizer);
  for (int i = 0; i < 3; ++i) {
    step(optimizer, w, {0.1, 7, 1000});
    rates.observe();
  }
  rates.write_csv(folder.file("rates.csv"));
  return rates.table() + rates.warning() + rates.svg() + read(folder.file("rates.csv"));
}

std::string comparison() {
  const auto result = compare({"sgd"},
                              [](const MakeOptimizer& make) {
                                const Tensor w = parameter(ones({1}));
                                const auto optimizer = make({{"w", w}});
                                step(*optimizer, w, {0.37});
                                return std::vector<double>{1.5, w.item()};
                              },
                              {.rates = {0.25, 0.5}});
  return result.table() + result.curves().svg() + result.sweep().svg();
}

std::string pictures() {
  plot::ContourPlot contour([](double a, double b) { return 0.1 * a * a + 2.5 * b * b; },
                            {.x = {.label = "x1", .low = -1.5, .high = 2.5}, .y = {.label = "x2", .low = -1, .high = 1.25}});
  contour.path("path", {-1.25, 0.5}, {0.5, 0.75});
  return contour.svg() + plot::schedule(optim::schedule::cosine(0.125, 1234), 1234567).svg();
}

std::string lines_of_a_run() {
  const Folder folder;
  std::FILE* file = std::fopen(folder.file("out").c_str(), "w");
  {
    CsvLog log(folder.file("log.csv"), {"epoch", "loss"});
    log.row(1.5, 1234567.25);
    Progress progress(1, 2, {.style = ProgressStyle::plain, .file = file});
    progress.step({{"loss", 0.125}});
    progress.end_epoch({{"loss", 1234.5}, {"tiny", 1.5e-7}});
  }
  std::fclose(file);
  const std::string text = read(folder.file("out"));
  return read(folder.file("log.csv")) + text.substr(0, text.rfind("  "));  // how long it took differs
}

}  // namespace

TEST(Locale, NothingWrittenOrReadDependsOnIt) {
  for (const auto& write : {tensors, errors, graph, read_back, microscope, comparison, pictures, lines_of_a_run}) {
    const std::string usual = write();
    EXPECT_NE(usual.find('.'), std::string::npos);
    const CommaLocale commas;
    EXPECT_EQ(write(), usual);
  }
}
