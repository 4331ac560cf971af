#include <capstan/nn/module.h>

#include <capstan/core/pool.h>
#include <capstan/core/text.h>
#include <capstan/nn/sequential.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <typeinfo>
#include <unordered_map>
#include <unordered_set>

#include <cxxabi.h>

#include <cstdlib>

// What all modules share. Everything walks through members() once, collects what it shows with its full names, each tensor once, and
// works on that list: parameters, state, dtype, mode, cloning.

namespace capstan::nn {

using capstan::detail::join;

namespace {

/// Walks through a module and all inside it, with the full names of the tensors.
template <class F>
class Walk final : public Visitor {
 public:
  explicit Walk(F f) : f_(f) {}

 private:
  void tensor(const char* name, Tensor& value, bool trained) override {
    if (value.defined()) f_(prefix_ + name, value, trained);
  }
  void module(const char* name, Module& child) override {
    const std::size_t length = prefix_.size();
    prefix_ += join(name, ".");
    child.members(*this);
    prefix_.resize(length);
  }

  F f_;
  std::string prefix_;
};

template <class F>
void walk(Module& m, F f) {
  Walk<F> visitor(f);
  m.members(visitor);
}

/// Calls f for the modules directly inside m.
template <class F>
class Children final : public Visitor {
 public:
  explicit Children(F f) : f_(f) {}

 private:
  void tensor(const char*, Tensor&, bool) override {}
  void module(const char*, Module& child) override { f_(child); }
  F f_;
};

/// Which tensors came already. Those of a small model are looked through.
class Seen {
 public:
  /// Whether t comes for the first time.
  bool add(const Tensor& t) {
    const capstan::detail::Header* const h = t.header();
    if (count_ < few_.size()) {
      const auto end = few_.begin() + count_;
      if (std::find(few_.begin(), end, h) != end) return false;
      few_[count_++] = h;
      return true;
    }
    if (!many_) many_.emplace(few_.begin(), few_.end());
    return many_->insert(h).second;
  }

 private:
  std::array<const capstan::detail::Header*, 16> few_;
  unsigned count_ = 0;
  std::optional<std::unordered_set<const capstan::detail::Header*>> many_;
};

/// Puts the elements of `values` into the tensor. The header stays, and with it the identity that optimizers and gradients
/// know; it becomes a view of the new block.
void replace(const Tensor& tensor, Tensor values) noexcept {
  capstan::detail::Header* h = tensor.header();
  capstan::detail::Header* block = values.give();
  block->version = tensor.version() + 1;
  if (h->owner) capstan::detail::release(h->owner);
  h->owner = block;
  h->data = block->data;
  h->dtype = block->dtype;
}

struct Named {
  std::string name;
  Tensor* tensor;
};
std::vector<Named> tensors_of(Module& m) {
  std::vector<Named> all;
  walk(m, [&](std::string name, Tensor& t, bool) { all.push_back({std::move(name), &t}); });
  return all;
}

/// The parameters and the buffers themselves, each once.
TensorMap live(Module& m) {
  TensorMap all;
  Seen seen;
  walk(m, [&](std::string name, Tensor& t, bool) {
    if (seen.add(t)) all.insert(std::move(name), t);
  });
  return all;
}

void copy_modes(Module& from, Module& to) {
  std::vector<Module*> originals, copies;
  const auto list_originals = [&](Module& child) { originals.push_back(&child); };
  const auto list_copies = [&](Module& child) { copies.push_back(&child); };
  Children<decltype(list_originals)> original(list_originals);
  Children<decltype(list_copies)> copy(list_copies);
  from.members(original);
  to.members(copy);
  if (to.training() != from.training()) to.train(from.training());  // goes through all that is inside
  for (std::size_t i = 0; i < std::min(originals.size(), copies.size()); ++i) copy_modes(*originals[i], *copies[i]);
}

}  // namespace

// What cloning member by member does not give a copy: tensors tied to each other, their dtypes, which are frozen, which
// modules evaluate.
void detail::match(const Module& from, Module& to) {
  Module& original = const_cast<Module&>(from);  // members() shows tensors by reference, but none is changed here
  const std::vector<Named> theirs = tensors_of(original), mine = tensors_of(to);
  std::unordered_map<std::string_view, Tensor*> copies;
  for (const Named& n : mine) copies.emplace(n.name, n.tensor);
  std::unordered_map<const capstan::detail::Header*, Tensor*> first;  // the copy of what came first of tensors tied to each other
  for (const Named& n : theirs) {
    const auto found = copies.find(n.name);
    Tensor* const copy = found == copies.end() ? nullptr : found->second;
    const Tensor& t = *n.tensor;
    Tensor* const tied = first.emplace(t.header(), copy).first->second;
    if (!copy) continue;
    if (tied && tied != copy) {
      *copy = *tied;
      continue;
    }
    if (copy->requires_grad() != t.requires_grad()) copy->set_requires_grad(t.requires_grad());
    if (copy->dtype() != t.dtype() && is_floating(copy->dtype()) && is_floating(t.dtype())) replace(*copy, copy->to(t.dtype()));
  }
  copy_modes(original, to);
}

void detail::copy_state(const Module& from, Module& to) {
  match(from, to);
  to.load_state(live(const_cast<Module&>(from)));
}

Module::~Module() = default;

Tensor Module::forward(const Tensor&) {
  capstan::detail::fail<ValueError>("forward",
                                    "a module computes from one tensor only when it overrides forward(const Tensor&): ", describe(),
                                    " (call its own forward)");
}

void Module::members(Visitor&) {}

std::string detail::readable(const std::type_info& type) {
  int status = 0;
  char* text = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string name = status == 0 ? text : type.name();
  std::free(text);
  return name;
}

std::string Module::describe() const { return detail::readable(typeid(*this)); }

Parameters Module::parameters() {
  Parameters all;
  Seen seen;
  walk(*this, [&](std::string name, Tensor& t, bool trained) {
    if (trained && seen.add(t)) all.insert(std::move(name), t);
  });
  return all;
}

TensorMap Module::state() { return live(*this).clone(); }
TensorMap Module::live_state() { return live(*this); }

void Module::train(bool on) {
  training_ = on;
  const auto set = [on](Module& child) { child.train(on); };
  Children<decltype(set)> children(set);
  members(children);
}

void Module::to(DType dtype) {
  if (!is_floating(dtype)) capstan::detail::fail<ValueError>("to", "a model is f32 or f64: ", dtype);
  // All copies first, so that a failed allocation leaves the model as it was.
  std::vector<std::pair<Tensor, Tensor>> pairs;
  for (const auto& [name, tensor] : live(*this))
    if (is_floating(tensor.dtype()) && tensor.dtype() != dtype) pairs.emplace_back(tensor, tensor.to(dtype));
  for (auto& [tensor, converted] : pairs) replace(tensor, std::move(converted));
}

}  // namespace capstan::nn
