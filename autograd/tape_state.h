#pragma once
#include <capstan/autograd/record.h>

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
  std::vector<std::uint32_t> edges;
  std::vector<std::int64_t> dims;  // the sizes of each node's output
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
  std::uint32_t edge_of(const Tensor& x, const char* op, int input);
  std::uint32_t add_leaf(const Tensor& x);
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

/// The entries lie behind the table, in ascending order of their leaf index.
struct GradientTable {
  struct Entry {
    std::uint64_t generation;
    std::uint32_t leaf;
    Tensor gradient;
  };
  double loss;
  std::uint32_t size;
  std::uint8_t size_class;
  bool checked_finite;  // a caller looked and found all finite

  Entry* entries() noexcept { return reinterpret_cast<Entry*>(this + 1); }
  Entry* begin() noexcept { return entries(); }
  Entry* end() noexcept { return entries() + size; }
  const Entry* find(const Header* h) const noexcept;
};

/// An empty table with room for `size` entries, which are default-constructed.
GradientTable* new_gradient_table(std::uint32_t size);
/// Sorts the entries and makes each gradient read-only and its own memory's only owner.
void finish(GradientTable& table);

}  // namespace capstan::detail
