#include <capstan/optim/rule_loop.h>

#include <capstan/core/kernels/table.h>

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

}  // namespace capstan::optim::detail
