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
/// w <- factor*w - u, where that is finite; asks for no memory.
void subtract_finite(Tensor& w, double factor, const Tensor& u);
/// `next`, with the elements of `old` where it is not finite.
Tensor kept_finite(Tensor next, const Tensor& old);
/// |x| in double precision, where no square is lost. It is never infinite for an x of finite numbers: at most the largest double.
double length(const Tensor& x);
/// x * (a/b), also where a/b is no number that the dtype holds: 1e-45 * (1/1e-45) is 1 in f32.
Tensor times(const Tensor& x, double a, double b);
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
/// (This example cannot leave w = 0, where its step is 0; optim/lars.h knows better.)
///
/// `move` runs under NoGrad and changes w and its slots in place (`assign`, `+=`, `-=`, `*=`). One that writes `w = w - ...` makes another
/// tensor, and step() throws ValueError at once. What it throws goes to the caller of step(), and everything is as before. It need not be
/// static: a method with a number that all parameters share (Optimizer::share()) reads and changes its own members.
///
/// From that come f32 and f64, groups, weight decay, saving and loading, explain(). An element of w which `move` would make infinite or
/// NaN stays as it was; what the slots then hold is the method's to say. Optional static members beside those that Method lists:
///   - `Shape slot_shape(std::size_t slot, const Shape& w)`, for a slot that has not the parameter's shape.
///
/// So that nothing is changed when it throws, `move` costs a copy of every parameter and slot. A method spares it that has, in its place,
///   - `std::array<Tensor, 1 + states> plan(const Options&, StepInfo, const Tensor& w, const Tensor& g, const Tensor&... slots)`, which
///     computes what is to be taken from w, then the slots' next tensors, and changes nothing: they are taken over once those of all
///     parameters are known. w is as it is before decay. An undefined tensor leaves w, or the slot, as it was, and so does w - change in an
///     element where it is not finite.
///   - [`void apply(const Options&, StepInfo, Tensor& w, const Tensor& g, const Tensor& change, const Tensor&... slots)`] beside it, when
///     w does not become w - change, or (1 - lr * weight_decay) * w - change with decoupled decay. It is given the next slots, and must
///     throw nothing, ask for no memory, and leave alone what would not be finite.
template <class Derived, class Options>
class WholeTensor : public Method<Derived, Options> {
 public:
  /// Throws ValueError for an option out of its range, naming it and its value, and for a parameter that the method does not accept.
  /// `prepares`: as in Optimizer.
  explicit WholeTensor(const Parameters& parameters, Options options = {}, bool prepares = false);
  /// An optimizer without parameters, which add_parameters() brings: `LAMB({}, {.lr = 1})`.
  explicit WholeTensor(detail::NoParameters, Options options = {}, bool prepares = false) : WholeTensor(Parameters(), options, prepares) {}
  ~WholeTensor() override;

 protected:
  using Entry = Optimizer::Entry;
  void update(Entry& entry, const Tensor& g) final;
  void update_all() override;
  Shape shape_of(std::size_t rule, std::size_t slot, const Shape& parameter) const final;

 private:
  // Templates, so that a method has those alone that are of its kind.
  struct Plan;
  template <class Own>
  Plan plan_for(const Entry& entry, const Tensor& g, std::int64_t t);
  template <class Own>
  void carry_out(Entry& entry, Plan& plan);
  template <class Own>
  void move_in_place(Entry& entry, const Tensor& g);
  template <class F>
  static auto with_slots(F f) {  // f(integral_constant of each slot...)
    return [&]<std::size_t... slot>(std::index_sequence<slot...>) { return f(std::integral_constant<std::size_t, slot>{}...); }
    (std::make_index_sequence<std::size(Derived::states)>{});
  }
};

namespace detail {
/// Throws ValueError: move() has put another tensor in the place of a parameter or, with a name, of its state.
[[noreturn]] void not_in_place(const char* method, const std::string& parameter, const char* state);
/// Throws ValueError when what plan() made, for a parameter or, with a name, its state, has not the shape and dtype of `old`. Makes a copy
/// of w or g itself.
void check_planned(Tensor& made, const Tensor& old, const Tensor& w, const Tensor& g, const char* method, const std::string& parameter,
                   const char* state);
}  // namespace detail

template <class Derived, class Options>
WholeTensor<Derived, Options>::WholeTensor(const Parameters& parameters, Options options, bool prepares)
    : Method<Derived, Options>(parameters, options, prepares) {}

template <class Derived, class Options>
WholeTensor<Derived, Options>::~WholeTensor() = default;

/// What a step does to one parameter.
template <class Derived, class Options>
struct WholeTensor<Derived, Options>::Plan {
  StepInfo step;
  Tensor gradient;
  double factor;                                                 // of w
  std::array<Tensor, 1 + std::size(Derived::states)> made = {};  // the change, and the next slots
};

template <class Derived, class Options>
void WholeTensor<Derived, Options>::update(Entry& entry, const Tensor& g) {
  if constexpr (requires { &Derived::plan; }) {
    Plan plan = this->template plan_for<Derived>(entry, g, entry.steps);
    this->template carry_out<Derived>(entry, plan);
  } else {
    this->template move_in_place<Derived>(entry, g);
  }
}

template <class Derived, class Options>
void WholeTensor<Derived, Options>::update_all() {
  if constexpr (requires { &Derived::plan; }) {
    std::vector<Plan> all;
    all.reserve(this->entries().size());
    for (const Entry& e : this->entries())
      if (e.gradient) all.push_back(this->template plan_for<Derived>(e, *e.gradient, e.steps + 1));
    auto next = all.begin();
    this->for_each_moved([&](Entry& e) { this->template carry_out<Derived>(e, *next++); });
  } else {
    Optimizer::update_all();
  }
}

template <class Derived, class Options>
template <class Own>
auto WholeTensor<Derived, Options>::plan_for(const Entry& entry, const Tensor& g, std::int64_t t) -> Plan {
  const Options& o = this->options(entry.group);
  Plan plan{{o.lr, t}, g, 1};
  if constexpr (requires { o.weight_decay; }) {
    const Decay decay = this->decay_of(o);
    if (decay == Decay::l2) plan.gradient = g + entry.parameter * o.weight_decay;
    if (decay == Decay::decoupled) plan.factor = 1 - o.lr * o.weight_decay;
  }
  plan.made = with_slots([&](auto... slot) {
    return static_cast<Own*>(this)->plan(o, plan.step, entry.parameter, plan.gradient, std::as_const(entry.state[slot])...);
  });
  for (std::size_t i = 0; i <= entry.state.size(); ++i)
    detail::check_planned(plan.made[i], i == 0 ? entry.parameter : entry.state[i - 1], entry.parameter, g, Derived::name, entry.name,
                          i == 0 ? nullptr : Derived::states[i - 1]);
  return plan;
}

template <class Derived, class Options>
template <class Own>
void WholeTensor<Derived, Options>::carry_out(Entry& entry, Plan& plan) {
  for (std::size_t i = 0; i < entry.state.size(); ++i)
    if (plan.made[i + 1].defined()) entry.state[i] = std::move(plan.made[i + 1]);
  if constexpr (requires { &Own::apply; })
    with_slots([&](auto... slot) {
      static_cast<Own*>(this)->apply(this->options(entry.group), plan.step, entry.parameter, plan.gradient, plan.made[0],
                                     std::as_const(entry.state[slot])...);
    });
  else if (plan.made[0].defined())
    detail::subtract_finite(entry.parameter, plan.factor, plan.made[0]);
}

template <class Derived, class Options>
template <class Own>
void WholeTensor<Derived, Options>::move_in_place(Entry& entry, const Tensor& g) {
  const Options& o = this->options(entry.group);
  const StepInfo step{o.lr, entry.steps};
  const Decay decay = this->decay_of(o);
  Tensor w = entry.parameter, gradient = g;
  std::array<Tensor, std::size(Derived::states) + 1> kept;
  std::copy(entry.state.begin(), entry.state.end(), kept.begin());
  const Tensor before = entry.before ? *entry.before : w.clone();
  if constexpr (requires { o.weight_decay; }) {
    if (decay == Decay::l2) gradient = g + w * o.weight_decay;
    if (decay == Decay::decoupled) detail::assign_finite(w, w * (1 - o.lr * o.weight_decay));
  }
  with_slots([&](auto... slot) { static_cast<Own*>(this)->move(o, step, w, gradient, kept[slot]...); });
  if (w.header() != entry.parameter.header()) detail::not_in_place(Derived::name, entry.name, nullptr);
  for (std::size_t i = 0; i < entry.state.size(); ++i)
    if (kept[i].header() != entry.state[i].header()) detail::not_in_place(Derived::name, entry.name, Derived::states[i]);
  detail::restore_non_finite(w, before);
}

template <class Derived, class Options>
Shape WholeTensor<Derived, Options>::shape_of(std::size_t, std::size_t slot, const Shape& parameter) const {
  if constexpr (requires { Derived::slot_shape(slot, parameter); })
    return Derived::slot_shape(slot, parameter);
  else
    return static_cast<void>(slot), parameter;
}

}  // namespace capstan::optim
