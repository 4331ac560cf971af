#include <capstan/core/axes.h>
#include <capstan/core/compute.h>
#include <capstan/core/grad_mode.h>
#include <capstan/core/pool.h>
#include <capstan/core/text.h>

#include <cstring>

// assign(), +=, -= and *= on a tensor's own elements. Each asks writable() first, which refuses what a running tape relies on,
// and bumps the version, by which a tape sees that something saved was changed.

namespace capstan {

using detail::fail;
using detail::Header;

namespace {

using kernels::writable;

template <class Right>
Tensor& change(const char* op, kernels::Binary kind, Tensor& t, const Right& right) {
  Header* h = writable(op, t);
  kernels::binary_in_place(op, kind, t, right);
  detail::bump_version(h);
  return t;
}

}  // namespace

Header* kernels::writable(const char* op, const Tensor& t) {
  Header* h = t.header();
  if (h->flags & detail::kReadOnly)
    fail<ValueError>(op, "a gradient is read-only: ", t.shape(), " (change a clone(), or scale all with g *= s)");
  if (detail::running_tape != 0) {
    const Header* owner = h->owner ? h->owner : h;
    if (((h->flags | owner->flags) & detail::kRequiresGrad) || h->tape == detail::running_tape)
      fail<ValueError>(op, "a tensor that wants a gradient cannot be changed while a tape runs: ", t.shape(), " (open a NoGrad scope)");
  }
  return h;
}

Tensor& Tensor::assign(const Tensor& other) {
  Header* h = writable("assign", *this);
  kernels::require_same_dtype("assign", *this, other);
  const Tensor from = other.shape() == shape() ? other : [&] {
    if (!(broadcast("assign", shape(), other.shape()) == shape()))
      fail<ShapeError>("assign", "the right side must broadcast to the tensor that is changed: ", shape(), " and ", other.shape());
    if (!is_floating(dtype())) fail<ShapeError>("assign", "shapes must be equal for ", dtype(), ": ", shape(), " and ", other.shape());
    return kernels::expand(other, shape());
  }();
  std::memmove(h->data, from.header()->data, static_cast<std::size_t>(h->numel) * size_of(h->dtype));
  detail::bump_version(h);
  return *this;
}

Tensor& Tensor::operator+=(const Tensor& other) { return change("+=", kernels::Binary::add, *this, other); }
Tensor& Tensor::operator-=(const Tensor& other) { return change("-=", kernels::Binary::sub, *this, other); }
Tensor& Tensor::operator*=(const Tensor& other) { return change("*=", kernels::Binary::mul, *this, other); }
Tensor& Tensor::operator+=(double value) { return change("+=", kernels::Binary::add, *this, value); }
Tensor& Tensor::operator-=(double value) { return change("-=", kernels::Binary::sub, *this, value); }
Tensor& Tensor::operator*=(double value) { return change("*=", kernels::Binary::mul, *this, value); }

}  // namespace capstan
