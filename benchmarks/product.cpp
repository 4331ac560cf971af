// The products of which the perceptrons consist: forward x w^T, backward dy w and dy^T x.
#include <capstan/capstan.h>

#include "bench.h"

using namespace capstan;

namespace {

void add(const char* kind, std::int64_t m, std::int64_t n, std::int64_t k, MatmulOptions options) {
  const Tensor a = options.transpose_a ? randn({k, m}) : randn({m, k}), b = options.transpose_b ? randn({n, k}) : randn({k, n});
  const std::string sizes = std::to_string(m) + " x " + std::to_string(n) + " x " + std::to_string(k);
  const std::string name = std::string("product/") + kind + "/" + sizes;
  bench::loop(name, [=] { benchmark::DoNotOptimize(matmul(a, b, options)); });
  bench::report({.title = std::string(kind) + ", m n k = " + sizes,
                 .name = name,
                 .limit = "",
                 .flops = 2 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k),
                 .product = true});
}

void layer(std::int64_t batch, std::int64_t in, std::int64_t out) {
  add("a b^T", batch, out, in, {.transpose_b = true});
  add("a b", batch, in, out, {});
  add("a^T b", out, in, batch, {.transpose_a = true});
}

}  // namespace

void bench::register_products() {
  layer(32, 64, 64);
  layer(32, 64, 10);
  layer(128, 256, 256);
  layer(128, 784, 256);
  layer(256, 1024, 1024);
}
