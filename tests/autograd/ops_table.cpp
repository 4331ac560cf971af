#include "ops_table.h"

#include <algorithm>

using namespace capstan;

namespace {

/// f of each element.
Tensor each(double (*f)(double), const Tensor& x) {
  Tensor y = empty_like(x);
  std::transform(x.data<double>(), x.data<double>() + x.numel(), y.data<double>(), f);
  return y;
}

/// The rows of an element-wise operation: one for each choice of numbers. Booleans are made of numbers above 0.
void add_rows(const operations::Row& r, std::vector<OpRow>& rows) {
  for (const operations::Case& c : r.cases) {
    OpRow row{.declaration = r.declared(),
              .at = c.at,
              .is = c.is,
              .shapes = r.f.tensors == 2 ? two_shapes() : one_shapes(),
              .low = c.low,
              .high = c.high,
              .gap = c.gap,
              .has_gradient = is_floating(c.is.dtype()),
              .flat = c.flat};
    for (const double n : c.numbers) row.form += (row.form.empty() ? "" : ", ") + std::to_string(n);
    row.f = [f = r.f, numbers = c.numbers, logical = r.kinds[0] == 'b'](Args in) {
      for (Tensor& t : in)
        if (logical) t = t > 0;
      return f(in, numbers);
    };
    if (r.exact.of_double)
      row.same_as = [f = r.exact.of_double](const Args& in) { return each(f, in[0]); };
    else if (r.same_as)
      row.same_as = [f = r.same_as, numbers = c.numbers](const Args& in) { return f(in, numbers); };
    rows.push_back(std::move(row));
  }
}

}  // namespace

const std::vector<OpRow>& ops_table() {
  static const std::vector<OpRow> table = [] {
    std::vector<OpRow> rows;
    for (const operations::Row& r : operations::rows()) add_rows(r, rows);
    for (const operations::Operation& o : operations::operations()) rows.insert(rows.end(), o.table.begin(), o.table.end());
    return rows;
  }();
  return table;
}

Tensor weighted_sum(const Tensor& y) {
  Tensor weights = empty(y.shape(), y.dtype()), total = zeros({}, y.dtype());
  const auto fill = [&]<class T>(T* w) {
    for (std::int64_t i = 0; i < y.numel(); ++i) {
      w[i] = static_cast<T>(std::cos(1.3 * static_cast<double>(i) + 0.4) + (i % 2 ? -1.7 : 1.9));
      *total.data<T>() += w[i] * y.data<T>()[i];
    }
  };
  y.dtype() == DType::f32 ? fill(weights.data<float>()) : fill(weights.data<double>());
  return record("weighted_sum", total, {y}, [w = saved(weights)](const Tensor& dy, Inputs& dx) { dx.add(0, w.get() * dy); });
}
