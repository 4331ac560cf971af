#pragma once
#include "call.h"

// One row for each operation that is not element by element. What is read from it: row.h.
namespace operations {

/// One form of an operation, as the table of gradient checks calls it (tests/autograd/ops_table_test.cpp).
struct Checked {
  std::string declaration = {};                        // that of the operation
  std::string form = {};                               // tells the forms of one declaration apart
  std::function<Tensor(const Tensors&)> f;             // constants such as labels are captured
  Tensors at;                                          // f(at), worked out by hand,
  Tensor is;                                           // is this
  std::vector<std::vector<capstan::Shape>> shapes;     // of the inputs; each is checked
  std::function<Tensor(const Tensors&)> same_as = {};  // the same by xtensor, for inputs with elements; may be missing
  double low = -2, high = 2, gap = 0;                  // where inputs lie; gap: their distance from a kink at 0
  bool has_gradient = true;
  bool flat = false;  // the gradient is 0 everywhere

  std::string name() const { return declaration + (form.empty() ? "" : ", " + form); }
  /// Inputs of these shapes.
  Tensors inputs(const std::vector<capstan::Shape>& of) const;
};

struct Operation {
  std::string name;         // begins the operation's inputs in the fuzz corpus: as declared, with what tells its forms apart
  std::string declaration;  // as in the header, without the result's type and ";"
  Call f;
  std::string kinds;       // what each tensor may be: f floating, i i64, b boolean, a of any dtype, s mostly square; "*": up to four
  std::string asked = {};  // what the comparison draws, in Python: `inputs`, `numbers`, and `constant`, those without a gradient
  std::string torch = {};  // the same by PyTorch, of the inputs x, y, z, v and of what `asked` names; "" where there is none
  std::vector<Checked> table = {};
  bool edges = true;        // whether NaN, infinities and the ends of the range are asked, too
  bool may_refuse = false;  // whether the gradient is documented to throw for some values
  bool bounded = false;     // whether finite inputs have finite gradients, whatever their size
};

/// All of them.
const std::vector<Operation>& operations();

/// Shapes for an operation of one tensor, and of two that broadcast.
const std::vector<std::vector<capstan::Shape>>& one_shapes();
const std::vector<std::vector<capstan::Shape>>& two_shapes();

/// Several parts of a table as one.
std::vector<Checked> together(std::initializer_list<std::vector<Checked>> parts);

// Parts, one for each header of autograd/ops.
void add_algebra(std::vector<Operation>& all);
void add_classification(std::vector<Operation>& all);
void add_csr(std::vector<Operation>& all);
void add_embedding(std::vector<Operation>& all);
void add_extremes(std::vector<Operation>& all);
void add_index(std::vector<Operation>& all);
void add_join(std::vector<Operation>& all);
void add_layout(std::vector<Operation>& all);
void add_linear(std::vector<Operation>& all);
void add_loss(std::vector<Operation>& all);
void add_moments(std::vector<Operation>& all);
void add_random(std::vector<Operation>& all);
void add_reduce(std::vector<Operation>& all);
void add_regression(std::vector<Operation>& all);
void add_shape(std::vector<Operation>& all);
void add_where(std::vector<Operation>& all);

}  // namespace operations
