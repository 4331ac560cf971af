#include <capstan/core/state_reader.h>

#include <capstan/core/create.h>

#include <algorithm>

// Reads a state key by key, and gathers what is missing, of another kind, or not asked for.

namespace capstan::detail {

Tensor number(double value) { return full({}, value, DType::f64); }
Tensor text_tensor(std::string_view text) {
  const Tensor t = empty({static_cast<std::int64_t>(text.size())}, DType::i64);
  std::copy_n(reinterpret_cast<const unsigned char*>(text.data()), text.size(), t.data<std::int64_t>());
  return t;
}
Tensor generator_tensor(const Generator& g) {
  return tensor(std::vector<std::int64_t>{static_cast<std::int64_t>(g.seed), g.purpose, static_cast<std::int64_t>(g.draw)});
}
Tensor count(std::int64_t value) { return tensor(std::vector<std::int64_t>{value}).reshape(Shape{}); }

const Tensor* StateReader::read(const std::string& key, const Shape& shape, DType dtype) {
  asked_.push_back(key);
  const Tensor* t = state_.find(key);
  if (!t) {
    complain("missing: ", key);
    return nullptr;
  }
  if (t->shape() == shape && t->dtype() == dtype) return t;
  complain(key, ": ", t->dtype(), " ", t->shape(), ", wanted ", dtype, " ", shape);
  return nullptr;
}

double StateReader::read_number(const std::string& key) {
  const Tensor* t = read(key, {}, DType::f64);
  return t ? *t->data<double>() : 0;
}

std::int64_t StateReader::read_count(const std::string& key) {
  const Tensor* t = read(key, {}, DType::i64);
  const std::int64_t n = t ? *t->data<std::int64_t>() : 0;
  if (n < 0) complain(key, ": a count must not be negative: ", n);
  if (n > std::int64_t{1} << 53) complain(key, ": a count must not be above 2^53: ", n);
  return n;
}

std::int64_t StateReader::read_integer(const std::string& key) {
  const Tensor* t = read(key, {}, DType::i64);
  return t ? *t->data<std::int64_t>() : 0;
}

std::string StateReader::read_text(const std::string& key) {
  const Tensor* found = state_.find(key);
  const Tensor* t = read(key, Shape{found && found->dim() == 1 ? found->numel() : 0}, DType::i64);
  if (!t) return {};
  const std::int64_t *begin = t->data<std::int64_t>(), *end = begin + t->numel();
  const auto bad = std::find_if(begin, end, [](std::int64_t byte) { return byte < 0 || byte > 255; });
  if (bad != end) {
    complain(key, ": the bytes of a text must lie in 0 to 255: ", *bad);
    return {};
  }
  std::string text(static_cast<std::size_t>(end - begin), '\0');
  std::transform(begin, end, text.begin(), [](std::int64_t byte) { return static_cast<char>(byte); });
  return text;
}

Generator StateReader::read_generator(const std::string& key) {
  const Tensor* t = read(key, {3}, DType::i64);
  if (!t) return {};
  const std::int64_t* n = t->data<std::int64_t>();
  if (n[1] < 0 || n[1] > std::int64_t{0xffffffff}) complain(key, ": a purpose must fit into 32 bits: ", n[1]);
  return {static_cast<std::uint64_t>(n[0]), static_cast<std::uint32_t>(n[1]), static_cast<std::uint64_t>(n[2])};
}

void StateReader::require_count(const std::string& key, std::int64_t wanted) {
  const Tensor* t = read(key, {}, DType::i64);
  if (const std::int64_t saved = t ? *t->data<std::int64_t>() : wanted; saved != wanted) complain(key, ": ", saved, ", wanted ", wanted);
}

// In whatever order the entries come: a file has its own. Only an option is one f64 number.
std::string StateReader::method(const std::string& wanted) const {
  if (state_.size() == 0 || state_.contains(wanted + "/step")) return wanted;
  const auto option =
      std::find_if(state_.begin(), state_.end(), [](const auto& e) { return e.tensor.dtype() == DType::f64 && e.tensor.dim() == 0; });
  const std::string& name = (option == state_.end() ? state_.begin() : option)->name;
  const std::size_t slash = name.find('/');
  return slash == std::string::npos ? wanted : name.substr(0, slash);  // a model's names have none
}

void StateReader::require_fit(const char* op, const char* what) {
  std::sort(asked_.begin(), asked_.end());
  for (const auto& entry : state_)
    if (!std::binary_search(asked_.begin(), asked_.end(), entry.name)) complain("unexpected: ", entry.name);
  if (!fits()) fail<ValueError>(op, what, report_);
}

}  // namespace capstan::detail
