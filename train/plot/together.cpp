#include <capstan/train/together.h>

#include <algorithm>
#include <cmath>
#include <numeric>

// Curves that lie upon one another would hide each other: here is found out where they do, so that they can share the line.
namespace capstan::plot::detail {
namespace {

constexpr double kNear = 0.8, kShort = 12, kDash = 9;

/// For each curve the first curve whose point number i is this one, or itself.
void find_leads(const std::vector<Polyline>& curves, std::size_t i, std::vector<std::size_t>& order, std::vector<std::size_t>& near,
                std::vector<std::size_t>& leads) {
  std::iota(leads.begin(), leads.end(), std::size_t{0});
  order.clear();
  for (std::size_t c = 0; c < curves.size(); ++c)
    if (i < curves[c].size() && std::isfinite(curves[c][i].x) && std::isfinite(curves[c][i].y)) order.push_back(c);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const double p = curves[a][i].y, q = curves[b][i].y;
    return p < q || (p == q && a < b);
  });
  for (std::size_t k = 0; k < order.size(); ++k) {
    const Point p = curves[order[k]][i];
    if (leads[order[k]] != order[k]) continue;
    std::size_t least = order[k];
    near.assign(1, order[k]);
    for (std::size_t m = k + 1; m < order.size() && curves[order[m]][i].y - p.y < kNear; ++m) {
      const std::size_t c = order[m];
      if (leads[c] != c || std::abs(curves[c][i].x - p.x) >= kNear) continue;
      near.push_back(c);
      least = std::min(least, c);
    }
    for (const std::size_t c : near) leads[c] = least;
  }
}

/// How far the points from `first` to `last` reach, along the axis where they reach further.
double extent(const Polyline& points, std::size_t first, std::size_t last) {
  Point low = points[first], high = low;
  for (std::size_t i = first; i <= last; ++i) {
    low = {std::min(low.x, points[i].x), std::min(low.y, points[i].y)};
    high = {std::max(high.x, points[i].x), std::max(high.y, points[i].y)};
  }
  return std::max(high.x - low.x, high.y - low.y);
}

}  // namespace

std::string Stretch::dash() const { return number(kDash) + " " + number(kDash * static_cast<double>(count - 1)); }
double Stretch::dash_offset() const { return -kDash * static_cast<double>(rank); }

std::vector<std::vector<Stretch>> stretches(const std::vector<Polyline>& curves) {
  const std::size_t n = curves.size();
  std::size_t longest = 0;
  for (const Polyline& curve : curves) longest = std::max(longest, curve.size());
  std::vector<std::vector<Stretch>> found(n);
  std::vector<std::vector<std::size_t>> company(n), before(n);  // of each curve, from this point to the next, and up to this one
  std::vector<std::size_t> order, near, here(n), next(n);
  if (longest > 0) find_leads(curves, 0, order, near, next);
  for (std::size_t i = 0; i + 1 < longest; ++i) {
    here.swap(next);
    find_leads(curves, i + 1, order, near, next);
    for (std::size_t c = 0; c < n; ++c) company[c].clear();
    for (std::size_t c = 0; c < n; ++c) {
      if (i + 1 >= curves[c].size()) continue;
      const std::size_t lead = here[c];
      // Its company is filed under its first member: the first curve with both leads.
      std::size_t first = c;
      if (lead != c || next[c] != c)
        for (first = std::min(lead, next[c]); here[first] != lead || next[first] != next[c] || i + 1 >= curves[first].size();) ++first;
      company[first].push_back(c);
    }
    for (std::size_t first = 0; first < n; ++first)
      for (std::size_t rank = 0; rank < company[first].size(); ++rank) {
        const std::size_t c = company[first][rank];
        std::vector<Stretch>& out = found[c];
        const bool goes_on = !out.empty() && out.back().lead == first && before[first] == company[first];
        if (goes_on)
          out.back().last = i + 1;
        else
          out.push_back({i, i + 1, first, rank, company[first].size()});
      }
    company.swap(before);
  }
  for (std::size_t c = 0; c < n; ++c) {
    std::vector<Stretch> whole;
    for (Stretch s : found[c]) {
      if (s.count > 1 && extent(curves[s.lead], s.first, s.last) < kShort) s.count = 1;
      if (s.count == 1) s.lead = c, s.rank = 0;
      if (s.count == 1 && !whole.empty() && whole.back().count == 1)
        whole.back().last = s.last;
      else
        whole.push_back(s);
    }
    if (curves[c].size() == 1) whole.push_back({0, 0, c});
    found[c] = std::move(whole);
  }
  return found;
}

}  // namespace capstan::plot::detail
