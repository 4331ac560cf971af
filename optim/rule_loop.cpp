#include <capstan/optim/rule_loop.h>

#include <capstan/core/compute.h>
#include <capstan/core/row_copy.h>
#include <capstan/core/threads.h>

#include <algorithm>

namespace capstan::optim::detail {

int isa_level = 0;
// Several threads may come here at once: all write the same.
void choose_isa_level() { __atomic_store_n(&isa_level, kernels::isa_level(), __ATOMIC_RELAXED); }

template <class T>
void restore(T* w, T* const* states, std::size_t count, const T* before, std::int64_t begin, std::int64_t n) noexcept {
  for (std::int64_t i = 0; i < n; ++i) {
    if (is_finite(w[begin + i])) continue;
    for (std::size_t k = 0; k < count; ++k) states[k][begin + i] = before[static_cast<std::int64_t>(k) * piece + i];
    w[begin + i] = before[static_cast<std::int64_t>(count) * piece + i];
  }
}
template void restore(float*, float* const*, std::size_t, const float*, std::int64_t, std::int64_t) noexcept;
template void restore(double*, double* const*, std::size_t, const double*, std::int64_t, std::int64_t) noexcept;

template <class T>
void move_rows(T* w, const T* g, T* const* states, std::size_t count, const Tensor& rows, std::int64_t size, RunRule<T> run,
               const void* rule, MissedSteps* missed, std::int64_t t) {
  const std::int64_t all = rows.numel(), length = all == 0 ? 0 : size / all;
  if (length == 0) return;
  constexpr std::size_t most = 4;  // states of which there are copies
  const std::int64_t together = count > most ? 0 : piece / length;
  const std::size_t bytes = static_cast<std::size_t>(length) * sizeof(T);
  const auto* const row = kernels::data_of<std::int64_t>(rows);
  const auto catch_up = [=](std::int64_t k, T* const* at, std::int64_t first) {
    if (const std::int64_t steps = missed->move(row[k], t); steps > 0) missed->forget(steps, at, first, length);
  };
  const auto by_copies = [=](std::int64_t begin, std::int64_t end) {
    T copies[1 + most][static_cast<std::size_t>(piece)];
    T* at[most] = {};
    for (std::size_t s = 0; s < count; ++s) at[s] = copies[1 + s];
    for (std::int64_t k = begin; k < end; k += together) {
      const std::int64_t n = std::min(together, end - k), more = end - k - n;
      for (std::int64_t i = k; missed && i < k + n; ++i) __builtin_prefetch(missed->place(row[i]), 1);
      kernels::take_rows(w, row + k, copies[0], n, bytes, more);
      for (std::size_t s = 0; s < count; ++s) kernels::take_rows(states[s], row + k, at[s], n, bytes, more);
      for (std::int64_t i = 0; missed && i < n; ++i) catch_up(k + i, at, i * length);
      run(rule, copies[0], g + k * length, at, 0, n * length);
      kernels::put_rows(copies[0], row + k, w, n, bytes);
      for (std::size_t s = 0; s < count; ++s) kernels::put_rows(at[s], row + k, states[s], n, bytes);
    }
  };
  const auto in_place = [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) {
      if (missed) catch_up(k, states, row[k] * length);
      run(rule, w, g + k * length, states, row[k] * length, length);
    }
  };
  parallel_for(all, std::max<std::int64_t>((std::int64_t{1} << 16) / length, 1),
               [&](std::int64_t begin, std::int64_t end) { together >= 2 ? by_copies(begin, end) : in_place(begin, end); });
}
template void move_rows(float*, const float*, float* const*, std::size_t, const Tensor&, std::int64_t, RunRule<float>, const void*,
                        MissedSteps*, std::int64_t);
template void move_rows(double*, const double*, double* const*, std::size_t, const Tensor&, std::int64_t, RunRule<double>, const void*,
                        MissedSteps*, std::int64_t);

}  // namespace capstan::optim::detail
