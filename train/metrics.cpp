#include <capstan/train/metrics.h>

#include <capstan/core/text.h>

#include <cmath>

namespace capstan::metrics {

using capstan::detail::fail;

namespace {

template <class T>
bool is_hit(const T* row, std::int64_t classes, std::int64_t label) {
  const T at_label = row[label];
  for (std::int64_t j = 0; j < classes; ++j)
    if (std::isnan(row[j]) || (j < label ? row[j] >= at_label : row[j] > at_label)) return false;
  return true;
}

template <class T>
double share(const Tensor& logits, const Tensor& labels) {
  const std::int64_t rows = logits.size(0), classes = logits.size(1);
  const T* row = logits.data<T>();
  const std::int64_t* label = labels.data<std::int64_t>();
  std::int64_t hits = 0;
  for (std::int64_t i = 0; i < rows; ++i, row += classes) {
    if (label[i] < 0 || label[i] >= classes)
      fail<ValueError>("accuracy", "labels must lie in [0, ", classes, "): label ", label[i], " in row ", i);
    hits += is_hit(row, classes, label[i]) ? 1 : 0;
  }
  return static_cast<double>(hits) / static_cast<double>(rows);
}

}  // namespace

double accuracy(const Tensor& logits, const Tensor& labels) {
  if (!is_floating(logits.dtype()) || labels.dtype() != DType::i64)
    fail<ValueError>("accuracy", "logits must be f32 or f64 and labels i64: ", logits.dtype(), " and ", labels.dtype(),
                     " (convert with to())");
  if (logits.dim() != 2 || labels.dim() != 1 || logits.size(0) != labels.size(0))
    fail<ShapeError>("accuracy", "logits must be [n, classes] and labels [n]: ", logits.shape(), " and ", labels.shape());
  if (logits.size(0) == 0) fail<ValueError>("accuracy", "there must be at least one row: logits are ", logits.shape());
  return logits.dtype() == DType::f32 ? share<float>(logits, labels) : share<double>(logits, labels);
}

}  // namespace capstan::metrics
