#pragma once
#include <capstan/optim/schedule.h>
#include <capstan/optim/wrapper.h>

namespace capstan::optim {

/// One option of an optimizer by its name, and the schedule that it follows.
struct Injection {
  std::string option;
  Schedule schedule;
};

/// Lets options of an optimizer that it does not own follow schedules: before step t = 0, 1, ... of this
///   option <- schedule(t)
/// for any option by its name: what optax.inject_hyperparams does.
///
///     namespace schedule = optim::schedule;
///     optim::SGD sgd(model.parameters(), {.lr = 0.1, .momentum = 0.5});
///     optim::Inject optimizer(sgd, {{"lr", schedule::cosine(0.1, 900)}, {"momentum", schedule::linear(0.5, 0.9, 900)}});
///     optimizer.step(tape.gradients(loss));   // with the options of step 0
///
/// The names are those of the option structs; of an optim::Chain those that numbers() tells, and "lr". A group of parameters
/// follows where it has not set the option itself, as with set_lr(). Between two steps the optimizer's options are those of the
/// last one. The state holds, beside the optimizer's, "inject/step" (i64): a run that is resumed goes on in its schedules, which
/// are not saved.
class Inject final : public Wrapper {
 public:
  /// What it goes around, an Optimizer or a Wrapper, must outlive this. Throws ValueError for:
  ///   - no option at all, and one that comes twice;
  ///   - one that the optimizer does not have, naming the nearest one and the list.
  ///
  /// A schedule whose value the option cannot have makes step() throw what the optimizer's constructor would, before anything is
  /// changed. Options are set in their order, and each is checked beside what the others are by then. Where two bound each other, as
  /// nesterov and momentum do, name first the one whose new value the old value of the other allows.
  template <Wrappable Inner>
  explicit Inject(Inner& inner, std::vector<Injection> injections) : Inject(Wrapped(inner), std::move(injections)) {}

 private:
  Inject(Wrapped inside, std::vector<Injection> injections);

  const char* name() const noexcept override { return "inject"; }
  double run(const Source& source) override;
  std::string describe() const override;
  void save(TensorMap& state, const std::string& path) const override;
  void read(capstan::detail::StateReader& reader, const std::string& path) override;
  void commit() noexcept override;

  std::vector<Injection> injections_;
  std::vector<double> before_;  // the options' values, during a step
  std::int64_t steps_ = 0, loaded_steps_ = 0;
};

}  // namespace capstan::optim
