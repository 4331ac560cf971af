#include <capstan/autograd/gradients.h>

#include <capstan/autograd/gradient_table.h>
#include <capstan/autograd/row_places.h>
#include <capstan/core/compute.h>
#include <capstan/core/norm.h>
#include <capstan/core/pool.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <cmath>

// The value that gradients() returns: a table sorted by the identity of leaves, with arithmetic on the whole of it. Tensors are shared
// until one of two tables is changed.

namespace capstan {

using detail::fail;
using detail::GradientTable;
using Entry = GradientTable::Entry;

namespace detail {

namespace {

bool before(const Entry& a, const Entry& b) noexcept { return a.leaf != b.leaf ? a.leaf < b.leaf : a.generation < b.generation; }

Tensor copy_of(const Tensor& g) {
  Tensor c = g.clone();
  c.header()->flags |= kReadOnly;
  return c;
}

}  // namespace

const Entry* GradientTable::search(const Header* h) const noexcept {
  const Entry* e = std::lower_bound(begin(), end(), h, [](const Entry& a, const Header* b) {
    return a.leaf != b->leaf ? a.leaf < b->leaf : a.generation < b->generation;
  });
  return e != end() && e->leaf == h->leaf && e->generation == h->generation ? e : nullptr;
}

Tensor& writable(Entry& e) {
  if (__atomic_load_n(&e.gradient.header()->refs, __ATOMIC_ACQUIRE) > 1 || e.gradient.header()->tape != 0) e.gradient = copy_of(e.gradient);
  e.finite = false;
  return e.gradient;
}

void sort(GradientTable& table) { std::sort(table.begin(), table.end(), before); }

}  // namespace detail

namespace {
[[gnu::cold, gnu::noinline]] void drop_rows(Entry& e) noexcept { e.rows.~Tensor(); }
}  // namespace

void Gradients::drop() noexcept {
  for (Entry& e : *table_) {
    e.gradient.~Tensor();
    if (e.rows.defined()) [[unlikely]]
      drop_rows(e);
  }
  detail::pool_put(table_, table_->size_class);
}

namespace {

void add_copy(GradientTable& table, const Entry& e) { table.add(e).gradient = detail::copy_of(e.gradient); }

/// mine += e, into new memory.
void add_to(Entry& mine, const Entry& e) {
  if (mine.rows.defined() && e.rows.defined()) {
    RowSparse both = detail::joined({{mine.rows, mine.gradient, mine.shape()}, {e.rows, e.gradient, e.shape()}});
    mine.rows = std::move(both.rows);
    mine.gradient = std::move(both.values);
  } else {
    mine.gradient = kernels::binary("gradients", kernels::Binary::add, mine.dense(), e.dense());
    mine.rows = Tensor();
  }
  mine.finite = false;
}

/// Whether the gradient's memory has another owner than its table and a copy of that.
bool is_shared_beyond_table(const Entry& e) noexcept {
  const detail::Header* h = e.gradient.header();
  return h->owner || __atomic_load_n(&h->refs, __ATOMIC_ACQUIRE) > 2;
}

/// The entry for w.
const Entry& entry_of(const GradientTable* table, const Tensor& w) {
  if (table)
    if (const Entry* e = table->find(w.header())) return *e;
  fail<ValueError>("gradients", "there is no gradient for this tensor: ", w.dtype(), " ", w.shape(),
                   (w.header()->flags & detail::kLeaf)
                       ? " (the loss did not depend on it)"
                       : " (it is no parameter: a view, a clone or a result; see set_requires_grad() and watch())");
}

}  // namespace

Tensor Gradients::operator[](const Tensor& w) const {
  const Entry& e = entry_of(table_, w);
  Tensor g = e.dense();
  if (e.rows.defined()) g.header()->flags |= detail::kReadOnly;
  return g;
}

bool Gradients::is_sparse(const Tensor& w) const { return entry_of(table_, w).rows.defined(); }

RowSparse Gradients::sparse(const Tensor& w) const {
  const Entry& e = entry_of(table_, w);
  if (!e.rows.defined()) fail<ValueError>("gradients", "the gradient is dense: ", w.dtype(), " ", w.shape(), " (ask is_sparse() first)");
  return {e.rows, e.gradient, e.shape()};
}

bool Gradients::contains(const Tensor& w) const { return table_ && table_->find(w.header()); }
std::size_t Gradients::size() const noexcept { return table_ ? table_->size : 0; }
double Gradients::loss() const noexcept { return table_ ? table_->loss : 0; }

Gradients Gradients::from(const std::vector<GradientFor>& given, double loss) {
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto& [w, g, rows, shape, by_rows] = given[i];
    if (!w.defined() || !g.defined() || (by_rows && !rows.defined()))
      fail<ValueError>("gradients", "parameter ", i, " and its gradient must be defined: one was default-constructed or moved from");
    if (!w.requires_grad())
      fail<ValueError>("gradients", "parameter ", i, " must want a gradient: ", w.dtype(), " ", w.shape(),
                       " (a view, a clone or a result wants none; see set_requires_grad())");
    if (const Shape& all = by_rows ? shape : g.shape(); !(all == w.shape()))
      fail<ShapeError>("gradients", "the gradient for parameter ", i, " must have the parameter's shape: ", all, ", the parameter is ",
                       w.shape());
    if (by_rows)
      detail::require_rows("gradients", "parameter", i, rows, g, shape, w.dtype());
    else if (g.dtype() != w.dtype())
      fail<ValueError>("gradients", "the gradient for parameter ", i, " must have the parameter's dtype: ", g.dtype(),
                       ", the parameter is ", w.dtype());
  }
  Gradients all(detail::new_gradient_table(static_cast<std::uint32_t>(given.size())));
  GradientTable& table = *all.table_;
  table.loss = loss;
  for (const auto& [w, g, rows, shape, by_rows] : given) {
    RowSparse sum = by_rows ? detail::joined({{rows, g, shape}}) : RowSparse{{}, g.clone(), {}};
    sum.values.header()->flags |= detail::kReadOnly;
    Entry& e = table.add(w.header()->generation, w.header()->leaf, std::move(sum.values));
    e.rows = std::move(sum.rows);
    e.height = by_rows ? shape[0] : 0;
  }
  detail::sort(table);
  for (std::uint32_t i = 1; i < table.size; ++i)
    if (const Entry& a = table.begin()[i - 1], &b = table.begin()[i]; a.leaf == b.leaf && a.generation == b.generation)
      fail<ValueError>("gradients", "a parameter must come once: one of ", a.shape(), " comes twice (add its gradients up)");
  return all;
}

Gradients Gradients::clone() const {
  if (!table_) return {};
  Gradients copy(detail::new_gradient_table(table_->size));
  copy.table_->loss = table_->loss;
  for (const Entry& e : *table_) add_copy(*copy.table_, e);
  return copy;
}

Gradients& Gradients::operator+=(const Gradients& other) {
  if (!other.table_) return *this;
  if (!table_) return *this = other.clone();
  // Joined into a new table, so that nothing is changed when two shapes differ or there is no memory. Both tables are sorted.
  const auto same = [](const Entry& a, const Entry& b) { return a.leaf == b.leaf && a.generation == b.generation; };
  std::uint32_t common = 0;
  const Entry* mine = std::as_const(*table_).begin();
  for (const Entry& e : *other.table_) {
    while (mine != table_->end() && detail::before(*mine, e)) ++mine;
    if (mine == table_->end() || !same(*mine, e)) continue;
    ++common;
    kernels::require_same_dtype("gradients", mine->gradient, e.gradient);
    if (!(mine->shape() == e.shape())) fail<ShapeError>("gradients", "shapes must agree: ", mine->shape(), " and ", e.shape());
  }
  Gradients joined(detail::new_gradient_table(table_->size + other.table_->size - common));
  joined.table_->loss = table_->loss + other.table_->loss;
  const Entry* e = std::as_const(*other.table_).begin();
  for (const Entry& m : *table_) {
    for (; e != other.table_->end() && detail::before(*e, m); ++e) add_copy(*joined.table_, *e);
    Entry& sum = joined.table_->add(m);
    if (e != other.table_->end() && same(*e, m)) {
      add_to(sum, *e++);
      detail::make_own(sum.gradient);
    } else if (is_shared_beyond_table(m)) {
      sum.gradient = detail::copy_of(m.gradient);
    }
  }
  for (; e != other.table_->end(); ++e) add_copy(*joined.table_, *e);
  return *this = std::move(joined);
}

Gradients& Gradients::operator*=(double factor) {
  if (!std::isfinite(factor)) fail<NotFiniteError>("gradients", "the factor must be finite: ", factor);
  if (!table_) return *this;
  for (const Entry& e : *table_) kernels::require_fit("gradients", "the factor", factor, e.gradient.dtype(), ", which a gradient has");
  for (Entry& e : *table_) detail::writable(e);  // first all that needs memory
  for (Entry& e : *table_) kernels::binary_in_place("gradients", kernels::Binary::mul, e.gradient, factor);
  return *this;
}

namespace {

kernels::Norm norm_of(const Gradients& gradients) {
  if (!gradients.table()) return {};
  const kernels::Norm norm = kernels::norm_of_all([&](auto f) {
    for (const Entry& e : *gradients.table())
      kernels::dispatch(e.gradient, [&]<class T>(T*) { f(kernels::data_of<const T>(e.gradient), e.gradient.numel()); });
  });
  if (norm.finite())
    for (const Entry& e : *gradients.table()) e.set_finite();
  return norm;
}

}  // namespace

double global_norm(const Gradients& gradients) { return norm_of(gradients).value(); }

Gradients clip_norm(Gradients gradients, double max_norm) {
  if (!(max_norm > 0)) fail<ValueError>("clip_norm", "max_norm must be positive: ", max_norm);
  const kernels::Norm norm = norm_of(gradients);
  if (!norm.finite()) fail<NotFiniteError>("clip_norm", "the gradients' norm must be finite: ", norm.value());
  if (!norm.above(max_norm)) return gradients;
  for (Entry& e : *gradients.table()) {
    kernels::dispatch(detail::writable(e),
                      [&]<class T>(T*) { norm.bring_down(max_norm, kernels::data_of<T>(e.gradient), e.gradient.numel()); });
    e.set_finite();  // smaller than before
  }
  return gradients;
}

Gradients clip_value(Gradients gradients, double limit) {
  if (!(limit > 0)) fail<ValueError>("clip_value", "the limit must be positive: ", limit);
  if (!gradients.table()) return gradients;
  for (const Entry& e : *gradients.table())
    kernels::require_fit("clip_value", "the limit", limit, e.gradient.dtype(), ", which a gradient has");
  for (Entry& e : *gradients.table())
    kernels::dispatch(detail::writable(e), [&]<class T>(T*) {  // `gradients` is the function's own
      T* g = kernels::data_of<T>(e.gradient);
      for (std::int64_t i = 0; i < e.gradient.numel(); ++i) g[i] = g[i] > T(limit) ? T(limit) : g[i] < T(-limit) ? T(-limit) : g[i];
    });
  return gradients;
}

}  // namespace capstan
