// From a loss back to the leaves.
#include <capstan/autograd/ops.h>
#include <capstan/autograd/row_places.h>
#include <capstan/autograd/tape_state.h>
#include <capstan/core/create.h>
#include <capstan/core/pool.h>
#include <capstan/core/text.h>

namespace capstan::detail {

namespace {

[[noreturn, gnu::cold]] void result_changed(const Node& n) {
  fail<ValueError>(n.op, "the result, which the gradient needs, was changed in place: ", n.out.shape(), ", version ", n.slot.version,
                   " when recorded, now ", n.out.version(), " (change a clone())");
}

}  // namespace

/// Inline where it runs for each node of a tape.
[[gnu::always_inline]] inline void TapeState::run_here(Node& n) {
  Tensor dy = std::move(n.slot.gradient);
  thread_tapes.op = n.op;
  if ((n.slot.kind.flags | static_cast<std::uint8_t>(choosing)) != 0) [[unlikely]]
    if (!apply_hooks(n, dy)) return;
  if (n.type->wants_out) [[unlikely]]
    if (n.out.version() != n.slot.version) result_changed(n);
  const bool recorded = thread_tapes.current != nullptr;
  Inputs dx(n.edges(), n.count(), n.op, this, recorded, &dy, static_cast<bool>(recorded | ((attention & kObserved) != 0)));
  n.type->run(n.closure(), n.out, dy, dx);
  if (attention & kObserved) [[unlikely]]
    observe_backward(n, dy);
}

void TapeState::run_node(Node& n) { run_here(n); }

/// What is to be done with a gradient before its rule runs; false when the rule need not run.
bool TapeState::apply_hooks(Node& n, Tensor& dy) {
  const std::uint8_t flags = n.slot.kind.flags;
  if (flags & kHooked) dy = hooked(n.op, n.slot, std::move(dy));
  if ((flags & kWatched) && (!choosing || (flags & kChosen)))
    for (const Watched& w : watched)
      if (w.node == &n) w.leaf->slot.gradient = dy;
  return !choosing || (flags & kOnTheWay);
}

Tensor TapeState::hooked(const char* op, const Slot& slot, Tensor g) {
  g.header()->flags |= kReadOnly;  // other gradients may share its memory
  for (const Hooked& h : hooks) {
    if (h.slot != &slot) continue;
    clear_finite(g);  // the hook has a handle on it
    Tensor other = h.hook->call(g);
    if (!other.defined()) continue;
    if (!slot.has_shape_of(other.header()))
      fail<ShapeError>("hook", "what takes the gradient's place must have its shape: ", other.shape(), " for ", slot.shape(), ", ", op);
    if (other.dtype() != slot.kind.dtype)
      fail<ValueError>("hook", "what takes the gradient's place must have its dtype: ", other.dtype(), " for ", slot.kind.dtype, ", ", op);
    g = std::move(other);
    if (thread_tapes.current) continue;  // recorded: nothing that is can be changed in place
    g = g.detach();                      // the next hook must not change what is the user's
    g.header()->flags |= kReadOnly;
  }
  return g;
}

/// Cuts the ways that lead to none of the chosen tensors, for one run.
void TapeState::mark_chosen(const Tensor* chosen, std::size_t count, Node* from) {
  for (std::size_t i = 0; i < count; ++i) {
    const Header* h = chosen[i].header();
    if (h->tape == serial) h->node->slot.kind.flags |= kChosen;
    if (knows_leaf(h)) known[h->leaf].leaf->slot.kind.flags |= kChosen;
  }
  cut_ways(from, nullptr);
}

/// ... for the operations from `from` back to `to`, which does not belong to them.
void TapeState::cut_ways(Node* from, const Node* to) {
  order.clear();
  for (Node* n = from; n != to; n = n->before) order.push_back(n);
  for (std::size_t i = order.size(); i-- > 0;) {
    Node& n = *order[i];
    for (int k = 0; k < n.count(); ++k) {
      Slot*& edge = n.edges()[k];
      if (!edge) continue;
      if (edge->kind.flags & (kChosen | kOnTheWay)) {
        n.slot.kind.flags |= kOnTheWay;
      } else {
        cuts.push_back({&edge, edge});
        edge = nullptr;
      }
    }
  }
}

/// Takes mark_chosen() back.
void TapeState::unmark_chosen() noexcept {
  choosing = false;
  if (!(attention & kSpent))
    for (const Cut& c : cuts) *c.edge = c.slot;
  cuts.clear();
  constexpr auto others = static_cast<std::uint8_t>(~(kChosen | kOnTheWay));
  for (Node* n = last; n; n = n->before) n->slot.kind.flags &= others;
  for (TapeLeaf* l = first_leaf; l; l = l->next) l->slot.kind.flags &= others;
}

[[gnu::always_inline]] inline Gradients TapeState::move_out_gradients(const Tensor& loss) {
  GradientTable* table = new_gradient_table(leaves);
  Gradients result(table);
  const Header* h = loss.header();
  table->loss = h->dtype == DType::f32 ? static_cast<double>(*static_cast<float*>(h->data)) : *static_cast<double*>(h->data);
  bool sorted = true;
  std::uint32_t before = 0;
  for (TapeLeaf* l = first_leaf; l; l = l->next) {
    if (!l->slot.gradient.defined()) [[unlikely]]
      continue;
    make_own(l->slot.gradient);
    sorted = sorted && before <= l->leaf;
    before = l->leaf;
    GradientTable::Entry& e = table->add(l->generation, before, std::move(l->slot.gradient));
    e.finite = clear_finite(e.gradient);
    if (!sparse.empty()) [[unlikely]]
      for (const SparseRows& s : sparse)
        if (s.slot == &l->slot) {
          e.rows = s.index;
          e.height = s.slot->sizes[0];
        }
  }
  if (!sorted) [[unlikely]]
    sort(*table);
  return result;
}

[[gnu::always_inline]] inline void TapeState::begin_gradient(const Tensor& loss, Slot& slot) {
  Header* one = new_block_like(loss.header());
  slot.gradient = Tensor::adopt(one);
  if (one->dtype == DType::f32) [[likely]]
    *static_cast<float*>(one->data) = 1;
  else
    *static_cast<double*>(one->data) = 1;
  if (running_tape == 0) [[likely]]
    return;
  make_leaf(slot.gradient);  // all that follows from it is recorded, and a rule whose work is not shows (Inputs::add)
  add_leaf(one)->slot.kind.flags |= kSeed;
}

/// What move_out_gradients() would copy, copied by a recorded operation.
void TapeState::own_recorded_gradients() {
  for (TapeLeaf* l = first_leaf; l; l = l->next) {
    Tensor& g = l->slot.gradient;
    if (l->slot.kind.flags & kSeed) g = Tensor();
    if (g.defined() && (g.header()->owner || __atomic_load_n(&g.header()->refs, __ATOMIC_ACQUIRE) > 1))
      g = record("gradient", g.clone(), {g}, [](const Tensor& dy, Inputs& dx) { dx.add(0, dy); });
  }
}

Gradients TapeState::run(const Tensor& loss, Slot& slot, Node* node, bool keep) {
  const bool recorded = options.higher_order && running_tape != 0;
  keep = keep || options.higher_order;
  const Pause pause(recorded ? this : nullptr);  // else rules compute and are not recorded
  const char* const outer_op = thread_tapes.op;  // of another tape, whose hook this is
  running = true;
  try {
    begin_gradient(loss, slot);
    if (keep) [[unlikely]] {
      for (Node* n = node; n; n = n->before)
        if (n->slot.gradient.defined()) run_here(*n);
    } else {
      while (last != node) drop_last();
      for (; last; drop_last())
        if (last->slot.gradient.defined()) [[likely]]
          run_here(*last);
    }
    if (!hooks.empty() || choosing || !sparse.empty()) [[unlikely]]
      finish_leaves();
    if (recorded) [[unlikely]]
      own_recorded_gradients();
    Gradients result = move_out_gradients(loss);
    if (!sparse.empty()) [[unlikely]]
      sparse.clear();
    if (!keep) [[likely]] {
      drop_all();
      attention |= kSpent;
    }
    thread_tapes.op = outer_op;
    running = false;
    return result;
  } catch (...) {
    clear_gradients();
    sparse.clear();
    if (!keep) {
      drop_all();
      attention |= kSpent;
    }
    thread_tapes.op = outer_op;
    running = false;
    throw;
  }
}

RowSparse TapeState::take_sparse(const Slot& to) {
  std::vector<RowSparse> parts;
  for (SparseRows& s : sparse)
    if (s.slot == &to) parts.push_back({std::move(s.index), std::move(s.values), to.shape()});
  std::erase_if(sparse, [&](const SparseRows& s) { return s.slot == &to; });
  return parts.empty() ? RowSparse() : joined(std::move(parts));
}

void TapeState::add_sparse(Slot& to) {
  if (const RowSparse rows = take_sparse(to); rows.rows.defined()) to.gradient = to.gradient + rows.dense();
}

/// Leaves' gradients are complete: their rows joined, their hooks called, and only the chosen ones left.
void TapeState::finish_leaves() {
  for (std::size_t done = 0; done < sparse.size();) {
    Slot& to = *sparse[done].slot;
    if (to.gradient.defined()) {  // something dense came too
      add_sparse(to);
      continue;
    }
    RowSparse all = take_sparse(to);
    if (to.kind.flags & kHooked) {
      to.gradient = all.dense();
    } else {
      to.gradient = std::move(all.values);
      sparse.insert(sparse.begin() + static_cast<std::ptrdiff_t>(done++), {&to, std::move(all.rows), {}});
    }
  }
  for (TapeLeaf* l = first_leaf; l; l = l->next) {
    if (choosing && !(l->slot.kind.flags & kChosen)) l->slot.gradient = Tensor();
    if (l->slot.gradient.defined() && (l->slot.kind.flags & kHooked)) l->slot.gradient = hooked("parameter", l->slot, l->slot.gradient);
  }
}

Gradients TapeState::run_chosen(const Tensor& loss, Slot& slot, Node* node, bool keep, const Tensor* chosen, std::size_t count) {
  struct Choice {
    TapeState* state;
    ~Choice() { state->unmark_chosen(); }
  } const choice{this};
  choosing = true;
  mark_chosen(chosen, count, node);
  return run(loss, slot, node, keep);
}

}  // namespace capstan::detail
