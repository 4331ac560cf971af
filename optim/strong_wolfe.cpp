#include <capstan/optim/strong_wolfe.h>

#include <algorithm>
#include <cmath>

namespace capstan::optim::detail {

namespace {

constexpr double c1 = 1e-4, c2 = 0.9;

/// Where the cubic through both points is least (Nocedal & Wright, eq. 3.59), within bounds; their middle when there is none.
double cubic_minimum(const Point& a, const Point& b, double lower, double upper) {
  const double d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t), square = d1 * d1 - a.slope * b.slope;
  const double d2 = std::sqrt(square);
  const double least = a.t <= b.t ? b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
                                  : a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2));
  return square >= 0 && std::isfinite(least) ? std::min(std::max(least, lower), upper) : (lower + upper) / 2;
}

}  // namespace

Point strong_wolfe(Point (*call)(const void* f, double t), const void* f, const Point& from, double t, double least, int most) {
  const auto evaluate = [&](double at) { return call(f, at); };
  const auto too_high = [&](const Point& p) { return p.loss > from.loss + c1 * p.t * from.slope; };
  const auto flat = [&](const Point& p) { return std::abs(p.slope) <= -c2 * from.slope; };

  // A bracket: go on until the loss or the slope rises.
  Point last = from, now = evaluate(t);
  --most;
  int i = 0;
  for (; i < most; ++i) {
    if (too_high(now) || (i > 1 && now.loss >= last.loss)) break;
    if (flat(now)) return now;
    if (now.slope >= 0) break;
    const double next = cubic_minimum(last, now, now.t + 0.01 * (now.t - last.t), 10 * now.t);
    last = std::move(now);
    now = evaluate(next);
  }
  Point bracket[2] = {std::move(last), std::move(now)};
  if (i == most) bracket[0] = from;

  // Zoom in; `low` is the end with the lower loss.
  int low = bracket[0].loss <= bracket[1].loss ? 0 : 1;
  bool stuck = false;
  for (; i < most; ++i) {
    const double lower = std::min(bracket[0].t, bracket[1].t), upper = std::max(bracket[0].t, bracket[1].t);
    if (!(upper - lower >= least)) break;
    double next = cubic_minimum(bracket[0], bracket[1], lower, upper);
    // Twice in a row near an end, or on it, is no progress: a tenth away from that end instead.
    const double margin = 0.1 * (upper - lower);
    const bool near_end = std::min(upper - next, next - lower) < margin;
    if (near_end && (stuck || next >= upper || next <= lower)) {
      next = upper - next < next - lower ? upper - margin : lower + margin;
      stuck = false;
    } else {
      stuck = near_end;
    }
    if (!(next > lower && next < upper)) break;  // floating point has nothing in between
    Point point = evaluate(next);
    if (too_high(point) || point.loss >= bracket[low].loss) {
      bracket[1 - low] = std::move(point);
      low = bracket[0].loss <= bracket[1].loss ? 0 : 1;
      continue;
    }
    const bool done = flat(point);
    if (!done && point.slope * (bracket[1 - low].t - bracket[low].t) >= 0) bracket[1 - low] = std::move(bracket[low]);
    bracket[low] = std::move(point);
    if (done) break;
  }
  return bracket[low];
}

}  // namespace capstan::optim::detail
