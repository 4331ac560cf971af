#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/text.h>
#include <capstan/optim/sam.h>

#include <cmath>

namespace capstan::optim {

using capstan::detail::fail;

namespace {

/// Holds parameters' values, and gives them back at the end of the scope.
class Kept {
 public:
  explicit Kept(const Parameters& parameters) {
    for (const auto& p : parameters) values_.push_back({p.tensor, p.tensor.clone()});
  }
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;
  ~Kept() {
    const NoGrad pause;
    for (auto& [w, value] : values_) w.assign(value);  // of one shape and dtype: cannot throw
  }

 private:
  struct Value {
    Tensor w, value;
  };
  std::vector<Value> values_;
};

}  // namespace

SAM::SAM(Optimizer& optimizer, SAMOptions options) : optimizer_(&optimizer), rho_(options.rho) {
  if (!(options.rho > 0) || !std::isfinite(options.rho)) fail<ValueError>("sam", "rho must be finite and positive: ", options.rho);
}

double SAM::step(Gradients (*call)(void*), void* gradients) {
  const Gradients here = call(gradients);
  Parameters moved;
  double squares = 0;
  for (const auto& [name, w] : optimizer_->parameters()) {
    if (!here.contains(w)) continue;
    moved.insert(name, w);
    const NoGrad pause;
    squares += sum(square(here[w].to(DType::f64))).item();
  }
  if (!std::isfinite(squares)) fail<ValueError>("sam", "the gradients' norm must be finite: ", std::sqrt(squares));
  Gradients there;
  {
    const Kept kept(moved);
    for (const auto& entry : moved) {
      const NoGrad pause;
      Tensor w = entry.tensor;
      w += here[w] * (squares > 0 ? rho_ / std::sqrt(squares) : 0);
    }
    there = call(gradients);
  }
  optimizer_->step(there);
  return here.loss();
}

}  // namespace capstan::optim
