#include <capstan/core/tensor_map.h>

#include <capstan/core/text.h>

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>

// Tensors by name: a list in order of entry, with a hash table of places beside it, so that looking up does not walk the list. The names
// may be a stranger's, who could choose such as collide in any hash function that is known before; this one is drawn by each process.

namespace capstan {

using detail::fail;

namespace {
constexpr std::size_t most_without_places = 16;  // fewer are looked through

std::uint64_t draw_key() noexcept {
  std::uint64_t key;
  if (::getentropy(&key, sizeof key) == 0) return key;
  return static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()) * 0x9e3779b97f4a7c15;
}

/// The name's pieces of seven bytes are the coefficients of a polynomial, whose value at the key is the hash, modulo a prime. Two names
/// collide where a polynomial is 0: at no more keys than the longer one has pieces.
std::uint64_t hash(std::string_view name) noexcept {
  constexpr std::uint64_t prime = (std::uint64_t{1} << 61) - 1;
  static const std::uint64_t key = draw_key() % prime;
  std::uint64_t value = name.size();
  while (!name.empty()) {
    std::uint64_t piece = 0;
    const std::size_t size = std::min<std::size_t>(name.size(), 7);
    std::memcpy(&piece, name.data(), size);
    const auto product = static_cast<unsigned __int128>(value + piece) * key;
    value = static_cast<std::uint64_t>(product & prime) + static_cast<std::uint64_t>(product >> 61);
    if (value >= prime) value -= prime;
    name.remove_prefix(size);
  }
  return value;
}

}  // namespace

NamedTensors::NamedTensors() = default;
NamedTensors::NamedTensors(const NamedTensors&) = default;
NamedTensors::NamedTensors(NamedTensors&&) noexcept = default;
NamedTensors& NamedTensors::operator=(const NamedTensors& other) {
  NamedTensors copy(other);  // first all that needs memory
  return *this = std::move(copy);
}
NamedTensors& NamedTensors::operator=(NamedTensors&&) noexcept = default;
NamedTensors::~NamedTensors() = default;

NamedTensors::NamedTensors(const std::vector<Tensor>& tensors) {
  entries_.reserve(tensors.size());
  for (const Tensor& t : tensors) insert(std::to_string(entries_.size()), t);
}

NamedTensors::NamedTensors(std::initializer_list<Entry> entries) {
  entries_.reserve(entries.size());
  for (const Entry& e : entries) insert(e.name, e.tensor);
}

void NamedTensors::insert(std::string name, Tensor tensor) {
  if (!tensor.defined()) fail<ValueError>("tensors", "a tensor must be defined: '", name, "'");
  if (contains(name)) fail<ValueError>("tensors", "a name must come once: '", name, "'");
  const std::size_t count = entries_.size() + 1;
  if (count > most_without_places && 2 * count > places_.size()) make_places(4 * count);
  entries_.push_back({std::move(name), std::move(tensor)});
  if (!places_.empty()) places_[place_of(entries_.back().name)] = static_cast<std::uint32_t>(count);
}

/// A table with room for `count` places, at least twice as many as there will be entries; what is there gets its place.
void NamedTensors::make_places(std::size_t count) {
  std::vector<std::uint32_t> table(std::bit_ceil(count));
  places_.swap(table);
  for (std::size_t i = 0; i < entries_.size(); ++i) places_[place_of(entries_[i].name)] = static_cast<std::uint32_t>(i + 1);
}

/// The place of a name, or the empty one where it would be.
std::size_t NamedTensors::place_of(std::string_view name) const noexcept {
  const std::size_t mask = places_.size() - 1;
  std::size_t i = hash(name) & mask;
  while (places_[i] != 0 && entries_[places_[i] - 1].name != name) i = (i + 1) & mask;
  return i;
}

Tensor NamedTensors::operator[](std::string_view name) const {
  if (const Tensor* t = find(name)) return *t;
  std::vector<std::string> names;
  for (const Entry& e : entries_) names.push_back(e.name);
  const std::string near = detail::nearest(name, names);
  if (!near.empty()) fail<ValueError>("tensors", "there is no such name: '", name, "' (did you mean '", near, "'?)");
  fail<ValueError>("tensors", "there is no such name: '", name, "' among ", names.size());
}

const NamedTensors::Entry& NamedTensors::at(std::size_t i) const {
  if (i >= size()) fail<ValueError>("tensors", "there is no such index: ", i, " among ", size());
  return entries_[i];
}

const Tensor* NamedTensors::find(std::string_view name) const noexcept {
  if (!places_.empty()) {
    const std::uint32_t found = places_[place_of(name)];
    return found == 0 ? nullptr : &entries_[found - 1].tensor;
  }
  for (const Entry& e : entries_)
    if (e.name == name) return &e.tensor;
  return nullptr;
}

TensorMap NamedTensors::clone() const {
  TensorMap copy;
  copy.entries_.reserve(size());
  for (const Entry& e : entries_) copy.entries_.push_back({e.name, e.tensor.clone()});
  copy.places_ = places_;
  return copy;
}

}  // namespace capstan
