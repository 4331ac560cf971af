#include <capstan/nn/module.h>

#include <capstan/autograd/tape.h>
#include <capstan/core/pool.h>
#include <capstan/core/text.h>

#include <typeinfo>

#include <cxxabi.h>

#include <cstdlib>

namespace capstan::nn {

using capstan::detail::cat;

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
    prefix_ += cat(name, ".");
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

bool holds(const TensorMap& map, const Tensor& t) {
  for (const auto& [name, tensor] : map)
    if (tensor.header() == t.header()) return true;
  return false;
}

}  // namespace

Module::~Module() = default;
void Module::members(Visitor&) {}

std::string Module::describe() const {
  int status = 0;
  char* readable = abi::__cxa_demangle(typeid(*this).name(), nullptr, nullptr, &status);
  std::string name = status == 0 ? readable : typeid(*this).name();
  std::free(readable);
  return name;
}

Parameters Module::parameters() {
  Parameters all;
  walk(*this, [&](std::string name, Tensor& t, bool trained) {
    if (trained && !holds(all, t)) all.insert(std::move(name), t);
  });
  return all;
}

TensorMap Module::state() {
  TensorMap all;
  walk(*this, [&](std::string name, Tensor& t, bool) {
    if (!holds(all, t)) all.insert(std::move(name), t);
  });
  return all;
}

void Module::load_state(const TensorMap& state) {
  const TensorMap mine = this->state();
  std::string wrong;
  for (const auto& [name, tensor] : mine) {
    const Tensor* t = state.find(name);
    if (!t)
      wrong += cat("\n  missing: ", name);
    else if (!(t->shape() == tensor.shape()) || t->dtype() != tensor.dtype())
      wrong += cat("\n  ", name, ": ", t->dtype(), " ", t->shape(), ", wanted ", tensor.dtype(), " ", tensor.shape());
  }
  for (const auto& [name, tensor] : state)
    if (!mine.contains(name)) wrong += cat("\n  unexpected: ", name);
  if (!wrong.empty()) capstan::detail::fail<ValueError>("load_state", "the state does not fit ", describe(), ":", wrong);
  const NoGrad pause;
  for (const auto& [name, tensor] : mine) {
    Tensor to = tensor;
    to.assign(state[name]);
  }
}

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
  for (const auto& [name, tensor] : state())
    if (is_floating(tensor.dtype()) && tensor.dtype() != dtype) pairs.emplace_back(tensor, tensor.to(dtype));
  for (auto& [tensor, converted] : pairs) {
    // The header stays, and with it the identity that optimizers and gradients know; it becomes a view of the new block.
    capstan::detail::Header* h = tensor.header();
    capstan::detail::Header* block = converted.give();
    block->version = tensor.version() + 1;
    if (h->owner) capstan::detail::release(h->owner);
    h->owner = block;
    h->data = block->data;
    h->dtype = dtype;
  }
}

}  // namespace capstan::nn
