#pragma once
#include <capstan/autograd/gradients.h>
#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/core/error.h>
#include <capstan/core/text.h>
#include <capstan/optim/conformance.h>

#include <algorithm>
#include <cmath>
#include <utility>

// Private: what the checks of conformance() share.
namespace capstan::optim::detail {

/// What a check throws when the property does not hold.
struct Broken {
  std::string message;
};
/// What a check throws when there is nothing to be checked.
struct NotClaimed {
  std::string message;
};

/// Throws Broken unless `holds`.
template <class... Parts>
void expect(bool holds, const Parts&... parts) {
  if (!holds) throw Broken{capstan::detail::join(parts...)};
}

/// A method with one set of options.
struct Trial {
  const Subject& subject;
  std::size_t set;
  std::vector<double> values;

  Trial(const Subject& s, std::size_t i) : subject(s), set(i), values(s.values(s, i)) {}
  std::unique_ptr<Optimizer> build(const Parameters& parameters) const { return subject.build(subject, set, values, parameters); }
  /// Makes a step. Where the method takes no others, it is given all rows of the same gradients.
  void step(Optimizer& optimizer, const Gradients& gradients) const;
  bool decays_itself() const { return subject.decays_itself(subject, set, values); }
  bool rests() const { return subject.rests(subject, set, values); }
  /// The place of an option, or no_option.
  std::size_t place(std::string_view option) const {
    for (std::size_t i = 0; i < subject.options.size(); ++i)
      if (subject.options[i] == option) return i;
    return no_option;
  }
  double get(std::string_view option) const { return place(option) == no_option ? 0 : values[place(option)]; }
  /// The same with another value, if there is such an option.
  Trial with(std::string_view option, double value) const {
    Trial t = *this;
    if (place(option) != no_option) t.values[place(option)] = value;
    return t;
  }
  std::string text() const { return Fields(subject.fields).list(values); }
  /// Other values that the option might have; the method may refuse some.
  std::vector<double> others(std::size_t option) const;
  static constexpr std::size_t no_option = static_cast<std::size_t>(-1);
};

/// A shape of n elements that the method takes.
inline Shape shape_of(const Subject& s, std::int64_t n) { return s.settings.matrices ? Shape{n, 1} : Shape{n}; }

/// Calls check(trial) for each set.
template <class Check>
void for_sets(const Subject& subject, Check check) {
  for (std::size_t i = 0; i < subject.count; ++i) check(Trial(subject, i));
}

/// The k-th of a row of fixed, irregular numbers of both signs, |x| in [0.05, 1].
inline double irregular(std::int64_t k) {
  const double x = static_cast<double>((k * 7919 + 13) % 1000) / 1000 * 2 - 1;
  return x < 0 ? x * 0.95 - 0.05 : x * 0.95 + 0.05;
}
inline Tensor irregular(const Shape& shape, std::int64_t first, DType dtype) {
  const Tensor t = empty(shape, DType::f64);
  for (std::int64_t i = 0; i < t.numel(); ++i) t.data<double>()[i] = irregular(first + i);
  return t.to(dtype);
}

/// The gradients of sum(w*g), however large; where that is no number the loss is 0.
inline Gradients gradients_of(const std::vector<GradientFor>& slopes) {
  double loss = 0;
  for (const GradientFor& s : slopes) loss += sum(s.parameter.detach().to(DType::f64) * s.gradient.to(DType::f64)).item();
  return Gradients::from(slopes, std::isfinite(loss) ? loss : 0);
}

inline std::string bits(const Tensor& t) {
  return {static_cast<const char*>(t.header()->data), static_cast<std::size_t>(t.numel()) * size_of(t.dtype())};
}
inline std::string bits(const TensorMap& state) {
  std::string s;
  for (const auto& [name, t] : state) s += capstan::detail::join(name, " ", t.dtype(), " ", t.shape(), bits(t), "\n");
  return s;
}

inline double distance(const Tensor& a, const Tensor& b) {
  const Tensor x = a.to(DType::f64), y = b.to(DType::f64);
  double d = 0;
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const double off = std::abs(x.data<double>()[i] - y.data<double>()[i]);
    if (!(off <= d)) d = off;  // also NaN
  }
  return d;
}

inline constexpr DType both_dtypes[] = {DType::f32, DType::f64};

/// What the report says of what a check left out.
template <class... Parts>
std::string left_out(const Parts&... parts) {
  return capstan::detail::join("left out: ", parts...);
}

// The checks: each returns when the property holds; a text when something was left out.
void agrees_with_itself(const Subject& s);
void tells_name_and_options(const Subject& s);
void converges_on_parabola(const Subject& s);
void converges_on_rosenbrock(const Subject& s);
std::string feels_each_option(const Subject& s);
void follows_f64(const Subject& s);
void is_exact_in_f64(const Subject& s);
std::string composes(const Subject& s);
std::string same_for_any_threads(const Subject& s);
void moves_each_element_by_itself(const Subject& s);
void leaves_gradient_alone(const Subject& s);
void follows_rows(const Subject& s);
std::string rests_at_zero_gradient(const Subject& s);
void leaves_idle_alone(const Subject& s);
void starts_later_afresh(const Subject& s);
void moves_group_by_its_options(const Subject& s);
void goes_on_after_load(const Subject& s);
void keeps_finite(const Subject& s);
void refuses_non_finite(const Subject& s);
std::string refuses_bad_options(const Subject& s);

}  // namespace capstan::optim::detail
