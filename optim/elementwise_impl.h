#pragma once
#include <capstan/optim/elementwise.h>

// The bodies of Elementwise, apart from what an author reads.
namespace capstan::optim {

namespace detail {

[[noreturn]] void bad_option(const char* method, const char* option, const char* rule, double value);
[[noreturn]] void unknown_option(const char* method, std::string_view option, const std::vector<const char*>& known);
/// "lr 0.1, momentum 0.9": what explain() shows of a method without a formula.
std::string list_options(const std::vector<const char*>& names, const std::vector<double>& values);

/// For check() and formula() of a method: bad_option unless value >= 0; "g <- g + 0.01*w, " when there is weight decay.
void require_non_negative(const char* method, const char* option, double value);
std::string decayed(double weight_decay);

/// Calls f with an index and a null pointer of each rule's type.
template <class F, class... Rule>
void for_rules(RuleList<Rule...>, F f) {
  std::size_t i = 0;
  (f(i++, static_cast<Rule*>(nullptr)), ...);
}

/// A method's rules: its RuleList, or the one called Rule.
template <class Derived, class T>
auto rules_of() {
  if constexpr (requires { typename Derived::template Rules<T>; })
    return typename Derived::template Rules<T>{};
  else
    return RuleList<typename Derived::template Rule<T>>{};
}

template <class Derived, class Rule>
constexpr const auto& states_of() {
  if constexpr (requires { Rule::states; })
    return Rule::states;
  else
    return Derived::states;
}

}  // namespace detail

template <class Derived, class Options>
Elementwise<Derived, Options>::Elementwise(const Parameters& parameters, Options options) : groups_{{options, 0}} {
  static_assert(Derived::fields.size() <= 64, "a method has at most 64 options");
  check_options(options);
  detail::choose_isa_level();
  this->add_parameters(parameters);
}

template <class Derived, class Options>
Elementwise<Derived, Options>::~Elementwise() = default;

template <class Derived, class Options>
void Elementwise<Derived, Options>::check_options(const Options& options) {
  for (const auto& f : Derived::fields) {
    if (!f.number) continue;
    const double value = f.get(options);
    const std::string_view name = f.name;
    if (!std::isfinite(value)) detail::bad_option(Derived::name, f.name, "must be finite", value);
    if (value < 0 && (name == "lr" || name == "weight_decay" || name == "eps"))
      detail::bad_option(Derived::name, f.name, "must not be negative", value);
  }
  if constexpr (requires { Derived::check(options); }) Derived::check(options);
}

template <class Derived, class Options>
const Field<Options>& Elementwise<Derived, Options>::field(std::string_view name) const {
  for (const auto& f : Derived::fields)
    if (f.name == name) return f;
  detail::unknown_option(Derived::name, name, option_names());
}

template <class Derived, class Options>
std::vector<const char*> Elementwise<Derived, Options>::option_names() const {
  std::vector<const char*> names;
  for (const auto& f : Derived::fields) names.push_back(f.name);
  return names;
}

template <class Derived, class Options>
double Elementwise<Derived, Options>::option(std::size_t group, std::string_view name) const {
  return field(name).get(groups_.at(group).options);
}

template <class Derived, class Options>
void Elementwise<Derived, Options>::set_option(std::size_t group, std::string_view name, double value) {
  const auto& f = field(name);
  const auto bit = std::uint64_t{1} << (&f - Derived::fields.data());
  Options changed = groups_.at(group).options;
  f.set(changed, value);
  check_options(changed);
  groups_[group].options = changed;
  if (group > 0) {
    groups_[group].own |= bit;
    return;
  }
  for (Group& g : groups_)
    if (!(g.own & bit)) f.set(g.options, value);
}

template <class Derived, class Options>
void Elementwise<Derived, Options>::set_options(const std::vector<double>& values) {
  std::vector<Group> changed = groups_;
  std::size_t i = 0;
  for (Group& g : changed) {
    for (const auto& f : Derived::fields) {
      const double value = values.at(i++);
      if (f.flag && value != 0 && value != 1) detail::bad_option(Derived::name, f.name, "must be 0 or 1", value);
      f.set(g.options, value);
    }
    check_options(g.options);
  }
  groups_ = std::move(changed);
}

template <class Derived, class Options>
void Elementwise<Derived, Options>::add_group(std::string_view pattern, Group group) {
  check_options(group.options);
  for (std::size_t i = 0; i < Derived::fields.size(); ++i)
    if (Derived::fields[i].get(group.options) != Derived::fields[i].get(groups_.front().options)) group.own |= std::uint64_t{1} << i;
  groups_.reserve(groups_.size() + 1);
  this->assign_group(pattern, groups_.size());
  groups_.push_back(group);
}

template <class Derived, class Options>
std::string Elementwise<Derived, Options>::formula(std::size_t group) const {
  const Options& o = groups_.at(group).options;
  if constexpr (requires { Derived::formula(o); }) {
    return Derived::formula(o);
  } else {
    std::vector<double> values;
    for (const auto& f : Derived::fields) values.push_back(f.get(o));
    return detail::list_options(option_names(), values);
  }
}

template <class Derived, class Options>
std::size_t Elementwise<Derived, Options>::rule_for(const Options& options) noexcept {
  if constexpr (requires { Derived::choose(options); })
    return Derived::choose(options);
  else
    return static_cast<void>(options), 0;
}

template <class Derived, class Options>
std::size_t Elementwise<Derived, Options>::rule_of(std::size_t group) const noexcept {
  return rule_for(groups_[group].options);
}

template <class Derived, class Options>
std::size_t Elementwise<Derived, Options>::rule_of(std::size_t group, const std::vector<double>& values) const {
  Options options = groups_.at(group).options;
  std::size_t i = group * Derived::fields.size();
  for (const auto& f : Derived::fields) f.set(options, values.at(i++));
  return rule_for(options);
}

template <class Derived, class Options>
std::vector<const char*> Elementwise<Derived, Options>::slot_names(std::size_t rule) const {
  std::vector<const char*> names;
  detail::for_rules(detail::rules_of<Derived, float>(), [&]<class Rule>(std::size_t i, Rule*) {
    if (i != rule) return;
    for (const char* name : detail::states_of<Derived, Rule>()) names.push_back(name);
  });
  return names;
}

template <class Derived, class Options>
double Elementwise<Derived, Options>::initial(std::size_t group, std::size_t slot) const {
  if constexpr (requires(const Options& o) { Derived::initial(o, slot); })
    return Derived::initial(groups_[group].options, slot);
  else
    return static_cast<void>(group), static_cast<void>(slot), 0;
}

template <class Derived, class Options>
void Elementwise<Derived, Options>::update(Entry& entry, const Tensor& g) {
  if (entry.parameter.header()->dtype == DType::f32)
    run<float>(entry, g);
  else
    run<double>(entry, g);
}

template <class Derived, class Options>
template <class T>
void Elementwise<Derived, Options>::run(Entry& entry, const Tensor& g) {
  const Options& o = groups_[entry.group].options;
  const StepInfo step{o.lr, entry.steps};
  T* const w = static_cast<T*>(entry.parameter.header()->data);
  const T* const dw = static_cast<const T*>(g.header()->data);
  const std::int64_t n = entry.parameter.header()->numel;
  detail::for_rules(detail::rules_of<Derived, T>(), [&]<class Rule>(std::size_t i, Rule*) {
    if (i != entry.rule) return;
    constexpr std::size_t slots = detail::states_of<Derived, Rule>().size();
    const Rule rule(o, step);
    T* states[slots + 1] = {};
    for (std::size_t k = 0; k < slots; ++k) states[k] = static_cast<T*>(entry.slots[k].header()->data);
    // Pieces of 2^16 elements keep a thread busy for 10 us; the same pieces for any number of threads.
    parallel_for(n, std::int64_t{1} << 16, [&](std::int64_t begin, std::int64_t end) {
      T* at[slots + 1] = {};
      for (std::size_t k = 0; k < slots; ++k) at[k] = states[k] + begin;
      if constexpr (requires { o.weight_decay; })
        if (o.weight_decay != 0) return detail::rule_loop<true, slots>(rule, w + begin, dw + begin, at, end - begin, T(o.weight_decay));
      detail::rule_loop<false, slots>(rule, w + begin, dw + begin, at, end - begin, T(0));
    });
  });
}

}  // namespace capstan::optim
