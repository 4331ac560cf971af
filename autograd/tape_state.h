#pragma once
#include <capstan/autograd/gradient_table.h>
#include <capstan/autograd/record.h>
#include <capstan/core/grad_mode.h>
#include <capstan/core/pool.h>

#include <chrono>
#include <memory>
#include <new>
#include <unordered_map>
#include <utility>
#include <vector>

// Private: what a tape holds while it runs.
namespace capstan::detail {

/// Where the gradient for one tensor gathers, and what it must be like.
struct Slot {
  Tensor gradient;
  const std::int64_t* sizes;
  std::int64_t numel;
  Kind kind;  // the tensor's; size_class is that of a block for its gradient, flags are the slot's own (core/tensor.h)
  std::uint32_t version = 0;

  bool has_shape_of(const Header* h) const noexcept { return kind.dim == h->dim && same_sizes(sizes, h->sizes, h->dim); }
  Shape shape() const { return Shape::known(sizes, kind.dim); }
};

/// One recorded operation. Behind it lie the rule's closure, the edges (where each input's gradient goes, or null) and the
/// sizes of the result.
struct Node {
  const RuleType* type;
  const char* op;
  Node* before;
  Tensor out;  // kept when the rule wants it; its version then is slot.version
  Slot slot;   // d loss / d out, while gradients() runs

  void* closure() noexcept { return this + 1; }
  Slot** edges() noexcept { return reinterpret_cast<Slot**>(reinterpret_cast<char*>(this + 1) + type->size); }
  int count() noexcept { return static_cast<int>(reinterpret_cast<Slot* const*>(slot.sizes) - edges()); }
};
static_assert(sizeof(Node) == 64);

/// A tensor that wants a gradient, which may be gone before the tape: a reference to it would be counted by locked instructions.
struct TapeLeaf {
  std::uint64_t generation;
  TapeLeaf* next;
  std::uint32_t leaf;
  Slot slot;
  std::int64_t sizes[Shape::max_dim];

  bool is(const Header* h) const noexcept { return (h->flags & kLeaf) && leaf == h->leaf && generation == h->generation; }
};

/// Memory that is handed out piece by piece and taken back all at once. What lies there never moves.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  /// Where the next piece will lie, with room for so many bytes (a multiple of 8); keep() makes them count.
  void* reserve(std::size_t bytes) {
    if (static_cast<std::size_t>(end_ - next_) < bytes) [[unlikely]]
      next_chunk(bytes);
    return next_;
  }
  void keep(std::size_t bytes) noexcept { next_ += bytes; }
  /// How far it is filled, and back to there.
  struct Mark {
    std::size_t used;
    char* next;
  };
  Mark mark() const noexcept { return {used_, next_}; }
  void rewind(Mark to) noexcept {
    used_ = to.used;
    next_ = to.next;
    end_ = used_ > 0 ? chunks_[used_ - 1].data + chunks_[used_ - 1].size : nullptr;
  }
  void clear() noexcept {
    if (used_ == 0) [[unlikely]]
      return;
    if (used_ > 1) [[unlikely]]
      end_ = chunks_[0].data + chunks_[0].size;
    next_ = chunks_[0].data;
    used_ = 1;
  }

 private:
  struct Chunk {
    char* data;
    std::size_t size;
  };
  void next_chunk(std::size_t bytes);

  char *next_ = nullptr, *end_ = nullptr;
  std::vector<Chunk> chunks_;
  std::size_t used_ = 0;
};

struct ThreadTapes;

/// What a tape with check_finite or profile keeps beside its nodes.
struct Observer {
  struct Measured {
    const char* op;
    std::int64_t bytes;
    double forward, backward;
  };
  std::vector<Measured> all;
  std::unordered_map<const Node*, std::size_t> places;
  std::unordered_map<const Node*, std::vector<std::uintptr_t>> calls;  // with check_finite: the way to each operation
  std::chrono::steady_clock::time_point last = std::chrono::steady_clock::now();

  /// The seconds since the last call.
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(last, now)).count();
  }
};

struct TapeState {
  std::uint64_t serial = 0;
  ThreadTapes* thread = nullptr;
  TapeState* outer = nullptr;    // the tape that was begun before on this thread and has not ended
  TapeState* resumes = nullptr;  // what records again when this one ends
  TapeOptions options;
  std::uint8_t attention = 0;  // what begin_node() must look at, of the bits below
  bool running = false;        // gradients() does, which a hook must not change

  Arena arena, leaf_arena;
  Node* last = nullptr;
  std::size_t nodes = 0;
  TapeLeaf *first_leaf = nullptr, **last_leaf = &first_leaf;  // where the next one goes
  std::uint32_t leaves = 0;
  struct KnownLeaf {
    std::uint64_t serial = 0;
    TapeLeaf* leaf = nullptr;
  };
  std::vector<KnownLeaf> known;  // by the leaf's process-wide index
  struct Watched {
    Node* node;
    TapeLeaf* leaf;
  };
  std::vector<Watched> watched;  // results of this tape's own operations
  struct Hooked {
    Slot* slot;
    Hook* hook;
  };
  std::vector<Hooked> hooks;
  struct SparseRows {
    Slot* slot;
    Tensor index, values;
  };
  std::vector<SparseRows> sparse;  // while gradients() runs: leaves' gradients that came by rows
  struct Cut {
    Slot** edge;
    Slot* slot;
  };
  std::vector<Cut> cuts;               // edges that lead to no chosen tensor, while gradients() computes chosen ones,
  bool choosing = false;               // as now
  std::vector<Node*> order;            // for cut_ways()
  std::vector<Tensor> probed;          // while a checkpoint's function runs: what in it wants a gradient
  std::unique_ptr<Observer> observer;  // with check_finite or profile

  TapeState() = default;
  TapeState(const TapeState&) = delete;
  TapeState& operator=(const TapeState&) = delete;
  ~TapeState() { drop_all(); }

  /// Where the gradient for x goes; makes x a leaf of this tape if it wants one. Throws ValueError when x was recorded
  /// elsewhere.
  Slot* edge_of(const Tensor& x, const char* op, int input) {
    Header* h = x.header();
    if (h->tape == serial) return &h->node->slot;
    if (h->tape == 0 && !(h->flags & kLeaf)) return nullptr;
    return edge_of_leaf(x, op, input);
  }
  Slot* edge_of_leaf(const Tensor& x, const char* op, int input);
  /// Whether a leaf was used or watched on this tape before.
  bool knows_leaf(const Header* h) const noexcept {
    return (h->flags & kLeaf) && h->leaf < known.size() && known[h->leaf].serial == serial &&
           known[h->leaf].leaf->generation == h->generation;
  }
  /// The place of a leaf that this tape may know.
  TapeLeaf* leaf_of(Header* h) { return knows_leaf(h) ? known[h->leaf].leaf : add_leaf(h); }
  TapeLeaf* add_leaf(Header* h);
  void check_outer(const Tensor& x, const char* op, int input) const;

  Gradients run(const Tensor& loss, Slot& slot, Node* node, bool keep);
  Gradients run_chosen(const Tensor& loss, Slot& slot, Node* node, bool keep, const Tensor* chosen, std::size_t count);
  void run_node(Node& n);
  void run_here(Node& n);
  void mark_chosen(const Tensor* chosen, std::size_t count, Node* from);
  void cut_ways(Node* from, const Node* to);
  void unmark_chosen() noexcept;
  /// The rows that came for a leaf, which are no longer kept; added to the dense gradient that came for it too.
  RowSparse take_sparse(const Slot& to);
  void add_sparse(Slot& to);
  void finish_leaves();
  bool apply_hooks(Node& n, Tensor& dy);
  Tensor hooked(const char* op, const Slot& slot, Tensor g);
  bool observe_forward(const Node* n, const char* op, const Tensor& out, const Tensor* const* inputs, int count, const Slot* const* edges);
  void observe_backward(Node& n, const Tensor& dy);
  void begin_gradient(const Tensor& loss, Slot& slot);
  void own_recorded_gradients();
  Gradients move_out_gradients(const Tensor& loss);
  void drop_last() noexcept {
    Node* n = last;
    last = n->before;
    --nodes;
    if (n->type->drop) [[likely]]
      n->type->drop(n->closure());
    if (n->out.defined() || n->slot.gradient.defined()) [[unlikely]]
      drop_tensors(*n);
  }
  [[gnu::cold]] static void drop_tensors(Node& n) noexcept;
  void drop_all() noexcept;
  void clear_gradients() noexcept;
};

/// In TapeState::attention.
inline constexpr std::uint8_t kSpent = 1;     // the recording is spent: the tape records nothing more and is current no more
inline constexpr std::uint8_t kObserved = 2;  // operations are observed (check_finite, profile)
inline constexpr std::uint8_t kProbe = 4;     // nothing is recorded, but what would have been is noted

/// This thread's tapes.
struct ThreadTapes {
  TapeState* current = nullptr;    // records now
  TapeState* innermost = nullptr;  // begun last
  TapeState* free = nullptr;       // for the next tape, linked by `outer`
  const char* op = nullptr;        // whose gradient rule runs
  std::uint64_t next_serial = 0, last_serial = 0;
  bool ended = false;  // the thread ends, and has freed its spare tapes
};
extern constinit thread_local ThreadTapes thread_tapes;

inline void set_current(TapeState* state) noexcept {
  thread_tapes.current = state;
  running_tape = state ? state->serial : 0;
}

/// The tape that is to record again: none when the recording of this one is spent.
inline TapeState* unspent(TapeState* state) noexcept { return state && !(state->attention & kSpent) ? state : nullptr; }

/// While this lives nothing is recorded, or what is goes on the given tape; for code that lets no tape end meanwhile (else NoGrad).
class Pause {
 public:
  explicit Pause(TapeState* instead = nullptr) noexcept : current_(thread_tapes.current) { set_current(instead); }
  ~Pause() { set_current(unspent(current_)); }
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;

 private:
  TapeState* current_;
};

/// Gives t the identity of a leaf if it has none.
void make_leaf(const Tensor& t);

}  // namespace capstan::detail
