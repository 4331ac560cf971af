#include "by_xtensor.h"
#include "xsort.h"

using namespace capstan;

namespace operations {

namespace {

using Formula = std::function<Tensor(const Tensors&)>;

using Matrix = xt::xarray<double>;

/// A tensor as a matrix: as it is, transposed, or a vector as one row or one column.
Matrix matrix(const Tensor& t, bool transposed, bool left) {
  Matrix m = x_of(t);
  if (t.dim() == 1) {
    const std::size_t n = m.shape()[0];
    m.reshape(left ? std::vector<std::size_t>{1, n} : std::vector<std::size_t>{n, 1});
    return m;
  }
  if (!transposed) return m;
  const Matrix other = xt::transpose(m);
  return other;
}

/// The product as a sum over a broadcast third axis.
Matrix product(const Matrix& a, const Matrix& b) {
  const auto left = xt::view(a, xt::all(), xt::all(), xt::newaxis());
  const auto right = xt::view(b, xt::newaxis(), xt::all(), xt::all());
  return xt::sum(left * right, {1});
}

Checked matmul_row(bool ta, bool tb, const NestedList& a, const NestedList& b, const NestedList& is,
                   std::vector<std::vector<Shape>> shapes) {
  const std::string form = std::string(ta ? "a^T" : "a") + (tb ? " b^T" : " b");
  const bool vectors = shapes[0][0].dim() == 1 || shapes[0][1].dim() == 1;
  return {.form = vectors ? form + ", vectors" : form,
          .f = [=](const Tensors& in) { return matmul(in[0], in[1], {.transpose_a = ta, .transpose_b = tb}); },
          .at = {d(a), d(b)},
          .is = d(is),
          .shapes = std::move(shapes),
          .same_as =
              [=](const Tensors& in) {
                Matrix y = product(matrix(in[0], ta, true), matrix(in[1], tb, false));
                std::vector<std::size_t> shape;
                if (in[0].dim() == 2) shape.push_back(y.shape()[0]);
                if (in[1].dim() == 2) shape.push_back(y.shape()[1]);
                y.reshape(shape);
                return from_xtensor(y);
              }};
}

/// The product as a sum over a broadcast axis.
Formula by_sum() {
  return by_xtensor([](const auto& a, const auto& b) {
    xt::xarray<double> left = a, right = b;  // [..., m, k, 1] and [..., 1, k, n]
    std::vector<std::size_t> left_shape(left.shape().begin(), left.shape().end()), right_shape(right.shape().begin(), right.shape().end());
    left_shape.push_back(1);
    right_shape.insert(right_shape.end() - 2, 1);
    left.reshape(left_shape);
    right.reshape(right_shape);
    const xt::xarray<double> products = left * right;
    return xt::xarray<double>(xt::sum(products, {products.dimension() - 2}));
  });
}

Checked row(const char* form, Formula f, const Tensors& at, const Tensor& is, const std::vector<std::vector<Shape>>& shapes,
            Formula same_as = {}) {
  return {.form = form, .f = std::move(f), .at = at, .is = is, .shapes = shapes, .same_as = std::move(same_as)};
}

Formula by_linear() {
  return [](const Tensors& in) {
    const std::int64_t k = in[1].size(1), n = in[1].size(0);
    Matrix y = product(matrix(in[0].reshape({-1, k}), false, true), matrix(in[1], true, false));
    if (in.size() == 3) y += x_of(in[2]);
    return from_xtensor(y).reshape(in[0].shape().with(-1, n));
  };
}

}  // namespace

void add_linear(std::vector<Operation>& all) {
  const auto add = [&](Checked form) { all.back().table.push_back(std::move(form)); };
  all.push_back({.name = "matmul",
                 .declaration = "matmul(const Tensor& a, const Tensor& b, MatmulOptions options = {})",
                 .f = [](const Tensor& left, const Tensor& right, bool transpose_a,
                         bool transpose_b) { return matmul(left, right, {.transpose_a = transpose_a, .transpose_b = transpose_b}); },
                 .kinds = "ff",
                 .asked = "s, p, q = d.product(); numbers, inputs = [p, q], [d.values(i, huge=False) for i in s]",
                 .torch = "(x.mT if p else x) @ (y.mT if q else y)"});
  const NestedList a = {{1, 2}, {3, 4}}, b = {{5, 6, 7}, {8, 9, 10}}, ab = {{21, 24, 27}, {47, 54, 61}};
  const NestedList a_t = {{1, 3}, {2, 4}}, b_t = {{5, 8}, {6, 9}, {7, 10}};
  add(matmul_row(false, false, a, b, ab,
                 {{{2, 3}, {3, 4}},
                  {{1, 1}, {1, 1}},
                  {{3, 3}, {3, 3}},
                  {{1, 4}, {4, 1}},
                  {{4, 1}, {1, 4}},
                  {{5, 3}, {3, 1}},
                  {{1, 3}, {3, 5}},
                  {{2, 0}, {0, 3}},
                  {{0, 2}, {2, 3}},
                  {{2, 3}, {3, 0}}}));
  add(matmul_row(true, false, a_t, b, ab,
                 {{{3, 2}, {3, 4}},
                  {{1, 1}, {1, 1}},
                  {{3, 3}, {3, 3}},
                  {{4, 1}, {4, 1}},
                  {{1, 4}, {1, 4}},
                  {{3, 5}, {3, 1}},
                  {{3, 1}, {3, 5}},
                  {{0, 2}, {0, 3}},
                  {{2, 0}, {2, 3}},
                  {{3, 2}, {3, 0}}}));
  add(matmul_row(false, true, a, b_t, ab,
                 {{{2, 3}, {4, 3}},
                  {{1, 1}, {1, 1}},
                  {{3, 3}, {3, 3}},
                  {{1, 4}, {1, 4}},
                  {{4, 1}, {4, 1}},
                  {{5, 3}, {1, 3}},
                  {{1, 3}, {5, 3}},
                  {{2, 0}, {3, 0}},
                  {{0, 2}, {3, 2}},
                  {{2, 3}, {0, 3}}}));
  add(matmul_row(true, true, a_t, b_t, ab,
                 {{{3, 2}, {4, 3}},
                  {{1, 1}, {1, 1}},
                  {{3, 3}, {3, 3}},
                  {{4, 1}, {1, 4}},
                  {{1, 4}, {4, 1}},
                  {{3, 5}, {1, 3}},
                  {{3, 1}, {5, 3}},
                  {{0, 2}, {3, 0}},
                  {{2, 0}, {3, 2}},
                  {{3, 2}, {0, 3}}}));
  // A vector has no transpose: the flag for it changes nothing.
  const std::vector<std::vector<Shape>> left = {{{3}, {3, 4}}, {{1}, {1, 1}}, {{0}, {0, 2}}, {{3}, {3, 0}}, {{12}, {12, 1}}},
                                        left_t = {{{3}, {4, 3}}, {{1}, {1, 1}}, {{0}, {2, 0}}, {{12}, {9, 12}}},
                                        right = {{{2, 3}, {3}}, {{1, 1}, {1}}, {{2, 0}, {0}}, {{0, 3}, {3}}, {{1, 12}, {12}}},
                                        right_t = {{{3, 2}, {3}}, {{1, 1}, {1}}, {{0, 2}, {0}}, {{12, 9}, {12}}},
                                        both = {{{3}, {3}}, {{1}, {1}}, {{0}, {0}}, {{13}, {13}}};
  add(matmul_row(false, false, {1, 2}, b, {21, 24, 27}, left));
  add(matmul_row(true, true, {1, 2}, b_t, {21, 24, 27}, left_t));
  add(matmul_row(false, true, a, {5, 8}, {21, 47}, right));
  add(matmul_row(true, false, a_t, {5, 8}, {21, 47}, right_t));
  add(matmul_row(true, true, {1, 2, 3}, {4, 5, 6}, NestedList(32), both));

  const NestedList two = {{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}};
  add(row(
      "batches", [](const Tensors& in) { return matmul(in[0], in[1]); }, {d(two), d({{{1, 0}, {0, 2}}, {{1, 1}, {0, 1}}})},
      d({{{1, 4}, {3, 8}}, {{5, 11}, {7, 15}}}),
      {{{2, 2, 2}, {2, 2, 2}}, {{2, 2, 3}, {2, 3, 1}}, {{1, 1, 1}, {1, 1, 1}}, {{2, 3, 1, 2}, {2, 3, 2, 4}}, {{0, 2, 3}, {0, 3, 2}}},
      by_sum()));
  add(row("batches that broadcast", [](const Tensors& in) { return matmul(in[0], in[1]); }, {d(two), d({{1, 0}, {0, 2}})},
          d({{{1, 4}, {3, 8}}, {{5, 12}, {7, 16}}}),
          {{{2, 2, 3}, {3, 4}},
           {{2, 3}, {4, 3, 2}},
           {{2, 1, 2, 3}, {3, 3, 2}},
           {{1, 2, 3}, {3, 3, 1}},
           {{2, 2, 0}, {0, 3}},
           {{2, 0, 2}, {2, 3}}}));
  add(row("batches and a vector on the right", [](const Tensors& in) { return matmul(in[0], in[1]); }, {d(two), d({1, -1})},
          d({{-1, -1}, {-1, -1}}), {{{2, 3, 4}, {4}}, {{2, 1, 3, 2}, {2}}, {{2, 2, 1}, {1}}}));
  add(row("a vector on the left and batches", [](const Tensors& in) { return matmul(in[0], in[1]); }, {d({1, -1}), d(two)},
          d({{-2, -2}, {-2, -2}}), {{{3}, {2, 3, 4}}, {{1}, {2, 1, 2}}}));
  add(row("batches, a^T b", [](const Tensors& in) { return matmul(in[0], in[1], {.transpose_a = true}); }, {d(two), d({{1, 0}, {0, 2}})},
          d({{{1, 6}, {2, 8}}, {{5, 14}, {6, 16}}}), {{{2, 3, 2}, {3, 4}}, {{3, 2}, {2, 3, 1}}, {{2, 3, 2}, {2, 3, 5}}}));
  add(row("batches, a b^T", [](const Tensors& in) { return matmul(in[0], in[1], {.transpose_b = true}); }, {d(two), d({{1, 1}, {0, 2}})},
          d({{{3, 4}, {7, 8}}, {{11, 12}, {15, 16}}}), {{{2, 2, 3}, {4, 3}}, {{2, 3}, {2, 1, 3}}, {{2, 3, 2}, {2, 5, 2}}}));
  add(row("batches, a^T b^T", [](const Tensors& in) { return matmul(in[0], in[1], {.transpose_a = true, .transpose_b = true}); },
          {d(two), d({{1, 1}, {0, 2}})}, d({{{4, 6}, {6, 8}}, {{12, 14}, {14, 16}}}), {{{2, 3, 2}, {4, 3}}, {{2, 3, 2}, {2, 5, 3}}}));

  all.push_back(
      {.name = "linear",
       .declaration = "linear(const Tensor& x, const Tensor& w, const Tensor& b)",
       .f = [](const Tensor& x, const Tensor& w, const Tensor& bias) { return linear(x, w, bias); },
       .kinds = "fff",
       .asked =
           "s = d.shape(0, 2); k, n = d.whole(1, 6), d.whole(1, 6); inputs = [d.values(i, huge=False) for i in (s + (k,), (n, k), (n,))]",
       .torch = "F.linear(x, y, z)"});
  add({.f = [](const Tensors& in) { return linear(in[0], in[1], in[2]); },
       .at = {d(a), d(b_t), d({100, 200, 300})},
       .is = d({{121, 224, 327}, {147, 254, 361}}),
       .shapes = {{{2, 3}, {4, 3}, {4}},
                  {{3}, {4, 3}, {4}},
                  {{2, 2, 3}, {4, 3}, {4}},
                  {{1, 1}, {1, 1}, {1}},
                  {{5, 3}, {1, 3}, {1}},
                  {{1, 3}, {4, 3}, {4}},
                  {{3, 3}, {3, 3}, {3}},
                  {{0, 3}, {4, 3}, {4}},
                  {{2, 0}, {4, 0}, {4}},
                  {{2, 3}, {0, 3}, {0}},
                  {{5, 1}, {4, 1}, {4}},
                  {{1}, {1, 1}, {1}},
                  {{10, 5}, {1, 5}, {1}},
                  {{0, 2, 3}, {4, 3}, {4}}},
       .same_as = by_linear()});
  all.push_back(
      {.name = "linear_relu",
       .declaration = "linear_relu(const Tensor& x, const Tensor& w, const Tensor& b)",
       .f = linear_relu,
       .kinds = "fff",
       .asked =
           "s = d.shape(0, 2); k, n = d.whole(1, 6), d.whole(1, 6); inputs = [d.values(i, huge=False) for i in (s + (k,), (n, k), (n,))]",
       .torch = "F.relu(F.linear(x, y, z))"});
  add({.f = [](const Tensors& in) { return linear_relu(in[0], in[1], in[2]); },
       .at = {d(a), d(b_t), d({-21, -100, 300})},
       .is = d({{0, 0, 327}, {26, 0, 361}}),
       .shapes = {{{2, 3}, {4, 3}, {4}},
                  {{3}, {4, 3}, {4}},
                  {{2, 2, 3}, {4, 3}, {4}},
                  {{1, 1}, {1, 1}, {1}},
                  {{5, 3}, {1, 3}, {1}},
                  {{0, 3}, {4, 3}, {4}},
                  {{2, 0}, {4, 0}, {4}},
                  {{2, 3}, {0, 3}, {0}},
                  {{10, 5}, {1, 5}, {1}},
                  {{0, 2, 3}, {4, 3}, {4}}},
       .same_as = [](const Tensors& in) { return relu(by_linear()(in)); }});
  all.push_back(
      {.name = "linear, no bias",
       .declaration = "linear(const Tensor& x, const Tensor& w)",
       .f = [](const Tensor& x, const Tensor& w) { return linear(x, w); },
       .kinds = "ff",
       .asked = "s = d.shape(0, 2); k, n = d.whole(1, 6), d.whole(1, 6); inputs = [d.values(i, huge=False) for i in (s + (k,), (n, k))]",
       .torch = "F.linear(x, y)"});
  add({.f = [](const Tensors& in) { return linear(in[0], in[1]); },
       .at = {d(a), d(b_t)},
       .is = d(ab),
       .shapes = {{{2, 3}, {4, 3}},
                  {{3}, {4, 3}},
                  {{2, 2, 3}, {4, 3}},
                  {{1, 1}, {1, 1}},
                  {{5, 3}, {1, 3}},
                  {{1, 3}, {4, 3}},
                  {{3, 3}, {3, 3}},
                  {{0, 3}, {4, 3}},
                  {{2, 0}, {4, 0}},
                  {{2, 3}, {0, 3}},
                  {{5, 1}, {4, 1}}},
       .same_as = by_linear()});
}

}  // namespace operations
