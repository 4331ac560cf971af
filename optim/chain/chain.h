#pragma once
#include <capstan/optim/optimizer.h>
#include <capstan/optim/transform.h>

namespace capstan::optim {

namespace detail {
struct Program;
}

/// An optimizer that is put together: w <- w + u, where u is what a Transform makes of the gradients (Optax's way).
///
///     using namespace optim::transform;
///     optim::Chain optimizer(model.parameters(), chain(clip_by_global_norm(1.0), scale_by_rss(), add_decayed_weights(1e-4),
///                                                      scale_by_learning_rate(optim::schedule::cosine(0.1, 900))));
///
/// It steps, saves and explains itself as every other, and the same wrappers go around it. Factors, and the division of
/// scale_by_rss and scale_by_adam, wait until the elements of u are asked for. So a chain rounds as the built-in optimizer of the
/// same parts does, to the bit, as long as all is finite. An element whose new value is not finite stays as it was.
///
/// All new states are computed before anything is changed, so that also an error in the middle of a chain leaves everything as it was.
/// A class that derives from this is found by optim::make() once it is registered (optim/make.h). It needs `name`, `fields` and a
/// constructor from (Parameters, Options). Weakness: each part is a pass over memory of its own, and a step keeps two of every state. A
/// built-in method makes one pass in place.
///
/// Parts are called by their place: "0.clip_by_global_norm", in a partition "2.partition/<branch>/0.trace". The state holds,
/// beside that of every optimizer:
///   - "chain/<part>/<number>" (f64) for each number that follows no schedule, "chain/<part>/count" (i64) for its steps when one does;
///   - "chain/<part>/place" (i64) for a part that has nothing else in the state;
///   - "chain/<part>/<parameter>/pattern" (i64) where a part has patterns: which of them, from 1, the parameter follows, or 0;
///   - "chain/<part>/<parameter>/count" (i64) where a part remembers something of a parameter;
///   - "chain/<part>/<parameter>/<name>" once that count is above 0.
class Chain : public Optimizer {
 public:
  /// Throws ValueError for a pattern of `transform` or a parameter that does not fit. Where there are no parameters yet, the first step
  /// looks at the patterns.
  Chain(const Parameters& parameters, const Transform& transform);
  ~Chain() override;

  /// The numbers of all parts, "3.scale_by_learning_rate/learning_rate". A flag reads as 0 or 1; what follows a schedule reads as the value
  /// that the next step uses. Both check as the part's factory does. Throw ValueError for:
  ///   - a name that is not here, naming the nearest one and the list;
  ///   - in set_number(), one that follows a schedule.
  std::vector<std::string> numbers() const;
  double number(std::string_view name) const;
  void set_number(std::string_view name, double value);
  // lr() and set_lr() are those of the one scale_by_learning_rate; ValueError when there is none or more than one.

  /// How many steps skip_nonfinite() let rest, those of several parts together.
  std::int64_t skipped() const noexcept;

  const char* method() const noexcept override { return "chain"; }

 protected:
  bool takes_rows(const Entry& entry) const override;
  void prepare(double loss) override;
  void update_all() override;
  void finish() override;
  bool takes_non_finite() const noexcept override;
  void save_rest(TensorMap& state) const override;
  void read_rest(capstan::detail::StateReader& reader) override;
  void commit_rest() noexcept override;
  double option(std::string_view name) const override { return number(name); }
  void set_option(std::string_view name, double value) override { set_number(name, value); }
  std::vector<Option> all_options() const override;
  void set_options(const std::vector<double>& values) override;
  std::string describe() const override;
  void accept_parameter(const std::string& name, const Tensor& parameter) const override;

 private:
  void know_all() const;
  void require_patterns_used() const;

  detail::Program* program_;
};

}  // namespace capstan::optim
