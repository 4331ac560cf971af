#include <capstan/autograd/ops/moments.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/ops/fold.h>
#include <capstan/autograd/record.h>
#include <capstan/core/create.h>
#include <capstan/core/elementwise.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

// The mean, the distances from it, their squares; once more of scaled lines where that left the range. Rules keep the parts.
namespace capstan {

using detail::as_lines;
using detail::fail;
using kernels::binary;
using kernels::Binary;
using kernels::Unary;

namespace {

/// What var and std have in common.
struct Moments {
  Tensor x, mean, rest, variance;  // but for x with one element for each line, of x times the square of the scale; rest: of the mean
  Tensor scale;                    // as of root_scales(); undefined: 1
  kernels::Split split;
  double freedom;  // n - correction
  Shape shape;

  double size() const { return static_cast<double>(split.size); }
};

/// Makes the mean of each line of equal elements that element, which the sum's and the quotient's roundings may have missed. Returns how
/// many there are.
std::int64_t mend_means(const Tensor& lines, const kernels::Split& s, const Tensor& mean) {
  std::int64_t count = 0;
  kernels::dispatch(lines, [&]<class T>(T*) {
    for (std::int64_t o = 0; o < s.outer; ++o)
      for (std::int64_t i = 0; i < s.inner; ++i) {
        const T* line = kernels::data_of<T>(lines) + o * s.size * s.inner + i;
        std::int64_t k = 1;
        while (k < s.size && line[k * s.inner] == line[0]) ++k;
        if (k < s.size) continue;
        kernels::data_of<T>(mean)[o * s.inner + i] = line[0];
        ++count;
      }
  });
  return count;
}

/// 0 where it is not finite: beside an infinite element the others' distances are infinite, not NaN.
void drop_not_finite(const Tensor& rest) {
  kernels::dispatch(rest, [&]<class T>(T*) {
    T* r = kernels::data_of<T>(rest);
    std::replace_if(
        r, r + rest.numel(), [](T x) { return !std::isfinite(x); }, T(0));
  });
}

/// Whether neither a sum overflowed nor squares lost digits on their way to 0; the variance of so many lines is 0 indeed.
bool in_range(const Tensor& variance, std::int64_t flat) {
  return kernels::dispatch(variance, [&]<class T>(T*) {
    constexpr T least = std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon();
    const T *v = kernels::data_of<T>(variance), *end = v + variance.numel();
    return std::all_of(v, end, [](T x) { return x == 0 || (x >= least && std::isfinite(x)); }) && std::count(v, end, T(0)) == flat;
  });
}

/// Whether they are in range. The distances from the rounded mean have a mean of their own, which is taken from them (Chan, Golub &
/// LeVeque, "Algorithms for computing the sample variance", The American Statistician 37, 1983).
bool take_moments(const char* op, Moments& m) {
  Tensor lines = as_lines(m.x, m.split);
  for (int twice = 0; twice < 2 && m.scale.defined(); ++twice) lines = binary(op, Binary::mul, lines, m.scale);
  m.mean = binary(op, Binary::div, kernels::sum(lines, 1, true), m.size());
  const std::int64_t flat = mend_means(lines, m.split, m.mean);
  Tensor distance = binary(op, Binary::sub, lines, m.mean);
  m.rest = binary(op, Binary::div, kernels::sum(distance, 1, true), m.size());
  drop_not_finite(m.rest);
  kernels::binary_in_place(op, Binary::sub, distance, m.rest);
  const Tensor squares = kernels::unary(op, Unary::square, std::move(distance));
  m.variance = binary(op, Binary::div, kernels::sum(squares, 1, true), m.freedom);
  return in_range(m.variance, flat);
}

Moments moments_of(const char* op, const Tensor& x, const Axes& axes, bool keepdim, double correction) {
  kernels::require_floating(op, x);
  if (!(correction >= 0)) fail<ValueError>(op, "correction must not be negative: ", correction);
  const detail::Fold f = detail::fold(op, x.shape(), axes, keepdim);
  const double freedom = static_cast<double>(f.split.size) - correction;
  if (!(freedom > 0))
    fail<ShapeError>(op, "needs more elements than the correction: ", f.split.size, " of ", x.shape(), ", correction ", correction);
  Moments m{f.of(x), {}, {}, {}, {}, f.split, freedom, f.shape};
  if (!take_moments(op, m)) [[unlikely]] {
    m.scale = detail::root_scales(m.x, m.split);
    take_moments(op, m);
  }
  return m;
}

/// What a rule keeps of them.
struct SavedMoments {
  Saved x;
  Tensor mean, rest, scale;
  kernels::Split split;
  double freedom;

  explicit SavedMoments(const Moments& m) : x(m.x), mean(m.mean), rest(m.rest), scale(m.scale), split(m.split), freedom(m.freedom) {}
  Shape one_a_line() const { return {split.outer, 1, split.inner}; }
  /// x as lines, times the square of the scale.
  Tensor lines() const {
    const Tensor plain = reshape(x.get(), Shape{split.outer, split.size, split.inner});
    return scale.defined() ? plain * scale * scale : plain;
  }
  /// lines - mean - rest, recorded where something is: what comes back loses its mean.
  Tensor distance(const char* op) const {
    const Tensor from = lines(), value = binary(op, Binary::sub, binary(op, Binary::sub, from, mean), rest);
    return record(op, value, {from}, [](const Tensor& dy, Inputs& dx) { dx.add(0, dy - capstan::mean(dy, 1, true)); });
  }
};

}  // namespace

Tensor var(const Tensor& x, Axes axes, bool keepdim, double correction) {
  const Moments m = moments_of("var", x, axes, keepdim, correction);
  Tensor y = m.variance;
  for (int times = 0; times < 4 && m.scale.defined(); ++times) y = binary("var", Binary::div, y, m.scale);
  auto rule = [m = SavedMoments(m)](const Tensor& dy, Inputs& dx) {
    const Tensor slope = reshape(dy, m.one_a_line()) * (2 / m.freedom), distance = m.distance("var");
    // Between the two divisions, so that nothing leaves the range which the whole does not leave.
    dx.add(0, reshape(m.scale.defined() ? distance / m.scale * slope / m.scale : distance * slope, dx.shape(0)));
  };
  return record("var", kernels::view(y, m.shape), {m.x}, std::move(rule));
}

Tensor std(const Tensor& x, Axes axes, bool keepdim, double correction) {
  const Moments m = moments_of("std", x, axes, keepdim, correction);
  const Tensor root = kernels::unary("std", Unary::sqrt, m.variance);
  Tensor y = root;
  for (int twice = 0; twice < 2 && m.scale.defined(); ++twice) y = binary("std", Binary::div, y, m.scale);
  // The slope is that of the scaled lines, whose deviation can be held where y cannot.
  auto rule = [m = SavedMoments(m), root = m.scale.defined() ? root : Tensor()](const Tensor& out, const Tensor& dy, Inputs& dx) {
    const Tensor deviation = !m.scale.defined() ? reshape(out, m.one_a_line())
                             : dx.recorded()    ? capstan::std(m.lines(), 1, true, static_cast<double>(m.split.size) - m.freedom)
                                                : root;
    const Tensor flat = deviation == 0.0, zero = zeros({}, dy.dtype()), one = ones({}, dy.dtype());
    const Tensor slope = reshape(dy, m.one_a_line()) * (1 / m.freedom);
    dx.add(0, reshape(m.distance("std") / where(flat, one, deviation) * where(flat, zero, slope), dx.shape(0)));
  };
  return record("std", kernels::view(y, m.shape), {m.x}, std::move(rule));
}

}  // namespace capstan
