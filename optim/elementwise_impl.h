#pragma once
#include <capstan/optim/elementwise.h>

#include <optional>

// The bodies of Elementwise, apart from what an author reads.
namespace capstan::optim {

namespace detail {

/// Calls f with a null pointer of the chosen rule's type.
template <class F, class... Rule>
void with_rule(RuleList<Rule...>, std::size_t chosen, F f) {
  std::size_t i = 0;
  ((i++ == chosen ? f(static_cast<Rule*>(nullptr)) : void()), ...);
}

/// A method's rules: its RuleList, or the one called Rule.
template <class Derived, class T>
auto rules_of() {
  if constexpr (requires { typename Derived::template Rules<T>; })
    return typename Derived::template Rules<T>{};
  else
    return RuleList<typename Derived::template Rule<T>>{};
}

/// A rule with its scalars, its loop and what the loop multiplies by, for the parameters of one group that have made as many steps.
template <class Rule, class T>
struct Made {
  std::optional<Rule> rule;  // made when it is first wanted, and with it what follows
  std::size_t group;
  std::int64_t steps;
  RuleLoop<Rule, T> loop;
  T factor;
};
template <class T, class Rules>
struct MadeRules;
template <class T, class... Rule>
struct MadeRules<T, RuleList<Rule...>> : Made<Rule, T>... {};
template <class Derived>
struct MadeFor : MadeRules<float, decltype(rules_of<Derived, float>())>, MadeRules<double, decltype(rules_of<Derived, double>())> {};

template <class Derived, class Rule>
constexpr const auto& states_of() {
  if constexpr (requires { Rule::states; })
    return Rule::states;
  else
    return Derived::states;
}

/// Whether a rule says that it rests at g = 0.
template <class Rule>
constexpr bool rests() {
  if constexpr (requires { Rule::rests; })
    return Rule::rests;
  else
    return false;
}

/// Whether a rule's states catch up with steps at g = 0.
template <class Rule>
constexpr bool catches_up() {
  return requires(const Rule& rule) { rule.idle(); };
}

/// What missed steps do, as a rule whose w is the first state, so that its loop is as fast as a step's.
template <class Idle, class T>
struct ForgetRule {
  decltype(std::declval<const Idle&>().after(0)) each;
  template <class... S>
  void operator()(T& x, const T&, S&... more) const {
    each(x, more...);
  }
};
template <class Idle, class T, std::size_t count>
void forget(const void* idle, std::int64_t steps, const void* states, std::int64_t first, std::int64_t n) {
  using Rule = ForgetRule<Idle, T>;
  static_assert(count >= 1 && count <= MissedSteps::most_states, "a rule with idle() has one to four states");
  T* all[count] = {};
  for (std::size_t k = 0; k < count; ++k) all[k] = static_cast<T* const*>(states)[k] + first;
  const auto loop = rule_loop<Decay::own, false, count - 1, Rule, T>();
  loop(Rule{static_cast<const Idle*>(idle)->after(steps)}, all[0], all[0], all + 1, n, T(0));
}

/// Whether a rule with this many states tells its rate.
template <class Rule, std::size_t... slot>
constexpr bool tells_rate(std::index_sequence<slot...>) {
  return requires(const Rule& rule, const double* s) { rule.rate(s[slot]...); };
}

}  // namespace detail

template <class Derived, class Options>
Elementwise<Derived, Options>::Elementwise(const Parameters& parameters, Options options, bool prepares)
    : Method<Derived, Options>(parameters, options, prepares) {}

template <class Derived, class Options>
Elementwise<Derived, Options>::~Elementwise() = default;

template <class Derived, class Options>
std::vector<const char*> Elementwise<Derived, Options>::slot_names(std::size_t rule) const {
  std::vector<const char*> names;
  detail::with_rule(detail::rules_of<Derived, float>(), rule, [&]<class Rule>(Rule*) {
    for (const char* name : detail::states_of<Derived, Rule>()) names.push_back(name);
  });
  return names;
}

template <class Derived, class Options>
bool Elementwise<Derived, Options>::takes_rows(const Entry& entry) const {
  if constexpr (requires(const Options& o) { o.weight_decay; })
    if (!detail::equal(this->options(entry.group).weight_decay, 0)) return false;
  bool rests = false;
  detail::with_rule(detail::rules_of<Derived, float>(), this->rule_of(entry.group),
                    [&]<class Rule>(Rule*) { rests = detail::rests<Rule>() || detail::catches_up<Rule>(); });
  return rests;
}

template <class Derived, class Options>
bool Elementwise<Derived, Options>::catches_up(const Entry& entry) const {
  bool later = false;
  detail::with_rule(detail::rules_of<Derived, float>(), this->rule_of(entry.group),
                    [&]<class Rule>(Rule*) { later = detail::catches_up<Rule>(); });
  return later;
}

template <class Derived, class Options>
void Elementwise<Derived, Options>::update_all() {
  detail::MadeFor<Derived> made;
  this->for_each_moved([&](Entry& entry) { move(entry, *entry.gradient, made); });
}

template <class Derived, class Options>
template <class Rule>
Rule Elementwise<Derived, Options>::make_rule(const Options& options, StepInfo step) const {
  if constexpr (std::is_constructible_v<Rule, const Options&, StepInfo, const Derived&>)
    return Rule(options, step, static_cast<const Derived&>(*this));
  else
    return Rule(options, step);
}

template <class Derived, class Options>
template <class Made>
void Elementwise<Derived, Options>::move(Entry& entry, const Tensor& g, Made& made) const {
  const auto by_rule = [&]<class T>(T*) {
    detail::with_rule(detail::rules_of<Derived, T>(), entry.rule,
                      [&]<class Rule>(Rule*) { move_by(entry, g, static_cast<detail::Made<Rule, T>&>(made)); });
  };
  if (entry.parameter.header()->dtype == DType::f32)
    by_rule(static_cast<float*>(nullptr));
  else
    by_rule(static_cast<double*>(nullptr));
}

template <class Derived, class Options>
template <class Rule, class T>
void Elementwise<Derived, Options>::move_by(Entry& entry, const Tensor& g, detail::Made<Rule, T>& made) const {
  constexpr std::size_t count = detail::states_of<Derived, Rule>().size();
  static_assert(std::is_trivially_copyable_v<Rule>, "a rule holds numbers");
  if (!made.rule || made.group != entry.group || made.steps != entry.steps) {
    const Options& o = this->options(entry.group);
    made.rule.emplace(make_rule<Rule>(o, StepInfo{o.lr, entry.steps}));
    made.group = entry.group;
    made.steps = entry.steps;
    made.loop = detail::rule_loop<Decay::own, true, count, Rule, T>();
    made.factor = T(0);
    if constexpr (requires { o.weight_decay; })
      if (!detail::equal(o.weight_decay, 0)) {
        const Decay decay = this->decay_of(o);
        made.factor = T(decay == Decay::decoupled ? 1 - o.lr * o.weight_decay : o.weight_decay);
        if (decay == Decay::l2) made.loop = detail::rule_loop<Decay::l2, true, count, Rule, T>();
        if constexpr (requires { Derived::decay(o); })
          if (decay == Decay::decoupled) made.loop = detail::rule_loop<Decay::decoupled, true, count, Rule, T>();
      }
  }
  const capstan::detail::Header* const h = entry.parameter.header();
  T* const w = static_cast<T*>(h->data);
  const T* const dw = static_cast<const T*>(g.header()->data);
  T* states[count + 1] = {};
  for (std::size_t k = 0; k < count; ++k) states[k] = static_cast<T*>(entry.state[k].header()->data);
  if constexpr (detail::catches_up<Rule>())
    if (!entry.missed.empty()) [[unlikely]] {
      const auto idle = made.rule->idle();
      detail::MissedSteps& missed = entry.missed.front();
      if (!entry.rows || missed.ends(idle, entry.steps)) missed.catch_up(entry.state, entry.steps - 1);
      if (entry.rows) missed.begin(idle, &detail::forget<std::remove_const_t<decltype(idle)>, T, count>, entry.steps);
    }
  if constexpr (detail::rests<Rule>() || detail::catches_up<Rule>())
    if (entry.rows) [[unlikely]] {
      const auto run = [](const void* m, T* x, const T* dx, T* const* s, std::int64_t first, std::int64_t n) {
        const auto& by = *static_cast<const detail::Made<Rule, T>*>(m);
        constexpr std::size_t number = detail::states_of<Derived, Rule>().size();
        T* at[number + 1] = {};
        for (std::size_t k = 0; k < number; ++k) at[k] = s[k] + first;
        by.loop(*by.rule, x + first, dx, at, n, by.factor);
      };
      return detail::move_rows<T>(w, dw, states, count, *entry.rows, g.numel(), run, &made,
                                  detail::catches_up<Rule>() ? entry.missed.data() : nullptr, entry.steps);
    }
  // Pieces of 2^16 elements keep a thread busy for 10 us; the same pieces for any number of threads.
  constexpr std::int64_t piece = std::int64_t{1} << 16;
  if (h->numel <= piece) return made.loop(*made.rule, w, dw, states, h->numel, made.factor);
  parallel_for(h->numel, piece, [&](std::int64_t begin, std::int64_t end) {
    T* at[count + 1] = {};
    for (std::size_t k = 0; k < count; ++k) at[k] = states[k] + begin;
    made.loop(*made.rule, w + begin, dw + begin, at, end - begin, made.factor);
  });
}

template <class Derived, class Options>
bool Elementwise<Derived, Options>::rates(const Entry& entry, double* out) const {
  bool told = false;
  detail::with_rule(detail::rules_of<Derived, double>(), rule_in_use(entry), [&]<class Rule>(Rule*) {
    constexpr std::size_t count = detail::states_of<Derived, Rule>().size();
    if constexpr (detail::tells_rate<Rule>(std::make_index_sequence<count>{})) {
      told = true;
      if (!out) return;
      const Options& o = this->options(entry.group);
      const Rule rule = make_rule<Rule>(o, {o.lr, entry.steps});
      Tensor wide[count + 1];
      const double* states[count + 1] = {};
      double starts[count + 1] = {};
      for (std::size_t k = 0; k < count; ++k) {
        wide[k] = entry.state[k].to(DType::f64);
        states[k] = wide[k].template data<double>();
        starts[k] = this->start_of(entry.group, k);
        if (entry.state[k].dtype() == DType::f32) starts[k] = static_cast<double>(static_cast<float>(starts[k]));
      }
      [&]<std::size_t... slot>(std::index_sequence<slot...>) {
        for (std::int64_t k = 0; k < entry.parameter.numel(); ++k) {
          const double rate = rule.rate(states[slot][k]...);
          if (is_finite(rate) && (count == 0 || (!detail::equal(states[slot][k], starts[slot]) || ...))) out[k] = rate;
        }
      }
      (std::make_index_sequence<count>{});
    }
  });
  return told;
}

template <class Derived, class Options>
std::optional<bool> Elementwise<Derived, Options>::forgets(const Entry& entry) const {
  std::optional<bool> told;
  detail::with_rule(detail::rules_of<Derived, double>(), rule_in_use(entry), [&]<class Rule>(Rule*) {
    if constexpr (requires { Rule::forgets; }) told = Rule::forgets;
  });
  return told;
}

}  // namespace capstan::optim
