#pragma once
#include <capstan/core/random.h>
#include <capstan/nn/module.h>

#include <optional>

namespace capstan::nn {

/// dropout(x, p) while training, x itself after eval(). It draws from its own generator, or else from
/// default_generator(Purpose::dropout), so that manual_seed() makes a run repeatable.
///
/// The default generator belongs to the process and is not guarded: two threads that train at once with it are a data race. Give every
/// module of every thread a generator of its own. Two with the same seed and purpose drop the same elements. So does a clone, which goes
/// on from where the original is.
///
///     nn::Dropout drop(0.5, Generator{.seed = 7, .purpose = 100});
///
/// Throws:
///   - ValueError unless 0 <= p <= 1;
///   - ValueError from forward() with a generator of its own in a checkpoint(), which cannot draw the same again.
class Dropout final : public Module {
 public:
  explicit Dropout(double p = 0.5, std::optional<Generator> generator = {});
  Tensor forward(const Tensor& x) override;
  std::string describe() const override;
  Dropout clone() const;

  /// Its own, which counts what it has drawn, or none. state() does not hold it: save it beside.
  std::optional<Generator> generator;

 private:
  double p_;
};

}  // namespace capstan::nn
