// The body of every instruction set's file. No std template is used here: the linker could keep the copy of an inline
// function that was compiled for a better processor than the one at hand.
#include <capstan/core/kernels/table.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace capstan::kernels {
namespace {

// Each uses what stands above it.
// clang-format off
#include "simd.inl"
#include "elementary.inl"
#include "error_function.inl"
#include "activation.inl"
#include "elementwise.inl"
#include "reduce.inl"
#include "gemm.inl"
#include "gemv.inl"
#include "loss.inl"
#include "random.inl"
// clang-format on

template <class T>
constexpr Table<T> make_table(const char* isa) {
  return {isa,
#define X(name, ...) unary_loop<functions_of_one::name, T>,
          {CAPSTAN_UNARY(X)},
#undef X
#define X(name, ...) binary_loop<functions_of_two::name, T, T>,
          {CAPSTAN_BINARY(X)},
#undef X
          sum<T>,
          sum_squares<T>,
          sum_columns<T>,
          add_rows<T>,
          argmax<T>,
          first_non_finite<T>,
          gemm<T>,
          gemv<T>,
          gemv_transposed<T>,
          gemm_scratch<T>,
          transpose<T>,
          squared_distance<T>,
          add_scaled<T>,
          softmax<T>,
          log_softmax<T>,
          cross_entropy<T>,
          cross_entropy_grad<T>,
#define X(name, ...) parametric_loop<functions_with_numbers::name, T>,
          {CAPSTAN_PARAMETRIC(X)},
#undef X
#define X(name, ...) binary_loop<functions_of_two::name, T, bool>,
          {CAPSTAN_COMPARE(X)},
#undef X
          finite<T>,
          select<T>,
          random_words,
          random_uniform<T>,
          random_normal<T>};
}

}  // namespace
