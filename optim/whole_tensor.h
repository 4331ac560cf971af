#pragma once
#include <capstan/autograd/ops.h>
#include <capstan/optim/method.h>

#include <algorithm>
#include <utility>

namespace capstan::optim {

namespace detail {
/// w <- before, where w is not finite; to <- value, where value is.
void restore_non_finite(Tensor& w, const Tensor& before);
void assign_finite(Tensor& to, const Tensor& value);
}  // namespace detail

/// A method that moves a parameter as a whole: by its norm, its rows, its singular values. The author writes the options and
/// one function, which gets the parameter, its gradient and one tensor for each of `states`:
///
///     struct LARSOptions { double lr = 0.1, trust = 1e-3, weight_decay = 0; };
///     struct PlainLARS : optim::WholeTensor<PlainLARS, LARSOptions> {
///       using WholeTensor::WholeTensor;
///       static constexpr auto name = "plain_lars";
///       static constexpr Field fields[] = {{"lr", &LARSOptions::lr},
///                                             {"trust", &LARSOptions::trust},
///                                             {"weight_decay", &LARSOptions::weight_decay}};
///       static constexpr std::array states = {"momentum"};
///       static void move(const LARSOptions& o, optim::StepInfo step, Tensor& w, const Tensor& g, Tensor& m) {
///         m.assign(0.9 * m + g * (step.lr * o.trust * norm(w).item() / (norm(g).item() + 1e-8)));
///         w -= m;
///       }
///     };
///
/// `move` runs under NoGrad and changes w and its slots in place (`assign`, `+=`, `-=`, `*=`): one that writes `w = w - ...` makes another
/// tensor, and step() throws ValueError at once. What it throws goes to the caller of step(), and everything is as before. It need not be
/// static: a method with a number that all parameters share (Optimizer::share()) reads and changes its own members. (This example cannot
/// leave w = 0, where its step is 0; optim/lars.h knows better.) From that come f32 and f64, groups, weight decay, saving and loading,
/// explain(), and that an element of w which `move` would make infinite or NaN stays as it was; what the slots then hold is the method's to
/// say. Optional static members beside those that Method lists:
///   - `Shape slot_shape(std::size_t slot, const Shape& w)`, for a slot that has not the parameter's shape;
///   - `bool keeps_finite = true`, when `move` itself leaves such elements of w, of which no copy is made then.
template <class Derived, class Options>
class WholeTensor : public Method<Derived, Options> {
 public:
  /// Throws ValueError for an option out of its range, naming it and its value, and for a parameter that the method does not accept.
  /// `prepares`: as in Optimizer.
  explicit WholeTensor(const Parameters& parameters, Options options = {}, bool prepares = false);
  ~WholeTensor() override;

 protected:
  using Entry = Optimizer::Entry;
  void update(Entry& entry, const Tensor& g) final;
  std::vector<const char*> slot_names(std::size_t rule) const final;
  Shape shape_of(std::size_t rule, std::size_t slot, const Shape& parameter) const final;
};

namespace detail {
  /// An optimizer without parameters, which add_parameters() brings: `LAMB({}, {.lr = 1})`.
  explicit WholeTensor(detail::NoParameters, Options options = {}, bool prepares = false) : WholeTensor(Parameters(), options, prepares) {}
/// Throws ValueError: move() has put another tensor in the place of a parameter or, with a name, of its state.
[[noreturn]] void not_in_place(const char* method, const std::string& parameter, const char* state);
}  // namespace detail

template <class Derived, class Options>
WholeTensor<Derived, Options>::WholeTensor(const Parameters& parameters, Options options, bool prepares)
    : Method<Derived, Options>(parameters, options, prepares) {}

template <class Derived, class Options>
WholeTensor<Derived, Options>::~WholeTensor() = default;

template <class Derived, class Options>
void WholeTensor<Derived, Options>::update(Entry& entry, const Tensor& g) {
  const Options& o = this->options(entry.group);
  const StepInfo step{o.lr, entry.steps};
  const Decay decay = this->decay_of(o);
  Tensor w = entry.parameter, gradient = g;
  std::array<Tensor, std::size(Derived::states) + 1> kept;
  std::copy(entry.state.begin(), entry.state.end(), kept.begin());
  Tensor before;
  if constexpr (!requires { Derived::keeps_finite; }) before = w.clone();
  if constexpr (requires { o.weight_decay; }) {
    if (decay == Decay::l2) gradient = g + w * o.weight_decay;
    if (decay == Decay::decoupled) detail::assign_finite(w, w * (1 - o.lr * o.weight_decay));
  }
  [&]<std::size_t... slot>(std::index_sequence<slot...>) { static_cast<Derived*>(this)->move(o, step, w, gradient, kept[slot]...); }
  (std::make_index_sequence<std::size(Derived::states)>{});
  if (w.header() != entry.parameter.header()) detail::not_in_place(Derived::name, entry.name, nullptr);
  for (std::size_t i = 0; i < entry.state.size(); ++i)
    if (kept[i].header() != entry.state[i].header()) detail::not_in_place(Derived::name, entry.name, Derived::states[i]);
  if constexpr (!requires { Derived::keeps_finite; }) detail::restore_non_finite(w, before);
}

template <class Derived, class Options>
std::vector<const char*> WholeTensor<Derived, Options>::slot_names(std::size_t) const {
  return {std::begin(Derived::states), std::end(Derived::states)};
}

template <class Derived, class Options>
Shape WholeTensor<Derived, Options>::shape_of(std::size_t, std::size_t slot, const Shape& parameter) const {
  if constexpr (requires { Derived::slot_shape(slot, parameter); })
    return Derived::slot_shape(slot, parameter);
  else
    return static_cast<void>(slot), parameter;
}

}  // namespace capstan::optim
