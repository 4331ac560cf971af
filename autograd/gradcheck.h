#pragma once
#include <capstan/core/tensor.h>

#include <string>
#include <vector>

namespace capstan {

struct GradcheckOptions {
  double step = 1e-5;       // h of the central difference, times max(1, |x|)
  double tolerance = 1e-7;  // largest |analytic - numeric| / max(1, |numeric|)
  int order = 1;            // 2: compare the gradients of a weighted sum of the gradients
};

/// What gradcheck found.
struct GradcheckResult {
  bool ok = true;
  double worst = 0;     // the largest relative difference
  std::string message;  // where it lies: the input, the index, both values
  explicit operator bool() const noexcept { return ok; }
};

namespace detail {
GradcheckResult gradcheck(Tensor (*call)(const void*, const std::vector<Tensor>&), const void* f, const std::vector<Tensor>& inputs,
                          GradcheckOptions options);
}

/// Compares the gradients of f with central differences, (f(x + h) - f(x - h)) / 2h, element by element, for every input.
/// The function f takes std::vector<Tensor> and returns a tensor. Fixed weights reduce it to a scalar; they differ from element to element,
/// so that errors cannot cancel. With .order = 2 gradients on a tape of higher order are compared with differences of gradients from an
/// ordinary one. Inputs are copied, not changed. Works for operations written outside the library too.
///
///     const GradcheckResult r = gradcheck([](const std::vector<Tensor>& in) { return my_op(in[0]); }, {x});
///     if (!r) std::cerr << r.message;
///
/// Throws ValueError for an input that is not f64, and for another order than 1 or 2.
/// Weakness: says nothing useful at a kink; choose points away from it.
template <class F>
GradcheckResult gradcheck(F f, const std::vector<Tensor>& inputs, GradcheckOptions options = {}) {
  return detail::gradcheck([](const void* g, const std::vector<Tensor>& in) -> Tensor { return (*static_cast<const F*>(g))(in); }, &f,
                           inputs, options);
}

}  // namespace capstan
