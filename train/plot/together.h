#pragma once
#include <capstan/train/svg.h>

#include <cstddef>
#include <string>
#include <vector>

namespace capstan::plot::detail {

/// A part of a curve, from one of its points to another, along which `count` curves run as one. `lead` is the curve that is drawn, and
/// this one is number `rank` of them. A curve that runs alone leads itself.
struct Stretch {
  std::size_t first, last, lead;
  std::size_t rank = 0, count = 1;

  /// Dashes that leave room for those of the others.
  std::string dash() const;
  double dash_offset() const;
};

/// Cuts each curve into stretches. Curves run together where their points of equal number lie within 0.8 pixels, for twelve
/// pixels at least. Points that are not finite run with none.
std::vector<std::vector<Stretch>> stretches(const std::vector<Polyline>& curves);

}  // namespace capstan::plot::detail
