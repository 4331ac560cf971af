#pragma once
#include <capstan/optim/finite.h>
#include <capstan/optim/method.h>

// The bodies of Method, apart from what an author reads.
namespace capstan::optim {

namespace detail {

[[noreturn]] void bad_option(const char* method, const char* option, const char* rule, double value);
/// The formula with each "{lr}" replaced by the option's number, behind what the base does for weight decay.
std::string fill(std::string_view formula, Decay decay, const Fields& fields, const std::vector<double>& values);
template <class Array>
std::vector<FieldInfo> infos(const Array& fields) {
  return {std::begin(fields), std::end(fields)};
}

/// For check() of a method: bad_option unless value > 0.
void require_positive(const char* method, const char* option, double value);
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
    : OptionsBase(prepares), options_{std::move(options)} {
  static_assert(std::size(Derived::fields) <= 64, "a method has at most 64 options");
  check_options(options_.front());
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
std::vector<double> Method<Derived, Options>::check_options(const Options& options) const {
  std::vector<double> values = detail::values_of(Derived::fields, options);
  this->check_ranges(values);
  if constexpr (requires { Derived::check(options); }) Derived::check(options);
  return values;
}

template <class Derived, class Options>
void Method<Derived, Options>::check_together(std::size_t group, const std::vector<double>& values) const {
  if constexpr (requires(const Options& o) { Derived::check(o); })
    Derived::check(detail::with_values(Derived::fields, values, options_[group]));
  else
    static_cast<void>(group), static_cast<void>(values);
}

template <class Derived, class Options>
double Method<Derived, Options>::number_of(std::size_t group, std::size_t i) const {
  return Derived::fields[i].get(options_[group]);
}

template <class Derived, class Options>
void Method<Derived, Options>::set_number_of(std::size_t group, std::size_t i, double value) noexcept {
  Derived::fields[i].set(options_[group], value);
}

template <class Derived, class Options>
void Method<Derived, Options>::set_group(std::string_view pattern, std::size_t k, Options options) {
  options_.reserve(options_.size() + 1);
  const std::size_t place = this->place_group(pattern, k, check_options(options));
  if (place == options_.size())
    options_.push_back(std::move(options));
  else
    options_[place] = std::move(options);
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
  const Options& o = options_[group];
  if constexpr (requires { Derived::formula(o); })
    return Derived::formula(o);
  else if constexpr (requires { Derived::formula; })
    return detail::fill(Derived::formula, decay_of(o), Derived::fields, this->numbers_of(group));
  else
    return detail::Fields(Derived::fields).list(this->numbers_of(group));
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
  return rule_for(options_[group]);
}

template <class Derived, class Options>
std::size_t Method<Derived, Options>::rule_by(std::size_t group, const std::vector<double>& values) const {
  if constexpr (requires(const Options& o) { Derived::rule_index(o); })
    return rule_for(detail::with_values(Derived::fields, values, options_[group]));
  else
    return static_cast<void>(group), static_cast<void>(values), 0;
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
    return Derived::initial(options_[group], slot);
  else
    return static_cast<void>(group), static_cast<void>(slot), 0;
}

template <class Derived, class Options>
void Method<Derived, Options>::accept_parameter(const std::string& name, const Tensor& parameter) const {
  if (parameter.dtype() == DType::f32) this->require_held();
  if constexpr (requires { Derived::accept(name, parameter); })
    Derived::accept(name, parameter);
  else
    static_cast<void>(name);
}

}  // namespace capstan::optim
