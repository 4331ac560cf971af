#include <capstan/optim/sam.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/compute.h>
#include <capstan/core/create.h>
#include <capstan/core/norm.h>
#include <capstan/core/text.h>
#include <capstan/optim/sweep.h>
#include <capstan/optim/whole_tensor.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace capstan::optim {

using capstan::detail::fail;
using capstan::detail::join;

namespace {

/// A parameter with its first gradient: rows of it where it is row-sparse, else all.
struct Slope {
  Tensor w, g, rows = {};

  Slope(const Gradients& gradients, Tensor parameter) : w(std::move(parameter)) {
    if (!gradients.is_sparse(w)) {
      g = gradients[w];
      return;
    }
    const RowSparse s = gradients.sparse(w);
    g = s.values;
    rows = s.rows;
  }
  /// What of w it is for.
  Tensor part() const {
    if (!rows.defined()) return w.clone();
    const Tensor t = empty_like(g);
    detail::take_rows(w, rows, t);
    return t;
  }
  void assign(const Tensor& value) {
    if (rows.defined()) {
      capstan::detail::bump_version(kernels::writable("assign", w));
      detail::put_rows(value, rows, w);
    } else {
      w.assign(value);
    }
  }
  /// Numbers whose squares have the sum of the whole gradient's, to the bit: those are added up in eight lanes, which each element keeps.
  Tensor lanes() const {
    const std::int64_t count = rows.defined() ? rows.numel() : 0, size = count == 0 ? 0 : g.numel() / count;
    if (size % 8 == 0) return g;
    const std::int64_t room = size / 8 * 8 + 16;
    const Tensor t = zeros({count, room}, g.dtype());
    kernels::dispatch(g, [&]<class T>(T*) {
      for (std::int64_t k = 0; k < count; ++k)
        std::copy_n(kernels::data_of<T>(g) + k * size, size,
                    kernels::data_of<T>(t) + k * room + kernels::data_of<std::int64_t>(rows)[k] * size % 8);
    });
    return t;
  }
};

/// Holds parameters' values, and gives them back at the end of the scope.
class Kept {
 public:
  explicit Kept(std::vector<Slope>& slopes) : slopes_(slopes) {
    for (const Slope& s : slopes) values_.push_back(s.part());
  }
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;
  ~Kept() {
    const NoGrad pause;
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const DType dtype = slopes_[i].w.dtype();  // the function may convert the model
      slopes_[i].assign(values_[i].dtype() == dtype ? values_[i] : values_[i].to(dtype));
    }
  }

 private:
  std::vector<Slope>& slopes_;
  std::vector<Tensor> values_;
};

}  // namespace

SAM::SAM(Wrapped inside, SAMOptions options) : Wrapper(inside), rho_(options.rho) {
  if (!(options.rho > 0) || !std::isfinite(options.rho)) fail<ValueError>(name(), "rho must be finite and positive: ", options.rho);
}

double SAM::run(const Source& source) {
  if (source.ready)
    fail<ValueError>(name(), "the gradients are wanted at two places: step() was given some (give it a function that computes them)");
  const Gradients here = source.call(source.function);
  std::vector<Slope> moved;
  for (const auto& [parameter, w] : optimizer().parameters())
    if (here.contains(w)) moved.emplace_back(here, w);
  const kernels::Norm norm = kernels::norm_of_all([&](auto f) {
    for (const Slope& s : moved) {
      const Tensor g = s.lanes();
      kernels::dispatch(g, [&]<class T>(T*) { f(kernels::data_of<const T>(g), g.numel()); });
    }
  });
  if (!norm.finite()) fail<NotFiniteError>(name(), "the gradients' norm must be finite: ", norm.value());
  Gradients there;
  {
    const Kept kept(moved);
    for (Slope& s : moved) {
      const NoGrad pause;
      if (norm.root == 0) continue;
      const Tensor way = detail::times(detail::times(s.g, 1, norm.scale), rho_, norm.root);
      if (s.rows.defined())
        s.assign(s.part() + way);
      else
        s.w += way;
    }
    there = source.call(source.function);
  }
  step_inside({&there, nullptr, nullptr});
  return here.loss();
}

std::string SAM::describe() const { return join("e = ", rho_, "*g(w)/|g(w)|, g <- g(w + e)\n  Foret et al., ICLR 2021, algorithm 1"); }

}  // namespace capstan::optim
