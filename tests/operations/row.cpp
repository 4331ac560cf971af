#include "row.h"

#include <stdexcept>

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

const Row& row(const std::string& name) {
  for (const Row& r : rows())
    if (r.name == name) return r;
  throw std::out_of_range("no row in tests/operations: " + name);
}

std::vector<Refused> refusals(const Row& r) {
  if (r.kinds.find_first_not_of('f') != std::string::npos) return {};
  using capstan::DType, capstan::zeros;
  const std::string op = "[" + r.name.substr(0, r.name.find(',')) + "] ";
  const Tensor whole = zeros({2}, DType::i64), two = zeros({2}), three = zeros({3}), wide = zeros({2}, DType::f64);
  if (r.name == "square") return {{{zeros({2}, DType::boolean)}, "ValueError: [square] takes f32 or f64: boolean [2] (convert with to())"}};
  if (r.f.tensors == 1) return {{{whole}, "ValueError: " + op + "takes f32 or f64: i64 [2] (convert with to())"}};
  return {{{whole, whole}, "ValueError: " + op + "does not take i64 (convert with to())"},
          {{two, wide}, "ValueError: " + op + "dtypes must agree: f32 [2] and f64 [2] (convert one with to())"},
          {{two, three}, "ShapeError: " + op + "shapes must broadcast: [2] and [3] (sizes equal or 1, aligned at the last axis)"}};
}

}  // namespace operations
