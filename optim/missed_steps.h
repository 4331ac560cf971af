#pragma once
#include <capstan/core/tensor.h>
#include <capstan/optim/finite.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

namespace capstan::optim {

/// What steps with g = 0 leave of averages, x <- keep*x for each state: for Rule::idle() (optim/elementwise.h).
/// In a dense run the smallest numbers of a dtype fade no further, as keep*x is rounded to x again. Here, too, they stay.
template <class T>
struct Fade {
  double log_keep, least;
  explicit Fade(T keep) : log_keep(std::log(static_cast<double>(keep))) {
    const double units = 0.5 / (1 - static_cast<double>(keep));
    least = units > 1 ? std::floor(units) * static_cast<double>(std::numeric_limits<T>::denorm_min()) : 0;
  }

  /// After so many steps.
  struct After {
    T root, least;  // keep^(steps/2), whose square may be too small a number; where fading ends
    template <class... S>
    void operator()(S&... x) const {
      ((x = faded(x)), ...);
    }
    T faded(T x) const {
      const T size = std::abs(x), low = size < least ? size : least, left = size * root * root;
      return is_finite(x) ? std::copysign(left > low ? left : low, x) : x;
    }
  };
  After after(std::int64_t steps) const { return {T(std::exp(0.5 * static_cast<double>(steps) * log_keep)), T(least)}; }
};

namespace detail {

/// Which steps each row of a parameter has missed: those along gradients by rows, of a rule with idle(), that did not hold it. Its
/// states are then as they were, until the row is moved or somebody reads them.
class MissedSteps {
 public:
  /// Throws std::bad_alloc.
  explicit MissedSteps(std::int64_t rows);

  static constexpr std::size_t most_states = 4;

  /// What `steps` steps with g = 0 make of n elements from the first on. `states` is a T* const*.
  using Forget = void (*)(const void* idle, std::int64_t steps, const void* states, std::int64_t first, std::int64_t n);

  /// Whether all rows must catch up before step `t`. They must where missed steps do something else from now on, and where 32 bits
  /// do not count so many.
  template <class Idle>
  bool ends(const Idle& idle, std::int64_t t) const noexcept {
    return behind_ && (std::memcmp(idle_, static_cast<const void*>(&idle), sizeof idle) != 0 || t - from_ > UINT32_MAX);  // bit by bit
  }
  /// Before step `t` along rows.
  template <class Idle>
  void begin(const Idle& idle, Forget by, std::int64_t t) noexcept {
    static_assert(std::is_trivially_copyable_v<Idle> && sizeof(Idle) <= sizeof idle_, "idle() gives a few numbers");
    std::memcpy(idle_, &idle, sizeof idle);
    forget_ = by;
    if (!behind_) from_ = t - 1;
    behind_ = true;
  }

  /// Counts step `t` for a row. Returns how many it has missed before.
  std::int64_t move(std::int64_t row, std::int64_t t) noexcept {
    const auto now = static_cast<std::uint32_t>(t - from_);
    const std::uint32_t missed = now - 1 - last_[row];
    last_[row] = now;
    return missed;
  }
  void forget(std::int64_t steps, const void* states, std::int64_t first, std::int64_t n) const noexcept {
    forget_(idle_, steps, states, first, n);
  }
  const void* place(std::int64_t row) const noexcept { return last_ + row; }

  /// Brings all rows of the states up to date with so many steps. Writes what changes alone: a page of zeros stays one.
  void catch_up(const std::vector<Tensor>& states, std::int64_t steps) noexcept;

 private:
  template <class T>
  void catch_up(T* const* states, std::size_t count, std::int64_t length, std::int64_t steps) const noexcept;

  Tensor memory_;        // of 4 bytes for each row
  std::uint32_t* last_;  // a row's states are those after step from_ + last_[row]
  std::int64_t from_ = 0;
  bool behind_ = false;  // some row may be
  Forget forget_ = nullptr;
  alignas(double) unsigned char idle_[32] = {};
};

}  // namespace detail

}  // namespace capstan::optim
