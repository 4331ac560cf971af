#include "row.h"

#include <stdexcept>

#include "../numbers.h"

using capstan::DType, capstan::Shape;

namespace operations {

std::string Row::declared() const { return declaration.empty() ? name + "(const Tensor& x)" : declaration; }

const std::vector<Row>& rows() {
  static const std::vector<Row> all = [] {
    std::vector<Row> list;
    add_arithmetic(list);
    add_pointwise(list);
    add_activation(list);
    add_compare(list);
    return list;
  }();
  return all;
}

const std::vector<Operation>& operations() {
  static const std::vector<Operation> all = [] {
    std::vector<Operation> list;
    for (const auto add : {add_where, add_reduce, add_extremes, add_moments, add_shape, add_layout, add_join, add_index, add_embedding,
                           add_linear, add_csr, add_algebra, add_loss, add_regression, add_classification, add_random})
      add(list);
    for (Operation& o : list)
      for (Checked& c : o.table) c.declaration = o.declaration;
    return list;
  }();
  return all;
}

std::vector<Checked> together(std::initializer_list<std::vector<Checked>> parts) {
  std::vector<Checked> all;
  for (const std::vector<Checked>& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Tensors Checked::inputs(const std::vector<Shape>& of) const {
  Tensors in;
  for (std::size_t k = 0; k < of.size(); ++k) in.push_back(numbers(of[k], low, high, static_cast<int>(k), gap));
  return in;
}

const std::vector<std::vector<Shape>>& one_shapes() {
  static const std::vector<std::vector<Shape>> shapes = {{{}},        {{0}},       {{1}},       {{7}},    {{2, 3}}, {{1, 1, 1}},
                                                         {{2, 1, 3}}, {{2, 0, 3}}, {{3, 2, 2}}, {{5, 1}}, {{1, 5}}, {{1, 2, 1, 2, 1, 2}}};
  return shapes;
}

const std::vector<std::vector<Shape>>& two_shapes() {
  static const std::vector<std::vector<Shape>> shapes = {{{}, {}},
                                                         {{3}, {}},
                                                         {{}, {3}},
                                                         {{1}, {1}},
                                                         {{0}, {0}},
                                                         {{0}, {1}},
                                                         {{}, {0}},
                                                         {{1}, {1, 1}},
                                                         {{1, 1}, {1}},
                                                         {{2, 3}, {2, 3}},
                                                         {{2, 3}, {3}},
                                                         {{3}, {2, 3}},
                                                         {{2, 3}, {1, 3}},
                                                         {{1, 3}, {2, 3}},
                                                         {{2, 3}, {2, 1}},
                                                         {{2, 1}, {2, 3}},
                                                         {{2, 1}, {1, 3}},
                                                         {{1, 3}, {2, 1}},
                                                         {{2, 1, 3}, {4, 1}},
                                                         {{4, 1}, {2, 1, 3}},
                                                         {{1, 1}, {3}},
                                                         {{3}, {1, 1}},
                                                         {{2, 2, 2}, {2, 1, 2}},
                                                         {{2, 1, 2}, {2, 2, 2}},
                                                         {{2, 0}, {2, 1}},
                                                         {{1, 3}, {0, 3}},
                                                         {{2, 2, 3}, {1, 3}},
                                                         {{1, 3}, {2, 2, 3}},
                                                         {{2, 1, 2, 1, 2, 1}, {2, 1, 2, 1, 2}},
                                                         {{2, 3}, {}},
                                                         {{1}, {2, 2, 2}}};
  return shapes;
}

const Row& row(const std::string& name) {
  for (const Row& r : rows())
    if (r.name == name) return r;
  throw std::out_of_range("no row in tests/operations: " + name);
}

std::vector<Refused> refusals(const Row& r) {
  if (r.kinds.find_first_not_of('f') != std::string::npos) return {};
  using capstan::zeros;
  const std::string op = "[" + r.name.substr(0, r.name.find(',')) + "] ";
  const Tensor whole = zeros({2}, DType::i64), two = zeros({2}), three = zeros({3}), wide = zeros({2}, DType::f64);
  if (r.name == "square") return {{{zeros({2}, DType::boolean)}, "ValueError: [square] takes f32 or f64: boolean [2] (convert with to())"}};
  if (r.f.tensors == 1) return {{{whole}, "ValueError: " + op + "takes f32 or f64: i64 [2] (convert with to())"}};
  return {{{whole, whole}, "ValueError: " + op + "does not take i64 (convert with to())"},
          {{two, wide}, "ValueError: " + op + "dtypes must agree: f32 [2] and f64 [2] (convert one with to())"},
          {{two, three}, "ShapeError: " + op + "shapes must broadcast: [2] and [3] (sizes equal or 1, aligned at the last axis)"}};
}

}  // namespace operations
