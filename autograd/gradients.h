#pragma once
#include <capstan/core/tensor_map.h>

namespace capstan {

namespace detail {
struct GradientTable;
}

/// A gradient of which most rows are 0. Those at `rows` (i64, ascending, each once) are values[k, ...], of `shape` without its first
/// axis; all others are 0.
struct RowSparse {
  Tensor rows, values;
  Shape shape;
  /// The same with every row.
  Tensor dense() const;
};

/// A parameter with a gradient for it, for Gradients::from().
struct GradientFor {
  GradientFor(Tensor w, Tensor g) : parameter(std::move(w)), gradient(std::move(g)) {}
  GradientFor(Tensor w, RowSparse g)
      : parameter(std::move(w)), gradient(std::move(g.values)), rows(std::move(g.rows)), shape(g.shape), by_rows(true) {}

  Tensor parameter, gradient, rows;
  Shape shape;
  bool by_rows = false;
};

/// The gradients of one loss: a value that is moved along, from the tape into the optimizer. It may outlive the tape and
/// the model; to compute with what a tape of higher order recorded, take detach() of it then.
///
/// A tensor is looked up by its identity {leaf index, generation}, never by its address. A view, a clone or a later tensor in the same
/// memory is not found.
class [[nodiscard]] Gradients {
 public:
  /// Knows no tensor.
  Gradients() noexcept = default;
  /// Gradients that were computed elsewhere, for an optimizer; deep copies. A row-sparse one may have its rows in any order and
  /// twice: what comes twice is added up.
  ///
  ///     optimizer.step(Gradients::from({{w, 2 * w.detach()}, {b, ones({3})}}, loss));
  ///
  /// Throws:
  ///   - ValueError for an undefined tensor, and for one that wants no gradient (as a view or a clone of a parameter) or comes twice;
  ///   - ValueError for another dtype, and for a row that is not there;
  ///   - ShapeError for another shape.
  static Gradients from(const std::vector<GradientFor>& given, double loss = 0);
  Gradients(Gradients&& other) noexcept : table_(std::exchange(other.table_, nullptr)) {}
  Gradients& operator=(Gradients&& other) noexcept {
    std::swap(table_, other.table_);
    return *this;
  }
  ~Gradients() {
    if (table_) drop();
  }

  /// The gradient for w, of w's shape and dtype, read-only. Throws ValueError when there is none. The loss did not depend on w then, or w
  /// is a view or a clone of the tensor that it did depend on.
  Tensor operator[](const Tensor& w) const;
  bool contains(const Tensor& w) const;
  std::size_t size() const noexcept;

  /// Whether the gradient for w is kept by rows; ValueError when there is none. embedding, embedding_bag, matmul of a CsrMatrix,
  /// index_select(w, 0, index) and gather(w, 0, index) give a parameter one. They must pick at most a quarter of its rows, counted once
  /// each, but for {.sparse = true}; and nothing else may add to it.
  bool is_sparse(const Tensor& w) const;
  /// That gradient, read-only. Throws ValueError when there is none or it is dense. operator[] gives a row-sparse one as a dense tensor.
  RowSparse sparse(const Tensor& w) const;

  /// A deep copy.
  Gradients clone() const;
  /// Adds the gradients of another loss, tensor by tensor; those only the other knows are copied. Throws ShapeError,
  /// and changes nothing, when shapes or dtypes differ. Two row-sparse gradients give one, whose rows are those of both.
  Gradients& operator+=(const Gradients& other);
  /// Multiplies every gradient. Throws, and then changes nothing:
  ///   - NotFiniteError unless the factor is finite;
  ///   - ValueError for one of which f32 would make infinity or 0 when a gradient is f32.
  Gradients& operator*=(double factor);

  /// The value of the loss they belong to; after +=, the sum of the losses.
  double loss() const noexcept;

  /// For Capstan's own rooms.
  explicit Gradients(detail::GradientTable* table) noexcept : table_(table) {}
  detail::GradientTable* table() const noexcept { return table_; }

 private:
  void drop() noexcept;
  detail::GradientTable* table_ = nullptr;
};

/// sqrt(sum of all squared elements of all gradients), accumulated in f64, scaled by the largest where squares overflow or vanish. It is
/// infinite only where the norm itself is, or an element.
double global_norm(const Gradients& gradients);

/// The gradients scaled by min(1, max_norm / global_norm) (Pascanu et al., ICML 2013, algorithm 1). Throws ValueError
/// unless max_norm > 0, NotFiniteError unless all elements are finite.
Gradients clip_norm(Gradients gradients, double max_norm);
/// Each gradient g scaled by min(1, max_norm / |g|), its norm taken by itself: Keras's clipnorm, tf.clip_by_norm. Throws
/// ValueError unless max_norm > 0, NotFiniteError for an element that is not finite. Weakness: the step's direction changes, as with all
/// below.
Gradients clip_each(Gradients gradients, double max_norm);
/// The gradients with every element limited to [-limit, limit]. Throws ValueError unless limit > 0, and for one of which f32 would make
/// infinity or 0 when a gradient is f32.
Gradients clip_value(Gradients gradients, double limit);

// A row is what lies at one index of the first axis: the weights of one output of a Linear. A tensor with one axis or none
// is one row. Both throw NotFiniteError for a row that is not finite.

/// The gradients with each row g scaled by min(1, max_norm / |g|), as torch.renorm(g, 2, 0, max_norm). Throws ValueError unless
/// max_norm > 0.
Gradients clip_rows(Gradients gradients, double max_norm);
/// Adaptive gradient clipping (Brock et al., ICML 2021, eq. 3). Scales each row g of the gradient for a row w of the parameters by
/// min(1, clipping * max(|w|, eps) / |g|). A step of lr 1 changes no row by more than the share `clipping` then. Gradients of tensors that
/// are not among the parameters stay as they are: the paper leaves the last layer out. Throws ValueError unless clipping > 0 and eps > 0.
/// Weakness: rows of weights that start from 0 learn slowly, at the pace of eps.
Gradients clip_adaptive(Gradients gradients, const Parameters& parameters, double clipping = 0.01, double eps = 1e-3);

}  // namespace capstan
