#pragma once
#include <capstan/core/kernels/functions.h>

#include <cstdint>

// Private: the loops that decide the speed, compiled once per instruction set (plain.cpp, v2.cpp, v3.cpp, v4.cpp) into
// tables of function pointers. All arrays are contiguous; outputs may be an input where a comment says so.
namespace capstan::kernels {

// Of each function of functions.h.
#define X(name, ...) name,
enum class Unary : std::uint8_t { CAPSTAN_UNARY(X) };
enum class Binary : std::uint8_t { CAPSTAN_BINARY(X) };
enum class Parametric : std::uint8_t { CAPSTAN_PARAMETRIC(X) };
enum class Compare : std::uint8_t { CAPSTAN_COMPARE(X) };
#undef X
#define X(...) +1
inline constexpr int unary_count = CAPSTAN_UNARY(X), binary_count = CAPSTAN_BINARY(X), parametric_count = CAPSTAN_PARAMETRIC(X),
                     compare_count = CAPSTAN_COMPARE(X);
#undef X

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
  /// y[row[k] * size + j] += x[k * size + j], for one k after the other.
  void (*add_rows)(const T* x, const std::int64_t* row, T* y, std::int64_t n, std::int64_t size);
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
  /// y[i] = (accumulate ? y[i] : bias or 0) + sum over j of a[i * a_row + j] x[j]. Here i < m, j < k.
  void (*gemv)(std::int64_t m, std::int64_t k, const T* a, std::int64_t a_row, const T* x, T* y, const T* bias, bool accumulate);
  /// y[j] = (accumulate ? y[j] : 0) + sum over i of x[i] a[i * a_row + j]. Here i < m, j < k.
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
  void (*parametric[parametric_count])(const T* a, const T* b, T p, T q, T* y, std::int64_t n);
  /// y[i] = whether a[i] and b[i] compare so, with steps as above.
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
