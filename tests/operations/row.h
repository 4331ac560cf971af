#pragma once
#include <string>

#include "operation.h"

// One row for each element-wise operation, with all that its tests need to know; for the others: operation.h. Both are read by the
// table of gradient checks (tests/autograd), by the fuzz target (tests/fuzz), by the comparison with PyTorch (tests/oracles) and, of
// the functions of one number, by the tests of their kernels (tests/core). No row here needs a second one there.
namespace operations {

/// The same for one number, by the standard library in a wider type.
class Exact {
 public:
  Exact() noexcept = default;
  template <class F>
  Exact(F f) : of_double(f), of_long(f) {}

  double (*of_double)(double) = nullptr;
  long double (*of_long)(long double) = nullptr;
};

/// One choice of numbers, with a result worked out by hand.
struct Case {
  Numbers numbers = {};
  Tensors at;
  Tensor is;                           // f(at, numbers)
  double low = -2, high = 2, gap = 0;  // where the table's inputs lie; gap: their distance from a kink at 0
  bool flat = false;                   // the gradient is 0 everywhere
};

struct Row {
  std::string name;              // begins the operation's inputs in the fuzz corpus: as declared, with what tells its forms apart
  std::string declaration = {};  // as in the header, without the result's type; "": name(const Tensor& x)
  Call f;                        // f(x), f(x, p), f(x, p, q), f(p, x) or f(x, y)
  std::string torch;             // the same by PyTorch, in Python
  std::string numbers = {};      // what the comparison draws p and q from, in Python (Draw of tests/oracles/questions.py)
  std::string kinds = "f";       // what each tensor may be: f floating, a of any dtype, b boolean
  Exact exact = {};              // of one tensor alone,
  double ulps = 0;               // within this many units in the last place
  std::function<Tensor(const Tensors&, const Numbers&)> same_as = {};  // where there is no `exact`: by xtensor
  std::vector<Case> cases;
  std::vector<double> edges = {};  // of one tensor: f at -inf, -0, 0 and inf for the first case's numbers; at NaN it is NaN

  std::string declared() const;
};

/// All of them.
const std::vector<Row>& rows();
/// That of this name, which there must be.
const Row& row(const std::string& name);

/// Tensors that an operation of floating ones refuses, and the text.
struct Refused {
  Tensors x;
  std::string text;
};
std::vector<Refused> refusals(const Row& row);

// Parts, one for each header of autograd/ops.
void add_arithmetic(std::vector<Row>& rows);
void add_pointwise(std::vector<Row>& rows);
void add_activation(std::vector<Row>& rows);
void add_compare(std::vector<Row>& rows);

/// f64 and boolean tensors of the given numbers.
inline Tensor d(const capstan::NestedList& list) { return capstan::tensor(list, capstan::DType::f64); }
inline Tensor booleans(const capstan::NestedList& list) { return capstan::tensor(list, capstan::DType::boolean); }

}  // namespace operations
