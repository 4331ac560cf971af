// The body of every instruction set's file. No std template is used here: the linker could keep the copy of an inline
// function that was compiled for a better processor than the one at hand.
#include <capstan/core/kernels/table.h>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace capstan::kernels {
namespace {

#include "simd.inl"
#include "elementwise.inl"
#include "reduce.inl"
#include "gemm.inl"
#include "gemv.inl"
#include "loss.inl"

template <class T>
constexpr Table<T> make_table(const char* isa) {
  return {isa,
          {unary_loop<Neg, T>, unary_loop<Exp, T>, unary_loop<Log, T>, unary_loop<Sqrt, T>, unary_loop<Square, T>, unary_loop<Abs, T>,
           unary_loop<Relu, T>, unary_loop<Tanh, T>, unary_loop<Sigmoid, T>},
          {binary_loop<Add, T>, binary_loop<Sub, T>, binary_loop<Mul, T>, binary_loop<Div, T>, binary_loop<Pow, T>,
           binary_loop<SqrtGrad, T>, binary_loop<SquareGrad, T>, binary_loop<AbsGrad, T>, binary_loop<ReluGrad, T>,
           binary_loop<TanhGrad, T>, binary_loop<SigmoidGrad, T>},
          sum<T>,
          sum_squares<T>,
          sum_columns<T>,
          argmax<T>,
          first_non_finite<T>,
          gemm<T>,
          dots<T>,
          combine<T>,
          gemm_scratch<T>,
          transpose<T>,
          squared_distance<T>,
          scaled_difference<T>,
          softmax<T>,
          log_softmax<T>,
          cross_entropy<T>,
          cross_entropy_grad<T>};
}

}  // namespace
