#pragma once
#include <capstan/core/tensor.h>

namespace capstan {

namespace detail {
struct GradientTable;
}

/// The gradients of one loss: a value that is moved along, from the tape into the optimizer. It may outlive the tape and
/// the model. A tensor is looked up by its identity {leaf index, generation}, never by its address: a view, a clone or a
/// later tensor in the same memory is not found.
class [[nodiscard]] Gradients {
 public:
  /// Knows no tensor.
  Gradients() noexcept = default;
  Gradients(Gradients&& other) noexcept : table_(std::exchange(other.table_, nullptr)) {}
  Gradients& operator=(Gradients&& other) noexcept {
    std::swap(table_, other.table_);
    return *this;
  }
  ~Gradients();

  /// The gradient for w, of w's shape and dtype, read-only. Throws ValueError when there is none: the loss did not
  /// depend on w, or w is a view or a clone of the tensor that it did depend on.
  Tensor operator[](const Tensor& w) const;
  bool contains(const Tensor& w) const;
  std::size_t size() const noexcept;

  /// A deep copy.
  Gradients clone() const;
  /// Adds the gradients of another loss, tensor by tensor; those only the other knows are copied. Throws ShapeError,
  /// and changes nothing, when shapes or dtypes differ.
  Gradients& operator+=(const Gradients& other);
  /// Multiplies every gradient; throws ValueError unless the factor is finite.
  Gradients& operator*=(double factor);

  /// The value of the loss they belong to; after +=, the sum of the losses.
  double loss() const noexcept;

  /// For Capstan's own rooms.
  explicit Gradients(detail::GradientTable* table) noexcept : table_(table) {}
  detail::GradientTable* table() const noexcept { return table_; }

 private:
  detail::GradientTable* table_ = nullptr;
};

/// sqrt(sum of all squared elements of all gradients), accumulated in f64.
double global_norm(const Gradients& gradients);

/// The gradients scaled by min(1, max_norm / global_norm) (Pascanu et al., ICML 2013, algorithm 1). Throws ValueError
/// unless max_norm > 0 and the norm is finite.
Gradients clip_norm(Gradients gradients, double max_norm);
/// The gradients with every element limited to [-limit, limit]. Throws ValueError unless limit > 0.
Gradients clip_value(Gradients gradients, double limit);

}  // namespace capstan
