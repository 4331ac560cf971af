// An operation of the user's own, in xtensor's language, with its gradient, and the check of it.
// Last line: gradcheck passed
#include <capstan/capstan.h>
#include <capstan/core/xtensor.h>

using namespace capstan;

/// y = x^3; dx = 3 x^2 dy. For tensors of T, of any shape.
template <class T>
Tensor cube(const Tensor& x) {
  const auto v = as_xtensor<T>(x);
  return record("cube", from_xtensor(v * v * v), {x}, [x = saved(x)](const Tensor& dy, Inputs& dx) {
    const auto u = as_xtensor<T>(x.get()), du = as_xtensor<T>(dy);
    dx.add(0, from_xtensor(T(3) * u * u * du));
  });
}

int main() {
  const auto result = gradcheck([](const std::vector<Tensor>& in) { return cube<double>(in[0]); }, {randn({3, 4}, DType::f64)});
  std::printf("gradcheck %s\n", result ? "passed" : result.message.c_str());
  return result ? 0 : 1;
}
