#pragma once
#include <capstan/autograd/ops.h>
#include <capstan/optim/method.h>

#include <utility>

namespace capstan::optim {

/// A method that moves a parameter as a whole: by its norm, its rows, its singular values. The author writes the options and
/// one function, which gets the parameter, its gradient and one tensor for each of `states`:
///
///     struct LARSOptions { double lr = 0.1, trust = 1e-3, weight_decay = 0; };
///     struct PlainLARS : optim::WholeTensor<PlainLARS, LARSOptions> {
///       using WholeTensor::WholeTensor;
///       static constexpr auto name = "plain_lars";
///       static constexpr std::array fields = {Field<LARSOptions>{"lr", &LARSOptions::lr},
///                                             Field<LARSOptions>{"trust", &LARSOptions::trust},
///                                             Field<LARSOptions>{"weight_decay", &LARSOptions::weight_decay}};
///       static constexpr std::array states = {"momentum"};
///       static void move(const LARSOptions& o, optim::StepInfo step, Tensor& w, const Tensor& g, Tensor& m) {
///         m.assign(0.9 * m + g * (step.lr * o.trust * norm(w).item() / (norm(g).item() + 1e-8)));
///         w -= m;
///       }
///     };
///
/// `move` runs under NoGrad, changes w and its slots in place (`assign`, `+=`, `-=`, `*=`) and must not throw once it has
/// changed one. (This example cannot leave w = 0, where its step is 0; optim/lars.h knows better.) From that come f32 and f64, groups,
/// weight decay, saving and loading, explain(). An optional static member beside those that Method lists: `Shape slot_shape(std::size_t
/// slot, const Shape& w)`, for a slot that has not the parameter's shape.
template <class Derived, class Options>
class WholeTensor : public Method<Derived, Options> {
 public:
  /// Throws ValueError for an option out of its range (naming it and its value), for an empty list of parameters and for a
  /// parameter that the method does not accept.
  explicit WholeTensor(const Parameters& parameters, Options options = {});
  ~WholeTensor() override;

 protected:
  using Entry = Optimizer::Entry;
  void update(Entry& entry, const Tensor& g) final;
  std::vector<const char*> slot_names(std::size_t rule) const final;
  Shape shape_of(std::size_t rule, std::size_t slot, const Shape& parameter) const final;
};

template <class Derived, class Options>
WholeTensor<Derived, Options>::WholeTensor(const Parameters& parameters, Options options) : Method<Derived, Options>(parameters, options) {}

template <class Derived, class Options>
WholeTensor<Derived, Options>::~WholeTensor() = default;

template <class Derived, class Options>
void WholeTensor<Derived, Options>::update(Entry& entry, const Tensor& g) {
  const Options& o = this->options(entry.group);
  const StepInfo step{o.lr, entry.steps};
  const Decay decay = this->decay_of(o);
  Tensor& w = entry.parameter;
  Tensor gradient = g;
  if constexpr (requires { o.weight_decay; }) {
    if (decay == Decay::l2) gradient = g + w * o.weight_decay;
    if (decay == Decay::decoupled) w *= 1 - o.lr * o.weight_decay;
  }
  [&]<std::size_t... slot>(std::index_sequence<slot...>) { Derived::move(o, step, w, gradient, entry.state[slot]...); }
  (std::make_index_sequence<Derived::states.size()>{});
}

template <class Derived, class Options>
std::vector<const char*> WholeTensor<Derived, Options>::slot_names(std::size_t) const {
  return {Derived::states.begin(), Derived::states.end()};
}

template <class Derived, class Options>
Shape WholeTensor<Derived, Options>::shape_of(std::size_t, std::size_t slot, const Shape& parameter) const {
  if constexpr (requires { Derived::slot_shape(slot, parameter); })
    return Derived::slot_shape(slot, parameter);
  else
    return static_cast<void>(slot), parameter;
}

}  // namespace capstan::optim
