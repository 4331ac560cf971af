#pragma once
#include <capstan/optim/finite.h>
#include <capstan/optim/method.h>

// The bodies of Method, apart from what an author reads.
namespace capstan::optim {

namespace detail {

[[noreturn]] void bad_option(const char* method, const char* option, const char* rule, double value);
[[noreturn]] void unknown_option(const char* method, std::string_view option, const std::vector<const char*>& known);
/// "lr 0.1, momentum 0.9": what explain() shows of a method without a formula.
std::string list_options(const std::vector<FieldInfo>& fields, const std::vector<double>& values);
/// The formula with each "{lr}" replaced by the option's number, behind what the base does for weight decay.
std::string fill(const std::string& formula, Decay decay, const std::vector<FieldInfo>& fields, const std::vector<double>& values);
template <class Fields>
std::vector<FieldInfo> infos(const Fields& fields) {
  return {std::begin(fields), std::end(fields)};
}

/// The field of this name. Throws ValueError, with the list and the nearest name, when there is none.
template <class Fields>
const auto& field_of(const char* method, const Fields& fields, std::string_view name) {
  for (const auto& f : fields)
    if (f.name == name) return f;
  std::vector<const char*> known;
  for (const auto& f : fields) known.push_back(f.name);
  unknown_option(method, name, known);
}
/// Sets options by name. Throws ValueError for a name that is not among the fields and for a value that the option cannot have.
template <class Options, class Fields>
void apply_settings(const char* method, const Fields& fields, Options& options, const std::vector<Setting>& settings) {
  for (const Setting& s : settings) {
    const auto& f = field_of(method, fields, s.name);
    f.set(options, f.value_of(method, s));
  }
}

/// For check() of a method: bad_option unless value > 0; unless value >= 0; unless it lies in [0, 1).
void require_positive(const char* method, const char* option, double value);
void require_non_negative(const char* method, const char* option, double value);
void require_fraction(const char* method, const char* option, double value);
/// Throws ValueError when f32, which some parameter has, does not hold an option. That is one that is infinite there, or a name with eps at
/// its beginning that is 0. Another number may be 0 there: a rate of 1e-50 moves nothing.
void require_held_by_f32(const char* method, const char* option, double value);
/// The smallest normal number of a dtype, or `floor` when that is more.
double kept_positive(double floor, DType dtype) noexcept;
/// For formula(), when there is weight decay: "g <- g + 0.01*w, " and, decoupled, "w <- w - 0.1*0.01*w, ".
std::string decayed(double weight_decay);
std::string shrunk(double lr, double weight_decay);

}  // namespace detail

template <class Derived, class Options>
Method<Derived, Options>::Method(const Parameters& parameters, Options options, bool prepares)
    : MethodBase(prepares), groups_{Group{options}} {
  static_assert(std::size(Derived::fields) <= 64, "a method has at most 64 options");
  check_options(options);
  if (!parameters.empty()) this->add_parameters(parameters);
}

template <class Derived, class Options>
Method<Derived, Options>::~Method() = default;

template <class Derived, class Options>
Decay Method<Derived, Options>::decay_of(const Options& options) noexcept {
  if constexpr (requires { options.weight_decay; }) {
    if (detail::equal(options.weight_decay, 0)) return Decay::own;
    if constexpr (requires { Derived::decay(options); })
      return Derived::decay(options);
    else
      return Decay::l2;
  } else {
    return static_cast<void>(options), Decay::own;
  }
}

template <class Derived, class Options>
void Method<Derived, Options>::check_options(const Options& options) {
  for (const auto& f : Derived::fields) {
    const double value = f.get(options);
    const std::string_view name = f.name;
    f.check(Derived::name, value);
    if (name == "lr" || name == "weight_decay" || name == "eps") detail::require_non_negative(Derived::name, f.name, value);
  }
  if constexpr (requires { Derived::check(options); }) Derived::check(options);
}

template <class Derived, class Options>
void Method<Derived, Options>::require_held(const Options& options, bool any_f32) {
  if (!any_f32) return;
  for (const auto& f : Derived::fields)
    if (f.number) detail::require_held_by_f32(Derived::name, f.name, f.get(options));
}

template <class Derived, class Options>
std::vector<const char*> Method<Derived, Options>::option_names() const {
  std::vector<const char*> names;
  for (const auto& f : Derived::fields) names.push_back(f.name);
  return names;
}

template <class Derived, class Options>
double Method<Derived, Options>::option_of(std::size_t group, std::string_view name) const {
  return detail::field_of(Derived::name, Derived::fields, name).get(groups_.at(group).options);
}

template <class Derived, class Options>
void Method<Derived, Options>::set_option_of(std::size_t group, std::string_view name, double value) {
  const auto& f = detail::field_of(Derived::name, Derived::fields, name);
  const auto bit = std::uint64_t{1} << (&f - std::data(Derived::fields));
  f.check(Derived::name, value);
  const auto for_each_that_follows = [&](auto change) {
    change(groups_.at(group));
    if (group > 0) return;
    for (std::size_t i = 1; i < groups_.size(); ++i)
      if (!(groups_[i].own & bit)) change(groups_[i]);
  };
  for_each_that_follows([&](const Group& g) {  // none changes when one refuses
    Options changed = g.options;
    f.set(changed, value);
    check_options(changed);
    require_held(changed, this->has_f32(static_cast<std::size_t>(&g - groups_.data())));
  });
  for_each_that_follows([&](Group& g) { f.set(g.options, value); });
  if (group > 0) groups_[group].own |= bit;
}

template <class Derived, class Options>
void Method<Derived, Options>::set_options(const std::vector<double>& values) {
  std::vector<Group> changed = groups_;
  std::size_t i = 0;
  for (Group& g : changed) {
    for (const auto& f : Derived::fields) {
      const double value = values.at(i++);
      f.check(Derived::name, value);
      f.set(g.options, value);
    }
    check_options(g.options);
    require_held(g.options, this->has_f32(static_cast<std::size_t>(&g - changed.data())));
    own_what_differs(g, changed.front().options);  // a loaded rate stays the group's when set_lr() comes
  }
  groups_ = std::move(changed);
}

template <class Derived, class Options>
void Method<Derived, Options>::own_what_differs(Group& group, const Options& from) noexcept {
  for (std::size_t i = 0; i < std::size(Derived::fields); ++i)
    if (!detail::equal(Derived::fields[i].get(group.options), Derived::fields[i].get(from))) group.own |= std::uint64_t{1} << i;
}

template <class Derived, class Options>
std::size_t Method<Derived, Options>::group_of(std::string_view pattern) const noexcept {
  for (std::size_t k = 1; k < groups_.size(); ++k)
    if (groups_[k].pattern == pattern) return k;
  return 0;
}

template <class Derived, class Options>
void Method<Derived, Options>::set_group(std::string_view pattern, std::size_t k, const Options& options) {
  check_options(options);
  require_held(options, this->has_f32(pattern));
  Group group = k == 0 ? Group{options, 0, std::string(pattern)} : groups_[k];
  group.options = options;
  own_what_differs(group, groups_[k].options);
  groups_.reserve(groups_.size() + 1);
  this->assign_group(pattern, k == 0 ? groups_.size() : k);
  if (k == 0)
    groups_.push_back(std::move(group));
  else
    groups_[k] = std::move(group);
}

template <class Derived, class Options>
void Method<Derived, Options>::group_by_name(std::string_view pattern, const std::vector<Setting>& settings) {
  if constexpr (detail::has_groups<Derived>())
    group(pattern, [&](Options& options) { detail::apply_settings(Derived::name, Derived::fields, options, settings); });
  else
    Optimizer::group_by_name(pattern, settings);
}

template <class Derived, class Options>
std::string Method<Derived, Options>::formula_of(std::size_t group) const {
  const Options& o = groups_.at(group).options;
  if constexpr (requires { Derived::formula(o); }) {
    return Derived::formula(o);
  } else {
    const std::vector<FieldInfo> fields = detail::infos(Derived::fields);
    const std::vector<double> values = detail::values_of(Derived::fields, o);
    if constexpr (requires { Derived::formula; })
      return detail::fill(Derived::formula, decay_of(o), fields, values);
    else
      return detail::list_options(fields, values);
  }
}

template <class Derived, class Options>
const char* Method<Derived, Options>::paper() const noexcept {
  if constexpr (requires { Derived::source; })
    return Derived::source;
  else
    return nullptr;
}

template <class Derived, class Options>
std::size_t Method<Derived, Options>::rule_for(const Options& options) noexcept {
  if constexpr (requires { Derived::rule_index(options); })
    return Derived::rule_index(options);
  else
    return static_cast<void>(options), 0;
}

template <class Derived, class Options>
std::size_t Method<Derived, Options>::rule_of(std::size_t group) const noexcept {
  return rule_for(groups_[group].options);
}

template <class Derived, class Options>
std::size_t Method<Derived, Options>::rule_of(std::size_t group, const std::vector<double>& values) const {
  Options options = groups_.at(group).options;
  std::size_t i = group * std::size(Derived::fields);
  for (const auto& f : Derived::fields) {
    f.check(Derived::name, values.at(i));
    f.set(options, values[i++]);
  }
  check_options(options);  // a rule, and the shapes of its slots, follow from options that can be
  return rule_for(options);
}

template <class Derived, class Options>
std::vector<const char*> Method<Derived, Options>::slot_names(std::size_t) const {
  if constexpr (requires { Derived::states; })
    return {std::begin(Derived::states), std::end(Derived::states)};
  else
    return {};
}

template <class Derived, class Options>
double Method<Derived, Options>::start_of(std::size_t group, std::size_t slot) const {
  if constexpr (requires(const Options& o) { Derived::initial(o, slot); })
    return Derived::initial(groups_[group].options, slot);
  else
    return static_cast<void>(group), static_cast<void>(slot), 0;
}

template <class Derived, class Options>
void Method<Derived, Options>::accept_parameter(const std::string& name, const Tensor& parameter) const {
  require_held(groups_.front().options, parameter.dtype() == DType::f32);
  if constexpr (requires { Derived::accept(name, parameter); })
    Derived::accept(name, parameter);
  else
    static_cast<void>(name);
}

}  // namespace capstan::optim
