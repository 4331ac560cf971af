#pragma once
#include <capstan/optim/elementwise.h>

#include <memory>
#include <optional>

namespace capstan::optim {

/// What make() reads from a text.
struct Spec {
  std::string method;
  std::vector<Setting> settings;

  /// The number that an option is set to, if it is.
  std::optional<double> find(std::string_view option) const noexcept;
};
/// Takes a text such as "rmsprop lr=0.01 centered=true" apart, without looking for the method. Throws ValueError
/// when there is no name, and for:
///   - a setting that is not name=number, name=true, name=false or name=word;
///   - an option that is set twice.
Spec parse_spec(std::string_view spec);

/// An optimizer by name: make("adagrad lr=0.1 eps_inside_root=1", parameters), make("sgd", parameters, {{"lr", 0.1}}). Blanks
/// separate settings; what is not set has the method's default. The list may set an option that the text sets too, and then counts; twice
/// in one of them is refused. Throws ValueError as parse_spec() does, for an unknown method or option (naming the nearest one and the
/// list), and for a bad value. The parameters may come later (add_parameters()).
std::unique_ptr<Optimizer> make(std::string_view spec, const Parameters& parameters, const std::vector<Setting>& settings = {});

/// The names that make() knows: the built-in methods, then the registered ones. "sparse_adam" is left out, to which not every gradient can
/// be given.
std::vector<std::string> methods();

namespace detail {

using Build = std::unique_ptr<Optimizer> (*)(const Parameters&, const std::vector<Setting>&);
void add_method(const char* name, Build build);

template <class Method, class Options>
std::unique_ptr<Optimizer> build(const Parameters& parameters, const std::vector<Setting>& settings) {
  Options options;
  apply_settings(Method::name, Method::fields, options, settings);
  return std::make_unique<Method>(parameters, options);
}

}  // namespace detail

/// Makes a method of the user's known to make() under Method::name, and with it to `--optimizer` of every example:
///
///     optim::register_optimizer<Mine>();   // in main(), or: static const bool known = optim::register_optimizer<Mine>();
///     auto optimizer = optim::make("mine lr=0.01", model.parameters());   // with Mine::name = "mine"
///
/// Method is an Elementwise, or any Optimizer with `name`, `fields` and a constructor from (Parameters, Options). To register
/// a method again changes nothing. Returns true. Throws ValueError when the name is that of another method, or is not one
/// word. Any thread may call it.
template <class Method>
bool register_optimizer() {
  detail::add_method(Method::name, detail::build<Method, OptionsOf<Method>>);
  return true;
}

}  // namespace capstan::optim
