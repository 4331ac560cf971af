#include <capstan/train/level_set.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <unordered_map>

namespace capstan::plot::detail {
namespace {

/// The grid with a ring of -infinity around it that lies on the frame: it closes every border, and adds no area.
class Ringed {
 public:
  Ringed(const std::vector<double>& values, int columns, double level, const Box& frame)
      : values_(values), columns_(columns), rows_(static_cast<int>(values.size()) / columns), level_(level), frame_(frame) {}

  int width() const { return columns_ + 2; }
  int height() const { return rows_ + 2; }
  double value(int i, int j) const {
    if (i == 0 || j == 0 || i > columns_ || j > rows_) return -std::numeric_limits<double>::infinity();
    return values_[static_cast<std::size_t>(j - 1) * static_cast<std::size_t>(columns_) + static_cast<std::size_t>(i - 1)];
  }
  bool is_high(int i, int j) const { return value(i, j) >= level_; }

  /// Edges are numbered: 2n runs right from node n, 2n + 1 up.
  std::int64_t edge(int i, int j, bool up) const { return 2 * (static_cast<std::int64_t>(j) * width() + i) + (up ? 1 : 0); }
  Point crossing(std::int64_t edge) const {
    const int i = static_cast<int>(edge / 2 % width()), j = static_cast<int>(edge / 2 / width());
    const int i2 = edge % 2 ? i : i + 1, j2 = edge % 2 ? j + 1 : j;
    const double a = value(i, j), b = value(i2, j2);
    const double t = std::isfinite(a) && std::isfinite(b) ? std::clamp((level_ - a) / (b - a), 0.0, 1.0) : 0.5;
    const Point p = place(i, j), q = place(i2, j2);
    return {p.x + t * (q.x - p.x), p.y + t * (q.y - p.y)};
  }

 private:
  Point place(int i, int j) const {
    const double u = std::clamp(i - 1, 0, columns_ - 1) / static_cast<double>(columns_ - 1);
    const double v = std::clamp(j - 1, 0, rows_ - 1) / static_cast<double>(rows_ - 1);
    return {frame_.left + u * (frame_.right - frame_.left), frame_.bottom - v * (frame_.bottom - frame_.top)};
  }

  const std::vector<double>& values_;
  int columns_, rows_;
  double level_;
  Box frame_;
};

}  // namespace

std::vector<Polyline> level_set(const std::vector<double>& values, int columns, double level, const Box& frame) {
  const Ringed grid(values, columns, level, frame);
  // Around each cell, the border enters where low turns to high and goes on to a turn from high to low. The neighbour walks
  // the shared edge the other way round, so that every crossing has one predecessor and one successor.
  std::unordered_map<std::int64_t, std::int64_t> next;
  std::vector<std::int64_t> starts;
  for (int j = 0; j + 1 < grid.height(); ++j)
    for (int i = 0; i + 1 < grid.width(); ++i) {
      const bool high[] = {grid.is_high(i, j), grid.is_high(i + 1, j), grid.is_high(i + 1, j + 1), grid.is_high(i, j + 1)};
      const std::int64_t edges[] = {grid.edge(i, j, false), grid.edge(i + 1, j, true), grid.edge(i, j + 1, false), grid.edge(i, j, true)};
      int rising[2], falling[2], count = 0, falls = 0;
      for (int k = 0; k < 4; ++k) {
        if (!high[k] && high[(k + 1) % 4]) rising[count++] = k;
        if (high[k] && !high[(k + 1) % 4]) falling[falls++] = k;
      }
      if (count == 0) continue;
      if (count == 2) {
        const double mean = (grid.value(i, j) + grid.value(i + 1, j) + grid.value(i + 1, j + 1) + grid.value(i, j + 1)) / 4;
        // Joined highs: the border goes back over the low corner before the rise; else round the high one after it.
        const int step = mean >= level ? 3 : 1;
        if ((rising[0] + step) % 4 != falling[0]) std::swap(falling[0], falling[1]);
      }
      for (int k = 0; k < count; ++k) {
        next[edges[rising[k]]] = edges[falling[k]];
        starts.push_back(edges[rising[k]]);
      }
    }
  std::vector<Polyline> loops;
  for (const std::int64_t start : starts) {
    Polyline loop;
    for (auto at = next.find(start); at != next.end();) {
      loop.push_back(grid.crossing(at->first));
      const std::int64_t successor = at->second;
      next.erase(at);  // each crossing belongs to one loop
      at = next.find(successor);
    }
    if (loop.size() > 2) loops.push_back(std::move(loop));
  }
  return loops;
}

}  // namespace capstan::plot::detail
