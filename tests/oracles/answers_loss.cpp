#include "answers.h"

using namespace capstan;

namespace oracle {

namespace {

template <Tensor (*f)(const Tensor&, const Tensor&, Reduction)>
Tensors loss(const Tensors& x, const Args& a) {
  return {f(x[0], x[1], static_cast<Reduction>(a[0]))};
}
template <Tensor (*f)(const Tensor&, const Tensor&, double, Reduction)>
Tensors loss_with_number(const Tensors& x, const Args& a) {
  return {f(x[0], x[1], a[1], static_cast<Reduction>(a[0]))};
}

}  // namespace

const std::vector<Answer>& loss_answers() {
  static const std::vector<Answer> table = {
      {"where", [](const Tensors& x, const Args&) -> Tensors { return {where(x[0], x[1], x[2])}; }},
      {"mse_loss", loss<mse_loss>},
      {"l1_loss", loss<l1_loss>},
      {"huber_loss", loss_with_number<huber_loss>},
      {"smooth_l1_loss", loss_with_number<smooth_l1_loss>},
      {"hinge_embedding_loss", loss_with_number<hinge_embedding_loss>},
      {"poisson_nll_loss",
       [](const Tensors& x, const Args& a) -> Tensors {
         return {poisson_nll_loss(x[0], x[1], {.log_input = a[1] != 0, .full = a[2] != 0, .reduction = static_cast<Reduction>(a[0])})};
       }},
      {"kl_div", [](const Tensors& x, const Args& a) -> Tensors { return {kl_div(x[0], x[1], a[1] != 0, static_cast<Reduction>(a[0]))}; }},
      {"binary_cross_entropy_with_logits",
       [](const Tensors& x, const Args& a) -> Tensors {
         return {
             binary_cross_entropy_with_logits(x[0], x[1], {.weight = x[2], .pos_weight = x[3], .reduction = static_cast<Reduction>(a[0])})};
       }},
  };
  return table;
}

}  // namespace oracle
