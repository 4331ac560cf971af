// What one recorded operation costs, forward and backward, when its elements cost next to nothing.
#include <capstan/capstan.h>

#include <memory>

#include "bench.h"

using namespace capstan;

namespace {

/// A chain of so many products, and its gradient.
void chain(const Tensor& x, std::int64_t operations) {
  Tape tape;
  Tensor y = x;
  for (std::int64_t i = 1; i < operations; ++i) y = y * 1.0001;
  Gradients g = tape.gradients(sum(y));
  benchmark::DoNotOptimize(g.table());
}

void register_chain(std::int64_t elements, std::int64_t operations, const std::string& name, const std::string& title) {
  auto x = std::make_shared<Tensor>(parameter(ones({elements})));
  bench::loop(name, [=] { chain(*x, operations); });
  bench::report({.title = title, .name = name, .steps = static_cast<double>(operations)});
}

}  // namespace

void bench::register_operations() {
  register_chain(1, 1000, "operations/1", "an operation on 1 element, of 1,000");
  register_chain(10, 1000, "operations/10", "an operation on 10 elements, of 1,000");
  register_chain(10, 1000000, "operations/million", "an operation on 10 elements, of 1,000,000");
}
