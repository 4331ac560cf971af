#pragma once
#include <capstan/core/tensor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace capstan {

class TensorMap;

/// What TensorMap and Parameters have in common: tensors by name, in the order of insertion, each name once. Copies share the
/// tensors.
class NamedTensors {
 public:
  struct Entry {
    std::string name;
    Tensor tensor;
  };

  /// Throws ValueError when the name is taken or the tensor undefined.
  void insert(std::string name, Tensor tensor);
  /// A handle on the tensor of this name. Throws ValueError naming the nearest name when there is none.
  Tensor operator[](std::string_view name) const;
  bool contains(std::string_view name) const noexcept { return find(name) != nullptr; }
  const Tensor* find(std::string_view name) const noexcept;

  std::size_t size() const noexcept { return entries_.size(); }
  bool empty() const noexcept { return entries_.empty(); }
  auto begin() const noexcept { return entries_.begin(); }
  auto end() const noexcept { return entries_.end(); }
  /// Throws ValueError when i >= size().
  const Entry& at(std::size_t i) const;

  /// A snapshot: the same names, each with a deep copy of its tensor.
  TensorMap clone() const;

 protected:
  NamedTensors();
  NamedTensors(const NamedTensors&);
  NamedTensors(NamedTensors&&) noexcept;
  NamedTensors& operator=(const NamedTensors&);
  NamedTensors& operator=(NamedTensors&&) noexcept;
  ~NamedTensors();
  /// Named 0, 1, 2, ...
  explicit NamedTensors(const std::vector<Tensor>& tensors);
  NamedTensors(std::initializer_list<Entry> entries);

  void make_places(std::size_t count);
  std::size_t place_of(std::string_view name) const noexcept;

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> places_;  // of more than 16 entries: a hash table of names; holds indices, counted from 1
};

/// Values by name: the state of a model or of an optimizer, the content of a file. What state() gives is a snapshot, of which
/// later steps change nothing.
class TensorMap : public NamedTensors {
 public:
  TensorMap() = default;
  /// Named 0, 1, 2, ... Throws ValueError for an undefined tensor.
  TensorMap(const std::vector<Tensor>& tensors) : NamedTensors(tensors) {}
  /// Throws ValueError for a name that comes twice and an undefined tensor.
  TensorMap(std::initializer_list<Entry> entries) : NamedTensors(entries) {}
};

/// What models give and optimizers take: the live tensors by name. A step changes what they hold. A type of its own, so that no
/// optimizer trains a saved state by mistake: neither converts to the other, and clone() makes a TensorMap.
///
///     for (auto& [name, w] : model.parameters()) w.set_requires_grad(false);   // freezes the model
class Parameters : public NamedTensors {
 public:
  Parameters() = default;
  /// Named 0, 1, 2, ... Throws ValueError for an undefined tensor.
  Parameters(const std::vector<Tensor>& tensors) : NamedTensors(tensors) {}
  /// Throws ValueError for a name that comes twice and an undefined tensor.
  Parameters(std::initializer_list<Entry> entries) : NamedTensors(entries) {}

  using NamedTensors::begin, NamedTensors::end;
  /// For loops that change the tensors; the names are not theirs to change.
  auto begin() noexcept { return entries_.begin(); }
  auto end() noexcept { return entries_.end(); }
};

}  // namespace capstan
