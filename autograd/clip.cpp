#include <capstan/autograd/gradients.h>
#include <capstan/autograd/parameter_rows.h>
#include <capstan/autograd/tape_state.h>
#include <capstan/core/compute.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <cmath>

// Clipping by rows and by tensors.
namespace capstan {

using detail::fail;
using detail::ParameterRows;
using Entry = detail::GradientTable::Entry;

namespace {

template <class T>
double norm_of(const T* row, std::int64_t size) {
  return std::sqrt(kernels::table<T>().sum_squares(row, size));
}

/// Scales each row of e.gradient down to limit(row) where its norm is above it.
template <class Limit>
void clip(const char* op, Entry& e, const ParameterRows& rows, Limit limit) {
  kernels::dispatch(e.gradient, [&]<class T>(T*) {
    const auto norms = [&](std::int64_t row) {
      const double norm = norm_of(kernels::data_of<T>(e.gradient) + row * rows.size, rows.size);
      if (!std::isfinite(norm))
        fail<NotFiniteError>(op, "the norm of ", rows.whole ? "" : detail::cat("row ", row, " of "), "a gradient ", e.gradient.shape(),
                             " must be finite: ", norm);
      return norm;
    };
    for (std::int64_t row = 0; row < rows.count; ++row) {
      const double norm = norms(row), most = limit(row);
      if (!(norm > most)) continue;
      T* g = kernels::data_of<T>(detail::writable(e)) + row * rows.size;
      const T scale = static_cast<T>(most / norm);
      for (std::int64_t i = 0; i < rows.size; ++i) g[i] *= scale;
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
      return kernels::dispatch(
          w, [&]<class T>(T*) { return clipping * std::max(norm_of(kernels::data_of<T>(w) + row * rows.size, rows.size), eps); });
    });
  }
  return gradients;
}

}  // namespace capstan
