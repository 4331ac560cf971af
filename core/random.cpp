#include <capstan/core/random.h>

#include <capstan/core/create.h>
#include <capstan/core/fill.h>
#include <capstan/core/text.h>
#include <capstan/core/threads.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

// Random tensors. A draw takes the generator's next counter; pieces of the tensor are then filled by threads, each from its own place
// in the stream, so that neither their number nor the instruction set changes a bit.

namespace capstan {

using detail::fail;

namespace {

using kernels::Stream;

// The purpose lies in the counter's top bits, 8 of them in the block's index, 24 in the draw: neither a tensor of 2^56 blocks nor a run
// of 2^40 draws reaches them.
Stream stream_of(const Generator& g) {
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  return {{low(g.seed), low(g.seed >> 32)}, {0, g.purpose << 24, low(g.draw), low(g.draw >> 32) ^ (g.purpose & ~std::uint32_t{255})}};
}

void require_random(const char* op, DType dtype) {
  if (!is_floating(dtype)) fail<ValueError>(op, "random numbers are f32 or f64: ", dtype);
}

// Fills t by whole groups of the generator's stream, in pieces that are the same for any number of threads.
template <class T, class Fill>
void fill(const Tensor& t, Generator& g, Fill fill_piece) {
  constexpr std::int64_t numbers = (sizeof(T) == 4 ? 4 : 2) * Stream::group, grain = std::int64_t{1} << 15;
  const Stream s = stream_of(g);
  T* const data = kernels::data_of<T>(t);
  parallel_for(t.numel(), grain, [&](std::int64_t i, std::int64_t end) { fill_piece(s, i / numbers, data + i, end - i); });
  ++g.draw;
}

std::array<Generator, 4>& generators() {
  static std::array<Generator, 4> all = {Generator{0, 0, 0}, Generator{0, 1, 0}, Generator{0, 2, 0}, Generator{0, 3, 0}};
  return all;
}

}  // namespace

double Generator::uniform() {
  std::uint32_t words[4][Stream::group];
  kernels::table<float>().random_words(stream_of(*this), 0, words);
  ++draw;
  return static_cast<double>((std::uint64_t{words[0][0]} << 32 | words[1][0]) >> 11) * 0x1p-53;
}

Generator& default_generator(Purpose purpose) { return generators()[static_cast<std::size_t>(purpose)]; }

void manual_seed(std::uint64_t seed) {
  for (Generator& g : generators()) {
    g.seed = seed;
    g.draw = 0;
  }
}

void kernels::fill_uniform(const Tensor& t, double low, double high, Generator& g) {
  require_random("uniform", t.dtype());
  if (!(low <= high) || !std::isfinite(high - low))
    fail<ValueError>("uniform", "low <= high and high - low must be finite: ", low, ", ", high);
  require_fit("uniform", "low", low, t.dtype());
  require_fit("uniform", "high", high, t.dtype());
  dispatch(t, [&]<class T>(T*) {
    // Rounding may leave the range: then the nearest number inside it, if there is one.
    T first = static_cast<T>(low), last = static_cast<T>(high);
    if (static_cast<double>(first) < low) first = std::nextafter(first, std::numeric_limits<T>::infinity());
    if (static_cast<double>(last) >= high) last = std::nextafter(last, -std::numeric_limits<T>::infinity());
    if (first > last) first = last = static_cast<T>(low);
    fill<T>(t, g, [&](const Stream& s, std::int64_t group, T* y, std::int64_t n) {
      table<T>().random_uniform(s, group, y, n, low, high - low, first, last);
    });
  });
}

void kernels::fill_normal(const Tensor& t, double mean, double stddev, Generator& g) {
  require_random("normal", t.dtype());
  if (!(stddev >= 0) || !std::isfinite(stddev) || !std::isfinite(mean))
    fail<ValueError>("normal", "mean and stddev >= 0 must be finite: ", mean, ", ", stddev);
  require_fit("normal", "mean", mean, t.dtype());
  require_fit("normal", "stddev", stddev, t.dtype());
  dispatch(t, [&]<class T>(T*) {
    fill<T>(t, g, [&](const Stream& s, std::int64_t group, T* y, std::int64_t n) {
      table<T>().random_normal(s, group, y, n, static_cast<T>(mean), static_cast<T>(stddev));
    });
  });
}

Tensor uniform(const Shape& shape, double low, double high, DType dtype, Generator& g) {
  const Tensor t = empty(shape, dtype);
  kernels::fill_uniform(t, low, high, g);
  return t;
}

Tensor normal(const Shape& shape, double mean, double stddev, DType dtype, Generator& g) {
  const Tensor t = empty(shape, dtype);
  kernels::fill_normal(t, mean, stddev, g);
  return t;
}

Tensor randn(const Shape& shape, DType dtype, Generator& g) { return normal(shape, 0, 1, dtype, g); }

Tensor permutation(std::int64_t n, Generator& g) {
  if (n < 0) fail<ValueError>("permutation", "n must not be negative: ", n);
  const Tensor t = empty({n}, DType::i64);
  auto* const data = t.data<std::int64_t>();
  for (std::int64_t i = 0; i < n; ++i) data[i] = i;
  // Fisher-Yates from the end, which swaps place i with one below or at it. The places lie anywhere in memory: those of the next numbers
  // are worked out and fetched while the ones before are swapped.
  constexpr int batch = 2 * Stream::group;
  const Stream s = stream_of(g);
  const auto random_words = kernels::table<float>().random_words;
  std::int64_t places[2][batch];
  const auto prepare = [&](std::int64_t k) {
    std::uint32_t words[4][Stream::group];
    random_words(s, k, words);
    std::int64_t* const to = places[k % 2];
    for (int j = 0; j < batch; ++j) {
      const std::uint32_t high = words[j / Stream::group * 2][j % Stream::group], low = words[j / Stream::group * 2 + 1][j % Stream::group];
      const std::int64_t i = n - 1 - (k * batch + j);
      if (i <= 0) break;
      // A whole number below i + 1 (Lemire, ACM Trans. Model. Comput. Simul. 29(1), 2019), whose bias of (i + 1) / 2^64 nobody sees.
      to[j] = static_cast<std::int64_t>(
          static_cast<unsigned __int128>(std::uint64_t{high} << 32 | low) * static_cast<std::uint64_t>(i + 1) >> 64);
      __builtin_prefetch(data + to[j], 1);
    }
  };
  const std::int64_t batches = (n - 1 + batch - 1) / batch;
  if (batches > 0) prepare(0);
  for (std::int64_t k = 0; k < batches; ++k) {
    if (k + 1 < batches) prepare(k + 1);
    const std::int64_t first = n - 1 - k * batch, count = std::min<std::int64_t>(batch, first);
    for (std::int64_t j = 0; j < count; ++j) std::swap(data[first - j], data[places[k % 2][j]]);
  }
  ++g.draw;
  return t;
}

Tensor bernoulli(const Tensor& p, Generator& g) {
  if (!is_floating(p.dtype())) fail<ValueError>("bernoulli", "takes f32 or f64: ", p.dtype(), " ", p.shape(), " (convert with to())");
  const Tensor y = empty(p.shape(), p.dtype());
  kernels::dispatch(p, [&]<class T>(T*) {
    const T* const probability = kernels::data_of<T>(p);
    for (std::int64_t i = 0; i < p.numel(); ++i)
      if (!(probability[i] >= 0 && probability[i] <= 1))
        fail<ValueError>("bernoulli", "a probability must lie in [0, 1]: ", probability[i], " at element ", i, " of ", p.shape());
    kernels::fill_uniform(y, 0, 1, g);
    T* const u = kernels::data_of<T>(y);
    for (std::int64_t i = 0; i < p.numel(); ++i) u[i] = u[i] < probability[i];
  });
  return y;
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
