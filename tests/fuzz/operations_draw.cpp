#include <limits>

#include "operations.h"

using namespace capstan;

namespace fuzz {

namespace {

constexpr std::int64_t most_elements = 2048, hollow = std::int64_t{1} << 20;

constexpr double odd_numbers[] = {0.,
                                  -0.,
                                  std::numeric_limits<double>::quiet_NaN(),
                                  std::numeric_limits<double>::infinity(),
                                  -std::numeric_limits<double>::infinity(),
                                  1,
                                  -1,
                                  0.5,
                                  std::numeric_limits<double>::denorm_min(),
                                  -1e-310,
                                  1e-40,
                                  std::numeric_limits<double>::max(),
                                  std::numeric_limits<double>::lowest(),
                                  3.5e38,
                                  1e308,
                                  -750,
                                  89,
                                  2147483648.,
                                  9223372036854775808.,
                                  1e-16};
constexpr std::int64_t odd_wholes[] = {-1,
                                       -2,
                                       -100,
                                       40,
                                       std::numeric_limits<std::int32_t>::max(),
                                       std::int64_t{1} << 31,
                                       -(std::int64_t{1} << 31),
                                       std::int64_t{1} << 32,
                                       std::int64_t{1} << 47,
                                       std::int64_t{1} << 48,
                                       std::int64_t{1} << 53,
                                       std::int64_t{1} << 61,
                                       std::int64_t{1} << 62,
                                       std::numeric_limits<std::int64_t>::max(),
                                       std::numeric_limits<std::int64_t>::max() - 1,
                                       std::numeric_limits<std::int64_t>::min()};

double small_number(unsigned byte) noexcept { return (static_cast<double>(byte) - 128) / 16; }

}  // namespace

double Bytes::number() noexcept {
  const unsigned b = byte();
  const double value = b < 64 ? odd_numbers[b % std::size(odd_numbers)] : small_number(b);
  large_ |= b < 64 && std::abs(value) > 1e6;
  return value;
}

std::int64_t Bytes::whole() noexcept {
  const unsigned b = byte();
  if (b < 192) return static_cast<std::int64_t>(b % 6);
  large_ = true;
  return odd_wholes[b % std::size(odd_wholes)];
}

std::vector<std::int64_t> Bytes::wholes() {
  std::vector<std::int64_t> list(below(8));
  for (std::int64_t& n : list) n = whole();
  return list;
}

int Bytes::axis() noexcept {
  constexpr int odd[] = {std::numeric_limits<int>::min(), std::numeric_limits<int>::max(), 6, -7};
  const unsigned b = byte();
  return b < 240 ? static_cast<int>(b % 8) - 4 : odd[b % 4];
}

Axes Bytes::axes() {
  std::vector<int> list(seldom() ? below(8) : below(4));
  for (int& a : list) a = axis();
  return list;
}

Shape Bytes::sizes() {
  const std::vector<std::int64_t> list = wholes();
  return {list.data(), static_cast<int>(list.size())};
}

// Fresh, or so that it fits an input that was there before.
Shape Bytes::shape(const Tensors& before, unsigned how) {
  std::int64_t sizes[Shape::max_dim] = {};
  int dim = 0;
  if (how != 0 && !before.empty() && before.back().defined()) {
    const Shape last = before.back().shape();
    const int skip = how == 3 && last.dim() > 0 ? static_cast<int>(below(static_cast<unsigned>(last.dim()))) : 0;
    for (int i = skip; i < last.dim(); ++i) sizes[dim++] = how == 2 && flag() ? 1 : last[i];
    return {sizes, dim};
  }
  constexpr std::int64_t usual[] = {2, 3, 1, 4, 2, 3, 5, 0}, odd[] = {17, 33, 64, 70, std::int64_t{1} << 31, std::int64_t{1} << 40};
  dim = static_cast<int>(seldom() ? below(7) : below(5));
  std::int64_t n = 1;
  for (int i = 0; i < dim; ++i) {
    const unsigned b = byte();
    sizes[i] = b < 240 ? usual[b % 8] : odd[b % std::size(odd)];
    if (sizes[i] >= hollow) {
      large_ = true;
    } else if (sizes[i] != 0 && n * sizes[i] > most_elements) {
      sizes[i] = 1;
    } else if (sizes[i] != 0) {
      n *= sizes[i];
    }
  }
  bool empty = false, immense = false;
  for (int i = 0; i < dim; ++i) {
    empty |= sizes[i] == 0;
    immense |= sizes[i] >= hollow;
  }
  if (immense && !empty) sizes[below(static_cast<unsigned>(dim))] = 0;
  for (int i = 0; i < dim; ++i)
    if (immense && !empty && dim == 1) sizes[i] = 0;
  std::int64_t elements = 1;
  for (int i = 0; i < dim; ++i) elements = sizes[i] >= hollow && elements != 0 ? hollow : elements * sizes[i];
  return elements >= hollow ? Shape{0} : Shape{sizes, dim};
}

void Bytes::fill(const Tensor& t, unsigned how) {
  const std::int64_t n = t.numel();
  if (t.dtype() == DType::boolean) {
    for (std::int64_t i = 0; i < n; ++i) t.data<bool>()[i] = how == 2 ? i % 3 == 0 : flag();
    return;
  }
  const unsigned same = how == 3 ? byte() : 0;
  for (std::int64_t i = 0; i < n; ++i) {
    double value = 0;
    std::int64_t whole_value = 0;
    const bool whole_numbers = t.dtype() == DType::i64;
    if (how == 2) {
      value = small_number(static_cast<unsigned>((i * 37 + 11) % 256));
      whole_value = i % 3;
    } else if (how == 3) {
      value = small_number(same);
      whole_value = same % 5;
    } else if (whole_numbers) {
      whole_value = how == 1 ? whole() : static_cast<std::int64_t>(below(4));
    } else {
      value = how == 1 ? number() : small_number(byte());
    }
    switch (t.dtype()) {
      case DType::f32: t.data<float>()[i] = static_cast<float>(value); break;
      case DType::f64: t.data<double>()[i] = value; break;
      default: t.data<std::int64_t>()[i] = whole_value; break;
    }
  }
}

Tensor Bytes::tensor(char kind, const Tensors& before) {
  const unsigned how = byte();
  const bool odd = how >= 224;
  const unsigned oddity = odd ? below(6) : 0;
  if (odd && oddity == 0) return {};
  if (odd && oddity <= 2 && !before.empty()) return before[below(static_cast<unsigned>(before.size()))];
  DType type = (how & 4) != 0 ? DType::f32 : DType::f64;
  for (const Tensor& x : before)
    if (x.defined() && is_floating(x.dtype()) && !odd) type = x.dtype();
  if (kind == 'i') type = DType::i64;
  if (kind == 'b') type = DType::boolean;
  if (kind == 'a') type = before.empty() || !before.back().defined() ? dtype() : before.back().dtype();
  if (odd && oddity == 3) type = dtype();
  Shape s = shape(before, how & 3);
  if (kind == 's' && s.dim() >= 2 && !odd) s = s.with(-1, s[-2]);
  const bool view = odd && oddity == 4 && s.dim() > 0 && s[0] < 8;
  const Tensor t = empty(view ? s.with(0, s[0] + 2) : s, type);
  fill(t, how >> 3 & 3);
  return view ? t.rows(1, s[0] + 1) : t;
}

}  // namespace fuzz
