#include <capstan/optim/sam.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/compute.h>
#include <capstan/core/norm.h>
#include <capstan/core/text.h>
#include <capstan/optim/whole_tensor.h>

#include <cmath>

namespace capstan::optim {

using capstan::detail::fail;
using capstan::detail::join;

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
    for (auto& [w, value] : values_)
      w.assign(w.dtype() == value.dtype() ? value : value.to(w.dtype()));  // the function may convert the model
  }

 private:
  struct Value {
    Tensor w, value;
  };
  std::vector<Value> values_;
};

}  // namespace

SAM::SAM(Wrapped inside, SAMOptions options) : Wrapper(inside), rho_(options.rho) {
  if (!(options.rho > 0) || !std::isfinite(options.rho)) fail<ValueError>(name(), "rho must be finite and positive: ", options.rho);
}

double SAM::run(const Source& source) {
  if (source.ready)
    fail<ValueError>(name(), "the gradients are wanted at two places: step() was given some (give it a function that computes them)");
  const Gradients here = source.call(source.function);
  Parameters moved;
  for (const auto& [parameter, w] : optimizer().parameters())
    if (here.contains(w)) moved.insert(parameter, w);
  const kernels::Norm norm = kernels::norm_of_all([&](auto f) {
    for (const auto& entry : moved) {
      const Tensor g = here[entry.tensor];
      kernels::dispatch(g, [&]<class T>(T*) { f(kernels::data_of<const T>(g), g.numel()); });
    }
  });
  if (!norm.finite()) fail<NotFiniteError>(name(), "the gradients' norm must be finite: ", norm.value());
  Gradients there;
  {
    const Kept kept(moved);
    for (const auto& entry : moved) {
      const NoGrad pause;
      Tensor w = entry.tensor;
      if (norm.root > 0) w += detail::times(detail::times(here[w], 1, norm.scale), rho_, norm.root);
    }
    there = source.call(source.function);
  }
  step_inside({&there, nullptr, nullptr});
  return here.loss();
}

std::string SAM::describe() const { return join("e = ", rho_, "*g(w)/|g(w)|, g <- g(w + e)\n  Foret et al., ICLR 2021, algorithm 1"); }

}  // namespace capstan::optim
