#include "operations.h"

using namespace capstan;

namespace fuzz {

namespace {

Call call_where(Bytes&) {
  return [](const Tensors& x) -> Tensors { return {where(x[0], x[1], x[2])}; };
}
template <Tensor (*f)(const Tensor&, double, double)>
Call between(Bytes& in) {
  const double low = in.number(), high = in.number();
  return [low, high](const Tensors& x) -> Tensors { return {f(x[0], low, high)}; };
}
Call call_gelu(Bytes& in) {
  return [form = in.flag() ? Gelu::tanh : Gelu::erf](const Tensors& x) -> Tensors { return {gelu(x[0], form)}; };
}
Call call_dropout(Bytes& in) {
  const double p = in.number();
  const bool training = in.flag();
  return [p, training](const Tensors& x) -> Tensors {
    Generator generator{.seed = 3};
    return {dropout(x[0], p, training, generator)};
  };
}
/// +=, -=, *= on a copy, with a tensor or a number.
Call change_in_place(Bytes& in) {
  return [which = in.below(6), number = in.number()](const Tensors& x) -> Tensors {
    const NoGrad none;
    Tensor y = x[0].clone();
    switch (which) {
      case 0: return {y += x[1]};
      case 1: return {y -= x[1]};
      case 2: return {y *= x[1]};
      case 3: return {y += number};
      case 4: return {y -= number};
      default: return {y *= number};
    }
  };
}
Call to_dtype(Bytes& in) {
  return [dtype = in.dtype()](const Tensors& x) -> Tensors { return {x[0].to(dtype)}; };
}

// An operator of two tensors, of a tensor and a number, of a number and a tensor.
#define BOTH(symbol)                                                                                                            \
  {"operator" #symbol, "aa", [](Bytes&) -> Call { return [](const Tensors& x) -> Tensors { return {x[0] symbol x[1]}; }; }},    \
      {"operator" #symbol ", number right", "a",                                                                                \
       [](Bytes& in) -> Call { return [number = in.number()](const Tensors& x) -> Tensors { return {x[0] symbol number}; }; }}, \
  {                                                                                                                             \
    "operator" #symbol ", number left", "a",                                                                                    \
        [](Bytes& in) -> Call { return [number = in.number()](const Tensors& x) -> Tensors { return {number symbol x[0]}; }; }  \
  }

// The kind 'a' stands where whole numbers and booleans have a meaning too.
const Operation table[] = {
    BOTH(+),
    BOTH(-),
    BOTH(*),
    BOTH(/),
    BOTH(==),
    BOTH(!=),
    BOTH(<),
    BOTH(<=),
    BOTH(>),
    BOTH(>=),
    {"operator-, one operand", "a", [](Bytes&) -> Call { return [](const Tensors& x) -> Tensors { return {-x[0]}; }; }},
    {"neg", "a", unary<neg>},
    {"logical_and", "bb", binary<logical_and>},
    {"logical_or", "bb", binary<logical_or>},
    {"logical_xor", "bb", binary<logical_xor>},
    {"logical_not", "b", unary<logical_not>},
    {"isfinite", "a", unary<isfinite>},
    {"where", "baa", call_where},
    {"exp", "f", unary<exp>},
    {"log", "f", unary<log>},
    {"sqrt", "f", unary<sqrt>},
    {"square", "f", unary<square>},
    {"abs", "f", unary<abs>},
    {"tanh", "f", unary<tanh>},
    {"expm1", "f", unary<expm1>},
    {"log1p", "f", unary<log1p>},
    {"rsqrt", "f", unary<rsqrt>},
    {"reciprocal", "f", unary<reciprocal>},
    {"sin", "f", unary<sin>},
    {"cos", "f", unary<cos>},
    {"erf", "f", unary<erf>},
    {"sign", "f", unary<sign>},
    {"floor", "f", unary<floor>},
    {"ceil", "f", unary<ceil>},
    {"round", "f", unary<round>},
    {"relu", "f", unary<relu>},
    {"sigmoid", "f", unary<sigmoid>},
    {"silu", "f", unary<silu>},
    {"leaky_relu", "f", right_number<leaky_relu>},
    {"elu", "f", right_number<elu>},
    {"softplus", "f", right_number<softplus>},
    {"pow, number", "f", right_number<pow>},
    {"pow", "ff", binary<pow>},
    {"maximum", "ff", binary<maximum>},
    {"minimum", "ff", binary<minimum>},
    {"clamp", "f", between<clamp>},
    {"hardtanh", "f", between<hardtanh>},
    {"gelu", "f", call_gelu},
    {"dropout", "f", call_dropout},
    {"Tensor::operator+=", "ff", change_in_place},
    {"Tensor::to", "a", to_dtype},
};

#undef BOTH

}  // namespace

std::span<const Operation> elementwise_operations() { return table; }

}  // namespace fuzz
