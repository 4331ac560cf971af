#pragma once
#include <capstan/core/tensor_map.h>
#include <capstan/optim/whole_tensor.h>

namespace capstan::optim {

/// Optax's names and defaults.
struct ScheduleFreeAdamWOptions {
  double lr = 2.5e-3;
  double beta1 = 0.9;    // where gradients are taken: between z (0) and the average x (1)
  double beta2 = 0.999;  // how much of the average of squares is kept
  double eps = 1e-8;
  double weight_decay = 0;     // joins the step: u + weight_decay * w
  double weight_lr_power = 2;  // a step counts (largest lr so far)^this in the average
};

/// Schedule-Free AdamW (Defazio et al., NeurIPS 2024, algorithm 1), as optax.contrib.schedule_free_adamw. The parameters w
/// are the paper's y; z makes the steps and x, their average, is the result: w = (1 - beta1)*z + beta1*x.
///   v <- beta2*v + (1 - beta2)*g^2,  u = g / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay*w
///   c = L^p / (sum of all L^p so far),  L the largest lr so far and p = weight_lr_power
///   w <- w + c*(z - w) - lr*(1 - beta1*(1 - c))*u,   z <- z - lr*u                 [z from the first w]
/// which is the paper's y and z with x eliminated, so that x need not be kept. The paper folds sqrt(1 - beta2^t) into lr, and
/// so into L. There is no rate to schedule beyond a warm-up with set_lr(). A zero gradient moves w towards z: a lazy sparse
/// step is not exact. Throws ValueError unless lr, weight_decay and weight_lr_power are >= 0, eps > 0, 0 < beta1 < 1 and
/// beta2 lies in [0, 1).
/// A square that overflows (from |g| = 1.8e19 on in f32, 1.3e154 in f64) makes v infinite and stops the element for good.
/// Weakness: the model to use is not the model that trains: evaluate and save averaged(), not the parameters. Running
/// statistics of layers belong to w, not to x.
struct ScheduleFreeAdamW : WholeTensor<ScheduleFreeAdamW, ScheduleFreeAdamWOptions> {
  using WholeTensor::WholeTensor;
  static constexpr auto name = "schedule_free_adamw";
  static constexpr auto source = "Defazio et al., NeurIPS 2024, algorithm 1";
  static constexpr Field fields[] = {{"lr", &ScheduleFreeAdamWOptions::lr},
                                     {"beta1", &ScheduleFreeAdamWOptions::beta1},
                                     {"beta2", &ScheduleFreeAdamWOptions::beta2, Range::fraction},
                                     {"eps", &ScheduleFreeAdamWOptions::eps},
                                     {"weight_decay", &ScheduleFreeAdamWOptions::weight_decay},
                                     {"weight_lr_power", &ScheduleFreeAdamWOptions::weight_lr_power, Range::not_negative}};
  static constexpr std::array states = {"z", "exp_avg_sq", "weights"};  // of the last: the sum of weights, the largest lr

  /// x for every parameter by its name, new tensors: `evaluated.load_state(optimizer.averaged())`, for a clone of the model.
  TensorMap averaged() const;

  static std::array<Tensor, 4> plan(const ScheduleFreeAdamWOptions& o, StepInfo step, const Tensor& w, const Tensor& g, const Tensor& z,
                                    const Tensor& v, const Tensor& weights);
  static Shape slot_shape(std::size_t slot, const Shape& w) { return slot == 2 ? Shape{2} : w; }
  static Decay decay(const ScheduleFreeAdamWOptions&) { return Decay::own; }
  static void check(const ScheduleFreeAdamWOptions& o);
  static std::string formula(const ScheduleFreeAdamWOptions& o);

 protected:
  bool rates(const Entry& entry, double* out) const override;
  std::optional<bool> forgets(const Entry&) const override { return true; }
};

extern template class Method<ScheduleFreeAdamW, ScheduleFreeAdamWOptions>;
extern template class WholeTensor<ScheduleFreeAdamW, ScheduleFreeAdamWOptions>;

}  // namespace capstan::optim
