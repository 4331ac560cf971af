#pragma once
#include <capstan/train/svg.h>

#include <vector>

namespace capstan::plot::detail {

/// The border of the region {value >= level} over a grid of values that fills the frame: `columns` in a row, the first row at its bottom.
/// It comes as closed loops for the even-odd rule, which run along the frame where the region touches it. The border is where linear
/// interpolation along the grid's edges meets the level (marching squares; at a saddle the mean of the four decides). Values may be
/// infinite, not NaN.
std::vector<Polyline> level_set(const std::vector<double>& values, int columns, double level, const Box& frame);

}  // namespace capstan::plot::detail
