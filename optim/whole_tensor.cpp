#include <capstan/optim/whole_tensor.h>

namespace capstan::optim {

double root_mean_square(const Tensor& x) {
  const std::int64_t n = x.numel();
  return n == 0 ? 0 : norm(x).item() / std::sqrt(static_cast<double>(n));
}

}  // namespace capstan::optim
