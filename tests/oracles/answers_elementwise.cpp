#include "answers.h"

using namespace capstan;

namespace {

template <Tensor (*f)(const Tensor&, double)>
Tensors with_number(const Tensors& x, const Args& a) {
  return {f(x[0], a[0])};
}
template <Tensor (*f)(const Tensor&, double, double)>
Tensors with_numbers(const Tensors& x, const Args& a) {
  return {f(x[0], a[0], a[1])};
}
template <Tensor (*f)(const Tensor&, const Tensor&, Reduction)>
Tensors loss(const Tensors& x, const Args& a) {
  return {f(x[0], x[1], static_cast<Reduction>(a[0]))};
}
template <Tensor (*f)(const Tensor&, const Tensor&, double, Reduction)>
Tensors loss_with_number(const Tensors& x, const Args& a) {
  return {f(x[0], x[1], a[1], static_cast<Reduction>(a[0]))};
}

// An operator of two tensors, of a tensor and a number, of a number and a tensor.
#define BOTH(word, symbol)                                                                               \
  {word, [](const Tensors& x, const Args&) -> Tensors { return {x[0] symbol x[1]}; }},                   \
      {word "_number", [](const Tensors& x, const Args& a) -> Tensors { return {x[0] symbol a[0]}; }}, { \
    "number_" word, [](const Tensors& x, const Args& a) -> Tensors { return {a[0] symbol x[0]}; }        \
  }

}  // namespace

const std::vector<Answer>& elementwise_answers() {
  static const std::vector<Answer> table = {
      BOTH("add", +),
      BOTH("sub", -),
      BOTH("mul", *),
      BOTH("div", /),
      BOTH("eq", ==),
      BOTH("ne", !=),
      BOTH("lt", <),
      BOTH("le", <=),
      BOTH("gt", >),
      BOTH("ge", >=),
      {"exp", one<exp>},
      {"log", one<log>},
      {"sqrt", one<sqrt>},
      {"square", one<square>},
      {"abs", one<abs>},
      {"tanh", one<tanh>},
      {"expm1", one<expm1>},
      {"log1p", one<log1p>},
      {"rsqrt", one<rsqrt>},
      {"reciprocal", one<reciprocal>},
      {"sin", one<sin>},
      {"cos", one<cos>},
      {"erf", one<erf>},
      {"sign", one<sign>},
      {"floor", one<floor>},
      {"ceil", one<ceil>},
      {"round", one<round>},
      {"neg", one<neg>},
      {"relu", one<relu>},
      {"sigmoid", one<sigmoid>},
      {"silu", one<silu>},
      {"isfinite", one<isfinite>},
      {"pow", two<pow>},
      {"maximum", two<maximum>},
      {"minimum", two<minimum>},
      {"logical_and", two<logical_and>},
      {"logical_or", two<logical_or>},
      {"logical_xor", two<logical_xor>},
      {"logical_not", one<logical_not>},
      {"leaky_relu", with_number<leaky_relu>},
      {"elu", with_number<elu>},
      {"softplus", with_number<softplus>},
      {"pow_number", with_number<pow>},
      {"clamp", with_numbers<clamp>},
      {"hardtanh", with_numbers<hardtanh>},
      {"gelu", [](const Tensors& x, const Args& a) -> Tensors { return {gelu(x[0], a[0] != 0 ? Gelu::tanh : Gelu::erf)}; }},
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
