#include <capstan/core/random.h>

#include <capstan/core/compute.h>
#include <capstan/core/create.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace capstan {

using detail::fail;

namespace {

using Words = std::array<std::uint32_t, 4>;

// Philox4x32-10: Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.3.
Words philox(Words x, std::uint32_t key0, std::uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * x[0], p1 = std::uint64_t{0xCD9E8D57} * x[2];
    x = {static_cast<std::uint32_t>(p1 >> 32) ^ x[1] ^ key0, static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ x[3] ^ key1, static_cast<std::uint32_t>(p0)};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return x;
}

// Two uniform numbers in [0, 1) with 53 bits for block `index` of a draw. The purpose lies in the counter's top bits, 8 of
// them in the index, 24 in the draw: neither a tensor of 2^56 blocks nor a run of 2^40 draws reaches them.
std::pair<double, double> pair_at(const Generator& g, std::uint64_t draw, std::uint64_t index) {
  const Words w = philox({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32) ^ (g.purpose << 24),
                          static_cast<std::uint32_t>(draw), static_cast<std::uint32_t>(draw >> 32) ^ (g.purpose & ~std::uint32_t{255})},
                         static_cast<std::uint32_t>(g.seed), static_cast<std::uint32_t>(g.seed >> 32));
  const auto unit = [](std::uint32_t high, std::uint32_t low) {
    return static_cast<double>(((std::uint64_t{high} << 32) | low) >> 11) * 0x1p-53;
  };
  return {unit(w[0], w[1]), unit(w[2], w[3])};
}

// Fills t with f(first, second) -> pair of elements, two elements for each block of the stream.
template <class F>
void fill(const char* op, Tensor& t, Generator& g, F f) {
  if (!is_floating(t.dtype())) fail<ValueError>(op, "random numbers are f32 or f64: ", t.dtype());
  const auto run = [&](auto* data) {
    using T = std::remove_pointer_t<decltype(data)>;
    for (std::int64_t i = 0; i < t.numel(); i += 2) {
      const auto [u, v] = pair_at(g, g.draw, static_cast<std::uint64_t>(i) / 2);
      const auto [a, b] = f(u, v);
      data[i] = static_cast<T>(a);
      if (i + 1 < t.numel()) data[i + 1] = static_cast<T>(b);
    }
  };
  if (t.dtype() == DType::f32)
    run(t.data<float>());
  else
    run(t.data<double>());
  ++g.draw;
}

std::array<Generator, 4>& generators() {
  static std::array<Generator, 4> all = {Generator{0, 0, 0}, Generator{0, 1, 0}, Generator{0, 2, 0}, Generator{0, 3, 0}};
  return all;
}

}  // namespace

double Generator::uniform() { return pair_at(*this, draw++, 0).first; }

Generator& default_generator(Purpose purpose) { return generators()[static_cast<std::size_t>(purpose)]; }

void manual_seed(std::uint64_t seed) {
  for (Generator& g : generators()) {
    g.seed = seed;
    g.draw = 0;
  }
}

Tensor uniform(const Shape& shape, double low, double high, DType dtype, Generator& g) {
  if (!(low <= high) || !std::isfinite(high - low))
    fail<ValueError>("uniform", "low <= high and high - low must be finite: ", low, ", ", high);
  kernels::require_fit("uniform", "low", low, dtype);
  kernels::require_fit("uniform", "high", high, dtype);
  Tensor t = empty(shape, dtype);
  // Rounding to f32 may leave the range: then the nearest number inside it, if there is one.
  double first = low, last = std::nextafter(high, low);
  if (dtype == DType::f32) {
    const float l = static_cast<float>(low), h = static_cast<float>(high);
    first = l < low ? std::nextafterf(l, INFINITY) : l;
    last = h < high ? h : std::nextafterf(h, -INFINITY);
    if (first > last) first = last = l;
  }
  const auto scale = [&](double u) { return std::clamp(low + (high - low) * u, first, last); };
  fill("uniform", t, g, [&](double u, double v) { return std::pair(scale(u), scale(v)); });
  return t;
}

Tensor normal(const Shape& shape, double mean, double stddev, DType dtype, Generator& g) {
  if (!(stddev >= 0) || !std::isfinite(stddev) || !std::isfinite(mean))
    fail<ValueError>("normal", "mean and stddev >= 0 must be finite: ", mean, ", ", stddev);
  kernels::require_fit("normal", "mean", mean, dtype);
  kernels::require_fit("normal", "stddev", stddev, dtype);
  Tensor t = empty(shape, dtype);
  fill("normal", t, g, [&](double u, double v) {
    const double r = stddev * std::sqrt(-2 * std::log1p(-u)), angle = 2 * 3.14159265358979323846 * v;
    return std::pair(mean + r * std::cos(angle), mean + r * std::sin(angle));
  });
  return t;
}

Tensor randn(const Shape& shape, DType dtype, Generator& g) { return normal(shape, 0, 1, dtype, g); }

Tensor permutation(std::int64_t n, Generator& g) {
  if (n < 0) fail<ValueError>("permutation", "n must not be negative: ", n);
  Tensor t = arange(static_cast<double>(n), DType::i64);
  auto* data = t.data<std::int64_t>();
  for (std::int64_t i = n - 1; i > 0; --i) {
    const double u = pair_at(g, g.draw, static_cast<std::uint64_t>(i)).first;
    std::swap(data[i], data[static_cast<std::int64_t>(u * static_cast<double>(i + 1))]);
  }
  ++g.draw;
  return t;
}

Tensor bernoulli(const Tensor& p, Generator& g) {
  if (!is_floating(p.dtype())) fail<ValueError>("bernoulli", "takes f32 or f64: ", p.dtype(), " ", p.shape(), " (convert with to())");
  const Tensor wide = p.to(DType::f64);
  const double* probability = wide.data<double>();
  for (std::int64_t i = 0; i < p.numel(); ++i)
    if (!(probability[i] >= 0 && probability[i] <= 1))
      fail<ValueError>("bernoulli", "a probability must lie in [0, 1]: ", probability[i], " at element ", i, " of ", p.shape());
  Tensor y = uniform(p.shape(), 0, 1, DType::f64, g);
  double* u = y.data<double>();
  for (std::int64_t i = 0; i < p.numel(); ++i) u[i] = u[i] < probability[i];
  return y.to(p.dtype());
}

Tensor categorical(const Tensor& weights, Generator& g) {
  if (!is_floating(weights.dtype()))
    fail<ValueError>("categorical", "takes f32 or f64: ", weights.dtype(), " ", weights.shape(), " (convert with to())");
  if (weights.dim() == 0) fail<ShapeError>("categorical", "needs an axis of classes: ", weights.shape());
  const Tensor wide = weights.to(DType::f64);
  const double* w = wide.data<double>();
  const Shape shape = weights.shape().without(-1);
  const std::int64_t classes = weights.size(-1), rows = shape.numel();
  if (classes == 0) fail<ShapeError>("categorical", "needs at least one class: ", weights.shape());
  Tensor totals = empty(shape, DType::f64);
  double* total = totals.data<double>();
  for (std::int64_t i = 0; i < rows; ++i) {
    double sum = 0;
    for (std::int64_t k = 0; k < classes; ++k) {
      const double v = w[i * classes + k];
      if (!std::isfinite(v))
        fail<NotFiniteError>("categorical", "a weight must be finite and not negative: ", v, " for class ", k, " in row ", i);
      if (v < 0) fail<ValueError>("categorical", "a weight must be finite and not negative: ", v, " for class ", k, " in row ", i);
      sum += v;
    }
    if (std::isinf(sum)) fail<NotFiniteError>("categorical", "a row's weights must have a positive, finite sum: ", sum, " in row ", i);
    if (sum == 0) fail<ValueError>("categorical", "a row's weights must have a positive, finite sum: ", sum, " in row ", i);
    total[i] = sum;
  }
  const Tensor u = uniform(shape, 0, 1, DType::f64, g);
  Tensor y = empty(shape, DType::i64);
  for (std::int64_t i = 0; i < rows; ++i) {
    double rest = u.data<double>()[i] * total[i];
    std::int64_t chosen = 0;
    for (std::int64_t k = 0; k < classes; ++k) {
      const double v = w[i * classes + k];
      if (v == 0) continue;
      chosen = k;  // also when rounding leaves a rest behind the last one
      if (rest < v) break;
      rest -= v;
    }
    y.data<std::int64_t>()[i] = chosen;
  }
  return y;
}

}  // namespace capstan
