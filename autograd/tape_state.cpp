#include <capstan/autograd/tape_state.h>

#include <capstan/core/text.h>

#include <algorithm>
#include <cstdlib>

// What a tape holds: its memory, its leaves, and how all of it is given back. record() asks where a gradient goes; the tape's end and
// gradients() drop what was recorded.
namespace capstan::detail {

constinit thread_local ThreadTapes thread_tapes;

Arena::~Arena() {
  for (const Chunk& c : chunks_) std::free(c.data);
}

void Arena::next_chunk(std::size_t bytes) {
  while (used_ < chunks_.size() && chunks_[used_].size < bytes) ++used_;
  if (used_ == chunks_.size()) {
    const std::size_t size = std::max(bytes, std::size_t{64} << 10);
    chunks_.reserve(used_ + 1);
    void* data = malloc_or_null(size);
    if (!data) throw std::bad_alloc();
    chunks_.push_back({static_cast<char*>(data), size});
  }
  next_ = chunks_[used_].data;
  end_ = next_ + chunks_[used_++].size;
}

TapeLeaf* TapeState::add_leaf(Header* h) {
  if (h->leaf >= known.size()) [[unlikely]]
    known.resize(h->leaf + 1);
  auto* leaf = static_cast<TapeLeaf*>(leaf_arena.reserve(sizeof(TapeLeaf)));
  leaf_arena.keep(sizeof(TapeLeaf));
  leaf->generation = h->generation;
  leaf->next = nullptr;
  leaf->leaf = h->leaf;
  copy_sizes(leaf->sizes, h->sizes, h->dim);
  ::new (&leaf->slot) Slot{{}, leaf->sizes, h->numel, *h};
  leaf->slot.kind.flags = kLeaf;
  if (h->owner) [[unlikely]]
    leaf->slot.kind.size_class = static_cast<std::uint8_t>(block_class(h->dtype, h->numel));
  *last_leaf = leaf;
  last_leaf = &leaf->next;
  ++leaves;
  known[h->leaf] = {serial, leaf};
  return leaf;
}

Slot* TapeState::edge_of_leaf(const Tensor& x, const char* op, int input) {
  Header* h = x.header();
  if (h->flags & kLeaf) {
    if (knows_leaf(h)) return &known[h->leaf].leaf->slot;
    if (h->flags & kRequiresGrad) return &add_leaf(h)->slot;
  }
  if (h->tape != 0) [[unlikely]]
    check_outer(x, op, input);
  return nullptr;
}

void TapeState::check_outer(const Tensor& x, const char* op, int input) const {
  for (const TapeState* s = outer; s; s = s->outer)
    if (x.header()->tape == s->serial) return;  // a constant for this tape
  fail<ValueError>(op, "input ", input, " was recorded on a tape that has ended or runs on another thread: ", x.shape(),
                   " (take its value as a constant with detach())");
}

namespace {
[[gnu::cold, gnu::noinline]] void drop_gradient(TapeLeaf& l) noexcept { l.slot.gradient.~Tensor(); }
}  // namespace

// Most nodes keep no result, and all gradients have gone on when they are dropped.
void TapeState::drop_tensors(Node& n) noexcept {
  n.out.~Tensor();
  n.slot.gradient.~Tensor();
}

void TapeState::drop_all() noexcept {
  while (last) drop_last();
  for (TapeLeaf* l = first_leaf; l; l = l->next)
    if (l->slot.gradient.defined()) [[unlikely]]
      drop_gradient(*l);
  first_leaf = nullptr;
  last_leaf = &first_leaf;
  leaves = 0;
  if (!watched.empty() || !hooks.empty()) [[unlikely]] {
    watched.clear();
    for (const Hooked& h : hooks) delete h.hook;
    hooks.clear();
  }
  arena.clear();
  leaf_arena.clear();
}

void TapeState::clear_gradients() noexcept {
  for (Node* n = last; n; n = n->before) n->slot.gradient = Tensor();
  for (TapeLeaf* l = first_leaf; l; l = l->next) l->slot.gradient = Tensor();
}

}  // namespace capstan::detail
