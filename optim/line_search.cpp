#include <capstan/optim/line_search.h>

#include <capstan/autograd/ops.h>
#include <capstan/core/compute.h>
#include <capstan/optim/whole_tensor.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace capstan::optim::detail {

namespace {

/// The sum of f(i) in double precision, or in Wide when that is no number.
template <class F>
Wide total(std::int64_t n, F f) {
  double parts[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (std::int64_t k = 0; k < 8; ++k) parts[k] += static_cast<double>(f(i + k));
  for (; i < n; ++i) parts[0] += static_cast<double>(f(i));
  const double sum = ((parts[0] + parts[1]) + (parts[2] + parts[3])) + ((parts[4] + parts[5]) + (parts[6] + parts[7]));
  if (std::isfinite(sum)) return sum;
  Wide wide = 0;
  for (i = 0; i < n; ++i) wide += f(i);
  return wide;
}

}  // namespace

Wide dot(const Tensors& a, const Tensors& b) {
  Wide all = 0;
  for (std::size_t k = 0; k < a.size(); ++k)
    all += kernels::dispatch(a[k], [&]<class T>(T*) {
      const T *x = kernels::data_of<T>(a[k]), *y = kernels::data_of<T>(b[k]);
      return total(a[k].numel(), [&](std::int64_t i) { return static_cast<Wide>(x[i]) * static_cast<Wide>(y[i]); });
    });
  return all;
}

Wide sum_of_sizes(const Tensors& a) {
  Wide all = 0;
  for (const Tensor& x : a)
    all += kernels::dispatch(x, [&]<class T>(T*) {
      const T* from = kernels::data_of<T>(x);
      return total(x.numel(), [&](std::int64_t i) { return std::abs(static_cast<Wide>(from[i])); });
    });
  return all;
}

double largest(const Tensors& a) {
  double most = 0;
  for (const Tensor& x : a)
    if (x.numel() > 0) {
      const double here = max(abs(x)).item();
      if (std::isnan(here)) return here;
      most = std::max(most, here);
    }
  return most;
}

Tensors scaled(const Tensors& a, double factor) {
  Tensors b;
  for (const Tensor& x : a) b.push_back(detail::times(x, factor, 1));
  return b;
}

void add(Tensors& a, const Tensors& b, double factor) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += factor * b[i];
}

double resolution(const Tensors& w, const Tensors& d) {
  double finest = 0;
  for (std::size_t k = 0; k < w.size(); ++k)
    kernels::dispatch(w[k], [&]<class T>(T*) {
      const T *x = kernels::data_of<T>(w[k]), *along = kernels::data_of<T>(d[k]);
      for (std::int64_t i = 0; i < w[k].numel(); ++i) {
        const T size = std::abs(x[i]), spacing = std::nextafter(size, std::numeric_limits<T>::infinity()) - size;
        finest = std::max(finest, static_cast<double>(std::abs(along[i])) / static_cast<double>(spacing));
      }
    });
  return finest > 0 ? 1 / finest : 0;
}

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
