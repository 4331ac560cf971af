#include "operations.h"

using namespace capstan;

namespace fuzz {

namespace {

template <Tensor (*f)(const Tensor&, int)>
Call along_axis(Bytes& in) {
  return [axis = in.axis()](const Tensors& x) -> Tensors { return {f(x[0], axis)}; };
}
template <Tensor (*f)(const Tensor&, const Tensor&, Reduction)>
Call reduced(Bytes& in) {
  return [reduction = in.reduction()](const Tensors& x) -> Tensors { return {f(x[0], x[1], reduction)}; };
}
template <Tensor (*f)(const Tensor&, const Tensor&, double, Reduction)>
Call with_number(Bytes& in) {
  const double number = in.number();
  const Reduction reduction = in.reduction();
  return [number, reduction](const Tensors& x) -> Tensors { return {f(x[0], x[1], number, reduction)}; };
}
Call call_hinge(Bytes& in) {
  const double margin = in.number();
  const Reduction reduction = in.reduction();
  const bool embedding = in.flag();
  return [margin, reduction, embedding](const Tensors& x) -> Tensors {
    const Tensor target = where(x[1] > 0, full({}, 1, x[1].dtype()), full({}, -1, x[1].dtype()));
    return {embedding ? hinge_embedding_loss(x[0], target, margin, reduction) : hinge_loss(x[0], target, margin, reduction)};
  };
}
Call call_poisson(Bytes& in) {
  const PoissonNLLOptions options{.log_input = in.flag(), .full = in.flag(), .eps = in.number(), .reduction = in.reduction()};
  return [options](const Tensors& x) -> Tensors { return {poisson_nll_loss(x[0], x[1], options)}; };
}
Call call_kl(Bytes& in) {
  const bool log_target = in.flag();
  const Reduction reduction = in.reduction();
  return [log_target, reduction](const Tensors& x) -> Tensors { return {kl_div(x[0], x[1], log_target, reduction)}; };
}
Call call_bce(Bytes& in) {
  const Reduction reduction = in.reduction();
  const unsigned which = in.below(4);
  const bool within = in.flag();
  return [reduction, which, within](const Tensors& x) -> Tensors {
    const Tensor target = within ? clamp(x[1], 0, 1) : x[1];
    return {binary_cross_entropy_with_logits(
        x[0], target,
        {.weight = (which & 1) != 0 ? x[2] : Tensor(), .pos_weight = (which & 2) != 0 ? x[3] : Tensor(), .reduction = reduction})};
  };
}
Call call_nll(Bytes& in) {
  const bool weighted = in.flag();
  const std::int64_t ignore = in.whole();
  const Reduction reduction = in.reduction();
  return [weighted, ignore, reduction](const Tensors& x) -> Tensors {
    return {nll_loss(x[0], x[1], {.weight = weighted ? x[2] : Tensor(), .ignore_index = ignore, .reduction = reduction})};
  };
}
Call call_cross_entropy(Bytes& in) {
  const bool weighted = in.flag();
  const std::int64_t ignore = in.flag() ? in.whole() : -100;
  const Reduction reduction = in.reduction();
  const double smoothing = in.number();
  return [weighted, ignore, reduction, smoothing](const Tensors& x) -> Tensors {
    return {cross_entropy(
        x[0], x[1], {.weight = weighted ? x[2] : Tensor(), .ignore_index = ignore, .reduction = reduction, .label_smoothing = smoothing})};
  };
}

const Operation table[] = {
    {"softmax", "f", along_axis<softmax>},
    {"log_softmax", "f", along_axis<log_softmax>},
    {"mse_loss", "ff", binary<mse_loss>},
    {"mse_loss, reduction", "ff", reduced<mse_loss>},
    {"l1_loss", "ff", reduced<l1_loss>},
    {"huber_loss", "ff", with_number<huber_loss>},
    {"smooth_l1_loss", "ff", with_number<smooth_l1_loss>},
    {"hinge_loss", "ff", with_number<hinge_loss>},
    {"hinge_embedding_loss", "ff", with_number<hinge_embedding_loss>},
    {"hinge_loss, target made 1 or -1", "ff", call_hinge},
    {"poisson_nll_loss", "ff", call_poisson},
    {"kl_div", "ff", call_kl},
    {"binary_cross_entropy_with_logits", "ffff", call_bce},
    {"nll_loss", "fif", call_nll},
    {"cross_entropy", "fi", binary<cross_entropy>},
    {"cross_entropy, options", "fif", call_cross_entropy},
    {"cross_entropy, probabilities", "fff", call_cross_entropy},
};

}  // namespace

std::span<const Operation> loss_operations() { return table; }

}  // namespace fuzz
