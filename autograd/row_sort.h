#pragma once
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

// Private: whatever belongs to rows of a table, sorted by them.
namespace capstan::detail {

/// Sorts n items by their `row`, an unsigned number below `height`, from its lowest digit to the highest: items of one row keep their
/// order. `other` is as long; returns where the result lies.
template <class Item>
Item* sorted_by_rows(Item* items, Item* other, std::int64_t n, std::int64_t height) {
  using Int = decltype(Item::row);
  constexpr int most = 12;  // bits of a digit: its counts stay in the first cache
  const auto width = [](std::int64_t x) { return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(x))); };
  const int bits = width(height - 1), longest = std::clamp(width(n), 4, most), digits = (bits + longest - 1) / longest,
            digit = digits == 0 ? 0 : (bits + digits - 1) / digits;  // of one length
  Int begin[1 << most];
  for (int shift = 0; shift < bits; shift += digit) {
    const Int mask = (Int{1} << digit) - 1;
    std::fill_n(begin, std::size_t{1} << digit, Int{0});
    for (std::int64_t i = 0; i < n; ++i) ++begin[(items[i].row >> shift) & mask];
    Int sum = 0;
    for (Int b = 0; b <= mask; ++b) sum += std::exchange(begin[b], sum);
    for (std::int64_t i = 0; i < n; ++i) other[begin[(items[i].row >> shift) & mask]++] = items[i];
    std::swap(items, other);
  }
  return items;
}

}  // namespace capstan::detail
