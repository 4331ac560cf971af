#include <capstan/core/compute.h>

#include <capstan/core/create.h>
#include <capstan/core/pool.h>
#include <capstan/core/text.h>
#include <capstan/core/threads.h>

#include <algorithm>
#include <cmath>

// Arithmetic of whole tensors without gradients, under every operation of autograd/ops. Each function checks dtypes and shapes, makes
// the result, picks the kernel of this processor from table(), and runs it over lines on which all operands go on evenly.

namespace capstan::kernels {

using capstan::detail::fail;
using capstan::detail::Header;
using capstan::detail::same_sizes;

namespace {

constexpr std::int64_t grain = 1 << 16;  // elements of one piece; smaller ones cost more to hand over than to compute

template <class T>
using UnaryKernel = void (*)(const T*, T*, std::int64_t);
template <class T>
using BinaryKernel = void (*)(const T*, const T*, T*, std::int64_t, bool, bool);

// i64 has no table: its arithmetic serves indices. Wraps around as two's complement does.
std::int64_t apply(Binary kind, std::int64_t a, std::int64_t b) {
  const auto p = static_cast<std::uint64_t>(a), q = static_cast<std::uint64_t>(b);
  return static_cast<std::int64_t>(kind == Binary::add ? p + q : kind == Binary::sub ? p - q : p * q);
}
template <Binary kind>
void binary_i64(const std::int64_t* a, const std::int64_t* b, std::int64_t* y, std::int64_t n, bool a_step, bool b_step) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = apply(kind, a[a_step ? i : 0], b[b_step ? i : 0]);
}

/// Calls f(kernel) with the loop for the tensors' dtype.
template <class F>
void with_binary_kernel(const char* op, Binary kind, DType dtype, F f) {
  switch (dtype) {
    case DType::f32: return f(table<float>().binary[static_cast<int>(kind)]);
    case DType::f64: return f(table<double>().binary[static_cast<int>(kind)]);
    case DType::i64:
      if (kind == Binary::add) return f(&binary_i64<Binary::add>);
      if (kind == Binary::sub) return f(&binary_i64<Binary::sub>);
      if (kind == Binary::mul) return f(&binary_i64<Binary::mul>);
      break;
    case DType::boolean: break;
  }
  fail<ValueError>(op, "does not take ", dtype, " (convert with to())");
}

template <class T>
[[gnu::always_inline]] inline void run(BinaryKernel<T> kernel, const T* a, const T* b, T* y, std::int64_t n, bool a_step, bool b_step) {
  if (n < 2 * grain) return kernel(a, b, y, n, a_step, b_step);
  parallel_for(n, grain,
               [=](std::int64_t i, std::int64_t end) { kernel(a_step ? a + i : a, b_step ? b + i : b, y + i, end - i, a_step, b_step); });
}

void run_unary(Unary kind, const Header* x, const Tensor& y) {
  dispatch(y, [&]<class T>(T*) {
    const UnaryKernel<T> kernel = table<T>().unary[static_cast<int>(kind)];
    const T* from = static_cast<const T*>(x->data);
    T* to = data_of<T>(y);
    const std::int64_t n = x->numel;
    if (n < 2 * grain) return kernel(from, to, n);
    parallel_for(n, grain, [=](std::int64_t i, std::int64_t end) { kernel(from + i, to + i, end - i); });
  });
}

/// The axes of a broadcast operation with their strides in a and b, neighbours joined where both go on evenly.
struct Loops {
  int dim = 0;
  std::int64_t size[Shape::max_dim], a[Shape::max_dim], b[Shape::max_dim];
};

Loops loops_of(const Shape& result, const Shape& sa, const Shape& sb) {
  Loops l;
  std::int64_t a_run = 1, b_run = 1;
  for (int i = 1; i <= result.dim(); ++i) {  // from the last axis; l holds them innermost first
    const std::int64_t n = result.end()[-i];
    const std::int64_t na = i <= sa.dim() ? sa.end()[-i] : 1, nb = i <= sb.dim() ? sb.end()[-i] : 1;
    const std::int64_t a = na == 1 ? 0 : a_run, b = nb == 1 ? 0 : b_run;
    a_run *= na;
    b_run *= nb;
    if (n == 1) continue;
    const int last = l.dim - 1;
    if (l.dim && a == l.a[last] * l.size[last] && b == l.b[last] * l.size[last]) {
      l.size[last] *= n;
    } else {
      l.size[l.dim] = n;
      l.a[l.dim] = a;
      l.b[l.dim] = b;
      ++l.dim;
    }
  }
  return l;
}

template <class T>
void run_broadcast(BinaryKernel<T> kernel, const T* a, const T* b, T* y, const Shape& result, const Shape& sa, const Shape& sb) {
  if (result.numel() == 0) return;
  const Loops l = loops_of(result, sa, sb);
  if (l.dim <= 1) return run(kernel, a, b, y, l.dim ? l.size[0] : 1, l.dim && l.a[0] != 0, l.dim && l.b[0] != 0);
  const std::int64_t n = l.size[0];
  std::int64_t index[Shape::max_dim] = {};
  for (;;) {
    kernel(a, b, y, n, l.a[0] != 0, l.b[0] != 0);
    y += n;
    int k = 1;
    for (; k < l.dim; ++k) {
      a += l.a[k];
      b += l.b[k];
      if (++index[k] < l.size[k]) break;
      a -= l.a[k] * l.size[k];
      b -= l.b[k] * l.size[k];
      index[k] = 0;
    }
    if (k == l.dim) return;
  }
}

[[gnu::always_inline]] inline Tensor new_like(const Header* x) { return Tensor::adopt(capstan::detail::new_block_like(x)); }

/// x itself when it is the only handle on memory of its own, which no tape and no user knows; else another one like it.
Tensor reused(Tensor& x) {
  const Header* h = x.header();
  const bool sole = __atomic_load_n(&h->refs, __ATOMIC_ACQUIRE) == 1 && !h->owner && h->flags == 0 && h->tape == 0;
  return sole ? std::move(x) : new_like(h);
}

const Header* owner_of(const Header* h) noexcept { return h->owner ? h->owner : h; }

template <class T>
T scalar(const char* op, double value) {
  if constexpr (std::is_same_v<T, std::int64_t>)
    if (value != std::trunc(value) || !(std::abs(value) < 0x1p63))
      fail<ValueError>(op, "a number beside an i64 tensor must be whole: ", value);
  return static_cast<T>(value);
}

}  // namespace

void not_floating(const char* op, const Tensor& x) {
  fail<ValueError>(op, "takes f32 or f64: ", x.dtype(), " ", x.shape(), " (convert with to())");
}

void different_dtypes(const char* op, const Tensor& a, const Tensor& b) {
  fail<ValueError>(op, "dtypes must agree: ", a.dtype(), " ", a.shape(), " and ", b.dtype(), " ", b.shape(), " (convert one with to())");
}

void unfit(const char* op, const char* what, double value, const char* after) {
  fail<ValueError>(op, what, " must fit f32", after, ": ", value, " would be ", static_cast<double>(static_cast<float>(value)),
                   " (take f64, or a number that f32 holds)");
}

Tensor unary(const char* op, Unary kind, const Tensor& x) {
  const Header* h = x.header();
  if (h->dtype == DType::i64 && kind == Unary::neg) return binary(op, Binary::mul, x, -1);
  if (h->dtype == DType::i64 && kind == Unary::square) return binary(op, Binary::mul, x, x);
  require_floating(op, x);
  Tensor y = new_like(h);
  run_unary(kind, h, y);
  return y;
}

Tensor unary(const char* op, Unary kind, Tensor&& x) {
  const Header* h = x.header();
  if (!is_floating(h->dtype)) [[unlikely]]
    return unary(op, kind, static_cast<const Tensor&>(x));
  Tensor y = reused(x);
  run_unary(kind, h, y);
  return y;
}

void unary_in_place(Unary kind, Tensor& y) { run_unary(kind, y.header(), y); }

Tensor binary(const char* op, Binary kind, const Tensor& a, const Tensor& b) {
  const Header *ha = a.header(), *hb = b.header();
  require_same_dtype(op, a, b);
  const bool same = same_sizes(ha, hb);
  if (same || (hb->numel == 1 && hb->dim <= ha->dim)) {
    Tensor y = new_like(ha);
    with_binary_kernel(op, kind, ha->dtype, [&]<class T>(BinaryKernel<T> kernel) {
      run(kernel, static_cast<const T*>(ha->data), static_cast<const T*>(hb->data), data_of<T>(y), ha->numel, true, same);
    });
    return y;
  }
  Tensor y;
  with_binary_kernel(op, kind, ha->dtype, [&]<class T>(BinaryKernel<T> kernel) {
    const Shape shape = broadcast(op, a.shape(), b.shape());
    y = empty(shape, ha->dtype);
    run_broadcast(kernel, data_of<T>(a), data_of<T>(b), data_of<T>(y), shape, a.shape(), b.shape());
  });
  return y;
}

Tensor binary(const char* op, Binary kind, const Tensor& a, Tensor&& b) {
  const Header *ha = a.header(), *hb = b.header();
  if (ha->dtype != hb->dtype || !same_sizes(ha, hb)) return binary(op, kind, a, static_cast<const Tensor&>(b));
  Tensor y = reused(b);
  with_binary_kernel(op, kind, ha->dtype, [&]<class T>(BinaryKernel<T> kernel) {
    run(kernel, static_cast<const T*>(ha->data), static_cast<const T*>(hb->data), data_of<T>(y), ha->numel, true, true);
  });
  return y;
}

Tensor binary(const char* op, Binary kind, const Tensor& a, double b) {
  Tensor y;
  with_binary_kernel(op, kind, a.header()->dtype, [&]<class T>(BinaryKernel<T> kernel) {
    const T c = scalar<T>(op, b);
    const Header* h = a.header();
    Header* to = capstan::detail::new_block_like(h);
    y = Tensor::adopt(to);
    run(kernel, static_cast<const T*>(h->data), &c, static_cast<T*>(to->data), h->numel, true, false);
  });
  return y;
}

Tensor binary(const char* op, Binary kind, Tensor&& a, double b) {
  const Header* h = a.header();
  if (!is_floating(h->dtype)) [[unlikely]]
    return binary(op, kind, static_cast<const Tensor&>(a), b);
  Tensor y = reused(a);
  dispatch(y, [&]<class T>(T*) {
    const T c = static_cast<T>(b);
    run(table<T>().binary[static_cast<int>(kind)], static_cast<const T*>(h->data), &c, data_of<T>(y), h->numel, true, false);
  });
  return y;
}

Tensor binary(const char* op, Binary kind, double a, const Tensor& b) {
  Tensor y;
  with_binary_kernel(op, kind, b.header()->dtype, [&]<class T>(BinaryKernel<T> kernel) {
    const T c = scalar<T>(op, a);
    y = new_like(b.header());
    run(kernel, &c, data_of<T>(b), data_of<T>(y), b.header()->numel, false, true);
  });
  return y;
}

void binary_in_place(const char* op, Binary kind, Tensor& y, const Tensor& b) {
  const Header *hy = y.header(), *hb = b.header();
  require_same_dtype(op, y, b);
  with_binary_kernel(op, kind, hy->dtype, [&]<class T>(BinaryKernel<T> kernel) {
    if (same_sizes(hy, hb)) {
      // Rows of one tensor may overlap, and what was written must not be read as the right side.
      if (hb->data != hy->data && owner_of(hb) == owner_of(hy)) return binary_in_place(op, kind, y, b.clone());
      return run(kernel, data_of<T>(y), data_of<T>(b), data_of<T>(y), hy->numel, true, true);
    }
    const Shape shape = y.shape();
    if (!(broadcast(op, shape, b.shape()) == shape))
      fail<ShapeError>(op, "the right side must broadcast to the tensor that is changed: ", shape, " and ", b.shape());
    // The right side may share memory with y and be read again after that part was written.
    const Tensor right = b.clone();
    run_broadcast(kernel, data_of<T>(y), data_of<T>(right), data_of<T>(y), shape, shape, b.shape());
  });
}

void binary_in_place(const char* op, Binary kind, Tensor& y, double b) {
  with_binary_kernel(op, kind, y.header()->dtype, [&]<class T>(BinaryKernel<T> kernel) {
    const T c = scalar<T>(op, b);
    run(kernel, data_of<T>(y), &c, data_of<T>(y), y.header()->numel, true, false);
  });
}

}  // namespace capstan::kernels
