#include <capstan/optim/optimizer.h>

#include <capstan/autograd/gradient_table.h>
#include <capstan/autograd/no_grad.h>
#include <capstan/core/compute.h>
#include <capstan/core/pool.h>
#include <capstan/core/state_reader.h>
#include <capstan/core/text.h>
#include <capstan/core/threads.h>
#include <capstan/optim/rule_loop.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <unordered_map>
#include <unordered_set>

// A step of whatever method: finds each parameter's gradient, looks for NaN, and has the method move them, all or none.
namespace capstan::optim {

using capstan::detail::fail;
using capstan::detail::join;

namespace {

/// "[3, 5]": where the i-th element of a tensor lies.
std::string index_of(const Shape& shape, std::int64_t i) {
  std::string s;
  for (int axis = shape.dim() - 1; axis >= 0; --axis) {
    s = std::to_string(i % shape[axis]) + (s.empty() ? "" : ", ") + s;
    i /= shape[axis];
  }
  return "[" + s + "]";
}

template <class T>
std::int64_t search_non_finite(const T* x, std::int64_t n) {
  // Pieces as large as the kernel's windows, from the end: who reads x next begins at its beginning, which then is in the cache.
  std::atomic<std::int64_t> least = n;
  parallel_for(n, std::int64_t{1} << 17, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t i = n - end + kernels::table<T>().first_non_finite(x + n - end, end - begin);
    if (i == n - begin) return;
    for (std::int64_t before = least; i < before && !least.compare_exchange_weak(before, i);) {
    }
  });
  return least < n ? least.load() : -1;
}

/// -1 when all elements are finite.
inline std::int64_t first_non_finite(const capstan::detail::Header* g) {
  const auto search = [g]<class T>(const T* x) __attribute__((always_inline))->std::int64_t {
    const std::int64_t n = g->numel;
    if (n <= 16) {  // a call costs more than this
      T bad = T(0);
      std::int64_t i = 0;
      for (; i + 4 <= n; i += 4) bad += ((x[i] - x[i]) + (x[i + 1] - x[i + 1])) + ((x[i + 2] - x[i + 2]) + (x[i + 3] - x[i + 3]));
      for (; i < n; ++i) bad += x[i] - x[i];
      if (bad == T(0)) [[likely]]
        return -1;
    }
    return search_non_finite(x, n);
  };
  if (g->dtype == DType::f32) [[likely]]
    return search(static_cast<const float*>(g->data));
  return search(static_cast<const double*>(g->data));
}

void set_version(capstan::detail::Header* h, std::uint32_t version) noexcept {
  __atomic_store_n(&(h->owner ? h->owner : h)->version, version, __ATOMIC_RELAXED);
}

void copy_bytes(const Tensor& from, const Tensor& to) {
  if (from.numel() > 0) std::memcpy(to.header()->data, from.header()->data, static_cast<std::size_t>(from.numel()) * size_of(from.dtype()));
}

}  // namespace

Optimizer::Optimizer(bool prepares) : prepares_(prepares) {
  num_threads(), detail::choose_isa_level();  // throw for a bad variable of the environment: here, and not half way through a step
}
Optimizer::~Optimizer() {
  for (Shared* s : shared_) delete s;
}

const char* Optimizer::paper() const noexcept { return nullptr; }
bool Optimizer::takes_rows(const Entry&) const { return false; }
bool Optimizer::catches_up(const Entry&) const { return false; }
void Optimizer::begin_step() noexcept {}
void Optimizer::make_ready() {}
void Optimizer::prepare(double) {}
void Optimizer::update(Entry&, const Tensor&) {}
void Optimizer::update_all() {
  struct Kept {
    Entry* entry;
    std::uint32_t version;
    Tensor parameter, value;
    std::vector<Tensor> slots, values;
  };
  std::vector<Kept> all;
  std::size_t moved = 0;
  try {
    for (Entry& e : entries_) {
      if (!e.gradient) continue;
      Kept k{&e, e.parameter.version(), e.parameter, e.parameter.clone(), e.state, {}};
      for (const Tensor& slot : e.state) k.values.push_back(slot.clone());
      all.push_back(std::move(k));
    }
    for_each_moved([&](Entry& e) {
      e.before = &all[moved++].value;
      update(e, *e.gradient);
      e.before = nullptr;
    });
  } catch (...) {
    all.resize(moved);
    for (Kept& k : all) {
      k.entry->parameter = k.parameter;
      k.entry->before = nullptr;
      k.entry->state.swap(k.slots);
      --k.entry->steps;
      copy_bytes(k.value, k.parameter);
      for (std::size_t i = 0; i < k.values.size(); ++i) copy_bytes(k.values[i], k.entry->state[i]);
      set_version(k.parameter.header(), k.version);
    }
    throw;
  }
}
void Optimizer::finish() {}
void Optimizer::group(std::string_view pattern, const std::vector<Setting>& settings) {
  detail::require_once(method(), settings, join("the group '", pattern, "'"));
  group_by_name(pattern, settings);
}
void Optimizer::group_by_name(std::string_view pattern, const std::vector<Setting>&) {
  fail<ValueError>(method(), "there are no groups of parameters: '", pattern,
                   "' (methods that move each parameter by itself have them; a chain has partition())");
}
bool Optimizer::takes_non_finite() const noexcept { return false; }
void Optimizer::save_entry(const Entry&, TensorMap&) const {}
void Optimizer::read_entry(Entry&, const std::vector<double>*, capstan::detail::StateReader&) const {}
void Optimizer::save_rest(TensorMap&) const {}
void Optimizer::read_rest(capstan::detail::StateReader&) {}
void Optimizer::commit_rest() noexcept {}
void Optimizer::accept_parameter(const std::string&, const Tensor&) const {}

void Optimizer::add_parameters(const Parameters& parameters) {
  if (parameters.empty()) fail<ValueError>(method(), "needs at least one parameter");
  std::unordered_set<std::string_view> names;
  std::unordered_map<const capstan::detail::Header*, std::string_view> tensors;
  for (const Entry& e : entries_) {
    names.insert(e.name);
    tensors.emplace(e.parameter.header(), e.name);
  }
  std::vector<Entry> added;
  added.reserve(parameters.size());
  for (const auto& p : parameters) {
    if (!is_floating(p.tensor.dtype())) fail<ValueError>(method(), "parameters are f32 or f64: '", p.name, "' is ", p.tensor.dtype());
    if (p.name == method())
      fail<ValueError>(method(), "a parameter must not be named like the method: '", p.name, "' (their state would have the same names)");
    accept_parameter(p.name, p.tensor);
    if (names.contains(p.name)) fail<ValueError>(method(), "a parameter's name must come once: '", p.name, "'");
    const auto [place, first] = tensors.emplace(p.tensor.header(), p.name);
    if (!first) fail<ValueError>(method(), "a parameter must come once: '", p.name, "' is '", place->second, "'");
    Entry& e = added.emplace_back();
    e.name = p.name;
    e.parameter = p.tensor;
  }
  if (entries_.empty()) return entries_.swap(added);
  entries_.reserve(entries_.size() + added.size());
  for (Entry& e : added) entries_.push_back(std::move(e));
}

void Optimizer::require_finite_loss(double loss) const {
  if (check_finite_ && !std::isfinite(loss))
    fail<NotFiniteError>(method(), "step ", steps_ + 1, ": the loss must be finite: ", loss, " (a lower lr, or set_check_finite(false))");
}

void Optimizer::require_finite(const Entry& entry) const {
  const Tensor& g = *entry.gradient;
  const std::int64_t bad = check_finite_ ? first_non_finite(g.header()) : -1;
  if (bad < 0) return;
  const double value = kernels::dispatch(g, [&]<class T>(T*) { return static_cast<double>(kernels::data_of<T>(g)[bad]); });
  std::int64_t at = bad;
  if (entry.rows) {
    const std::int64_t size = g.numel() / entry.rows->numel();
    at = kernels::data_of<std::int64_t>(*entry.rows)[bad / size] * size + bad % size;
  }
  fail<NotFiniteError>(method(), "step ", steps_ + 1, ": the gradient for '", entry.name, "' must be finite: ", value, " at ",
                       index_of(entry.parameter.shape(), at), " (a lower lr, clip_value(), or set_check_finite(false))");
}

void Optimizer::no_gradient() const {
  if (entries_.empty()) fail<ValueError>(method(), "there are no parameters to move (add_parameters() takes them in)");
  fail<ValueError>(method(), "none of the ", entries_.size(), " parameters has a gradient (were they made from this optimizer's model?)");
}

[[gnu::always_inline]] inline void Optimizer::move_all(double loss) {
  if (prepares_) [[unlikely]]
    prepare(loss);
  update_all();
  ++steps_;
  if (!dense_.empty()) [[unlikely]]
    dense_.clear();
  finish();
}

void Optimizer::warn_of_unowned(const Gradients& gradients) {
  std::size_t unowned = 0;
  std::string shapes;
  const auto given = [](const Entry& e) { return e.gradient != nullptr; };
  if (static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), given)) == gradients.size()) return;
  for (const auto& g : *gradients.table()) {
    const auto owns = [&](const Entry& e) { return e.gradient && gradients.table()->find(e.parameter.header()) == &g; };
    if (std::any_of(entries_.begin(), entries_.end(), owns)) continue;
    if (++unowned <= 8) shapes += join(shapes.empty() ? "" : ", ", g.gradient.dtype(), " ", g.shape());
  }
  warn_unowned_ = false;
  std::fprintf(stderr, "%s\n",
               join("[", method(), "] step ", steps_ + 1, ": ", unowned, " of ", gradients.size(),
                    " gradients belong to none of this optimizer's parameters: ", shapes, unowned > 8 ? ", ..." : "",
                    " (what members() does not show is not trained; see nn::check())")
                   .c_str());
}

void Optimizer::step(const Gradients& gradients) {
  if (prepares_) [[unlikely]]
    begin_step();
  const capstan::detail::GradientTable* table = gradients.table();
  if (!table) [[unlikely]]
    no_gradient();
  if (check_finite_) [[likely]]
    if (!std::isfinite(table->loss) && !takes_non_finite()) [[unlikely]]
      require_finite_loss(table->loss);
  if (!dense_.empty()) [[unlikely]]  // of a step that was refused
    dense_.clear();
  bool any = false;
  const capstan::detail::GradientTable::Entry* next = table->begin();  // where the next gradient most likely is
  for (Entry& e : entries_) {
    const capstan::detail::Header* h = e.parameter.header();
    const auto* found = table->find(h, next);
    e.gradient = nullptr;
    e.rows = nullptr;
    if (!found) [[unlikely]]
      continue;
    any = true;
    e.gradient = &found->gradient;
    if (found->rows.defined()) [[unlikely]] {
      if (takes_rows(e)) {
        e.rows = &found->rows;
        if (e.missed.empty() && catches_up(e)) e.missed.emplace_back(found->height);
      } else {
        if (dense_.empty()) dense_.reserve(entries_.size());
        e.gradient = &dense_.emplace_back(found->dense());
      }
    }
    next = found + 1;
    if (!e.state.empty() && e.state.front().header()->dtype != h->dtype) [[unlikely]]
      fail<ValueError>(method(), "the state must have the parameter's dtype: '", e.name, "' is ", h->dtype, ", its state ",
                       e.state.front().dtype(), " (convert the model first and make the optimizer then)");
    const capstan::detail::Header* g = e.gradient->header();
    if (g->dtype != h->dtype) [[unlikely]]
      fail<ValueError>(method(), "the gradient must have the parameter's dtype: '", e.name, "' is ", h->dtype, ", its gradient ", g->dtype);
    if (check_finite_ && !found->known_finite()) [[likely]] {
      if (first_non_finite(found->gradient.header()) < 0) [[likely]]  // of a row-sparse one its rows
        found->set_finite();
      else if (!takes_non_finite()) [[unlikely]]
        require_finite(e);
    }
  }
  if (!any) [[unlikely]]
    no_gradient();
  if (warn_unowned_) [[unlikely]]
    warn_of_unowned(gradients);
  make_ready();

  const NoGrad pause;
  if (shared_.empty()) [[likely]]
    return move_all(table->loss);
  for (Shared* s : shared_) s->before = s->value;
  try {
    move_all(table->loss);
  } catch (...) {
    for (Shared* s : shared_) s->value = s->before;
    throw;
  }
}

}  // namespace capstan::optim
