// What README says of the libraries that Capstan is built on: its own kernels beside xtensor's expressions and OpenBLAS's products.
#include <capstan/capstan.h>
#include <capstan/core/xtensor.h>
#include <cblas.h>

#include "bench.h"

using namespace capstan;

namespace {

/// Two loops that compute the same, one beside the other.
template <class Ours, class Theirs>
void beside(const std::string& what, const std::string& library, Ours ours, Theirs theirs) {
  const std::string name = "built_on/" + library + "/" + what;
  bench::loop(name, ours);
  bench::loop(name + "/theirs", theirs);
  bench::report({.title = what + " (" + library + ")", .name = name, .limit = name + "/theirs"});
}

void register_sum(std::size_t axis) {
  const Tensor x = randn({1000, 1000}), out = empty({1000});
  beside(
      "sum over axis " + std::to_string(axis) + " of 1000 x 1000", "xtensor",
      [=] { benchmark::DoNotOptimize(sum(x, static_cast<int>(axis))); },
      [=] { xt::noalias(as_xtensor<float, 1>(out)) = xt::sum(as_xtensor<float, 2>(x), {axis}, xt::evaluation_strategy::immediate); });
}

void register_product(std::int64_t m, std::int64_t n, std::int64_t k) {
  const Tensor a = randn({m, k}), b = randn({k, n}), out = empty({m, n});
  const auto size = [](std::int64_t v) { return static_cast<int>(v); };
  beside(
      "product " + std::to_string(m) + " x " + std::to_string(n) + " x " + std::to_string(k), "OpenBLAS",
      [=] { benchmark::DoNotOptimize(matmul(a, b)); },
      [=] {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, size(m), size(n), size(k), 1, a.data<float>(), size(k), b.data<float>(),
                    size(n), 0, out.data<float>(), size(n));
      });
}

}  // namespace

void bench::register_built_on() {
  inverse(eye(2));  // from here on OpenBLAS has one thread
  const Tensor x = randn({1000000}), y = randn({1000000}), out = empty({1000000});
  beside(
      "exp of a million", "xtensor", [=] { benchmark::DoNotOptimize(exp(x)); },
      [=] { xt::noalias(as_xtensor<float, 1>(out)) = xt::exp(as_xtensor<float, 1>(x)); });
  beside(
      "sum of two millions", "xtensor", [=] { benchmark::DoNotOptimize(x + y); },
      [=] { xt::noalias(as_xtensor<float, 1>(out)) = as_xtensor<float, 1>(x) + as_xtensor<float, 1>(y); });
  register_sum(0);
  register_sum(1);
  register_product(32, 64, 64);
  register_product(256, 1024, 1024);
  register_product(1024, 1024, 1024);
}
