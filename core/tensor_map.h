#pragma once
#include <capstan/core/tensor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace capstan {

/// Tensors by name, in the order of insertion, each name once: a model's parameters, the state of a model or of an
/// optimizer, the content of a file. Copies share the tensors.
class TensorMap {
 public:
  struct Entry {
    std::string name;
    Tensor tensor;
  };

  TensorMap();
  TensorMap(const TensorMap&);
  TensorMap(TensorMap&&) noexcept;
  TensorMap& operator=(const TensorMap&);
  TensorMap& operator=(TensorMap&&) noexcept;
  ~TensorMap();
  /// Named 0, 1, 2, ...
  TensorMap(const std::vector<Tensor>& tensors);
  /// Throws ValueError for a name that comes twice.
  TensorMap(std::initializer_list<Entry> entries);

  /// Throws ValueError when the name is taken or the tensor undefined.
  void insert(std::string name, Tensor tensor);
  /// Throws ValueError naming the nearest name when there is none of this one.
  const Tensor& operator[](std::string_view name) const;
  bool contains(std::string_view name) const noexcept { return find(name) != nullptr; }
  const Tensor* find(std::string_view name) const noexcept;

  std::size_t size() const noexcept { return entries_.size(); }
  bool empty() const noexcept { return entries_.empty(); }
  auto begin() const noexcept { return entries_.begin(); }
  auto end() const noexcept { return entries_.end(); }
  /// Throws ValueError when i >= size().
  const Entry& at(std::size_t i) const;

 private:
  void make_places(std::size_t count);
  std::size_t place_of(std::string_view name) const noexcept;

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> places_;  // of more than 16 entries: a hash table of names; holds indices, counted from 1
};

/// What optimizers take and models give: {name, tensor} with each tensor once.
using Parameters = TensorMap;

}  // namespace capstan
