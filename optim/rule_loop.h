#pragma once
#include <capstan/optim/finite.h>
#include <capstan/optim/method.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

// The loop that runs an element's rule over whole arrays. It is compiled for each x86-64 instruction set wherever the rule is, so that
// a rule outside the library is as fast as one inside.
namespace capstan::optim::detail {

/// The instruction set chosen at start-up: 1 (plain) to 4 (x86-64-v4); 0 until the first optimizer is made.
extern int isa_level;
void choose_isa_level();

// What x86-64-v3 and v4 have beside x86-64, as lists of features: those are added to what the command line asks for. A name,
// `arch=x86-64-v3`, would take its place, and GCC then refuses to take what it compiles for more into the loop.
#define CAPSTAN_RULE_V3 "sse3,ssse3,sse4.1,sse4.2,popcnt,cx16,sahf,avx,avx2,bmi,bmi2,f16c,fma,lzcnt,movbe"
#define CAPSTAN_RULE_V4_FEATURES CAPSTAN_RULE_V3 ",avx512f,avx512bw,avx512cd,avx512dq,avx512vl"

// clang takes no optimisation options by attribute: there the user's own flags count. The processor's taste for narrower vectors is
// taken from the v4 loop by the plain one's. No option that changes what arithmetic means may stand here, such as O3 where -Ofast was
// asked for. GCC then takes no rule of a file with other ones into the loop, and calls it for each element.
// The copy of what a piece held stays in its loop: apart from it, it takes as long as an SGD step.
// Without optimisation the rule is called anyway, and the loops would only take long to compile.
#if defined(__clang__)
#define CAPSTAN_RULE_V4 CAPSTAN_RULE_V4_FEATURES ",tune=x86-64"
#define CAPSTAN_RULE_OPTIONS
#elif defined(__GNUC__) && defined(__OPTIMIZE__)
#define CAPSTAN_RULE_V4 CAPSTAN_RULE_V4_FEATURES ",prefer-vector-width=512"
#if defined(__FAST_MATH__)
#define CAPSTAN_RULE_OPTIONS optimize("tree-vectorize", "vect-cost-model=dynamic", "no-tree-loop-distribute-patterns")
#else
#define CAPSTAN_RULE_OPTIONS optimize("O3", "tree-vectorize", "no-tree-loop-distribute-patterns")
#endif
#else
#define CAPSTAN_RULE_V4 CAPSTAN_RULE_V4_FEATURES
#define CAPSTAN_RULE_OPTIONS
#endif

/// What a piece held, before[k * piece + i] for state k and last for w, comes back where w is not finite now.
template <class T>
void restore(T* w, T* const* states, std::size_t count, const T* before, std::int64_t begin, std::int64_t n) noexcept;

/// How a rule whose type is put aside moves n elements of w and its states, from the given one on.
template <class T>
using RunRule = void (*)(const void* rule, T* w, const T* g, T* const* states, std::int64_t first, std::int64_t n);
/// Runs a rule over those rows of w and of `count` states that `rows` names, each once. g has `size` elements, of these rows alone.
/// Where rows are short it runs over copies of many. In pieces for the threads; asks for no memory.
/// Where `missed` is not null, it tells what their states catch up with before this step, the t-th.
template <class T>
void move_rows(T* w, const T* g, T* const* states, std::size_t count, const Tensor& rows, std::int64_t size, RunRule<T> run,
               const void* rule, MissedSteps* missed, std::int64_t t);

inline constexpr std::int64_t piece = 256;
#if defined(__x86_64__)
inline constexpr bool plain_is_best = false;
#else
inline constexpr bool plain_is_best = true;
#endif

/// `keeps`: an element whose new value would not be finite stays as it is, and its state with it. Without that the rule only
/// writes w, and what w held before means nothing.
/// `factor` is what Decay::l2 multiplies w by for g, and Decay::decoupled w itself.
/// `best`: for a processor of today, as opposed to one of before 2013, which also compares no vectors of 64 bits.
/// Arrays go by pieces of up to 256, of whole sixteens: they become vectors without a check for short arrays. A copy of what a piece
/// held stays in the cache, and an element that is not finite afterwards gets it back. A choice for each number of Adam's would take a
/// third of the step's time with AVX2. What is left chooses, in blocks of 4. A root and a quotient for each of a small tensor's numbers
/// would take longer than the rest. Unrolled before they are vectors, as the compiler would a short rule's, they become single numbers.
/// The last three must not become vectors once more, which checks would come before.
template <Decay decay, bool keeps, bool best, class Rule, class T, std::size_t... slot>
[[gnu::always_inline]] inline void rule_body(const Rule& rule, T* __restrict w, const T* __restrict g, T* const* states, std::int64_t n,
                                             T factor, std::index_sequence<slot...>) {
  const Rule numbers = rule;  // no store into an array changes them, so that they stay in registers
  const auto move = [&](std::int64_t i, auto store, auto* __restrict... s) __attribute__((always_inline)) {
    if constexpr (!keeps) {
      numbers(w[i], g[i], s[i]...);
    } else {
      const T old = w[i];
      T next = old, slope = g[i];
      if constexpr (decay == Decay::decoupled) next *= factor;
      if constexpr (decay == Decay::l2) slope += factor * old;
      [&](auto... now) __attribute__((always_inline)) {
        numbers(next, slope, now...);
        store(next, now...);
      }
      (s[i]...);
    }
  };
  // No array overlaps another, which the loops say: with three states there would be too many pairs for the compiler to compare.
  const auto sixteens = [&](std::int64_t i, std::int64_t count) __attribute__((always_inline)) {
    T before[1 + sizeof...(slot)][static_cast<std::size_t>(piece)];
    BitsOf<T> traces = 0;
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC ivdep
#pragma GCC unroll 1
#endif
    for (std::int64_t k = 0; k < count; ++k) {
      if constexpr (keeps) {
        before[sizeof...(slot)][k] = w[i + k];
        ((before[slot][k] = states[slot][i + k]), ...);
      }
      move(
          i + k,
          [&](T next, auto... now) __attribute__((always_inline)) {
            w[i + k] = next;
            ((states[slot][i + k] = now), ...);
            traces |= trace_of_not_finite<best>(next);
          },
          states[slot]...);
    }
    if (traces != 0) [[unlikely]]
      restore(w, states, sizeof...(slot), before[0], i, count);
  };
  const auto block = [&](std::int64_t i) __attribute__((always_inline)) {
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC ivdep
#pragma GCC unroll 1
#endif
    for (std::int64_t k = i; k < i + 4; ++k)
      move(
          k,
          [&](T next, auto... now) __attribute__((always_inline)) {
            const auto fine = finite_mask<best>(next);
            w[k] = masked(fine, next, w[k]);
            ((states[slot][k] = masked(fine, now, states[slot][k])), ...);
          },
          states[slot]...);
  };
  std::int64_t i = 0;
  if constexpr (best || plain_is_best)
    while (n - i >= 16) {
      const std::int64_t count = (n - i < piece ? n - i : piece) & ~std::int64_t{15};
      sixteens(i, count);
      i += count;
    }
  for (; i + 4 <= n; i += 4) block(i);
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC unroll 1
#endif
  for (; i < n; ++i) {
    move(
        i,
        [&](T next, auto... now) __attribute__((always_inline)) {
          if (!is_finite(next)) [[unlikely]]
            return;
          w[i] = next;
          ((states[slot][i] = now), ...);
        },
        states[slot]...);
#if defined(__GNUC__)
    __asm__ volatile("");
#endif
  }
}

#if defined(__x86_64__)
template <Decay decay, bool keeps, std::size_t count, class Rule, class T>
__attribute__((target(CAPSTAN_RULE_V4), CAPSTAN_RULE_OPTIONS)) void rule_loop_v4(const Rule& rule, T* w, const T* g, T* const* states,
                                                                                 std::int64_t n, T factor) {
  rule_body<decay, keeps, true>(rule, w, g, states, n, factor, std::make_index_sequence<count>{});
}
template <Decay decay, bool keeps, std::size_t count, class Rule, class T>
__attribute__((target(CAPSTAN_RULE_V3), CAPSTAN_RULE_OPTIONS)) void rule_loop_v3(const Rule& rule, T* w, const T* g, T* const* states,
                                                                                 std::int64_t n, T factor) {
  rule_body<decay, keeps, true>(rule, w, g, states, n, factor, std::make_index_sequence<count>{});
}
#endif
template <Decay decay, bool keeps, std::size_t count, class Rule, class T>
#if defined(__GNUC__) && !defined(__clang__)
__attribute__((CAPSTAN_RULE_OPTIONS))
#endif
void rule_loop_plain(const Rule& rule, T* w, const T* g, T* const* states, std::int64_t n, T factor) {
  rule_body<decay, keeps, false>(rule, w, g, states, n, factor, std::make_index_sequence<count>{});
}
#undef CAPSTAN_RULE_OPTIONS
#undef CAPSTAN_RULE_V4
#undef CAPSTAN_RULE_V4_FEATURES
#undef CAPSTAN_RULE_V3

template <class Rule, class T>
using RuleLoop = void (*)(const Rule& rule, T* w, const T* g, T* const* states, std::int64_t n, T factor);

/// The loop for this machine.
template <Decay decay, bool keeps, std::size_t count, class Rule, class T>
RuleLoop<Rule, T> rule_loop() noexcept {
#if defined(__x86_64__)
  const int level = __atomic_load_n(&isa_level, __ATOMIC_RELAXED);
  if (level == 3) return &rule_loop_v3<decay, keeps, count, Rule, T>;
  if (level == 4) return &rule_loop_v4<decay, keeps, count, Rule, T>;
#endif
  return &rule_loop_plain<decay, keeps, count, Rule, T>;
}

}  // namespace capstan::optim::detail
