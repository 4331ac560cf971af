#include <capstan/core/places.h>

#include <capstan/core/compute.h>
#include <capstan/core/create.h>

#include <cstring>

// Copies between a tensor and the places of another that begin and go on unevenly: rows, slices, permuted axes.

namespace capstan::kernels {

namespace {

/// Calls f with a null pointer of an integer as wide as an element: copies need not know what they copy.
template <class F>
void with_width(DType dtype, F f) {
  switch (size_of(dtype)) {
    case 1: return f(static_cast<std::uint8_t*>(nullptr));
    case 4: return f(static_cast<std::uint32_t*>(nullptr));
    default: return f(static_cast<std::uint64_t*>(nullptr));
  }
}

}  // namespace

Tensor take(const Tensor& x, const Places& from) {
  Tensor y = empty(from.shape, x.dtype());
  with_width(x.dtype(), [&]<class W>(W*) {
    const W* source = data_of<W>(x) + from.offset;
    W* to = data_of<W>(y);
    walk<1>(from.shape, {from.strides}, [=](std::int64_t at, const auto& offset, const auto& step, std::int64_t n) {
      const W* line = source + offset[0];
      if (step[0] == 1)
        std::memcpy(to + at, line, static_cast<std::size_t>(n) * sizeof(W));
      else
        for (std::int64_t i = 0; i < n; ++i) to[at + i] = line[i * step[0]];
    });
  });
  return y;
}

void put(Tensor& x, const Places& to, const Tensor& y) {
  with_width(x.dtype(), [&]<class W>(W*) {
    W* target = data_of<W>(x) + to.offset;
    const W* from = data_of<W>(y);
    walk<1>(to.shape, {to.strides}, [=](std::int64_t at, const auto& offset, const auto& step, std::int64_t n) {
      W* line = target + offset[0];
      if (step[0] == 1)
        std::memcpy(line, from + at, static_cast<std::size_t>(n) * sizeof(W));
      else
        for (std::int64_t i = 0; i < n; ++i) line[i * step[0]] = from[at + i];
    });
  });
}

template <class T>
void add(T* x, const Places& to, const T* y) {
  T* target = x + to.offset;
  walk<1>(to.shape, {to.strides}, [=](std::int64_t at, const auto& offset, const auto& step, std::int64_t n) {
    T* line = target + offset[0];
    for (std::int64_t i = 0; i < n; ++i) line[i * step[0]] += y[at + i];
  });
}
template void add(float*, const Places&, const float*);
template void add(double*, const Places&, const double*);

}  // namespace capstan::kernels
