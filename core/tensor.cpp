#include <capstan/core/tensor.h>

#include <capstan/core/create.h>
#include <capstan/core/pool.h>
#include <capstan/core/text.h>

#include <cstring>

// What a Tensor does beside arithmetic: its one element, copies, and the texts of wrong use. Making blocks is pool.cpp's work.

namespace capstan {

using detail::fail;
using detail::Header;

void detail::undefined_tensor() { fail<ValueError>("tensor", "the tensor is undefined: it was default-constructed or moved from"); }

void detail::wrong_dtype(DType wanted, DType actual) {
  fail<ValueError>("data", "the element type must be the tensor's own: asked for ", wanted, ", the tensor is ", actual,
                   " (convert with to())");
}

std::int64_t Tensor::size(int i) const {
  const Header* h = header();
  return h->sizes[normal_axis("size", i, h->dim)];
}

double Tensor::item() const {
  const Header* h = header();
  if (h->numel != 1) fail<ShapeError>("item", "the tensor must have one element: ", shape());
  switch (h->dtype) {
    case DType::f32: return *static_cast<const float*>(h->data);
    case DType::f64: return *static_cast<const double*>(h->data);
    case DType::i64: return static_cast<double>(*static_cast<const std::int64_t*>(h->data));
    case DType::boolean: break;
  }
  return *static_cast<const bool*>(h->data);
}

Tensor Tensor::clone() const {
  const Header* h = header();
  Header* copy = detail::new_block_like(h);
  std::memcpy(copy->data, h->data, static_cast<std::size_t>(h->numel) * size_of(h->dtype));
  return adopt(copy);
}

Tensor Tensor::detach() const {
  Header* h = header();
  Header* view = detail::new_view(h);
  view->data = h->data;
  view->numel = h->numel;
  detail::copy_sizes(view, h);
  return adopt(view);
}

}  // namespace capstan
