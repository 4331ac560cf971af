// The same bits from call to call and for any number of threads, whichever BLAS is linked. ctest runs these once more with each that
// is installed: OpenBLAS with threads of its own, with OpenMP, for one thread, and the reference BLAS.
#include "support.h"

#include <capstan/autograd/ops.h>
#include <capstan/core/blas.h>
#include <capstan/core/threads.h>

#include <dlfcn.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "../child.h"

extern "C" void cblas_dgemm();

using namespace capstan;

namespace {

/// In [0.1, 2).
Tensor numbers(const Shape& shape, DType dtype, std::uint64_t seed) {
  Numbers draw(seed);
  const Tensor t = empty(shape, DType::f64);
  for (std::int64_t i = 0; i < t.numel(); ++i) t.data<double>()[i] = draw.real(0.1, 2);
  return t.to(dtype);
}

/// The bits of products of every kind, some of them large enough for BLAS and for threads, and of what LAPACK computes.
std::string results(DType dtype) {
  std::string all;
  for (const auto& [m, n, k] : {std::array{300, 320, 200}, {20, 600, 300}, {65, 70, 80}}) {
    const Tensor a = numbers({m, k}, dtype, 1), b = numbers({k, n}, dtype, 2), at = numbers({k, m}, dtype, 3),
                 bt = numbers({n, k}, dtype, 4);
    all += bits(matmul(a, b)) + bits(matmul(at, b, {.transpose_a = true})) + bits(matmul(a, bt, {.transpose_b = true}));
  }
  const Tensor a = numbers({150, 150}, dtype, 5), tall = numbers({200, 90}, dtype, 6), right = numbers({150, 3}, dtype, 7);
  const Tensor symmetric = matmul(a, a, {.transpose_b = true}) + eye(150, dtype) * 10;
  all += bits(solve(a, right)) + bits(inverse(a)) + bits(cholesky(symmetric)) + bits(qr(tall).q) + bits(eigh(symmetric).vectors);
  return all;
}

struct Blas : testing::TestWithParam<DType> {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  void SetUp() override { GTEST_SKIP() << "takes minutes under a sanitizer"; }
#endif
  void TearDown() override { set_num_threads(before); }
  int before = num_threads();
};

}  // namespace

TEST_P(Blas, GivesTheSameBitsFromCallToCall) {
  const std::string expected = results(GetParam());
  for (const int threads : {1, 2, 3})
    for (int round = 0; round < 3; ++round) {
      set_num_threads(threads);
      ASSERT_TRUE(results(GetParam()) == expected) << threads << " threads, round " << round;
    }
}

TEST_P(Blas, GivesTheSameBitsToThreadsThatCallAtOnce) {
  set_num_threads(2);
  const std::string expected = results(GetParam());
  std::atomic<int> right = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i)
    callers.emplace_back([&] {
      for (int round = 0; round < 3; ++round) right += results(GetParam()) == expected;
    });
  for (std::thread& t : callers) t.join();
  EXPECT_EQ(right, 9);
}

#if !defined(__SANITIZE_THREAD__)
TEST_P(Blas, GivesTheSameBitsToAChild) {
  set_num_threads(2);
  const std::string expected = results(GetParam());
  std::atomic<bool> stop = false;
  std::thread other([&] {
    while (!stop) results(GetParam());
  });
  for (int round = 0; round < 3; ++round) EXPECT_EQ(in_a_child([&] { return results(GetParam()) == expected ? 1 : 0; }), "exit 1") << round;
  stop = true;
  other.join();
}
#endif

TEST(BlasLibrary, IsTheOneThatCtestChose) {
  const char* const wanted = std::getenv("CAPSTAN_TEST_BLAS");
  if (!wanted) GTEST_SKIP() << "none was chosen";
  Dl_info found;
  ASSERT_NE(::dladdr(reinterpret_cast<void*>(&cblas_dgemm), &found), 0);
  EXPECT_NE(std::string(found.dli_fname).find(wanted), std::string::npos) << found.dli_fname;
}

INSTANTIATE_TEST_SUITE_P(Dtypes, Blas, testing::Values(DType::f32, DType::f64),
                         [](const auto& dtype) { return std::string(name(dtype.param)); });
