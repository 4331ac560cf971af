#pragma once

// Operations on tensors. With a tape running and an input that wants a gradient they are recorded; otherwise they are plain
// arithmetic. None changes its inputs. Unless said otherwise:
//   - Operands are f32 or f64 and have the same dtype (ValueError naming both). A number takes the tensor's dtype.
//   - Shapes broadcast by NumPy's rule (ShapeError naming both). The gradient for a broadcast operand is summed over the
//     broadcast axes.
//   - The result is new memory.
// dy stands for d loss / d y.

#include <capstan/autograd/ops/activation.h>
#include <capstan/autograd/ops/algebra.h>
#include <capstan/autograd/ops/arithmetic.h>
#include <capstan/autograd/ops/classification.h>
#include <capstan/autograd/ops/compare.h>
#include <capstan/autograd/ops/csr.h>
#include <capstan/autograd/ops/embedding.h>
#include <capstan/autograd/ops/extremes.h>
#include <capstan/autograd/ops/factor.h>
#include <capstan/autograd/ops/index.h>
#include <capstan/autograd/ops/join.h>
#include <capstan/autograd/ops/layout.h>
#include <capstan/autograd/ops/linear.h>
#include <capstan/autograd/ops/loss.h>
#include <capstan/autograd/ops/moments.h>
#include <capstan/autograd/ops/norm.h>
#include <capstan/autograd/ops/pointwise.h>
#include <capstan/autograd/ops/random.h>
#include <capstan/autograd/ops/reduce.h>
#include <capstan/autograd/ops/regression.h>
#include <capstan/autograd/ops/shape.h>
#include <capstan/autograd/ops/sort.h>
