#pragma once
#include <capstan/core/kernels/table.h>
#include <capstan/core/tensor.h>

// Private: arithmetic on whole tensors, without gradients; what operations are made of. `op` is the name for error texts.
namespace capstan::kernels {

/// Throw ValueError unless x is f32 or f64; unless a and b have one dtype.
[[noreturn]] void not_floating(const char* op, const Tensor& x);
[[noreturn]] void different_dtypes(const char* op, const Tensor& a, const Tensor& b);
inline void require_floating(const char* op, const Tensor& x) {
  if (!is_floating(x.header()->dtype)) [[unlikely]]
    not_floating(op, x);
}
inline void require_same_dtype(const char* op, const Tensor& a, const Tensor& b) {
  if (a.header()->dtype != b.header()->dtype) [[unlikely]]
    different_dtypes(op, a, b);
}
/// Throws ValueError when an operation's number does not fit the dtype: f32 would make infinity or 0 of it.
[[noreturn]] void unfit(const char* op, const char* what, double value, const char* after);
inline void require_fit(const char* op, const char* what, double value, DType dtype, const char* after = "") {
  if (dtype != DType::f32) return;
  const auto held = static_cast<double>(static_cast<float>(value));
  if ((held == 0) != (value == 0) || (held - held == 0) != (value - value == 0)) [[unlikely]]
    unfit(op, what, value, after);
}

/// y = f(x), f32 and f64; neg and square for i64 too.
Tensor unary(const char* op, Unary kind, const Tensor& x);
/// The same, into x's own memory when nobody else holds it; so below.
Tensor unary(const char* op, Unary kind, Tensor&& x);
/// y = f(y) in place, f32 and f64.
void unary_in_place(Unary kind, Tensor& y);
/// y = f(a, b), broadcast; add, sub and mul for i64 too.
Tensor binary(const char* op, Binary kind, const Tensor& a, const Tensor& b);
Tensor binary(const char* op, Binary kind, const Tensor& a, Tensor&& b);
Tensor binary(const char* op, Binary kind, const Tensor& a, double b);
Tensor binary(const char* op, Binary kind, Tensor&& a, double b);
Tensor binary(const char* op, Binary kind, double a, const Tensor& b);
/// y = f(y, b) in place, b broadcast to y's shape (ShapeError when it does not).
void binary_in_place(const char* op, Binary kind, Tensor& y, const Tensor& b);
void binary_in_place(const char* op, Binary kind, Tensor& y, double b);

/// t's header, for whoever changes the elements in place and bumps the version then. Throws ValueError for a change that a running tape
/// would not see, and for memory that is not the caller's to write.
capstan::detail::Header* writable(const char* op, const Tensor& t);

/// Calls f with a null pointer of the tensor's floating type: dispatch(x, [&]<class T>(T*) { ... }).
template <class F>
[[gnu::always_inline]] inline auto dispatch(const Tensor& x, F f) {
  if (x.header()->dtype == DType::f32) [[likely]]
    return f(static_cast<float*>(nullptr));
  return f(static_cast<double*>(nullptr));
}
template <class T>
inline T* data_of(const Tensor& x) {
  return static_cast<T*>(x.header()->data);
}

}  // namespace capstan::kernels
