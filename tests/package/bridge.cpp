// xtensor expressions over tensors, by the header that is not part of capstan.h.
// Last line: 1 4 9
#include <capstan/core/xtensor.h>

#include <cstdio>

int main() {
  const capstan::Tensor x = capstan::tensor({1, 2, 3});
  const auto v = capstan::as_xtensor<float, 1>(x);
  const capstan::Tensor y = capstan::from_xtensor(v * v);
  std::printf("%g %g %g\n", y.data<float>()[0], y.data<float>()[1], y.data<float>()[2]);
}
