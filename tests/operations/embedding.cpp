// Rows of a table, one by one and in bags.
#include "by_xtensor.h"

using namespace capstan;

namespace operations {

namespace {

Tensor i64(const NestedList& list) { return tensor(list, DType::i64); }
BagMode mode_of(std::int64_t m) { return m == 1 ? BagMode::mean : m == 2 ? BagMode::max : BagMode::sum; }

const NestedList m = {{1, 2}, {3, 4}, {5, 6}, {7, 9}};
const std::vector<std::vector<Shape>> tables = {{{4, 2}}, {{5, 1}}, {{20, 3}}, {{4, 0}}};

/// Bags of rows 3, 0, 3, of none and of rows 1, 0.
Tensor bags(const Tensor& table, const BagOptions& options) { return embedding_bag(i64({3, 0, 3, 1, 0}), table, i64({0, 3, 3}), options); }
/// The rows of the first and the last of these bags, which one product adds up: c (3 rows) and e (2 rows).
Tensor by_rows(const Tensor& table, double c, double e) {
  const Tensor each = index_select(table, 0, i64({3, 0, 3, 1, 0}));
  return concat({c * sum(each.rows(0, 3), 0, true), 0.0 * table.rows(0, 1), e * sum(each.rows(3, 5), 0, true)});
}

}  // namespace

void add_embedding(std::vector<Operation>& all) {
  const auto add = [&](const char* form, std::function<Tensor(const Tensors&)> f, const NestedList& is,
                       std::function<Tensor(const Tensors&)> same_as = {}) {
    all.back().table.push_back(
        {.form = form, .f = std::move(f), .at = {d(m)}, .is = d(is), .shapes = tables, .same_as = std::move(same_as)});
  };
  all.push_back({.name = "embedding",
                 .declaration = "embedding(const Tensor& index, const Tensor& table, const LookUpOptions& options = {})",
                 .f = [](const Tensor& index, const Tensor& table, std::int64_t padding,
                         bool sparse) { return embedding(index, table, {.padding_idx = padding, .sparse = sparse}); },
                 .kinds = "ia",
                 .asked = "n = d.whole(1, 6); p, _ = numbers = d.whole(-1, n - 1), d.flag(); "
                          "inputs = [d.labels(d.shape(0, 3), n), d.values((n, d.whole(0, 4)))]",
                 .torch = "F.embedding(x, y, padding_idx=None if p < 0 else p)"});
  add("two axes, a row twice",
      [](const Tensors& in) {
        return embedding(i64({{3, 0}, {3, 2}}), in[0]);
      },
      {{{7, 9}, {1, 2}}, {{7, 9}, {5, 6}}});
  add("one row, kept by rows", [](const Tensors& in) { return embedding(i64(1), in[0], {.sparse = true}); }, {3, 4});
  all.back().table.back().shapes = {{{2, 2}}, {{20, 3}}};
  all.push_back(
      {.name = "embedding_bag",
       .declaration = "embedding_bag(const Tensor& index, const Tensor& table, const Tensor& offsets, const BagOptions& options = {})",
       .f =
           [](const Tensor& index, const Tensor& table, const Tensor& offsets, std::int64_t mode, std::int64_t padding, bool sparse) {
             return embedding_bag(index, table, offsets, {.mode = mode_of(mode), .padding_idx = padding, .sparse = sparse});
           },
       .kinds = "ifi",
       .asked = "inputs = d.bags()[:3]; m, p, _ = numbers = d.whole(0, 2), d.whole(-1, len(inputs[1]) - 1), d.flag()",
       .torch = "F.embedding_bag(x, y, z, mode=('sum', 'mean', 'max')[m], padding_idx=None if p < 0 else p)",
       .edges = false});
  add(
      "sum", [](const Tensors& in) { return bags(in[0], {}); }, {{15, 20}, {0, 0}, {4, 6}},
      [](const Tensors& in) { return by_rows(in[0], 1, 1); });
  add(
      "mean", [](const Tensors& in) { return bags(in[0], {.mode = BagMode::mean}); }, {{5, 20. / 3}, {0, 0}, {2, 3}},
      [](const Tensors& in) { return by_rows(in[0], 1. / 3, 0.5); });
  add("max", [](const Tensors& in) { return bags(in[0], {.mode = BagMode::max}); }, {{7, 9}, {0, 0}, {3, 4}});
  all.push_back(
      {.name = "embedding_bag, weights",
       .declaration = all.back().declaration,
       .f =
           [](const Tensor& index, const Tensor& table, const Tensor& offsets, const Tensor& v, std::int64_t padding, bool sparse) {
             return embedding_bag(index, table, offsets, {.per_sample_weights = v, .padding_idx = padding, .sparse = sparse});
           },
       .kinds = "ifif",
       .asked = "inputs = d.bags(); p, _ = numbers = d.whole(-1, len(inputs[1]) - 1), d.flag()",
       .torch = "F.embedding_bag(x, y, z, mode='sum', per_sample_weights=v, padding_idx=None if p < 0 else p)",
       .edges = false});
  all.back().table.push_back({.form = "weights",
                              .f = [](const Tensors& in) { return bags(in[0], {.per_sample_weights = in[1]}); },
                              .at = {d(m), d({1, 2, 3, 4, 5})},
                              .is = d({{30, 40}, {0, 0}, {17, 26}}),
                              .shapes = {{{4, 2}, {5}}, {{5, 1}, {5}}, {{20, 3}, {5}}, {{4, 0}, {5}}}});
  all.push_back(
      {.name = "embedding_bag, one length",
       .declaration = "embedding_bag(const Tensor& index, const Tensor& table, const BagOptions& options = {})",
       .f = [](const Tensor& index, const Tensor& table, std::int64_t mode, std::int64_t padding,
               bool sparse) { return embedding_bag(index, table, {.mode = mode_of(mode), .padding_idx = padding, .sparse = sparse}); },
       .kinds = "if",
       .asked = "n = d.whole(1, 6); m, p, _ = numbers = d.whole(0, 2), d.whole(-1, n - 1), d.flag(); "
                "inputs = [d.labels((d.whole(1, 4), d.whole(1, 5)), n), d.values((n, d.whole(1, 4)))]",
       .torch = "F.embedding_bag(x, y, mode=('sum', 'mean', 'max')[m], padding_idx=None if p < 0 else p)",
       .edges = false});
  add("sum", [](const Tensors& in) { return embedding_bag(i64({{3, 0}, {1, 1}}), in[0]); }, {{8, 11}, {6, 8}});
}

}  // namespace operations
