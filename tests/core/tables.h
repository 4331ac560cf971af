#pragma once
#include "support.h"

#include <capstan/core/kernels/table.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace capstan::kernels {

extern const Table<float> plain_f32;
extern const Table<double> plain_f64;
#if defined(__x86_64__)
extern const Table<float> v2_f32, v3_f32, v4_f32;
extern const Table<double> v2_f64, v3_f64, v4_f64;
#endif

}  // namespace capstan::kernels

/// 1 (plain) to 4: what this processor can run, whatever CAPSTAN_ISA says.
inline int processor_level() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return 4;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")) return 3;
  return __builtin_cpu_supports("sse4.2") ? 2 : 1;
#else
  return 1;
#endif
}

/// Calls f(table) for the table of both types that CAPSTAN_ISA names, and without it for each that this processor can run.
template <class F>
void for_each_table(F f) {
  using namespace capstan::kernels;
#if defined(__x86_64__)
  const Table<float>* const f32[] = {&plain_f32, &v2_f32, &v3_f32, &v4_f32};
  const Table<double>* const f64[] = {&plain_f64, &v2_f64, &v3_f64, &v4_f64};
#else
  const Table<float>* const f32[] = {&plain_f32};
  const Table<double>* const f64[] = {&plain_f64};
#endif
  const char* wish = std::getenv("CAPSTAN_ISA");
  const int end = wish ? isa_level() : processor_level();
  for (int level = wish ? end - 1 : 0; level < end; ++level) {
    {
      SCOPED_TRACE(std::string(f32[level]->isa) + " f32");
      f(*f32[level]);
    }
    SCOPED_TRACE(std::string(f64[level]->isa) + " f64");
    f(*f64[level]);
  }
}

/// n elements between guards of NaN, `offset` elements behind a place that is aligned: who reads the guards carries a NaN
/// along, who writes them is found by untouched(). The elements are NaN too until they are set.
template <class T>
class Guarded {
 public:
  static constexpr std::int64_t guard = 64;
  explicit Guarded(std::int64_t n, std::int64_t offset = 0)
      : size_(n),
        total_(n + offset + 2 * guard),
        block_(static_cast<T*>(::operator new (static_cast<std::size_t>(total_) * sizeof(T), std::align_val_t{64}))) {
    for (std::int64_t i = 0; i < total_; ++i) block_.get()[i] = std::numeric_limits<T>::quiet_NaN();
    data_ = block_.get() + guard + offset;
    poison(true);
  }
  ~Guarded() { poison(false); }
  Guarded(Guarded&&) noexcept = default;
  T* data() { return data_; }
  const T* data() const { return data_; }
  std::int64_t size() const { return size_; }
  T& operator[](std::int64_t i) { return data_[i]; }
  const T& operator[](std::int64_t i) const { return data_[i]; }
  bool untouched() const {
    poison(false);
    bool all = true;
    for (std::int64_t i = 0; i < total_; ++i) {
      const T* p = block_.get() + i;
      all = all && ((p >= data_ && p < data_ + size_) || std::isnan(*p));
    }
    poison(true);
    return all;
  }

 private:
  struct Free {
    void operator()(T* p) const { ::operator delete (p, std::align_val_t{64}); }
  };
  // Under AddressSanitizer reading a guard is an error too, whatever becomes of what was read.
  void poison([[maybe_unused]] bool on) const {
#if defined(__SANITIZE_ADDRESS__)
    if (!block_) return;
    const T *end = data_ + size_, *block_end = block_.get() + total_;
    const auto set = on ? __asan_poison_memory_region : __asan_unpoison_memory_region;
    set(block_.get(), static_cast<std::size_t>(data_ - block_.get()) * sizeof(T));
    set(end, static_cast<std::size_t>(block_end - end) * sizeof(T));
#endif
  }
  std::int64_t size_, total_;
  std::unique_ptr<T, Free> block_;
  T* data_;
};

template <class T>
bool same(T a, T b) {
  return std::memcmp(&a, &b, sizeof a) == 0 || (std::isnan(a) && std::isnan(b));
}

/// |actual - exact| in units of the last place of T at `exact`; 0 when both are NaN or the same infinity.
template <class T>
double ulps(T actual, long double exact) {
  const T rounded = static_cast<T>(exact);
  if (std::isnan(actual) || std::isnan(rounded)) return std::isnan(actual) && std::isnan(rounded) ? 0 : INFINITY;
  if (actual == rounded) return 0;
  if (std::isinf(actual) || std::isinf(rounded)) return INFINITY;
  int exponent;
  std::frexp(static_cast<T>(exact), &exponent);
  const int last = std::max(exponent, std::numeric_limits<T>::min_exponent) - std::numeric_limits<T>::digits;
  return static_cast<double>(std::abs(static_cast<long double>(actual) - exact) / std::ldexp(1.0L, last));
}
