#pragma once
#include <cstdint>

// Private: the loops that decide the speed, compiled once per instruction set (plain.cpp, v2.cpp, v3.cpp, v4.cpp) into
// tables of function pointers. All arrays are contiguous; outputs may be an input where a comment says so.
namespace capstan::kernels {

enum class Unary : std::uint8_t { neg, exp, log, sqrt, square, abs, relu, tanh, sigmoid };
inline constexpr int unary_count = 9;

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
  relu_grad,     // y > 0 ? dy : 0
  tanh_grad,     // (1 - y^2) dy
  sigmoid_grad,  // y (1 - y) dy
};
inline constexpr int binary_count = 11;

/// How one operand of a product lies in memory: element (i, j) at data[i * row + j * column]; one of the two strides is 1.
template <class T>
struct Operand {
  const T* data;
  std::int64_t row, column;
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
  /// c[m, n] = (accumulate ? c : bias or 0) + a[m, k] b[k, n]; scratch holds gemm_scratch(m, n, k) elements.
  void (*gemm)(std::int64_t m, std::int64_t n, std::int64_t k, const Operand<T>& a, const Operand<T>& b, T* c, const T* bias,
               bool accumulate, T* scratch);
  /// y[i] = (accumulate ? y[i] : bias or 0) + sum over j of a[i * a_row + j] x[j], for i < m and j < k.
  void (*dots)(std::int64_t m, std::int64_t k, const T* a, std::int64_t a_row, const T* x, T* y, const T* bias, bool accumulate);
  /// y[j] = (accumulate ? y[j] : 0) + sum over i of x[i] a[i * a_row + j], for i < m and j < k.
  void (*combine)(std::int64_t m, std::int64_t k, const T* a, std::int64_t a_row, const T* x, T* y, bool accumulate);
  std::int64_t (*gemm_scratch)(std::int64_t m, std::int64_t n, std::int64_t k);
  /// y[c, r] = x[r, c].
  void (*transpose)(const T* x, T* y, std::int64_t rows, std::int64_t columns);
  /// Sum of (a - b)^2, and d += or = scale * (a - b).
  T (*squared_distance)(const T* a, const T* b, std::int64_t n);
  void (*scaled_difference)(const T* a, const T* b, T scale, T* d, std::int64_t n, bool accumulate);
  /// Row by row: softmax and log_softmax of n numbers; y may be x.
  void (*softmax)(const T* x, T* y, std::int64_t rows, std::int64_t n);
  void (*log_softmax)(const T* x, T* y, std::int64_t rows, std::int64_t n);
  /// The sum over rows of -log softmax(x)[label]; leaves the softmax in y.
  T (*cross_entropy)(const T* x, const std::int64_t* labels, T* y, std::int64_t rows, std::int64_t n);
  /// d += or = scale * (softmax - onehot(label)).
  void (*cross_entropy_grad)(const T* softmax, const std::int64_t* labels, T scale, T* d, std::int64_t rows, std::int64_t n,
                             bool accumulate);
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
