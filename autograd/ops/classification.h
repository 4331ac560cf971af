#pragma once
#include <capstan/autograd/ops/regression.h>

// Losses of classes and probabilities. What holds for all operations and for other losses: autograd/ops.h, autograd/ops/regression.h.
namespace capstan {

/// y = mean over the rows of -log softmax(logits)[label], for logits [n, classes] and labels [n] in i64.
/// d logits = (softmax(logits) - onehot(label)) dy / n. Throws ValueError naming the first label outside [0, classes).
Tensor cross_entropy(const Tensor& logits, const Tensor& labels);

struct BCEWithLogitsOptions {
  Tensor weight = {};      // of the elements' losses; broadcasts to them
  Tensor pos_weight = {};  // of the part for target 1; broadcasts likewise
  Reduction reduction = Reduction::mean;
};
/// Elements -(pos_weight t ln s + (1 - t) ln(1 - s)) for s = sigmoid(input) and target t in [0, 1], to the last digits at either end,
/// where PyTorch's differences lose them; d input = ((1 - t) s - pos_weight t (1 - s)) dy. An infinite input has the limit: 0 or infinity.
/// The weights get gradients too. Throws ValueError naming the first target outside [0, 1].
Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target, BCEWithLogitsOptions options = {});

// For input [classes], [n, classes] or [n, classes, ...], and i64 labels of that shape without the classes' axis.

struct NLLOptions {
  Tensor weight = {};                // [classes], a constant; none: 1 for each
  std::int64_t ignore_index = -100;  // rows with this label count nothing
  Reduction reduction = Reduction::mean;
};
/// Elements -weight[label] input[label], for log-probabilities. The mean is weighted: the sum over that of the weights, as in
/// PyTorch, hence NaN when every row is ignored. Throws ValueError naming the first label outside [0, classes).
Tensor nll_loss(const Tensor& input, const Tensor& labels, const NLLOptions& options = {});

struct CrossEntropyOptions {
  Tensor weight = {};
  std::int64_t ignore_index = -100;
  Reduction reduction = Reduction::mean;
  double label_smoothing = 0;
};
/// Elements -sum of weight[c] t[c] ln softmax(logits)[c]. For labels t is the label's one-hot vector; a target in f32 or f64, of the
/// logits' shape, is t itself. With label_smoothing e, t becomes (1 - e) t + e / classes. The mean divides by the sum of the labels'
/// weights, for probabilities by the number of rows, as in PyTorch. Throws: ValueError unless 0 <= e <= 1, and for ignore_index with
/// probabilities. Source of the smoothing: Szegedy et al., "Rethinking the Inception architecture", CVPR 2016, section 7.
Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options);

}  // namespace capstan
