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
/// scale_by_rss and scale_by_adam, wait until the elements of u are asked for: a chain rounds as the built-in optimizer of the
/// same parts does, to the bit, as long as all is finite; an element whose new value is not stays as it was. All new states are computed
/// before anything is changed, so that also an error in the middle of a chain leaves everything as it was. A class that derives from this
/// and has `name`, `fields` and a constructor from (Parameters, Options) is found by optim::make() once it is registered (optim/make.h).
/// Weakness: each part is a pass over memory of its own, and for the length of a step there are two of every state, where a built-in method
/// makes one pass in place.
///
/// Parts are called by their place: "0.clip_by_global_norm", in a partition "2.partition/<branch>/0.trace". The state holds,
/// beside that of every optimizer, "chain/<part>/<number>" (f64) for each number that follows no schedule, "chain/<part>/count"
/// (i64) for its steps when one does, "chain/<part>/place" (i64) for a part that would leave nothing else to know it by,
/// "chain/<part>/<parameter>/pattern" (i64) where a part has patterns: which of them, from 1, the parameter follows, or 0;
/// "chain/<part>/<parameter>/count" (i64) where a part remembers something of a parameter and, once that is above 0,
/// "chain/<part>/<parameter>/<name>".
class Chain : public Optimizer {
 public:
  /// Throws ValueError for a pattern of `transform` or a parameter that does not fit: where there are no parameters yet, the first step
  /// does for the patterns.
  Chain(const Parameters& parameters, const Transform& transform);
  ~Chain() override;

  /// The numbers of all parts, "3.scale_by_learning_rate/learning_rate"; a flag reads as 0 or 1, and what follows a schedule as
  /// the value that the next step uses. set_number() checks as the part's factory does. Both throw ValueError for a name that
  /// is not here (naming the nearest one and the list), set_number() for one that follows a schedule.
  std::vector<std::string> numbers() const;
  double number(std::string_view name) const;
  void set_number(std::string_view name, double value);
  // lr() and set_lr() are those of the one scale_by_learning_rate; ValueError when there is none or more than one.

  /// How many steps skip_nonfinite() let rest, those of several parts together.
  std::int64_t skipped() const noexcept;

  const char* method() const noexcept override { return "chain"; }

 protected:
  void prepare(double loss) override;
  void update(Entry&, const Tensor&) override {}
  void update_all() override;
  void finish() override;
  bool takes_non_finite() const noexcept override;
  void save_rest(TensorMap& state) const override;
  void read_rest(detail::StateReader& reader) override;
  void take_rest() noexcept override;
  std::int64_t state_bytes(const Entry& entry) const override;
  std::vector<const char*> option_names() const override;
  double option(std::size_t group, std::string_view name) const override;
  void set_option(std::size_t group, std::string_view name, double value) override;
  void set_options(const std::vector<double>& values) override;
  std::size_t group_count() const noexcept override { return 1; }
  std::string formula_of(std::size_t group) const override;
  std::size_t rule_of(std::size_t) const noexcept override { return 0; }
  std::size_t rule_of(std::size_t, const std::vector<double>&) const override { return 0; }
  std::vector<const char*> slot_names(std::size_t) const override { return {}; }
  double start_of(std::size_t, std::size_t) const override { return 0; }
  void accept_parameter(const std::string& name, const Tensor& parameter) const override;

 private:
  void know_all() const;
  void require_patterns_used() const;

  detail::Program* program_;
};

}  // namespace capstan::optim
