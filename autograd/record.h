#pragma once
#include <capstan/autograd/tape.h>
#include <capstan/core/grad_mode.h>

#include <initializer_list>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace capstan {

/// A tensor kept for an operation's gradient rule, with its version: get() throws ValueError, naming the operation, when
/// the elements were changed in place since. Keeps nothing when no tape runs.
class Saved {
 public:
  Saved() noexcept = default;
  explicit Saved(const Tensor& t) {
    if (detail::running_tape == 0) [[unlikely]]
      return;
    detail::Header* h = t.header();
    detail::retain(h);
    tensor_ = Tensor::adopt(h);
    version_ = (h->owner ? h->owner : h)->version;
  }
  /// Takes the handle over, which saves counting.
  explicit Saved(Tensor&& t) {
    if (detail::running_tape == 0) [[unlikely]]
      return;
    tensor_ = std::move(t);
    version_ = tensor_.version();
  }
  const Tensor& get() const {
    if (tensor_.version() != version_) changed();
    return tensor_;
  }

 private:
  [[noreturn, gnu::cold]] void changed() const;
  Tensor tensor_;
  std::uint32_t version_ = 0;
};
inline Saved saved(const Tensor& t) { return Saved(t); }
inline Saved saved(Tensor&& t) { return Saved(std::move(t)); }
/// t, which only the gradient for `input` needs. Keeps nothing when `input` is a constant to every tape: the rule, whose wants()
/// is then false, must not ask for it. Of a product with one constant side only that side is kept.
inline Saved saved_for(const Tensor& input, const Tensor& t) {
  const detail::Header* h = input.header();
  return h->tape != 0 || (h->flags & detail::kLeaf) ? Saved(t) : Saved();
}

namespace detail {
struct Slot;
/// Whether a tape of higher order runs.
bool higher_order() noexcept;
}  // namespace detail

/// What a gradient rule adds its results to: one place for each input of the operation, in the order given to record().
class Inputs {
 public:
  /// Whether anybody wants the gradient for input i; if not, its computation can be skipped.
  bool wants(int i) const noexcept { return edges_[i] != nullptr; }
  /// Adds g, of the shape and dtype of input i (else ShapeError), to the gradient for input i. The engine accumulates:
  /// the first writer's tensor is kept as it is, later ones are added.
  void add(int i, Tensor g);
  /// Adds g summed over the axes along which input i was broadcast.
  void add_reduced(int i, Tensor g);
  /// Adds values[k, ...] at row index[k] of the gradient for input i. The index is an i64 vector, in any order, with repetitions.
  /// The gradient for a parameter then stays row-sparse (Gradients::is_sparse) while nothing else adds to it.
  /// Throws:
  ///   - ShapeError unless values are [n, the input's other sizes].
  ///   - ValueError for another dtype than the input's, an index that is not i64 [n], and a row that is not there.
  void add_rows(int i, const Tensor& index, const Tensor& values);
  /// The shape of input i; only for an input that is wanted.
  Shape shape(int i) const;

  /// dy, given away with the last use that the rule makes of it: what operations make of it may take over its memory. The rule's own dy
  /// names nothing afterwards. It must not be changed in place: another gradient may be the same tensor.
  Tensor take_dy() noexcept { return keeps_dy_ ? *dy_ : std::move(*dy_); }

  /// The number of inputs.
  int count() const noexcept { return count_; }
  /// Whether what the rule computes is recorded (Tape({.higher_order = true})). Then it must compute with operations
  /// alone, of dy, saved tensors and the result; place() and a result of anything else are refused (ValueError).
  bool recorded() const noexcept { return recorded_; }

  /// Where a kernel may write or, when `accumulate` is set, add the gradient for input i by itself; only for an input that
  /// is wanted.
  struct Place {
    void* data;
    bool accumulate;
  };
  Place place(int i);
  /// Says that what gathers for input i by now is finite, as the kernel that wrote it found. An optimizer's step() then need not
  /// read a parameter's gradient once more. What is added later takes it back.
  void found_finite(int i) noexcept;

  /// For the engine.
  Inputs(detail::Slot* const* edges, int count, const char* op, detail::TapeState* tape, bool recorded, Tensor* dy = nullptr,
         bool keeps_dy = true) noexcept
      : edges_(edges), count_(count), recorded_(recorded), keeps_dy_(keeps_dy), op_(op), tape_(tape), dy_(dy) {}

 private:
  void add_to_other(int i, Tensor g);

  detail::Slot* const* edges_;
  int count_;
  bool recorded_, keeps_dy_;
  const char* op_;
  detail::TapeState* tape_;
  Tensor* dy_;
};

namespace detail {

inline constexpr std::size_t closure_size = 256;

/// How the tape keeps, runs and drops a rule of one type.
struct RuleType {
  std::size_t size;
  void (*run)(void* closure, const Tensor& out, const Tensor& dy, Inputs& dx);
  void (*drop)(void* closure) noexcept;  // null when there is nothing to drop
  bool wants_out;
};

/// A new node for `out` on the running tape, and where its closure goes; null when nothing is to be recorded.
void* begin_node(const char* op, const Tensor& out, const Tensor* const* inputs, int count, const RuleType* type);

template <class Rule>
inline constexpr bool takes_out = std::is_invocable_v<Rule&, const Tensor&, const Tensor&, Inputs&>;

template <class Rule>
void run_rule(void* closure, const Tensor& out, const Tensor& dy, Inputs& dx) {
  Rule& rule = *static_cast<Rule*>(closure);
  if constexpr (takes_out<Rule>)
    rule(out, dy, dx);
  else
    rule(dy, dx);
}

template <class Rule>
inline constexpr RuleType rule_type = {
    (sizeof(Rule) + 7) / 8 * 8, &run_rule<Rule>,
    std::is_trivially_destructible_v<Rule> ? nullptr : +[](void* c) noexcept { static_cast<Rule*>(c)->~Rule(); }, takes_out<Rule>};

}  // namespace detail

/// One input of an operation, for record().
struct Input {
  Input(const Tensor& t) noexcept : tensor(&t) {}
  const Tensor* tensor;
};

namespace detail {

// Inline, with record(), so that the closure is made where it will lie and nothing is moved.
template <class R>
[[gnu::always_inline]] inline Tensor record_node(const char* op, Tensor y, const Tensor* const* inputs, std::size_t count, R&& rule) {
  using Rule = std::remove_cvref_t<R>;
  static_assert(sizeof(Rule) <= closure_size, "a gradient rule captures at most 256 bytes: save fewer tensors");
  static_assert(alignof(Rule) <= 8, "a gradient rule's captures are aligned to at most 8 bytes");
  static_assert(std::is_nothrow_move_constructible_v<Rule>, "a gradient rule's captures must move without throwing");
  if (running_tape == 0) [[unlikely]]
    return y;
  void* place = begin_node(op, y, inputs, static_cast<int>(count), &rule_type<Rule>);
  if (place) [[likely]]
    ::new (place) Rule(static_cast<R&&>(rule));
  return y;
}

}  // namespace detail

/// Records y = op(inputs) with its gradient rule, when a tape runs on this thread and an input wants a gradient; returns y.
/// The rule is called at most once per gradients(). Given dy = d loss / d y, it adds d loss / d input to `dx`. It is one of:
///   - rule(const Tensor& dy, Inputs& dx)
///   - rule(const Tensor& out, const Tensor& dy, Inputs& dx), where `out` is y and is kept for it
///
///     return record("double", x * 2, {x}, [](const Tensor& dy, Inputs& dx) { dx.add(0, dy * 2); });
///
/// A rule made of operations alone has gradients of its own on a tape of higher order. Its captures lie in the tape's node: at
/// most 256 bytes; keep tensors by saved(). `op` must outlive the tape (a literal).
template <class R>
[[gnu::always_inline]] inline Tensor record(const char* op, Tensor y, std::initializer_list<Input> inputs, R&& rule) {
  static_assert(sizeof(Input) == sizeof(const Tensor*));
  return detail::record_node(op, std::move(y), reinterpret_cast<const Tensor* const*>(inputs.begin()), inputs.size(),
                             static_cast<R&&>(rule));
}
/// The same for a list of inputs whose length is known at run time only.
template <class R>
Tensor record(const char* op, Tensor y, const std::vector<Tensor>& inputs, R&& rule) {
  if (detail::running_tape == 0) return y;
  std::vector<const Tensor*> each;
  for (const Tensor& input : inputs) each.push_back(&input);
  return detail::record_node(op, std::move(y), each.data(), each.size(), static_cast<R&&>(rule));
}

}  // namespace capstan
