#pragma once
#include <capstan/optim/whole_tensor.h>

namespace capstan::optim {

/// PyTorch's names and defaults.
struct AdafactorOptions {
  double lr = 1e-2;           // the most by which a parameter moves, relative to its own size
  double beta2_decay = -0.8;  // the averages keep 1 - t^beta2_decay
  double eps1 = 0;            // floor of the root mean squares; 0 stands for the dtype's rounding unit
  double eps2 = 1e-3;         // floor of a parameter's own size
  double d = 1;               // a step of more than d in root mean square is scaled down
  double weight_decay = 0;    // decoupled: w shrinks by lr * weight_decay * w before each step
};

/// Adafactor (Shazeer & Stern, ICML 2018, algorithms 4 and 5), as torch.optim.Adafactor, rms(x) being the root of the mean
/// square. For a tensor of two axes or more, along its last two, row by row and column by column:
///   b = t^beta2_decay,  r <- (1-b)*r + b*mean(g^2 over columns),  c <- (1-b)*c + b*mean(g^2 over rows)
///   v = max(r*c / max(mean(r), eps1), eps1^2),  u = g / sqrt(v)
/// for a vector, and a scalar, with the whole average v <- (1-b)*v + b*g^2. Then
///   w <- w - min(lr, 1/sqrt(t)) * max(eps2, rms(w)) / max(1, rms(u)/d) * u
/// where rms(w) is that of before the decay. The state is one row and one column instead of a matrix: two slots are empty for
/// a vector, one for a matrix. Both floors are at least the dtype's smallest normal number. Their order is PyTorch's; the paper adds
/// eps1 to g^2. A zero gradient leaves w but makes the averages forget: a lazy sparse step is not exact. Throws ValueError unless lr,
/// eps1, eps2 and weight_decay are >= 0, beta2_decay <= 0 and d >= 1.
/// A mean of squares counts for no more than the largest number / (4 * numel), so that the averages stay finite and go on.
/// Weakness: v is of rank one: an element that is rare in a busy row and a busy column gets too small a step.
struct Adafactor : WholeTensor<Adafactor, AdafactorOptions> {
  using WholeTensor::WholeTensor;
  static constexpr auto name = "adafactor";
  static constexpr auto source = "Shazeer & Stern, ICML 2018, algorithms 4 and 5";
  static constexpr Field fields[] = {{"lr", &AdafactorOptions::lr},
                                     {"beta2_decay", &AdafactorOptions::beta2_decay},
                                     {"eps1", &AdafactorOptions::eps1, Range::not_negative},
                                     {"eps2", &AdafactorOptions::eps2, Range::not_negative},
                                     {"d", &AdafactorOptions::d},
                                     {"weight_decay", &AdafactorOptions::weight_decay}};
  static constexpr std::array states = {"row_var", "col_var", "variance"};

  static std::array<Tensor, 4> plan(const AdafactorOptions& o, StepInfo step, const Tensor& w, const Tensor& g, const Tensor& row,
                                    const Tensor& column, const Tensor& whole);
  static void apply(const AdafactorOptions& o, StepInfo step, Tensor& w, const Tensor& g, const Tensor& change, const Tensor& row,
                    const Tensor& column, const Tensor& whole);
  static Shape slot_shape(std::size_t slot, const Shape& w);
  static Decay decay(const AdafactorOptions&) { return Decay::own; }
  static void check(const AdafactorOptions& o);
  static std::string formula(const AdafactorOptions& o);
};

extern template class Method<Adafactor, AdafactorOptions>;
extern template class WholeTensor<Adafactor, AdafactorOptions>;

}  // namespace capstan::optim
