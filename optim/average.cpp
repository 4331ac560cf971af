#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/core/text.h>
#include <capstan/optim/average.h>
#include <capstan/optim/state_reader.h>

namespace capstan::optim {

using capstan::detail::cat;
using capstan::detail::fail;

ParameterAverage::ParameterAverage(const char* op, const Parameters& parameters) : op_(op), parameters_(parameters) {
  if (parameters.empty()) fail<ValueError>(op, "needs at least one parameter");
  for (const auto& p : parameters) {
    if (!is_floating(p.tensor.dtype())) fail<ValueError>(op, "parameters are f32 or f64: '", p.name, "' is ", p.tensor.dtype());
    if (p.tensor.header()->flags & capstan::detail::kReadOnly) fail<ValueError>(op, "a gradient cannot be a parameter: '", p.name, "'");
    for (const auto& earlier : parameters) {
      if (earlier.name == p.name) break;
      if (earlier.tensor.header() == p.tensor.header())
        fail<ValueError>(op, "a parameter must come once: '", p.name, "' is '", earlier.name, "'");
    }
  }
}

void ParameterAverage::require_ready(bool may_be_swapped) const {
  if (swapped_ && !may_be_swapped) fail<ValueError>(op_, "the model holds the averages (call swap() first)");
  for (const auto& [name, average] : averages_)
    if (average.dtype() != parameters_[name].dtype())
      fail<ValueError>(op_, "the average must have the parameter's dtype: '", name, "' is ", parameters_[name].dtype(), ", its average ",
                       average.dtype());
}

void ParameterAverage::update() {
  require_ready(false);
  if (count_ == 0) {
    TensorMap copies;
    for (const auto& [name, w] : parameters_) copies.insert(name, w.clone());
    averages_ = std::move(copies);
  } else {
    const NoGrad pause;
    const double share = 1 - keep(count_);
    for (const auto& [name, w] : parameters_) {
      Tensor a = averages_[name];
      a += share * (w - a);
    }
  }
  ++count_;
}

void ParameterAverage::swap() {
  if (count_ == 0) fail<ValueError>(op_, "there is no average before the first update()");
  require_ready(true);
  const NoGrad pause;
  for (const auto& [name, tensor] : parameters_) {
    Tensor w = tensor, a = averages_[name];
    const Tensor old = w.clone();
    w.assign(a);
    a.assign(old);
  }
  swapped_ = !swapped_;
}

TensorMap ParameterAverage::state() const {
  require_ready(false);
  TensorMap state{{cat(op_, "/count"), detail::count(count_)}};
  for (const auto& [name, a] : averages_) state.insert(cat(op_, "/average/", name), a.clone());
  return state;
}

void ParameterAverage::load_state(const TensorMap& state) {
  require_ready(false);
  detail::StateReader reader(state);
  const std::int64_t updates = reader.take_count(cat(op_, "/count"));
  TensorMap averages;
  if (updates > 0)
    for (const auto& [name, w] : parameters_)
      if (const Tensor* a = reader.take(cat(op_, "/average/", name), w.shape(), w.dtype())) averages.insert(name, a->clone());
  reader.require_fit(op_, "the state does not fit:");
  averages_ = std::move(averages);
  count_ = updates;
}

EMA::EMA(const Parameters& parameters, EMAOptions options) : ParameterAverage("ema", parameters), decay_(options.decay) {
  if (!(options.decay >= 0 && options.decay < 1)) fail<ValueError>("ema", "decay must lie in [0, 1): ", options.decay);
}

}  // namespace capstan::optim
