#include <capstan/autograd/ops/compare.h>

#include <capstan/autograd/record.h>
#include <capstan/core/create.h>
#include <capstan/core/elementwise.h>

// Comparisons are kernels without a gradient; where() gives dy to the side that was chosen.
namespace capstan {

using kernels::compare;
using kernels::Compare;
using kernels::Logic;

Tensor operator==(const Tensor& a, const Tensor& b) { return compare("==", Compare::equal, a, b); }
Tensor operator==(const Tensor& a, double b) { return compare("==", Compare::equal, a, b); }
Tensor operator==(double a, const Tensor& b) { return compare("==", Compare::equal, a, b); }
Tensor operator!=(const Tensor& a, const Tensor& b) { return compare("!=", Compare::unequal, a, b); }
Tensor operator!=(const Tensor& a, double b) { return compare("!=", Compare::unequal, a, b); }
Tensor operator!=(double a, const Tensor& b) { return compare("!=", Compare::unequal, a, b); }
Tensor operator<(const Tensor& a, const Tensor& b) { return compare("<", Compare::less, a, b); }
Tensor operator<(const Tensor& a, double b) { return compare("<", Compare::less, a, b); }
Tensor operator<(double a, const Tensor& b) { return compare("<", Compare::less, a, b); }
Tensor operator<=(const Tensor& a, const Tensor& b) { return compare("<=", Compare::less_equal, a, b); }
Tensor operator<=(const Tensor& a, double b) { return compare("<=", Compare::less_equal, a, b); }
Tensor operator<=(double a, const Tensor& b) { return compare("<=", Compare::less_equal, a, b); }
Tensor operator>(const Tensor& a, const Tensor& b) { return compare(">", Compare::less, b, a); }
Tensor operator>(const Tensor& a, double b) { return compare(">", Compare::less, b, a); }
Tensor operator>(double a, const Tensor& b) { return compare(">", Compare::less, b, a); }
Tensor operator>=(const Tensor& a, const Tensor& b) { return compare(">=", Compare::less_equal, b, a); }
Tensor operator>=(const Tensor& a, double b) { return compare(">=", Compare::less_equal, b, a); }
Tensor operator>=(double a, const Tensor& b) { return compare(">=", Compare::less_equal, b, a); }

Tensor logical_and(const Tensor& a, const Tensor& b) { return kernels::logic("logical_and", Logic::conjunction, a, b); }
Tensor logical_or(const Tensor& a, const Tensor& b) { return kernels::logic("logical_or", Logic::disjunction, a, b); }
Tensor logical_xor(const Tensor& a, const Tensor& b) { return kernels::logic("logical_xor", Logic::difference, a, b); }
Tensor logical_not(const Tensor& x) { return kernels::logic("logical_not", Logic::difference, x, ones({}, DType::boolean)); }

Tensor isfinite(const Tensor& x) {
  kernels::require_floating("isfinite", x);
  Tensor y = empty(x.shape(), DType::boolean);
  kernels::dispatch(x, [&]<class T>(T*) { kernels::table<T>().finite(kernels::data_of<T>(x), kernels::data_of<bool>(y), x.numel()); });
  return y;
}

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  return record("where", kernels::select("where", condition, a, b), {a, b}, [condition = saved(condition)](const Tensor& dy, Inputs& dx) {
    const Tensor zero = zeros({}, dy.dtype());
    if (dx.wants(0)) dx.add_reduced(0, where(condition.get(), dy, zero));
    if (dx.wants(1)) dx.add_reduced(1, where(condition.get(), zero, dy));
  });
}

}  // namespace capstan
