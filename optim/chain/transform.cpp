#include <capstan/optim/transform.h>

#include <capstan/optim/method_impl.h>
#include <capstan/optim/transform_part.h>

#include <algorithm>
#include <cmath>

// What transformations consist of; those that only put others together.
namespace capstan::optim {

using capstan::detail::fail;
using capstan::detail::join;

Transform::Transform(const Transform& other) noexcept : part_(other.part_) { __atomic_fetch_add(&part_->copies, 1, __ATOMIC_RELAXED); }
Transform::~Transform() {
  if (__atomic_sub_fetch(&part_->copies, 1, __ATOMIC_ACQ_REL) == 0) delete part_;
}

namespace detail {

namespace {

template <class T>
struct Times {
  T factor;
  void operator()(T& out, T n) const { out = factor * n; }
};
template <class T>
struct Quotient {
  T factor;
  void operator()(T& out, T n, T& d) const { out = d == T(0) ? T(0) : factor * n / d; }
};
template <class T>
struct Decayed {
  T share;
  void operator()(T& out, T n, T& w) const { out = n + share * w; }
};

}  // namespace

const Tensor& Update::elements() {
  if (const double factor = num / den; d.defined() || factor != 1) {
    const Tensor out = empty_like(n);
    d.defined() ? sweep(out, n, rule<Quotient>(factor), d) : sweep(out, n, rule<Times>(factor));
    n = out;
  }
  if (decay != 0) {
    const Tensor out = empty_like(n);
    sweep(out, n, rule<Decayed>(decay), w);
    n = out;
  }
  set(n);
  return n;
}

void require_sound(const Update& u) {
  if (u.bad_part)
    fail<NotFiniteError>("chain", *u.bad_part, ": the norm must be finite: ", u.bad_norm, " (with the update of '", u.name, "')");
}

void require_dtype(std::string_view name, const Tensor& w, const Tensor& slot) {
  if (slot.dtype() != w.dtype())
    fail<ValueError>("chain", "the state must have the parameter's dtype: '", name, "' is ", w.dtype(), ", its state ", slot.dtype(),
                     " (convert the model first and make the optimizer then)");
}

void Number::check(const char* part, double v) const {
  if (!std::isfinite(v)) bad_option(part, name, "must be finite", v);
  FieldInfo::check(part, v);
  if (counts && (v < 1 || v != std::floor(v) || v > 0x1p53)) bad_option(part, name, "must be a whole number above 0", v);
}

void Number::check_held(const char* part, double v, bool any_f32) const {
  if (any_f32 && kind == Kind::number && range != Range::positive && !counts) require_held_by_f32(part, name, v);
}

Number count_number(const char* name, std::int64_t value) {
  Number n(name, static_cast<double>(value));
  n.counts = true;
  return n;
}

Part::Part(std::string part_name, std::vector<Number> part_numbers, std::vector<const char*> part_slots)
    : name(std::move(part_name)), numbers(std::move(part_numbers)), slots(std::move(part_slots)) {
  for (const Number& n : numbers)
    if (!n.value.scheduled()) n.check(name.c_str(), n.value.at(0));
  if (scheduled()) counts = {"count"};
}

bool Part::scheduled() const noexcept {
  return std::any_of(numbers.begin(), numbers.end(), [](const Number& n) { return n.value.scheduled(); });
}

std::size_t first_match(const std::vector<std::string>& patterns, std::string_view name) {
  for (std::size_t i = 0; i < patterns.size(); ++i)
    if (capstan::detail::matches(patterns[i], name)) return i;
  return no_match;
}

Memory::OfParameter& Call::remembered(const Update& u) {
  if (memory.parameters.size() <= u.index) memory.parameters.resize(u.index + 1);
  Memory::OfParameter& m = memory.parameters[u.index];
  if (m.count++ == 0) m.slots.clear();
  if (m.slots.empty())
    for (std::size_t i = 0; i < node.part->slots.size(); ++i)
      m.slots.push_back(new_slot(u.w.shape(), node.part->initial(i, node.values), u.w.dtype()));
  require_dtype(u.name, u.w, m.slots.front());
  return m;
}

namespace {

struct ChainPart final : Part {
  ChainPart() : Part("chain", {}) {}
  bool run(Call&, Updates&) const override { return true; }  // never a node: Program::add() takes it apart
  std::string formula(const std::vector<std::string>&) const override { return ""; }
};

struct Partition final : Part {
  Partition() : Part("partition", {}) { every = true; }
  bool run(Call& call, Updates& updates) const override {
    std::vector<Updates> routed(parts.size());
    for (Update& u : updates) routed[call.node.matches[u.index]].push_back(std::move(u));
    updates.clear();
    bool goes_on = false;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (!call.program.run(call.node.branches[i], routed[i])) continue;
      goes_on = true;
      for (Update& u : routed[i]) updates.push_back(std::move(u));
    }
    std::sort(updates.begin(), updates.end(), [](const Update& a, const Update& b) { return a.index < b.index; });
    return goes_on;
  }
  std::string formula(const std::vector<std::string>&) const override { return "by the parameter's name"; }
};

}  // namespace

}  // namespace detail

namespace transform {

Transform chain(std::vector<Transform> parts) {
  if (parts.empty()) fail<ValueError>("chain", "needs at least one transformation");
  auto* const made = new detail::ChainPart;
  made->parts = std::move(parts);
  return Transform(made);
}

Transform partition(std::vector<Branch> branches) {
  if (branches.empty()) fail<ValueError>("partition", "needs at least one pattern");
  auto* const made = new detail::Partition;
  Transform held(made);
  for (Branch& b : branches) {
    made->patterns.push_back(std::move(b.pattern));
    made->parts.push_back(std::move(b.transform));
  }
  return held;
}

}  // namespace transform

}  // namespace capstan::optim
