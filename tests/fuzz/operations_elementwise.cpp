#include "operations.h"

using namespace capstan;

namespace fuzz {

namespace {

Call call_where(Bytes&) {
  return [](const Tensors& x) -> Tensors { return {where(x[0], x[1], x[2])}; };
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

// What tests/operations has no row of.
const Operation table[] = {
    {"where", "baa", call_where},
    {"dropout", "f", call_dropout},
    {"Tensor::operator+=", "ff", change_in_place},
    {"Tensor::to", "a", to_dtype},
};

}  // namespace

std::span<const Operation> elementwise_operations() { return table; }

}  // namespace fuzz
