#pragma once
#include <capstan/optim/elementwise.h>
#include <capstan/optim/transform.h>

#include <array>
#include <memory>

// Parts of a chain that remember something, written outside the library: from a function, or from the rule for one element.
namespace capstan::optim {

namespace detail {

/// What such a part does, with its type put aside.
class OwnPart {
 public:
  virtual ~OwnPart() = default;

  /// Turns u into another update; `memory` are the part's own copies, t = 1, 2, ... counts its steps with this parameter.
  virtual Tensor move(const std::vector<double>& options, std::int64_t t, const Tensor& u, const Tensor& w,
                      std::array<Tensor, 8>& memory) const = 0;
  virtual void check(const std::vector<double>&) const {}
  virtual double initial(std::size_t, const std::vector<double>&) const { return 0; }
  virtual std::string formula(const std::vector<double>& options) const = 0;

  std::string name;
  std::vector<std::string> states;
  std::vector<FieldInfo> fields;
  std::vector<double> starts;  // of the options at first
};
template <class Derived, class Options>
struct ElementPart final : OwnPart {
  static Options options_of(const std::vector<double>& values) { return with_values<Options>(Derived::fields, values); }
  template <class T>
  static void run(const Options& o, std::int64_t t, const Tensor& u, const Tensor& w, std::array<Tensor, 8>& own) {
    using Rule = typename Derived::template Rule<T>;
    constexpr std::size_t count = std::size(Derived::states);
    const Rule rule(o, t);
    const auto loop = rule_loop<Decay::own, false, count, Rule, T>();
    T* const x = static_cast<T*>(u.header()->data);
    const T* const p = static_cast<const T*>(w.header()->data);
    parallel_for(u.numel(), std::int64_t{1} << 16, [&](std::int64_t begin, std::int64_t end) {
      T* at[count + 1] = {};
      for (std::size_t k = 0; k < count; ++k) at[k] = static_cast<T*>(own[k].header()->data) + begin;
      loop(rule, x + begin, p + begin, at, end - begin, T(0));
    });
  }
  Tensor move(const std::vector<double>& values, std::int64_t t, const Tensor& u, const Tensor& w,
              std::array<Tensor, 8>& own) const override {
    const Tensor out = u.clone();
    if (w.dtype() == DType::f32)
      run<float>(options_of(values), t, out, w, own);
    else
      run<double>(options_of(values), t, out, w, own);
    return out;
  }
  void check(const std::vector<double>& values) const override {
    if constexpr (requires(const Options& o) { Derived::check(o); }) Derived::check(options_of(values));
    static_cast<void>(values);
  }
  double initial(std::size_t slot, const std::vector<double>& values) const override {
    if constexpr (requires(const Options& o) { Derived::initial(o, slot); })
      return Derived::initial(options_of(values), slot);
    else
      return static_cast<void>(slot), static_cast<void>(values), 0;
  }
  std::string formula(const std::vector<double>& values) const override {
    if constexpr (requires(const Options& o) { Derived::formula(o); })
      return Derived::formula(options_of(values));
    else
      return Fields(this->fields).list(values);
  }
};

/// Takes over the part. Throws ValueError for a name that is not one word, or comes twice, and for an option that cannot be.
Transform from_part(std::unique_ptr<OwnPart> part);

}  // namespace detail

namespace transform {

/// A part with memory made from a function: f(u, w, slot, ...) returns the new update, given the update so far and the parameter. For each
/// name it is given a tensor, which has the parameter's shape and starts at 0. The function changes it, in place or by another tensor.
///
///     stateful("heavy_ball", {"m"}, [](const Tensor& u, const Tensor&, Tensor& m) { return m = 0.9 * m + u; }, "m <- 0.9*m + u, u <- m")
///
/// `formula` is what explain() shows. The state holds the slots as "chain/<part>/<parameter>/<slot>", and not what the function holds
/// itself, such as the 0.9. A number that is to be saved and set wants the other form. What f throws goes to the caller of step(), and
/// everything is as before. A part may have 8 slots. Throws ValueError for a name that is not one word. The step throws it for an update
/// or a slot that has not the parameter's shape and dtype. Weakness: the slots are copied at each step.
template <std::size_t count, class F>
Transform stateful(const std::string& name, const char* const (&states)[count], F f, const std::string& formula = "") {
  static_assert(count >= 1 && count <= 8, "a part has 1 to 8 slots; one without memory is stateless()");
  struct Held final : detail::OwnPart {
    explicit Held(F function) : f(std::move(function)) {}
    Tensor move(const std::vector<double>&, std::int64_t, const Tensor& u, const Tensor& w, std::array<Tensor, 8>& own) const override {
      return [&]<std::size_t... slot>(std::index_sequence<slot...>)->Tensor { return f(u, w, own[slot]...); }
      (std::make_index_sequence<count>{});
    }
    std::string formula(const std::vector<double>&) const override { return text; }
    F f;
    std::string text;
  };
  auto part = std::make_unique<Held>(std::move(f));
  part->name = name;
  part->states.assign(states, states + count);
  part->text = formula.empty() ? "u <- " + name + "(u, w)" : formula;
  return detail::from_part(std::move(part));
}

/// A part with memory made from the rule for one element. The author writes it as for Elementwise, but that it changes the update u and
/// reads the parameter w:
///
///     struct ByRootOptions { double decay = 0.9, eps = 1e-8; };
///     struct ByRoot {
///       static constexpr auto name = "by_root";
///       static constexpr optim::Field<ByRootOptions> fields[] = {{"decay", &ByRootOptions::decay}, {"eps", &ByRootOptions::eps}};
///       static constexpr std::array states = {"average"};
///       template <class T> struct Rule {
///         T b, eps;
///         Rule(const ByRootOptions& o, std::int64_t) : b(T(o.decay)), eps(T(o.eps)) {}
///         void operator()(T& u, T, T& v) const { v = b * v + (1 - b) * u * u; u /= std::sqrt(v) + eps; }
///       };
///     };
///     optim::Chain optimizer(parameters, chain(elementwise<ByRoot>({.decay = 0.99}), scale_by_learning_rate(0.1)));
///
/// The rule's constructor gets the options and t = 1, 2, ..., the part's steps with this parameter. The options are numbers of the chain,
/// "0.by_root/decay", for Chain::set_number() and explain(), and are saved with it. Optional static members: `initial`, `check` and
/// `formula` as in Method. Throws ValueError for an option that cannot be. A file with rules wants the flags of capstan::rule_flags.
template <class Derived, class Options = OptionsOf<Derived>>
Transform elementwise(const Options& options = {}) {
  constexpr std::size_t all = std::size(Derived::states);
  static_assert(all >= 1 && all <= 8, "a part has 1 to 8 slots; one without memory is stateless()");
  auto part = std::make_unique<detail::ElementPart<Derived, Options>>();
  part->name = Derived::name;
  part->states.assign(std::begin(Derived::states), std::end(Derived::states));
  part->fields = detail::infos(Derived::fields);
  part->starts = detail::values_of(Derived::fields, options);
  return detail::from_part(std::move(part));
}

}  // namespace transform

}  // namespace capstan::optim
