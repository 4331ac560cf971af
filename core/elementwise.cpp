#include <capstan/core/elementwise.h>

#include <capstan/core/create.h>
#include <capstan/core/lines.h>
#include <capstan/core/text.h>
#include <capstan/core/threads.h>

#include <cmath>

// Element by element beyond compute.cpp: functions with parameters, comparisons, logic, choosing. The same order of work: check,
// make the result, run a kernel of table() line by line. What has no table (i64, booleans) has plain loops here.

namespace capstan::kernels {

using capstan::detail::fail;
using capstan::detail::Header;

namespace {

constexpr std::int64_t line_grain = 1 << 15;

// i64 and booleans have no table.
template <class T>
bool compare_one(Compare kind, T a, T b) {
  switch (kind) {
#define X(name, ...) \
  case Compare::name: return __VA_ARGS__;
    CAPSTAN_COMPARE(X)
#undef X
  }
  return false;
}

template <class T>
void compare_line(Compare kind, const T* a, const T* b, bool* y, std::int64_t n, bool a_step, bool b_step) {
  if constexpr (std::is_floating_point_v<T>)
    table<T>().compare[static_cast<int>(kind)](a, b, y, n, a_step, b_step);
  else
    for (std::int64_t i = 0; i < n; ++i) y[i] = compare_one(kind, a[a_step ? i : 0], b[b_step ? i : 0]);
}

template <class T>
void select_line(const bool* c, const T* a, const T* b, T* y, std::int64_t n, bool c_step, bool a_step, bool b_step) {
  if constexpr (std::is_floating_point_v<T>)
    table<T>().select(c, a, b, y, n, c_step, a_step, b_step);
  else
    for (std::int64_t i = 0; i < n; ++i) y[i] = c[c_step ? i : 0] ? a[a_step ? i : 0] : b[b_step ? i : 0];
}

/// Calls f with a null pointer of the tensor's own type.
template <class F>
void with_type(DType dtype, F f) {
  switch (dtype) {
    case DType::f32: return f(static_cast<float*>(nullptr));
    case DType::f64: return f(static_cast<double*>(nullptr));
    case DType::i64: return f(static_cast<std::int64_t*>(nullptr));
    case DType::boolean: break;
  }
  f(static_cast<bool*>(nullptr));
}

template <class T>
T number(const char* op, double value) {
  if constexpr (std::is_same_v<T, std::int64_t>) {
    if (value != std::trunc(value) || !(std::abs(value) < 0x1p63))
      fail<ValueError>(op, "a number beside an i64 tensor must be whole: ", value);
  } else if constexpr (std::is_same_v<T, bool>) {
    if (value != 0 && value != 1) fail<ValueError>(op, "a number beside a boolean tensor must be 0 or 1: ", value);
    return value != 0;
  }
  return static_cast<T>(value);
}

template <class T>
void compare_all(Compare kind, const T* a, const T* b, bool* y, std::int64_t n, bool a_step, bool b_step) {
  parallel_for(n, line_grain, [=](std::int64_t i, std::int64_t end) {
    compare_line(kind, a_step ? a + i : a, b_step ? b + i : b, y + i, end - i, a_step, b_step);
  });
}

}  // namespace

Tensor parametric(const char* op, Parametric kind, const Tensor& a, const Tensor& b, double p, double q) {
  require_floating(op, a);
  Tensor y = empty_like(a);
  dispatch(a, [&]<class T>(T*) {
    const auto kernel = table<T>().parametric[static_cast<int>(kind)];
    const T *u = data_of<T>(a), *v = data_of<T>(b);
    T* to = data_of<T>(y);
    const T r = static_cast<T>(p), s = static_cast<T>(q);
    parallel_for(a.numel(), line_grain, [=](std::int64_t i, std::int64_t end) { kernel(u + i, v + i, r, s, to + i, end - i); });
  });
  return y;
}

Tensor compare(const char* op, Compare kind, const Tensor& a, const Tensor& b) {
  require_same_dtype(op, a, b);
  const Shape sa = a.shape(), sb = b.shape(), shape = sa == sb ? sa : broadcast(op, sa, sb);
  Tensor y = empty(shape, DType::boolean);
  with_type(a.dtype(), [&]<class T>(T*) {
    const T *u = data_of<T>(a), *v = data_of<T>(b);
    bool* to = data_of<bool>(y);
    if (sa == sb) return compare_all(kind, u, v, to, y.numel(), true, true);
    for_each_line<2>(shape, {sa, sb}, [&](std::int64_t at, const auto& offset, const auto& step, std::int64_t n) {
      compare_line(kind, u + offset[0], v + offset[1], to + at, n, step[0] != 0, step[1] != 0);
    });
  });
  return y;
}

Tensor compare(const char* op, Compare kind, const Tensor& a, double b) {
  Tensor y;
  with_type(a.dtype(), [&]<class T>(T*) {
    const T c = number<T>(op, b);
    y = empty(a.shape(), DType::boolean);
    compare_all(kind, data_of<T>(a), &c, data_of<bool>(y), y.numel(), true, false);
  });
  return y;
}

Tensor compare(const char* op, Compare kind, double a, const Tensor& b) {
  Tensor y;
  with_type(b.dtype(), [&]<class T>(T*) {
    const T c = number<T>(op, a);
    y = empty(b.shape(), DType::boolean);
    compare_all(kind, &c, data_of<T>(b), data_of<bool>(y), y.numel(), false, true);
  });
  return y;
}

Tensor logic(const char* op, Logic kind, const Tensor& a, const Tensor& b) {
  for (const Tensor* t : {&a, &b})
    if (t->dtype() != DType::boolean)
      fail<ValueError>(op, "takes booleans: ", t->dtype(), " ", t->shape(), " (compare it with something: x != 0)");
  const Shape shape = broadcast(op, a.shape(), b.shape());
  Tensor y = empty(shape, DType::boolean);
  const bool *u = data_of<bool>(a), *v = data_of<bool>(b);
  for_each_line<2>(shape, {a.shape(), b.shape()}, [&](std::int64_t at, const auto& offset, const auto& step, std::int64_t n) {
    bool* to = data_of<bool>(y) + at;
    for (std::int64_t i = 0; i < n; ++i) {
      const bool p = u[offset[0] + i * step[0]], q = v[offset[1] + i * step[1]];
      to[i] = kind == Logic::conjunction ? p && q : kind == Logic::disjunction ? p || q : p != q;
    }
  });
  return y;
}

Tensor select(const char* op, const Tensor& c, const Tensor& a, const Tensor& b) {
  if (c.dtype() != DType::boolean)
    fail<ValueError>(op, "the condition must be boolean: ", c.dtype(), " ", c.shape(), " (compare it with something: x != 0)");
  require_same_dtype(op, a, b);
  const Shape shape = broadcast(op, broadcast(op, c.shape(), a.shape()), b.shape());
  Tensor y = empty(shape, a.dtype());
  with_type(a.dtype(), [&]<class T>(T*) {
    for_each_line<3>(shape, {c.shape(), a.shape(), b.shape()}, [&](std::int64_t at, const auto& offset, const auto& step, std::int64_t n) {
      select_line(data_of<bool>(c) + offset[0], data_of<T>(a) + offset[1], data_of<T>(b) + offset[2], data_of<T>(y) + at, n, step[0] != 0,
                  step[1] != 0, step[2] != 0);
    });
  });
  return y;
}

}  // namespace capstan::kernels
