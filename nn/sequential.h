#pragma once
#include <capstan/nn/module.h>

#include <concepts>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace capstan::nn {

class Linear;
class ReLU;

namespace detail {
[[noreturn]] void cannot_clone(const Module& m);
[[noreturn]] void wrong_module(std::size_t i, const Module& m, const std::type_info& wanted);
/// A type's name for people.
std::string readable(const std::type_info& type);
void copy_state(const Module& from, Module& to);
void match(const Module& from, Module& to);
}  // namespace detail

/// A function of one tensor as a module: a lambda in a Sequential. What it captures is shared by copies, and is neither trained
/// nor saved.
template <class F>
class Lambda final : public Module {
 public:
  explicit Lambda(F f) : function_(std::move(f)) {}
  Tensor forward(const Tensor& x) override { return function_(x); }
  std::string describe() const override { return "Lambda"; }
  Lambda clone() const requires std::copy_constructible<F> { return Lambda(function_); }

 private:
  F function_;
};

template <class M>
concept IsModule = std::is_base_of_v<Module, M>;
/// What a Sequential takes: a module, or a function of one tensor.
template <class M>
concept Layer = IsModule<M> || std::is_invocable_r_v<Tensor, M&, const Tensor&>;

/// A deep copy of a module, with parameters of its own: by m.clone() where it has one. Else it is a default-constructed M
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
/// a ReLU follows is computed as one operation, linear_relu(), with the same bits. A function of one tensor may stand among them:
/// `nn::Sequential{nn::Linear(5, 4), [](const Tensor& x) { return exp(x); }}`.
class Sequential final : public Module {
 public:
  template <Layer... Modules>
  explicit Sequential(Modules... modules) : Sequential(Nothing()) {
    (append(std::move(modules)), ...);
  }
  Sequential(Sequential&& other) noexcept;
  Sequential& operator=(Sequential&& other) noexcept;
  ~Sequential() override;

  /// Adds a module, or a function of one tensor, at the end.
  template <Layer M>
  void append(M module) {
    if constexpr (IsModule<M>)
      append_module(std::move(module));
    else
      append_module(Lambda<M>(std::move(module)));
  }

  std::size_t size() const noexcept { return items_.size(); }
  /// Throws ValueError when there is no module i.
  Module& operator[](std::size_t i);
  /// The same as the M that it is: `model.get<nn::Linear>(0).weight`. Throws ValueError when it is another.
  template <IsModule M>
  M& get(std::size_t i) {
    if (M* m = dynamic_cast<M*>(&(*this)[i])) return *m;
    detail::wrong_module(i, (*this)[i], typeid(M));
  }

  Tensor forward(const Tensor& x) override;
  void members(Visitor& visit) override;
  std::string describe() const override;
  /// A deep copy with parameters of its own.
  Sequential clone() const;

 private:
  struct Nothing {};
  explicit Sequential(Nothing) noexcept {}  // complete before the modules come: what has come is deleted when the next one throws

  template <class M>
  void append_module(M module) {
    add(
        new M(std::move(module)), [](const Module& m) -> Module* { return new M(nn::clone(static_cast<const M&>(m))); },
        std::is_same_v<M, Linear> ? Kind::linear
        : std::is_same_v<M, ReLU> ? Kind::relu
                                  : Kind::other);
  }

  enum class Kind : unsigned char { other, linear, relu };
  using Clone = Module* (*)(const Module&);
  struct Item {
    Module* module;  // owned
    Clone clone;
    Kind kind;
  };
  void add(Module* module, Clone copier, Kind kind);  // takes the module over

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
