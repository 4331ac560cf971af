#pragma once
#include <capstan/core/random.h>

// Operations that draw random numbers. What holds for all operations: autograd/ops.h.
namespace capstan {

/// While training, y = x / (1 - p) with probability 1 - p for each element, else 0; dx = dy / (1 - p) for the elements that were
/// kept, else 0 (times what is there: NaN for what is not finite). Otherwise, and for p = 0, y is x itself. One draw of the generator.
/// Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15, 2014, section 4. Throws ValueError
/// unless 0 <= p <= 1.
Tensor dropout(const Tensor& x, double p = 0.5, bool training = true, Generator& generator = default_generator(Purpose::dropout));

}  // namespace capstan
