// The figures of the README: every loop of ours beside its limit, in nine interleaved rounds of which each takes the
// fastest of five repetitions; printed is the median of the nine. One thread. With --rounds=N so many rounds, with --csv
// "name,seconds" of a step, line by line, for peers.py. --benchmark_filter chooses among the loops by their names; those of
// methods.cpp, files.cpp, text.cpp, sparse.cpp and logistic.cpp are there only when it names them.
#include <capstan/core/kernels/table.h>
#include <capstan/core/threads.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <vector>

#include "bench.h"
#include "limits.h"

namespace {

std::vector<bench::Line>& lines() {
  static std::vector<bench::Line> all;
  return all;
}

/// Keeps each loop's fastest repetition of a round.
class Fastest : public benchmark::BenchmarkReporter {
 public:
  std::map<std::string, double> seconds;
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& r : runs) {
      if (r.run_type != Run::RT_Iteration) continue;
      const double s = r.real_accumulated_time / static_cast<double>(r.iterations);
      const auto [at, fresh] = seconds.emplace(r.run_name.function_name, s);
      if (!fresh) at->second = std::min(at->second, s);
    }
  }
};

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v.empty() ? 0 : v[v.size() / 2];
}

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "unknown processor";
}

/// Takes "--<name>" out of the arguments; whether it was there, and the number behind "=".
bool take(int& argc, char** argv, const std::string& name, int* number) {
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag != "--" + name && flag.rfind("--" + name + "=", 0) != 0) continue;
    if (number) *number = std::atoi(flag.c_str() + std::min(flag.size(), name.size() + 3));
    std::copy(argv + i + 1, argv + argc, argv + i);
    --argc;
    return true;
  }
  return false;
}

}  // namespace

void bench::report(const Line& line) { lines().push_back(line); }

int main(int argc, char** argv) {
  int count = 9;
  const bool csv = take(argc, argv, "csv", nullptr);
  if (take(argc, argv, "rounds", &count) && count < 1) {
    std::fprintf(stderr, "--rounds must be 1 or more\n");
    return 2;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  capstan::set_num_threads(1);
  bench::register_linear();
  bench::register_operations();
  bench::register_mlp();
  bench::register_products();
  bench::register_adagrad();
  bench::register_built_on();
  if (benchmark::GetBenchmarkFilter().find("files") != std::string::npos) bench::register_files();
  if (benchmark::GetBenchmarkFilter().find("methods") != std::string::npos) bench::register_methods();
  if (benchmark::GetBenchmarkFilter().find("sparse") != std::string::npos) {
    bench::register_sparse();
    bench::register_logistic();
  }
  if (benchmark::GetBenchmarkFilter().find("text") != std::string::npos) bench::register_text();

  std::map<std::string, std::vector<double>> rounds;
  std::vector<double> peaks;
  for (int round = 0; round < count; ++round) {
    if (!csv) std::fprintf(stderr, "round %d of %d\r", round + 1, count);
    peaks.push_back(limits::fma_peak());
    Fastest fastest;
    benchmark::RunSpecifiedBenchmarks(&fastest);
    for (const auto& [name, seconds] : fastest.seconds) rounds[name].push_back(seconds);
  }

  if (csv) {
    std::printf("processor,%s (%s kernels)\n", processor().c_str(), capstan::kernels::table<float>().isa);
    for (const bench::Line& l : lines())
      if (rounds.contains(l.name)) std::printf("%s,%.9g\n", l.name.c_str(), median(rounds[l.name]) / l.steps);
    return 0;
  }
  const double peak = median(peaks), best_peak = *std::max_element(peaks.begin(), peaks.end());
  std::printf("%s, %s kernels, FMA peak %.1f GFLOP/s (f32), one thread; median of %d interleaved minima\n\n", processor().c_str(),
              capstan::kernels::table<float>().isa, peak / 1e9, count);
  std::printf("| %-44s | %12s | %12s | %6s | %8s | %6s |\n|%s|\n", "step", "ours us", "limit us", "ratio", "G/s", "% peak",
              std::string(105, '-').c_str());
  bool failed = false;
  for (const bench::Line& l : lines()) {
    if (!rounds.contains(l.name)) continue;
    const double ours = median(rounds[l.name]) / l.steps;
    std::printf("| %-44s | %12.3f |", l.title.c_str(), ours * 1e6);
    if (l.limit.empty()) {
      std::printf(" %12s | %6s |", "", "");
    } else {
      const double limit = median(rounds[l.limit]) / l.steps;
      std::printf(" %12.3f | %6.2f |", limit * 1e6, ours / limit);
      if (l.slowest > 0 && ours > l.slowest * limit) {
        std::fprintf(stderr, "%s: slower than %.2f times the limit\n", l.title.c_str(), l.slowest);
        failed = true;
      }
    }
    if (l.flops > 0)
      std::printf(" %8.1f | %6.1f |\n", l.flops / ours / 1e9, 100 * l.flops / ours / peak);
    else if (l.bytes > 0)
      std::printf(" %6.1f B | %6s |\n", l.bytes / ours / 1e9, "");
    else
      std::printf(" %8s | %6s |\n", "", "");
    if (l.product && l.flops / ours > best_peak) {
      std::fprintf(stderr, "%s: faster than the FMA peak, so that one of the two is measured wrongly\n", l.title.c_str());
      failed = true;
    }
  }
  return failed ? 1 : 0;
}
