#include <capstan/core/create.h>
#include <capstan/core/text.h>

// From one dtype to another, element by element: Tensor::to().

namespace capstan {

namespace {

template <class From, class To>
void convert(const Tensor& from, Tensor& to) {
  const From* x = from.data<From>();
  To* y = to.data<To>();
  for (std::int64_t i = 0; i < from.numel(); ++i) {
    if constexpr (std::is_same_v<To, bool>) {
      y[i] = x[i] != From(0);
    } else if constexpr (std::is_same_v<To, std::int64_t> && std::is_floating_point_v<From>) {
      if (!(static_cast<double>(x[i]) >= -0x1p63 && static_cast<double>(x[i]) < 0x1p63))
        detail::fail<ValueError>("to", "an element must fit into i64: ", static_cast<double>(x[i]), " at index ", i);
      y[i] = static_cast<std::int64_t>(x[i]);
    } else {
      y[i] = static_cast<To>(x[i]);
    }
  }
}

template <class From>
void convert_from(const Tensor& from, Tensor& to) {
  switch (to.dtype()) {
    case DType::f32: return convert<From, float>(from, to);
    case DType::f64: return convert<From, double>(from, to);
    case DType::i64: return convert<From, std::int64_t>(from, to);
    case DType::boolean: return convert<From, bool>(from, to);
  }
}

}  // namespace

Tensor Tensor::to(DType dtype) const {
  if (header()->dtype == dtype) return *this;
  Tensor result = empty(shape(), dtype);
  switch (header()->dtype) {
    case DType::f32: convert_from<float>(*this, result); break;
    case DType::f64: convert_from<double>(*this, result); break;
    case DType::i64: convert_from<std::int64_t>(*this, result); break;
    case DType::boolean: convert_from<bool>(*this, result); break;
  }
  return result;
}

}  // namespace capstan
