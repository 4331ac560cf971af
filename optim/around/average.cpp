#include <capstan/optim/average.h>

#include <capstan/core/create.h>
#include <capstan/core/state_reader.h>
#include <capstan/core/text.h>
#include <capstan/core/threads.h>
#include <capstan/optim/sweep.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace capstan::optim {

using capstan::detail::fail;
using capstan::detail::join;

namespace {

/// Exchanges the elements.
void exchange(const Tensor& a, const Tensor& b) noexcept {
  char *x = static_cast<char*>(a.header()->data), *y = static_cast<char*>(b.header()->data);
  std::swap_ranges(x, x + static_cast<std::size_t>(a.numel()) * size_of(a.dtype()), y);
  capstan::detail::bump_version(a.header());
  capstan::detail::bump_version(b.header());
}

}  // namespace

ParameterAverage::ParameterAverage(const char* op, const Parameters& parameters) : op_(op), parameters_(parameters) {
  num_threads(), detail::choose_isa_level();  // throw for a bad variable of the environment: here, and not half way through an update
  if (parameters.empty()) fail<ValueError>(op, "needs at least one parameter");
  std::unordered_map<const capstan::detail::Header*, std::string_view> tensors;
  for (const auto& p : parameters) {
    if (!is_floating(p.tensor.dtype())) fail<ValueError>(op, "parameters are f32 or f64: '", p.name, "' is ", p.tensor.dtype());
    if (p.tensor.header()->flags & capstan::detail::kReadOnly) fail<ValueError>(op, "a gradient cannot be a parameter: '", p.name, "'");
    const auto [place, first] = tensors.emplace(p.tensor.header(), p.name);
    if (!first) fail<ValueError>(op, "a parameter must come once: '", p.name, "' is '", place->second, "'");
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
    averages_ = parameters_.clone();
  } else {
    const double share = 1 - keep(count_);
    for (const auto& [name, w] : parameters_) detail::sweep<true>(averages_[name], w, detail::rule<detail::Towards>(share));
  }
  ++count_;
}

void ParameterAverage::swap() {
  if (count_ == 0) fail<ValueError>(op_, "there is no average before the first update()");
  require_ready(true);
  for (const auto& [name, w] : parameters_) exchange(w, averages_[name]);
  swapped_ = !swapped_;
}

TensorMap ParameterAverage::state() const { return live_state().clone(); }

TensorMap ParameterAverage::live_state() const {
  require_ready(false);
  TensorMap state{{join(op_, "/count"), capstan::detail::count(count_)}};
  for (const auto& [name, a] : averages_) state.insert(join(op_, "/average/", name), a);
  return state;
}

void ParameterAverage::load_state(const TensorMap& state) {
  require_ready(false);
  capstan::detail::StateReader reader(state);
  const std::int64_t updates = reader.read_count(join(op_, "/count"));
  TensorMap averages;
  if (updates > 0)
    for (const auto& [name, w] : parameters_)
      if (const Tensor* a = reader.read(join(op_, "/average/", name), w.shape(), w.dtype())) averages.insert(name, a->clone());
  reader.require_fit(op_, "the state does not fit:");
  averages_ = std::move(averages);
  count_ = updates;
}

EMA::EMA(const Parameters& parameters, EMAOptions options) : ParameterAverage("ema", parameters), decay_(options.decay) {
  if (!(options.decay >= 0 && options.decay < 1)) fail<ValueError>("ema", "decay must lie in [0, 1): ", options.decay);
}

}  // namespace capstan::optim
