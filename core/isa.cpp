#include <capstan/core/kernels/table.h>
#include <capstan/core/text.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <cstdlib>
#include <cstring>

// Which instruction set the kernels use: the best that this processor has, or what CAPSTAN_ISA asks for. Looked up once, when table()
// is first called.

namespace capstan::kernels {

extern const Table<float> plain_f32;
extern const Table<double> plain_f64;
#if defined(__x86_64__)
extern const Table<float> v2_f32, v3_f32, v4_f32;
extern const Table<double> v2_f64, v3_f64, v4_f64;
#endif

namespace {

constexpr const char* names[] = {"plain", "v2", "v3", "v4"};

#if defined(__x86_64__)
// What x86-64-v3 has beside the vector instructions; not every compiler's __builtin_cpu_supports knows their names.
bool has_movbe_f16c_lzcnt() {
  unsigned a = 0, b = 0, c = 0, d = 0, extended = 0;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_MOVBE) && (c & bit_F16C) && __get_cpuid(0x80000001, &a, &b, &extended, &d) &&
         (extended & bit_LZCNT);
}
#endif

// The x86-64 psABI's levels that this processor and its operating system offer.
int best_level() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool v2 = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("popcnt");
  const bool v3 = v2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                  __builtin_cpu_supports("bmi2") && has_movbe_f16c_lzcnt();
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return v4 ? 4 : v3 ? 3 : v2 ? 2 : 1;
#else
  return 1;
#endif
}

int chosen_level() {
  const int best = best_level();
  const char* wish = std::getenv("CAPSTAN_ISA");
  if (!wish || !*wish) return best;
  for (int level = 1; level <= 4; ++level) {
    if (std::strcmp(wish, names[level - 1]) != 0) continue;
    if (level > best)
      capstan::detail::fail<ValueError>("CAPSTAN_ISA", "the processor must have the instruction set: asked for ", wish, ", it has ",
                                        names[best - 1]);
    return level;
  }
  capstan::detail::fail<ValueError>("CAPSTAN_ISA", "must be plain, v2, v3 or v4: '", wish, "'");
}

}  // namespace

int isa_level() {
  static const int level = chosen_level();
  return level;
}

namespace chosen {

constinit const Table<float>* f32 = nullptr;
constinit const Table<double>* f64 = nullptr;

// Several threads may come here at once: all write the same addresses, the second one last.
void choose() {
  const int level = isa_level();
#if defined(__x86_64__)
  const Table<float>* const all_f32[] = {&plain_f32, &v2_f32, &v3_f32, &v4_f32};
  const Table<double>* const all_f64[] = {&plain_f64, &v2_f64, &v3_f64, &v4_f64};
  const Table<float>* best_f32 = all_f32[level - 1];
  const Table<double>* best_f64 = all_f64[level - 1];
#else
  static_cast<void>(level);
  const Table<float>* best_f32 = &plain_f32;
  const Table<double>* best_f64 = &plain_f64;
#endif
  __atomic_store_n(&f32, best_f32, __ATOMIC_RELEASE);
  __atomic_store_n(&f64, best_f64, __ATOMIC_RELEASE);
}

}  // namespace chosen

}  // namespace capstan::kernels
