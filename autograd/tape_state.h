#pragma once
#include <capstan/autograd/record.h>

#include <cstdlib>
#include <new>
#include <vector>

// Private: what a tape holds while it runs.
namespace capstan::detail {

/// An edge names where an input's gradient goes: a node's index, a leaf's index with the top bit set, or nowhere.
inline constexpr std::uint32_t no_edge = Inputs::nowhere, leaf_bit = 0x80000000u;

/// One recorded operation.
struct Node {
  const RuleType* type;
  const char* op;
  Tensor out;      // kept when the rule wants it
  Tensor adjoint;  // d loss / d out, while gradients() runs
  std::uint32_t first_edge, first_dim, out_version;
  DType dtype;
  std::uint8_t dim, edges;
  bool kept;  // watched: its adjoint is one of the results
  alignas(8) unsigned char closure[closure_size];
};
static_assert(sizeof(Node) == 128);

/// A vector of plain values whose room is asked for before it is written: recording is too frequent for push_back.
template <class T>
class Stack {
 public:
  Stack() = default;
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;
  ~Stack() { std::free(data_); }

  /// Room for `count` more at end(); add() makes them count.
  T* reserve(std::uint32_t count) {
    if (size_ + count > capacity_) [[unlikely]]
      grow(size_ + count);
    return data_ + size_;
  }
  void add(std::uint32_t count) noexcept { size_ += count; }
  const T* data() const noexcept { return data_; }
  std::uint32_t size() const noexcept { return size_; }
  void clear() noexcept { size_ = 0; }

 private:
  void grow(std::uint32_t least) {
    const std::uint32_t capacity = least < 256 ? 512 : 2 * least;
    void* data = std::realloc(data_, capacity * sizeof(T));
    if (!data) throw std::bad_alloc();
    data_ = static_cast<T*>(data);
    capacity_ = capacity;
  }
  T* data_ = nullptr;
  std::uint32_t size_ = 0, capacity_ = 0;
};

struct TapeLeaf {
  Tensor tensor, gradient;
};

struct ThreadTapes;

struct TapeState {
  static constexpr std::uint32_t chunk = 1024;

  std::uint64_t serial = 0;
  ThreadTapes* thread = nullptr;
  TapeState* outer = nullptr;    // the tape that was begun before on this thread and has not ended
  TapeState* resumes = nullptr;  // what records again when this one ends
  bool spent = false;

  std::vector<Node*> chunks;  // nodes lie still: closures need not be movable twice
  std::uint32_t nodes = 0;
  Stack<std::uint32_t> edges;
  Stack<std::int64_t> dims;  // the sizes of each node's output
  std::vector<TapeLeaf> leaves;
  struct LeafSlot {
    std::uint64_t serial = 0;
    std::uint32_t index = 0;
  };
  std::vector<LeafSlot> leaf_slots;  // by the leaf's process-wide index
  struct Kept {
    std::uint32_t node, leaf;
  };
  std::vector<Kept> kept;

  TapeState() = default;
  TapeState(const TapeState&) = delete;
  TapeState& operator=(const TapeState&) = delete;
  ~TapeState();

  Node& node(std::uint32_t i) const noexcept { return chunks[i / chunk][i % chunk]; }
  Node& new_node();
  /// The edge for x, which makes x a leaf of this tape if it wants a gradient. Throws ValueError when x was recorded elsewhere.
  std::uint32_t edge_of(const Tensor& x, const char* op, int input) {
    const Header* h = x.header();
    if (h->tape == serial) return h->node;
    if (h->flags & kLeaf) {
      if (knows_leaf(h)) return leaf_slots[h->leaf].index | leaf_bit;
      if (h->flags & kRequiresGrad) return add_leaf(x);
    }
    if (h->tape != 0) [[unlikely]]
      check_outer(x, op, input);
    return no_edge;
  }
  /// Whether a leaf was used or watched on this tape before.
  bool knows_leaf(const Header* h) const noexcept {
    return (h->flags & kLeaf) && h->leaf < leaf_slots.size() && leaf_slots[h->leaf].serial == serial;
  }
  void check_outer(const Tensor& x, const char* op, int input) const;
  std::uint32_t add_leaf(const Tensor& x);
  void drop_node(Node& n) noexcept {
    if (n.type->drop) n.type->drop(n.closure);
    n.out.~Tensor();
    n.adjoint.~Tensor();
  }
  Gradients run(const Tensor& loss, std::uint32_t edge, bool keep);
  /// Drops nodes from the end down to `size`, and with the last one everything.
  void drop_nodes(std::uint32_t size) noexcept;
  void clear_gradients() noexcept;
};

/// This thread's tapes.
struct ThreadTapes {
  TapeState* current = nullptr;    // records now
  TapeState* innermost = nullptr;  // begun last
  TapeState* free = nullptr;       // for the next tape, linked by `outer`
  const char* op = nullptr;        // whose gradient rule runs
  std::uint64_t next_serial = 0, last_serial = 0;
};
extern constinit thread_local ThreadTapes thread_tapes;

void set_current(TapeState* state) noexcept;

/// Gives t the identity of a leaf if it has none.
void make_leaf(const Tensor& t);

/// The entries lie behind the table, in ascending order of leaf index and generation.
struct GradientTable {
  struct Entry {
    std::uint64_t generation;
    std::uint32_t leaf;
    Tensor gradient;
  };
  double loss;
  std::uint32_t size;
  std::uint8_t size_class;

  Entry* entries() noexcept { return reinterpret_cast<Entry*>(this + 1); }
  const Entry* first() const noexcept { return reinterpret_cast<const Entry*>(this + 1); }
  Entry* begin() noexcept { return entries(); }
  Entry* end() noexcept { return entries() + size; }
  /// The entry for a leaf; looks first at `hint`, where it is when tensors are asked for in the order of their making.
  const Entry* find(const Header* h, std::size_t hint = 0) const noexcept {
    if (!(h->flags & kLeaf)) return nullptr;
    if (hint < size && first()[hint].leaf == h->leaf && first()[hint].generation == h->generation) [[likely]]
      return first() + hint;
    return search(h);
  }
  const Entry* search(const Header* h) const noexcept;
};

/// An empty table with room for `size` entries, which are default-constructed.
GradientTable* new_gradient_table(std::uint32_t size);
/// Sorts the entries and makes each gradient read-only and its own memory's only owner.
void finish(GradientTable& table);

}  // namespace capstan::detail
