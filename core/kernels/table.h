#pragma once
#include <cstdint>

// Private: the loops that decide the speed, compiled once per instruction set (plain.cpp, v2.cpp, v3.cpp, v4.cpp) into
// tables of function pointers. All arrays are contiguous; outputs may be an input where a comment says so.
namespace capstan::kernels {

enum class Unary : std::uint8_t {
  neg,
  exp,
  log,
  sqrt,
  square,
  abs,
  relu,
  tanh,
  sigmoid,
  sign,  // 0 at both zeros
  expm1,
  log1p,
  rsqrt,
  reciprocal,
  sin,
  cos,
  erf,
  floor,
  ceil,
  round,  // halves to the even neighbour
};
inline constexpr int unary_count = 20;

/// The *_grad kernels compute an operation's gradient from one saved tensor and dy, in that order.
enum class Binary : std::uint8_t {
  add,
  sub,
  mul,
  div,
  pow,
  sqrt_grad,     // dy / (2 y)
  square_grad,   // 2 x dy
  abs_grad,      // sign(x) dy
  relu_grad,     // y <= 0 ? 0 : dy
  tanh_grad,     // (1 - y^2) dy
  sigmoid_grad,  // y (1 - y) dy
  maximum,       // NaN when one of them is
  minimum,
  maximum_share,   // what of d max(a, b) is da's: 1, 1/2 where they are equal, 0 where a < b
  power_slope,     // b a^(b-1), 0 for b = 0
  exponent_slope,  // a^b ln a, 0 for a = 0 <= b
};
inline constexpr int binary_count = 16;

/// Functions with up to two numbers p and q, y = f(a, b, p, q); the *_grad kernels take x (or y where it says so) and dy.
enum class Curve : std::uint8_t {
  clamp,            // a limited to [p, q]
  clamp_grad,       // p <= x <= q ? dy : 0
  hardtanh_grad,    // x <= p or x >= q ? 0 : dy
  leaky_relu,       // a > 0 ? a : p a
  leaky_relu_grad,  // x > 0 ? dy : p dy
  elu,              // a > 0 ? a : p (e^a - 1)
  elu_grad,         // x > 0 ? dy : p e^x dy
  softplus,         // ln(1 + e^(p a)) / p
  softplus_grad,    // sigmoid(p x) dy
  silu,             // a sigmoid(a)
  silu_grad,
  gelu,  // a (1 + erf(a / sqrt 2)) / 2
  gelu_grad,
  gelu_tanh,  // a (1 + tanh(sqrt(2 / pi) (a + 0.044715 a^3))) / 2
  gelu_tanh_grad,
  expm1_grad,       // (1 + y) dy
  log1p_grad,       // dy / (1 + x)
  rsqrt_grad,       // -y^3 dy / 2
  reciprocal_grad,  // -y^2 dy
  sin_grad,         // cos(x) dy
  cos_grad,         // -sin(x) dy
  erf_grad,         // 2 / sqrt(pi) e^(-x^2) dy
  huber,            // (|a| <= p ? a^2 / 2 : p (|a| - p / 2)) / q
  huber_grad,       // x limited to [-p, p], times dy / q
  share,            // a b, 0 for b = 0 beside an infinite a
  logit_loss,       // (1 - b) ln(1 + e^a) + b ln(1 + e^-a): cross-entropy of sigmoid(a) and b
  logit_slope,      // (1 - b) sigmoid(a) - b sigmoid(-a)
  log_divergence,   // e^a (a - b), 0 for a = -inf
  xlogx,            // a ln a, 0 at 0
  xlogx_grad,       // (ln x + 1) dy, 0 at 0
};
inline constexpr int curve_count = 30;

enum class Compare : std::uint8_t { equal, unequal, less, less_equal };
inline constexpr int compare_count = 4;

/// How one operand of a product lies in memory: element (i, j) at data[i * row + j * column]. One stride is 1.
template <class T>
struct Operand {
  const T* data;
  std::int64_t row, column;
};

/// The key and the counter of a stream of random blocks of four words; counter[0] and the lower part of counter[1] are the block's index.
/// Blocks come in groups, which are computed side by side. A group's numbers lie in the order of its words, word 0 of each block
/// first. An f32 is made of one word, an f64 of two: words 0 and 1 of each block, then words 2 and 3.
struct Stream {
  static constexpr int group = 16;
  std::uint32_t key[2], counter[4];
};

template <class T>
struct Table {
  const char* isa;
  /// y[i] = f(x[i]); y may be x.
  void (*unary[unary_count])(const T* x, T* y, std::int64_t n);
  /// y[i] = f(a[i], b[i]), where a (b) is one number for all i when a_step (b_step) is 0; y may be a or b.
  void (*binary[binary_count])(const T* a, const T* b, T* y, std::int64_t n, bool a_step, bool b_step);
  T (*sum)(const T* x, std::int64_t n);
  double (*sum_squares)(const T* x, std::int64_t n);
  /// y[j] = (accumulate ? y[j] : 0) + sum over i of x[i * columns + j].
  void (*sum_columns)(const T* x, T* y, std::int64_t rows, std::int64_t columns, bool accumulate);
  /// The index of the first largest element; of the first NaN when there is one. n > 0.
  std::int64_t (*argmax)(const T* x, std::int64_t n, std::int64_t step);
  /// The first index whose element is NaN or infinite; n when all are finite.
  std::int64_t (*first_non_finite)(const T* x, std::int64_t n);
  /// c[m, n] = (accumulate ? c : bias or 0) + a[m, k] b[k, n].
  /// A row of c begins c_row after the one before; scratch holds gemm_scratch(m, n, k) elements. The bits of an element of c
  /// depend on its own row of a and column of b alone. `finite`, unless null, becomes false when an element of c is not
  /// finite; while they are in registers that costs next to nothing.
  void (*gemm)(std::int64_t m, std::int64_t n, std::int64_t k, const Operand<T>& a, const Operand<T>& b, T* c, std::int64_t c_row,
               const T* bias, bool accumulate, T* scratch, bool* finite);
  /// y[i] = (accumulate ? y[i] : bias or 0) + sum over j of a[i * a_row + j] x[j], for i < m and j < k.
  void (*gemv)(std::int64_t m, std::int64_t k, const T* a, std::int64_t a_row, const T* x, T* y, const T* bias, bool accumulate);
  /// y[j] = (accumulate ? y[j] : 0) + sum over i of x[i] a[i * a_row + j], for i < m and j < k.
  void (*gemv_transposed)(std::int64_t m, std::int64_t k, const T* a, std::int64_t a_row, const T* x, T* y, bool accumulate);
  std::int64_t (*gemm_scratch)(std::int64_t m, std::int64_t n, std::int64_t k);
  /// y[c, r] = x[r, c].
  void (*transpose)(const T* x, T* y, std::int64_t rows, std::int64_t columns);
  /// d = a - b and the sum of d^2; y += or = scale * x.
  T (*squared_distance)(const T* a, const T* b, T* d, std::int64_t n);
  void (*add_scaled)(const T* x, T scale, T* y, std::int64_t n, bool accumulate);
  /// Row by row: softmax and log_softmax of n numbers; y may be x.
  void (*softmax)(const T* x, T* y, std::int64_t rows, std::int64_t n);
  void (*log_softmax)(const T* x, T* y, std::int64_t rows, std::int64_t n);
  /// The sum over rows of -log softmax(x)[label]; leaves the softmax in y.
  T (*cross_entropy)(const T* x, const std::int64_t* labels, T* y, std::int64_t rows, std::int64_t n);
  /// d += or = scale * (softmax - onehot(label)).
  void (*cross_entropy_grad)(const T* softmax, const std::int64_t* labels, T scale, T* d, std::int64_t rows, std::int64_t n,
                             bool accumulate);
  /// y[i] = f(a[i], b[i], p, q); y may be a or b, and b may be a where f reads one only.
  void (*curve[curve_count])(const T* a, const T* b, T p, T q, T* y, std::int64_t n);
  /// y[i] = a[i] ? b[i], with steps as above; false beside a NaN, but for unequal.
  void (*compare[compare_count])(const T* a, const T* b, bool* y, std::int64_t n, bool a_step, bool b_step);
  void (*finite)(const T* x, bool* y, std::int64_t n);
  /// y[i] = c[i] ? a[i] : b[i].
  void (*select)(const bool* c, const T* a, const T* b, T* y, std::int64_t n, bool c_step, bool a_step, bool b_step);
  /// words[w][b] is word w of block b of the group.
  void (*random_words)(const Stream& s, std::int64_t group, std::uint32_t (&words)[4][Stream::group]);
  /// The n numbers from the beginning of the group on: low + range u, held between first and last.
  void (*random_uniform)(const Stream& s, std::int64_t group, T* y, std::int64_t n, double low, double range, T first, T last);
  /// The same of the normal distribution. What 16 blocks give of one pair of words is 16 cosines, then 16 sines.
  void (*random_normal)(const Stream& s, std::int64_t group, T* y, std::int64_t n, T mean, T stddev);
};

namespace chosen {
extern constinit const Table<float>* f32;
extern constinit const Table<double>* f64;
void choose();
}  // namespace chosen

/// The table for the best instruction set that this processor and CAPSTAN_ISA (plain, v2, v3 or v4) allow.
template <class T>
inline const Table<T>& table() {
  if (!__atomic_load_n(&chosen::f64, __ATOMIC_ACQUIRE)) [[unlikely]]
    chosen::choose();
  if constexpr (sizeof(T) == 4)
    return *chosen::f32;
  else
    return *chosen::f64;
}

/// 1 (plain) to 4: the instruction set that table() chose. Throws ValueError when CAPSTAN_ISA is not a name or too much.
int isa_level();

}  // namespace capstan::kernels
