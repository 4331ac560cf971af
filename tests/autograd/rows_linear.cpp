#include "xtensor_support.h"

using namespace capstan;

namespace {

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

OpRow matmul_row(bool ta, bool tb, const NestedList& a, const NestedList& b, const NestedList& is, std::vector<std::vector<Shape>> shapes) {
  const std::string form = std::string(ta ? "a^T" : "a") + (tb ? " b^T" : " b");
  const bool vectors = shapes[0][0].dim() == 1 || shapes[0][1].dim() == 1;
  return {.declaration = "matmul(const Tensor& a, const Tensor& b, MatmulOptions options = {})",
          .form = vectors ? form + ", vectors" : form,
          .f = [=](const Args& in) { return matmul(in[0], in[1], {.transpose_a = ta, .transpose_b = tb}); },
          .at = {d(a), d(b)},
          .is = d(is),
          .shapes = std::move(shapes),
          .same_as =
              [=](const Args& in) {
                Matrix y = product(matrix(in[0], ta, true), matrix(in[1], tb, false));
                std::vector<std::size_t> shape;
                if (in[0].dim() == 2) shape.push_back(y.shape()[0]);
                if (in[1].dim() == 2) shape.push_back(y.shape()[1]);
                y.reshape(shape);
                return from_xtensor(y);
              }};
}

std::function<Tensor(const Args&)> by_linear() {
  return [](const Args& in) {
    const std::int64_t k = in[1].size(1), n = in[1].size(0);
    Matrix y = product(matrix(in[0].reshape({-1, k}), false, true), matrix(in[1], true, false));
    if (in.size() == 3) y += x_of(in[2]);
    return from_xtensor(y).reshape(in[0].shape().with(-1, n));
  };
}

}  // namespace

void add_linear_rows(std::vector<OpRow>& rows) {
  const NestedList a = {{1, 2}, {3, 4}}, b = {{5, 6, 7}, {8, 9, 10}}, ab = {{21, 24, 27}, {47, 54, 61}};
  const NestedList a_t = {{1, 3}, {2, 4}}, b_t = {{5, 8}, {6, 9}, {7, 10}};
  rows.push_back(matmul_row(false, false, a, b, ab,
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
  rows.push_back(matmul_row(true, false, a_t, b, ab,
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
  rows.push_back(matmul_row(false, true, a, b_t, ab,
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
  rows.push_back(matmul_row(true, true, a_t, b_t, ab,
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
  rows.push_back(matmul_row(false, false, {1, 2}, b, {21, 24, 27}, left));
  rows.push_back(matmul_row(true, true, {1, 2}, b_t, {21, 24, 27}, left_t));
  rows.push_back(matmul_row(false, true, a, {5, 8}, {21, 47}, right));
  rows.push_back(matmul_row(true, false, a_t, {5, 8}, {21, 47}, right_t));
  rows.push_back(matmul_row(true, true, {1, 2, 3}, {4, 5, 6}, NestedList(32), both));

  rows.push_back({.declaration = "linear(const Tensor& x, const Tensor& w, const Tensor& b)",
                  .f = [](const Args& in) { return linear(in[0], in[1], in[2]); },
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
  rows.push_back({.declaration = "linear_relu(const Tensor& x, const Tensor& w, const Tensor& b)",
                  .f = [](const Args& in) { return linear_relu(in[0], in[1], in[2]); },
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
                  .same_as = [](const Args& in) { return relu(by_linear()(in)); }});
  rows.push_back({.declaration = "linear(const Tensor& x, const Tensor& w)",
                  .f = [](const Args& in) { return linear(in[0], in[1]); },
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
