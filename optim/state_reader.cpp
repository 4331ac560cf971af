#include <capstan/optim/state_reader.h>

#include <capstan/core/create.h>

#include <algorithm>

namespace capstan::optim::detail {

Tensor number(double value) { return full({}, value, DType::f64); }
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

void StateReader::require_count(const std::string& key, std::int64_t wanted) {
  const Tensor* t = read(key, {}, DType::i64);
  if (const std::int64_t saved = t ? *t->data<std::int64_t>() : wanted; saved != wanted) complain(key, ": ", saved, ", wanted ", wanted);
}

std::string StateReader::method() const {
  if (state_.size() == 0) return {};
  const std::string& first = state_.begin()->name;
  return first.substr(0, first.find('/'));
}

void StateReader::require_fit(const char* op, const char* what) {
  std::sort(asked_.begin(), asked_.end());
  for (const auto& entry : state_)
    if (!std::binary_search(asked_.begin(), asked_.end(), entry.name)) complain("unexpected: ", entry.name);
  if (!fits()) capstan::detail::fail<ValueError>(op, what, report_);
}

}  // namespace capstan::optim::detail
