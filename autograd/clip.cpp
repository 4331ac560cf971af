#include <capstan/autograd/gradient_table.h>
#include <capstan/autograd/gradients.h>
#include <capstan/autograd/parameter_rows.h>
#include <capstan/core/compute.h>
#include <capstan/core/norm.h>
#include <capstan/core/text.h>

#include <algorithm>

// Clipping by rows and by tensors.
namespace capstan {

using detail::fail;
using detail::ParameterRows;
using Entry = detail::GradientTable::Entry;

namespace {

/// Scales each row of e.gradient down to limit(row) where its norm is above it.
template <class Limit>
void clip(const char* op, Entry& e, const ParameterRows& rows, Limit limit) {
  kernels::dispatch(e.gradient, [&]<class T>(T*) {
    for (std::int64_t row = 0; row < rows.count; ++row) {
      const kernels::Norm norm = kernels::norm_of(kernels::data_of<T>(e.gradient) + row * rows.size, rows.size);
      if (!norm.finite())
        fail<NotFiniteError>(op, "the norm of ", rows.whole ? "" : detail::join("row ", row, " of "), "a gradient ", e.gradient.shape(),
                             " must be finite: ", norm.value());
      const double most = limit(row);
      if (norm.above(most)) norm.bring_down(most, kernels::data_of<T>(detail::writable(e)) + row * rows.size, rows.size);
    }
  });
}

}  // namespace

Gradients clip_rows(Gradients gradients, double max_norm) {
  if (!(max_norm > 0)) fail<ValueError>("clip_rows", "max_norm must be positive: ", max_norm);
  if (gradients.table())
    for (Entry& e : *gradients.table()) clip("clip_rows", e, ParameterRows(e.gradient), [&](std::int64_t) { return max_norm; });
  return gradients;
}

Gradients clip_each(Gradients gradients, double max_norm) {
  if (!(max_norm > 0)) fail<ValueError>("clip_each", "max_norm must be positive: ", max_norm);
  if (gradients.table())
    for (Entry& e : *gradients.table()) clip("clip_each", e, ParameterRows(e.gradient, true), [&](std::int64_t) { return max_norm; });
  return gradients;
}

Gradients clip_adaptive(Gradients gradients, const Parameters& parameters, double clipping, double eps) {
  if (!(clipping > 0)) fail<ValueError>("clip_adaptive", "clipping must be positive: ", clipping);
  if (!(eps > 0)) fail<ValueError>("clip_adaptive", "eps must be positive: ", eps);
  if (!gradients.table()) return gradients;
  for (const auto& parameter : parameters) {
    const Tensor w = parameter.tensor;
    const Entry* found = gradients.table()->find(w.header());
    if (!found) continue;
    Entry& e = gradients.table()->begin()[found - std::as_const(*gradients.table()).begin()];
    const ParameterRows rows(w);
    clip("clip_adaptive", e, ParameterRows(e.gradient), [&](std::int64_t k) {
      const std::int64_t row = e.rows.defined() && rows.count > 1 ? kernels::data_of<std::int64_t>(e.rows)[k] : k;
      return kernels::dispatch(w, [&]<class T>(T*) {
        return clipping * std::max(kernels::norm_of(kernels::data_of<T>(w) + row * rows.size, rows.size).value(), eps);
      });
    });
  }
  return gradients;
}

}  // namespace capstan
