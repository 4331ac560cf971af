// Batched products and linear algebra.
#include "by_xtensor.h"
#include "xsort.h"

using namespace capstan;

namespace operations {

namespace {

using Formula = std::function<Tensor(const Tensors&)>;

Checked row(const char* form, Formula f, const Tensors& at, const Tensor& is, const std::vector<std::vector<Shape>>& shapes,
            Formula same_as = {}) {
  return {.form = form, .f = std::move(f), .at = at, .is = is, .shapes = shapes, .same_as = std::move(same_as)};
}

/// x made invertible: x + 3 times the identity; and positive definite: x x^T + the identity.
Tensor regular(const Tensor& x) { return x + 3 * eye(x.size(-1), x.dtype()); }
Tensor definite(const Tensor& x) { return matmul(x, x, {.transpose_b = true}) + eye(x.size(-1), x.dtype()); }

/// A power of two whose square x's dtype does not hold.
double far(const Tensor& x) { return x.dtype() == DType::f32 ? 0x1p100 : 0x1p1000; }

const std::vector<std::vector<Shape>> squares = {{{1, 1}}, {{2, 2}}, {{3, 3}}, {{2, 3, 3}}, {{5, 5}}, {{0, 0}}, {{0, 2, 2}}};

}  // namespace

void add_algebra(std::vector<Operation>& all) {
  const auto add = [&](Checked form) { all.back().table.push_back(std::move(form)); };
  all.push_back({.name = "dot",
                 .declaration = "dot(const Tensor& a, const Tensor& b)",
                 .f = dot,
                 .kinds = "ff",
                 .asked = "n = d.whole(0, 40); inputs = [d.values((n,), huge=False), d.values((n,), huge=False)]",
                 .torch = "torch.dot(x, y)"});
  add(row(
      "", [](const Tensors& in) { return dot(in[0], in[1]); }, {d({1, 2, 3}), d({4, -5, 6})}, d(12),
      {{{3}, {3}}, {{1}, {1}}, {{0}, {0}}, {{20}, {20}}}, by_xtensor([](const auto& a, const auto& b) { return xt::sum(a * b); })));
  all.push_back({.name = "outer",
                 .declaration = "outer(const Tensor& a, const Tensor& b)",
                 .f = outer,
                 .kinds = "ff",
                 .asked = "inputs = [d.values((d.whole(0, 9),), huge=False), d.values((d.whole(0, 9),), huge=False)]",
                 .torch = "torch.outer(x, y)"});
  add(row(
      "", [](const Tensors& in) { return outer(in[0], in[1]); }, {d({1, 2}), d({3, 4, 5})}, d({{3, 4, 5}, {6, 8, 10}}),
      {{{3}, {3}}, {{2}, {4}}, {{0}, {2}}, {{1}, {1}}}, by_xtensor([](const auto& a, const auto& b) {
        return xt::xarray<double>(xt::view(a, xt::all(), xt::newaxis()) * xt::view(b, xt::newaxis(), xt::all()));
      })));
  all.push_back({.name = "solve",
                 .declaration = "solve(const Tensor& a, const Tensor& b)",
                 .f = solve,
                 .kinds = "sf",
                 .asked = "a = d.regular(d.whole(1, 6)); v = a.ndim == 2 and d.flag(); inputs = [a, d.values(a.shape[:-1] if v else "
                          "a.shape[:-1] + (d.whole(1, 4),), huge=False)]",
                 .torch = "torch.linalg.solve(x, y)",
                 .edges = false});
  add(row("a matrix", [](const Tensors& in) { return solve(regular(in[0]), in[1]); }, {d({{-1, 1}, {1, 0}}), d({{5, 3}, {5, 4}})},
          d({{2, 1}, {1, 1}}),
          {{{2, 2}, {2, 3}}, {{1, 1}, {1, 1}}, {{3, 3}, {3, 1}}, {{2, 3, 3}, {2, 3, 2}}, {{0, 0}, {0, 2}}, {{2, 2}, {2, 0}}}));
  add(row("a vector", [](const Tensors& in) { return solve(regular(in[0]), in[1]); }, {d({{-1, 1}, {1, 0}}), d({5, 5})}, d({2, 1}),
          {{{2, 2}, {2}}, {{1, 1}, {1}}, {{4, 4}, {4}}}));
  all.push_back({.name = "inverse",
                 .declaration = "inverse(const Tensor& a)",
                 .f = inverse,
                 .kinds = "s",
                 .asked = "n = d.whole(1, 5); inputs = [d.regular(n) / (2 * n)]",
                 .torch = "torch.linalg.inv(x)",
                 .edges = false});
  add(row(
      "", [](const Tensors& in) { return inverse(regular(in[0])); }, {d({{-1, 0}, {0, 1}})}, d({{0.5, 0}, {0, 0.25}}), squares));
  all.push_back(
      {.name = "det",
       .declaration = "det(const Tensor& a)",
       .f =
           [](const Tensor& a) {  // of small matrices: for a singular one the gradient takes n^2 determinants, the second order n^4
             return det(a.defined() && a.dim() > 1 && a.size(-1) > 5 && a.numel() > 0
                            ? index_select(index_select(a, -1, arange(5, DType::i64)), -2, arange(5, DType::i64))
                            : a);
           },
       .kinds = "s",
       .asked = "n = d.whole(1, 5); inputs = [d.regular(n) / (2 * n)]",
       .torch = "torch.linalg.det(x)",
       .edges = false});
  add(row("", [](const Tensors& in) { return det(in[0]); }, {d({{0, 2, 0}, {3, 0, 0}, {0, 0, 4}})}, d(-24),
          {{{1, 1}}, {{2, 2}}, {{3, 3}}, {{2, 2, 2}}, {{0, 0}}}));
  add(row("rows of unlike size",
          [](const Tensors& in) {
            const double c = std::sqrt(far(in[0]));
            const Tensor sizes = tensor({{c}, {1}, {1 / c}}, in[0].dtype());
            return det(in[0] * sizes);
          },
          {d({{0, 2, 0}, {3, 0, 0}, {0, 0, 4}})}, d(-24), {{{3, 3}}, {{2, 3, 3}}}));
  all.push_back({.name = "logdet",
                 .declaration = "logdet(const Tensor& a)",
                 .f = logdet,
                 .kinds = "s",
                 .asked = "n = d.whole(1, 5); inputs = [d.regular(n) / (2 * n)]",
                 .torch = "torch.logdet(x)",
                 .edges = false,
                 .may_refuse = true});
  add(row(
      "", [](const Tensors& in) { return logdet(definite(in[0])); }, {d({{1, 0}, {0, 2}})}, d(std::log(10.)), squares));
  all.push_back({.name = "cholesky",
                 .declaration = "cholesky(const Tensor& a)",
                 .f =
                     [](const Tensor& a, bool heavy) {  // of a symmetric matrix with a heavy diagonal, which most drawn ones are not
                       return cholesky(heavy ? matmul(a, a, {.transpose_b = true}) + eye(a.size(-1), a.dtype()) : a);
                     },
                 .kinds = "s",
                 .asked = "n = d.whole(1, 5); a = d.regular(n); inputs, numbers = [a @ np.swapaxes(a, -1, -2) / n], [False]",
                 .torch = "torch.linalg.cholesky(x)",
                 .edges = false});
  add(row(
      "", [](const Tensors& in) { return cholesky(definite(in[0])); }, {d({{std::sqrt(3.), 0}, {2 / std::sqrt(3.), std::sqrt(8. / 3)}})},
      d({{2, 0}, {1, 2}}), squares));

  all.push_back({.name = "qr",
                 .declaration = "qr(const Tensor& a)",
                 .f = qr,
                 .kinds = "f",
                 .asked = "n = d.whole(1, 4); a = d.regular(n); inputs = [np.concatenate([a, d.values(a.shape[:-2] + (d.whole(0, 3), n), "
                          "huge=False)], -2)]",
                 .torch = "list(torch.linalg.qr(x))",
                 .edges = false,
                 .may_refuse = true});
  const std::vector<std::vector<Shape>> tall = {{{2, 2}}, {{3, 2}}, {{4, 1}}, {{2, 4, 3}}};
  add(row(
      "q r",
      [](const Tensors& in) {
        const QR f = qr(in[0]);
        return matmul(f.q, f.r);
      },
      {d({{3, 1}, {4, 2}})}, d({{3, 1}, {4, 2}}), tall, [](const Tensors& in) { return in[0]; }));
  add(row(
      "q",
      [](const Tensors& in) {
        const Tensor q = qr(in[0]).q;
        return q * abs(q);
      },
      {d({{3, 0}, {4, 0}})}, d({{-0.36, -0.64}, {-0.64, 0.36}}), tall));
  add(row(
      "r", [](const Tensors& in) { return square(qr(in[0]).r); }, {d({{3, 0}, {4, 5}})}, d({{25, 16}, {0, 9}}), tall));
  all.push_back(
      {.name = "eigh",
       .declaration = "eigh(const Tensor& a)",
       .f = [](const Tensor& a) -> Tensors {  // the vectors up to their sign
         const Eigh e = eigh(a);
         return {e.values, abs(e.vectors)};
       },
       .kinds = "s",
       .asked = "n = d.whole(1, 5); a = d.values((n, n), -0.2, 0.2, huge=False) + np.diag(np.arange(n) * 3.0); inputs = [(a + a.T) / 2]",
       .torch = "eigen((x + x.mT) / 2)",
       .edges = false});
  const std::vector<std::vector<Shape>> symmetric = {{{1, 1}}, {{2, 2}}, {{3, 3}}, {{2, 3, 3}}};
  const auto even = [](const Tensor& x) { return 0.5 * (x + transpose(x)); };
  add(row(
      "values", [=](const Tensors& in) { return eigh(even(in[0])).values; }, {d({{2, 1}, {1, 2}})}, d({1, 3}), symmetric));
  add(row("vectors", [=](const Tensors& in) { return square(eigh(even(in[0])).vectors); }, {d({{2, 1}, {1, 2}})},
          d({{0.5, 0.5}, {0.5, 0.5}}), {{{2, 2}}, {{3, 3}}, {{2, 3, 3}}}));
  add(row(
      "v diag(w) v^T",
      [=](const Tensors& in) {
        const Eigh e = eigh(even(in[0]));
        return matmul(e.vectors * unsqueeze(e.values, -2), e.vectors, {.transpose_b = true});
      },
      {d({{2, 1}, {1, 2}})}, d({{2, 1}, {1, 2}}), symmetric));
  all.push_back(
      {.name = "lstsq",
       .declaration = "lstsq(const Tensor& a, const Tensor& b, std::optional<double> rcond = {})",
       .f = [](const Tensor& a, const Tensor& b, bool cut, double rcond) { return lstsq(a, b, cut ? std::optional(rcond) : std::nullopt); },
       .kinds = "ff",
       .asked = "n, s = d.whole(1, 4), d.shape(0, 2, empty=False); a = d.values(s + (n + d.whole(0, 3), n), -1, 1, huge=False); a[..., :n, "
                ":] += 2 * n * np.eye(n); v = not s and d.flag(); c, r = numbers = d.flag(), float(d.rng.choice([1e-12, 1e-3])); inputs = "
                "[a, d.values(a.shape[:-1] if v else a.shape[:-1] + (d.whole(1, 3),), huge=False)]",
       .torch = "least_squares(x, y, r if c else None)",
       .edges = false,
       .may_refuse = true});
  add(row("a vector", [](const Tensors& in) { return lstsq(in[0], in[1]).solution; }, {d({{1, 0}, {1, 1}, {1, 2}}), d({1, 2, 6})},
          d({0.5, 2.5}), {{{3, 2}, {3}}, {{4, 1}, {4}}, {{2, 2}, {2}}, {{5, 3}, {5}}}));
  add(row("a matrix", [](const Tensors& in) { return lstsq(in[0], in[1]).solution; }, {d({{2, 0}, {0, 4}}), d({{2, 4}, {4, 8}})},
          d({{1, 2}, {1, 2}}), {{{3, 2}, {3, 2}}, {{4, 2}, {4, 1}}}));
  add(row("batches, rcond", [](const Tensors& in) { return lstsq(in[0], in[1], 1e-12).solution; },
          {d({{{2, 0}, {0, 4}}, {{1, 0}, {0, 2}}}), d({{{2}, {4}}, {{3}, {4}}})}, d({{{1}, {1}}, {{3}, {2}}}),
          {{{2, 3, 2}, {2, 3, 2}}, {{2, 1, 4, 2}, {2, 1, 4, 1}}, {{0, 3, 2}, {0, 3, 1}}}));
  const auto huge = [](const Tensors& in) { return lstsq(in[0] * far(in[0]), in[1] * far(in[0])).solution; };
  const auto tiny = [](const Tensors& in) { return lstsq(in[0] * (1 / far(in[0])), in[1] * (1 / far(in[0]))).solution; };
  add(row("huge", huge, {d({{1, 0}, {1, 1}, {1, 2}}), d({1, 2, 6})}, d({0.5, 2.5}), {{{3, 2}, {3}}, {{4, 1}, {4}}}));
  add(row("tiny", tiny, {d({{1, 0}, {1, 1}, {1, 2}}), d({1, 2, 6})}, d({0.5, 2.5}), {{{3, 2}, {3}}, {{4, 1}, {4}}}));
  add(row("residuals", [](const Tensors& in) { return lstsq(in[0], in[1]).residuals; }, {d({{1, 0}, {1, 1}, {1, 2}}), d({1, 2, 6})}, d(1.5),
          {{{3, 2}, {3}}, {{4, 1}, {4}}, {{2, 4, 2}, {2, 4, 3}}}));
}

}  // namespace operations
