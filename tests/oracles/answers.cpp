#include "answers.h"

#include "../operations/row.h"

using namespace capstan;

namespace oracle {

Tensor weighted_sum(const Tensors& results) {
  Tensor loss;
  for (const Tensor& y : results) {
    if (!is_floating(y.dtype())) continue;
    Tensor weights = empty(y.shape(), DType::f64);
    for (std::int64_t i = 0; i < y.numel(); ++i) weights.data<double>()[i] = 0.5 + static_cast<double>(7919 * i % 13) / 13;
    const Tensor part = sum(y * weights.to(y.dtype()));
    loss = loss.defined() ? loss + part : part;
  }
  return loss;
}

const std::vector<Answer>& all_answers() {
  static const std::vector<Answer> all = [] {
    std::vector<Answer> list;
    for (const operations::Row& r : operations::rows())
      list.push_back({r.name, [&r](const Tensors& x, const Args& a) -> Tensors { return {r.f.f(x, a)}; }});
    for (const auto* part : {&loss_answers(), &other_answers()}) list.insert(list.end(), part->begin(), part->end());
    return list;
  }();
  return all;
}

}  // namespace oracle
