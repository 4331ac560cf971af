#include <capstan/optim/missed_steps.h>

#include <capstan/core/compute.h>
#include <capstan/core/pool.h>
#include <capstan/core/threads.h>

#include <algorithm>

namespace capstan::optim::detail {

MissedSteps::MissedSteps(std::int64_t rows)
    : memory_(Tensor::adopt(capstan::detail::new_zero_block(DType::f32, {rows}))),
      last_(static_cast<std::uint32_t*>(memory_.header()->data)) {}

template <class T>
void MissedSteps::catch_up(T* const* states, std::size_t count, std::int64_t length, std::int64_t steps) const noexcept {
  constexpr std::int64_t piece = 256;
  const auto bring = [&](std::int64_t missed, std::int64_t first, std::int64_t n) {
    T copies[most_states][static_cast<std::size_t>(piece)];
    T* at[most_states] = {};
    const std::size_t bytes = static_cast<std::size_t>(n) * sizeof(T);
    for (std::size_t s = 0; s < count; ++s) {
      at[s] = copies[s];
      std::memcpy(copies[s], states[s] + first, bytes);
    }
    forget(missed, at, 0, n);
    for (std::size_t s = 0; s < count; ++s)
      if (std::memcmp(copies[s], states[s] + first, bytes) != 0) std::memcpy(states[s] + first, copies[s], bytes);
  };
  const std::int64_t rows = memory_.numel();
  parallel_for(rows, std::max<std::int64_t>((std::int64_t{1} << 16) / length, 1), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin, next = begin; row < end; row = next) {
      while (next < end && last_[next] == last_[row]) ++next;  // rows that have missed as many go together
      const std::int64_t missed = steps - from_ - last_[row];
      if (missed == 0) continue;
      for (std::int64_t first = row * length; first < next * length; first += piece)
        bring(missed, first, std::min(piece, next * length - first));
    }
  });
}

void MissedSteps::catch_up(const std::vector<Tensor>& states, std::int64_t steps) noexcept {
  const std::int64_t rows = memory_.numel();
  if (behind_ && !states.empty() && states[0].numel() > 0)
    kernels::dispatch(states[0], [&]<class T>(T*) {
      T* all[most_states] = {};
      for (std::size_t s = 0; s < states.size(); ++s) all[s] = kernels::data_of<T>(states[s]);
      catch_up(all, states.size(), states[0].numel() / rows, steps);
    });
  if (behind_) std::fill_n(last_, rows, std::uint32_t{0});
  behind_ = false;
}

}  // namespace capstan::optim::detail
