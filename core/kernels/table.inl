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
#include "elementwise.inl"
#include "curves.inl"
#include "compare.inl"
#include "reduce.inl"
#include "gemm.inl"
#include "gemv.inl"
#include "loss.inl"
#include "random.inl"
// clang-format on

template <class T>
constexpr Table<T> make_table(const char* isa) {
  return {isa,
          {unary_loop<Neg, T>,   unary_loop<Exp, T>,   unary_loop<Log, T>,   unary_loop<Sqrt, T>,       unary_loop<Square, T>,
           unary_loop<Abs, T>,   unary_loop<Relu, T>,  unary_loop<Tanh, T>,  unary_loop<Sigmoid, T>,    unary_loop<Sign, T>,
           unary_loop<Expm1, T>, unary_loop<Log1p, T>, unary_loop<Rsqrt, T>, unary_loop<Reciprocal, T>, unary_loop<Sin, T>,
           unary_loop<Cos, T>,   unary_loop<Erf, T>,   unary_loop<Floor, T>, unary_loop<Ceil, T>,       unary_loop<Round, T>},
          {binary_loop<Add, T>, binary_loop<Sub, T>, binary_loop<Mul, T>, binary_loop<Div, T>, binary_loop<Pow, T>,
           binary_loop<SqrtGrad, T>, binary_loop<SquareGrad, T>, binary_loop<AbsGrad, T>, binary_loop<ReluGrad, T>,
           binary_loop<TanhGrad, T>, binary_loop<SigmoidGrad, T>, binary_loop<Maximum, T>, binary_loop<Minimum, T>,
           binary_loop<MaximumShare, T>, binary_loop<PowerSlope, T>, binary_loop<ExponentSlope, T>},
          sum<T>,
          sum_squares<T>,
          sum_columns<T>,
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
          {curve_loop<Clamp, T>,         curve_loop<ClampGrad, T>, curve_loop<HardtanhGrad, T>,   curve_loop<LeakyRelu, T>,
           curve_loop<LeakyReluGrad, T>, curve_loop<Elu, T>,       curve_loop<EluGrad, T>,        curve_loop<Softplus, T>,
           curve_loop<SoftplusGrad, T>,  curve_loop<Silu, T>,      curve_loop<SiluGrad, T>,       curve_loop<Gelu, T>,
           curve_loop<GeluGrad, T>,      curve_loop<GeluTanh, T>,  curve_loop<GeluTanhGrad, T>,   curve_loop<Expm1Grad, T>,
           curve_loop<Log1pGrad, T>,     curve_loop<RsqrtGrad, T>, curve_loop<ReciprocalGrad, T>, curve_loop<SinGrad, T>,
           curve_loop<CosGrad, T>,       curve_loop<ErfGrad, T>,   curve_loop<Huber, T>,          curve_loop<HuberGrad, T>,
           curve_loop<Share, T>,         curve_loop<LogitLoss, T>, curve_loop<LogitSlope, T>,     curve_loop<LogDivergence, T>,
           curve_loop<Xlogx, T>,         curve_loop<XlogxGrad, T>},
          {compare_loop<Equal, T>, compare_loop<Unequal, T>, compare_loop<Less, T>, compare_loop<LessEqual, T>},
          finite<T>,
          select<T>,
          random_words,
          random_uniform<T>,
          random_normal<T>};
}

}  // namespace
