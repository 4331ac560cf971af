#include <capstan/core/tensor_map.h>

#include <capstan/core/text.h>

namespace capstan {

using detail::fail;

TensorMap::TensorMap() = default;
TensorMap::TensorMap(const TensorMap&) = default;
TensorMap::TensorMap(TensorMap&&) noexcept = default;
TensorMap& TensorMap::operator=(const TensorMap&) = default;
TensorMap& TensorMap::operator=(TensorMap&&) noexcept = default;
TensorMap::~TensorMap() = default;

TensorMap::TensorMap(const std::vector<Tensor>& tensors) {
  entries_.reserve(tensors.size());
  for (const Tensor& t : tensors) insert(std::to_string(entries_.size()), t);
}

TensorMap::TensorMap(std::initializer_list<Entry> entries) {
  entries_.reserve(entries.size());
  for (const Entry& e : entries) insert(e.name, e.tensor);
}

void TensorMap::insert(std::string name, Tensor tensor) {
  if (!tensor.defined()) fail<ValueError>("tensors", "a tensor must be defined: '", name, "'");
  if (contains(name)) fail<ValueError>("tensors", "a name must come once: '", name, "'");
  entries_.push_back({std::move(name), std::move(tensor)});
}

const Tensor& TensorMap::operator[](std::string_view name) const {
  if (const Tensor* t = find(name)) return *t;
  std::vector<std::string> names;
  for (const Entry& e : entries_) names.push_back(e.name);
  const std::string near = detail::nearest(name, names);
  if (!near.empty()) fail<ValueError>("tensors", "there is no such name: '", name, "' (did you mean '", near, "'?)");
  fail<ValueError>("tensors", "there is no such name: '", name, "' among ", names.size());
}

const TensorMap::Entry& TensorMap::at(std::size_t i) const {
  if (i >= size()) fail<ValueError>("tensors", "there is no such index: ", i, " among ", size());
  return entries_[i];
}

const Tensor* TensorMap::find(std::string_view name) const noexcept {
  for (const Entry& e : entries_)
    if (e.name == name) return &e.tensor;
  return nullptr;
}

}  // namespace capstan
