// Products of a matrix by rows.
#include "by_xtensor.h"

using namespace capstan;

namespace operations {

namespace {

/// A matrix of three columns with an empty row and columns that come again: values [5] at these places.
CsrMatrix csr_of(const Tensor& values) { return {tensor({0, 2, 2, 5}, DType::i64), tensor({0, 2, 0, 1, 2}, DType::i64), values, {3, 3}}; }
/// A row of one value, which many columns have not.
CsrMatrix one_value(const Tensor& values) { return {tensor({0, 1}, DType::i64), tensor({3}, DType::i64), values, {1, 9}}; }

}  // namespace

void add_csr(std::vector<Operation>& all) {
  const auto add = [&](Checked form) { all.back().table.push_back(std::move(form)); };
  all.push_back({.name = "matmul, CsrMatrix",
                 .declaration = "matmul(const CsrMatrix& x, const Tensor& w)",
                 .f =
                     [](const Tensor& crow, const Tensor& col, const Tensor& v, const Tensor& w) {
                       return matmul(CsrMatrix(crow, col, v, {crow.numel() - 1, w.size(0)}), w);
                     },
                 .kinds = "iiff",
                 .asked = "inputs = d.csr()",
                 .torch = "torch.zeros(len(x) - 1, len(v), dtype=z.dtype).index_put((torch.arange(len(x) - 1).repeat_interleave(x.diff()), "
                          "y), z) @ v",
                 .edges = false});
  const auto by_dense = [](const Tensors& in) { return matmul(csr_of(in[0]).to_dense(), in[1]); };
  const Tensor v = d({1, 2, 3, 4, 5});
  add({.form = "to a matrix",
       .f = [](const Tensors& in) { return matmul(csr_of(in[0]), in[1]); },
       .at = {v, d({{1, 10}, {2, 20}, {3, 30}})},
       .is = d({{7, 70}, {0, 0}, {26, 260}}),
       .shapes = {{{5}, {3, 2}}, {{5}, {3, 1}}, {{5}, {3, 11}}, {{5}, {3, 0}}},
       .same_as = by_dense});
  add({.form = "to a vector",
       .f = [](const Tensors& in) { return matmul(csr_of(in[0]), in[1]); },
       .at = {v, d({1, 2, 3})},
       .is = d({7, 0, 26}),
       .shapes = {{{5}, {3}}},
       .same_as = by_dense});
  add({.form = "one value",
       .f = [](const Tensors& in) { return matmul(one_value(in[0]), in[1]); },
       .at = {d({2}), d({1, 2, 3, 4, 5, 6, 7, 8, 9})},
       .is = d({8}),
       .shapes = {{{1}, {9}}, {{1}, {9, 2}}}});
}

}  // namespace operations
