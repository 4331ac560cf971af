// An operation of the user's own, with its gradient, and the check of it.
// Last line: gradcheck passed
#include <capstan/capstan.h>

using namespace capstan;

/// y = x^3; dx = 3 x^2 dy.
Tensor cube(const Tensor& x) {
  const Tensor y = [&] {
    NoGrad pause;  // the parts are not recorded, the whole is
    return x * x * x;
  }();
  return record("cube", y, {x}, [x = saved(x)](const Tensor& dy, Inputs& dx) { dx.add(0, 3 * square(x.get()) * dy); });
}

int main() {
  const auto result = gradcheck([](const std::vector<Tensor>& in) { return cube(in[0]); }, {randn({3, 4}, DType::f64)});
  std::printf("gradcheck %s\n", result ? "passed" : result.message.c_str());
  return result ? 0 : 1;
}
