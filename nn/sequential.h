#pragma once
#include <capstan/nn/module.h>

#include <type_traits>
#include <vector>

namespace capstan::nn {

class Linear;
class ReLU;

namespace detail {
[[noreturn]] void cannot_clone(const Module& m);
void copy_state(const Module& from, Module& to);
void match(const Module& from, Module& to);
}  // namespace detail

/// A deep copy of a module, with parameters of its own: by m.clone() where it has one, else by a default-constructed M
/// that is given m's state, dtypes, tied and frozen tensors and modes. Throws ValueError when M has neither, and when a
/// default-constructed M has other tensors than m.
template <class M>
M clone(const M& m) {
  if constexpr (requires { m.clone(); }) {
    return m.clone();
  } else if constexpr (std::is_default_constructible_v<M>) {
    M copy;
    detail::copy_state(m, copy);
    return copy;
  } else {
    detail::cannot_clone(m);
  }
}

/// Modules one after the other, named 0, 1, 2, ... Takes modules by moving them in; braces always:
/// `nn::Sequential model{nn::Linear(5, 64), nn::ReLU(), nn::Linear(64, 1)};`. One Sequential inside another keeps its
/// level of names ("0.0.weight"); where it would be the only argument, and so be moved, wrap it in nest(). A Linear with a bias that
/// a ReLU follows is computed as one operation, linear_relu(), with the same bits.
class Sequential final : public Module {
 public:
  template <class... Modules>
  requires(std::is_base_of_v<Module, Modules>&&...) explicit Sequential(Modules... modules) { (append(std::move(modules)), ...); }
  Sequential(Sequential&& other) noexcept : Module(static_cast<Module&&>(other)), items_(std::exchange(other.items_, {})) {}
  Sequential& operator=(Sequential&& other) noexcept {
    Module::operator=(static_cast<Module&&>(other));
    std::swap(items_, other.items_);
    return *this;
  }
  ~Sequential() override;

  /// Adds a module at the end.
  template <class M>
  requires std::is_base_of_v<Module, M>
  void append(M module) {
    items_.reserve(items_.size() + 1);
    const bool follows = std::is_same_v<M, ReLU> && !items_.empty() && items_.back().kind == Kind::linear;
    items_.push_back({new M(std::move(module)), [](const Module& m) -> Module* { return new M(nn::clone(static_cast<const M&>(m))); },
                      std::is_same_v<M, Linear> ? Kind::linear : Kind::other});
    if (follows) items_[items_.size() - 2].kind = Kind::linear_before_relu;
  }

  std::size_t size() const noexcept { return items_.size(); }
  /// Throws ValueError when there is no module i.
  Module& operator[](std::size_t i);

  Tensor forward(const Tensor& x) override;
  void members(Visitor& visit) override;
  std::string describe() const override;
  /// A deep copy with parameters of its own.
  Sequential clone() const;

 private:
  enum class Kind : unsigned char { other, linear, linear_before_relu };
  struct Item {
    Module* module;  // owned
    Module* (*clone)(const Module&);
    Kind kind;
  };
  std::vector<Item> items_;
};

/// A Sequential with one module, which keeps its own level of names: Sequential{nest(std::move(inner))}.
template <class M>
Sequential nest(M module) {
  Sequential s;
  s.append(std::move(module));
  return s;
}

}  // namespace capstan::nn
