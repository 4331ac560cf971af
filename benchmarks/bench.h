#pragma once
#include <benchmark/benchmark.h>

#include <string>

// Each case registers its measured loops with Google Benchmark; report() says how their times stand to each other.
namespace bench {

/// A loop under a name; its time is one iteration's. What it runs is made by prepare(), each time before it is measured.
template <class F>
void prepared_loop(const std::string& name, F prepare) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [prepare](benchmark::State& state) {
                                 auto body = prepare();
                                 for (auto _ : state) body();
                               })
      ->Repetitions(5)
      ->MinTime(0.02);
}
template <class F>
void loop(const std::string& name, F body) {
  prepared_loop(name, [body] { return body; });
}

/// One line of the table: the time of loop `name` for `steps` steps in each iteration, beside the loop `limit` ("" when the
/// limit is the peak), with the useful floating-point operations or the bytes of one step (0 when they say
/// nothing).
struct Line {
  std::string title, name, limit;
  double steps = 1, flops = 0, bytes = 0;
  double slowest = 0;    // the ratio above which the program fails; 0 for none
  bool product = false;  // one product of matrices: faster than the peak would be an error of measurement
};
void report(const Line& line);

void register_linear();
void register_logistic();  // only when "sparse" is asked for
void register_operations();
void register_mlp();
void register_products();
void register_adagrad();
void register_built_on();
void register_files();      // only when they are asked for
void register_methods();    // only when they are asked for
void register_sparse();     // only when they are asked for: 5 GB
void register_text();       // only when they are asked for
void register_own_rules();  // with optim::make()

}  // namespace bench
