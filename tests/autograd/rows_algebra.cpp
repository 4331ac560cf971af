// Batched products and linear algebra.
#include "xtensor_support.h"

using namespace capstan;

namespace {

using Call = std::function<Tensor(const Args&)>;
const char* const matmul_of = "matmul(const Tensor& a, const Tensor& b, MatmulOptions options = {})";

OpRow row(const char* declaration, const char* form, Call f, const Args& at, const Tensor& is,
          const std::vector<std::vector<Shape>>& shapes, Call same_as = {}) {
  return {.declaration = declaration, .form = form, .f = std::move(f), .at = at, .is = is, .shapes = shapes, .same_as = std::move(same_as)};
}

/// The product as a sum over a broadcast axis.
Call by_sum() {
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

/// x made invertible: x + 3 times the identity; and positive definite: x x^T + the identity.
Tensor regular(const Tensor& x) { return x + 3 * eye(x.size(-1), x.dtype()); }
Tensor definite(const Tensor& x) { return matmul(x, x, {.transpose_b = true}) + eye(x.size(-1), x.dtype()); }

/// A power of two whose square x's dtype does not hold.
double far(const Tensor& x) { return x.dtype() == DType::f32 ? 0x1p100 : 0x1p1000; }

const std::vector<std::vector<Shape>> squares = {{{1, 1}}, {{2, 2}}, {{3, 3}}, {{2, 3, 3}}, {{5, 5}}, {{0, 0}}, {{0, 2, 2}}};

}  // namespace

void add_algebra_rows(std::vector<OpRow>& rows) {
  const NestedList two = {{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}};
  rows.push_back(row(
      matmul_of, "batches", [](const Args& in) { return matmul(in[0], in[1]); }, {d(two), d({{{1, 0}, {0, 2}}, {{1, 1}, {0, 1}}})},
      d({{{1, 4}, {3, 8}}, {{5, 11}, {7, 15}}}),
      {{{2, 2, 2}, {2, 2, 2}}, {{2, 2, 3}, {2, 3, 1}}, {{1, 1, 1}, {1, 1, 1}}, {{2, 3, 1, 2}, {2, 3, 2, 4}}, {{0, 2, 3}, {0, 3, 2}}},
      by_sum()));
  rows.push_back(row(matmul_of, "batches that broadcast", [](const Args& in) { return matmul(in[0], in[1]); },
                     {d(two), d({{1, 0}, {0, 2}})}, d({{{1, 4}, {3, 8}}, {{5, 12}, {7, 16}}}),
                     {{{2, 2, 3}, {3, 4}},
                      {{2, 3}, {4, 3, 2}},
                      {{2, 1, 2, 3}, {3, 3, 2}},
                      {{1, 2, 3}, {3, 3, 1}},
                      {{2, 2, 0}, {0, 3}},
                      {{2, 0, 2}, {2, 3}}}));
  rows.push_back(row(matmul_of, "batches and a vector on the right", [](const Args& in) { return matmul(in[0], in[1]); },
                     {d(two), d({1, -1})}, d({{-1, -1}, {-1, -1}}), {{{2, 3, 4}, {4}}, {{2, 1, 3, 2}, {2}}, {{2, 2, 1}, {1}}}));
  rows.push_back(row(matmul_of, "a vector on the left and batches", [](const Args& in) { return matmul(in[0], in[1]); },
                     {d({1, -1}), d(two)}, d({{-2, -2}, {-2, -2}}), {{{3}, {2, 3, 4}}, {{1}, {2, 1, 2}}}));
  rows.push_back(row(matmul_of, "batches, a^T b", [](const Args& in) { return matmul(in[0], in[1], {.transpose_a = true}); },
                     {d(two), d({{1, 0}, {0, 2}})}, d({{{1, 6}, {2, 8}}, {{5, 14}, {6, 16}}}),
                     {{{2, 3, 2}, {3, 4}}, {{3, 2}, {2, 3, 1}}, {{2, 3, 2}, {2, 3, 5}}}));
  rows.push_back(row(matmul_of, "batches, a b^T", [](const Args& in) { return matmul(in[0], in[1], {.transpose_b = true}); },
                     {d(two), d({{1, 1}, {0, 2}})}, d({{{3, 4}, {7, 8}}, {{11, 12}, {15, 16}}}),
                     {{{2, 2, 3}, {4, 3}}, {{2, 3}, {2, 1, 3}}, {{2, 3, 2}, {2, 5, 2}}}));
  rows.push_back(
      row(matmul_of, "batches, a^T b^T", [](const Args& in) { return matmul(in[0], in[1], {.transpose_a = true, .transpose_b = true}); },
          {d(two), d({{1, 1}, {0, 2}})}, d({{{4, 6}, {6, 8}}, {{12, 14}, {14, 16}}}), {{{2, 3, 2}, {4, 3}}, {{2, 3, 2}, {2, 5, 3}}}));

  rows.push_back(row(
      "dot(const Tensor& a, const Tensor& b)", "", [](const Args& in) { return dot(in[0], in[1]); }, {d({1, 2, 3}), d({4, -5, 6})}, d(12),
      {{{3}, {3}}, {{1}, {1}}, {{0}, {0}}, {{20}, {20}}}, by_xtensor([](const auto& a, const auto& b) { return xt::sum(a * b); })));
  rows.push_back(row(
      "outer(const Tensor& a, const Tensor& b)", "", [](const Args& in) { return outer(in[0], in[1]); }, {d({1, 2}), d({3, 4, 5})},
      d({{3, 4, 5}, {6, 8, 10}}), {{{3}, {3}}, {{2}, {4}}, {{0}, {2}}, {{1}, {1}}}, by_xtensor([](const auto& a, const auto& b) {
        return xt::xarray<double>(xt::view(a, xt::all(), xt::newaxis()) * xt::view(b, xt::newaxis(), xt::all()));
      })));
  const char* solves = "solve(const Tensor& a, const Tensor& b)";
  rows.push_back(row(solves, "a matrix", [](const Args& in) { return solve(regular(in[0]), in[1]); },
                     {d({{-1, 1}, {1, 0}}), d({{5, 3}, {5, 4}})}, d({{2, 1}, {1, 1}}),
                     {{{2, 2}, {2, 3}}, {{1, 1}, {1, 1}}, {{3, 3}, {3, 1}}, {{2, 3, 3}, {2, 3, 2}}, {{0, 0}, {0, 2}}, {{2, 2}, {2, 0}}}));
  rows.push_back(row(solves, "a vector", [](const Args& in) { return solve(regular(in[0]), in[1]); }, {d({{-1, 1}, {1, 0}}), d({5, 5})},
                     d({2, 1}), {{{2, 2}, {2}}, {{1, 1}, {1}}, {{4, 4}, {4}}}));
  rows.push_back(row(
      "inverse(const Tensor& a)", "", [](const Args& in) { return inverse(regular(in[0])); }, {d({{-1, 0}, {0, 1}})},
      d({{0.5, 0}, {0, 0.25}}), squares));
  rows.push_back(row("det(const Tensor& a)", "", [](const Args& in) { return det(in[0]); }, {d({{0, 2, 0}, {3, 0, 0}, {0, 0, 4}})}, d(-24),
                     {{{1, 1}}, {{2, 2}}, {{3, 3}}, {{2, 2, 2}}, {{0, 0}}}));
  rows.push_back(row("det(const Tensor& a)", "rows of unlike size",
                     [](const Args& in) {
                       const double c = std::sqrt(far(in[0]));
                       const Tensor sizes = tensor({{c}, {1}, {1 / c}}, in[0].dtype());
                       return det(in[0] * sizes);
                     },
                     {d({{0, 2, 0}, {3, 0, 0}, {0, 0, 4}})}, d(-24), {{{3, 3}}, {{2, 3, 3}}}));
  rows.push_back(row(
      "logdet(const Tensor& a)", "", [](const Args& in) { return logdet(definite(in[0])); }, {d({{1, 0}, {0, 2}})}, d(std::log(10.)),
      squares));
  rows.push_back(row(
      "cholesky(const Tensor& a)", "", [](const Args& in) { return cholesky(definite(in[0])); },
      {d({{std::sqrt(3.), 0}, {2 / std::sqrt(3.), std::sqrt(8. / 3)}})}, d({{2, 0}, {1, 2}}), squares));

  const char* qr_of = "qr(const Tensor& a)";
  const std::vector<std::vector<Shape>> tall = {{{2, 2}}, {{3, 2}}, {{4, 1}}, {{2, 4, 3}}};
  rows.push_back(row(
      qr_of, "q r",
      [](const Args& in) {
        const QR f = qr(in[0]);
        return matmul(f.q, f.r);
      },
      {d({{3, 1}, {4, 2}})}, d({{3, 1}, {4, 2}}), tall, [](const Args& in) { return in[0]; }));
  rows.push_back(row(
      qr_of, "q",
      [](const Args& in) {
        const Tensor q = qr(in[0]).q;
        return q * abs(q);
      },
      {d({{3, 0}, {4, 0}})}, d({{-0.36, -0.64}, {-0.64, 0.36}}), tall));
  rows.push_back(row(
      qr_of, "r", [](const Args& in) { return square(qr(in[0]).r); }, {d({{3, 0}, {4, 5}})}, d({{25, 16}, {0, 9}}), tall));
  const char* eigh_of = "eigh(const Tensor& a)";
  const std::vector<std::vector<Shape>> symmetric = {{{1, 1}}, {{2, 2}}, {{3, 3}}, {{2, 3, 3}}};
  const auto even = [](const Tensor& x) { return 0.5 * (x + transpose(x)); };
  rows.push_back(row(
      eigh_of, "values", [=](const Args& in) { return eigh(even(in[0])).values; }, {d({{2, 1}, {1, 2}})}, d({1, 3}), symmetric));
  rows.push_back(row(eigh_of, "vectors", [=](const Args& in) { return square(eigh(even(in[0])).vectors); }, {d({{2, 1}, {1, 2}})},
                     d({{0.5, 0.5}, {0.5, 0.5}}), {{{2, 2}}, {{3, 3}}, {{2, 3, 3}}}));
  rows.push_back(row(
      eigh_of, "v diag(w) v^T",
      [=](const Args& in) {
        const Eigh e = eigh(even(in[0]));
        return matmul(e.vectors * unsqueeze(e.values, -2), e.vectors, {.transpose_b = true});
      },
      {d({{2, 1}, {1, 2}})}, d({{2, 1}, {1, 2}}), symmetric));
  const char* lstsq_of = "lstsq(const Tensor& a, const Tensor& b, std::optional<double> rcond = {})";
  rows.push_back(row(lstsq_of, "a vector", [](const Args& in) { return lstsq(in[0], in[1]).solution; },
                     {d({{1, 0}, {1, 1}, {1, 2}}), d({1, 2, 6})}, d({0.5, 2.5}),
                     {{{3, 2}, {3}}, {{4, 1}, {4}}, {{2, 2}, {2}}, {{5, 3}, {5}}}));
  rows.push_back(row(lstsq_of, "a matrix", [](const Args& in) { return lstsq(in[0], in[1]).solution; },
                     {d({{2, 0}, {0, 4}}), d({{2, 4}, {4, 8}})}, d({{1, 2}, {1, 2}}), {{{3, 2}, {3, 2}}, {{4, 2}, {4, 1}}}));
  rows.push_back(row(lstsq_of, "batches, rcond", [](const Args& in) { return lstsq(in[0], in[1], 1e-12).solution; },
                     {d({{{2, 0}, {0, 4}}, {{1, 0}, {0, 2}}}), d({{{2}, {4}}, {{3}, {4}}})}, d({{{1}, {1}}, {{3}, {2}}}),
                     {{{2, 3, 2}, {2, 3, 2}}, {{2, 1, 4, 2}, {2, 1, 4, 1}}, {{0, 3, 2}, {0, 3, 1}}}));
  const auto huge = [](const Args& in) { return lstsq(in[0] * far(in[0]), in[1] * far(in[0])).solution; };
  const auto tiny = [](const Args& in) { return lstsq(in[0] * (1 / far(in[0])), in[1] * (1 / far(in[0]))).solution; };
  rows.push_back(row(lstsq_of, "huge", huge, {d({{1, 0}, {1, 1}, {1, 2}}), d({1, 2, 6})}, d({0.5, 2.5}), {{{3, 2}, {3}}, {{4, 1}, {4}}}));
  rows.push_back(row(lstsq_of, "tiny", tiny, {d({{1, 0}, {1, 1}, {1, 2}}), d({1, 2, 6})}, d({0.5, 2.5}), {{{3, 2}, {3}}, {{4, 1}, {4}}}));
  rows.push_back(row(lstsq_of, "residuals", [](const Args& in) { return lstsq(in[0], in[1]).residuals; },
                     {d({{1, 0}, {1, 1}, {1, 2}}), d({1, 2, 6})}, d(1.5), {{{3, 2}, {3}}, {{4, 1}, {4}}, {{2, 4, 2}, {2, 4, 3}}}));
}
