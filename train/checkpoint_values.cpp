#include <capstan/core/create.h>
#include <capstan/core/state_reader.h>
#include <capstan/core/text.h>
#include <capstan/train/checkpoint.h>

#include <algorithm>
#include <cmath>

// The values of a program that a Checkpoint keeps beside what has a state: numbers, texts, lists of numbers, generators. Each is one
// tensor.

namespace capstan::detail {

namespace {

/// The one tensor of a value's state.
const Tensor& only(const TensorMap& state, DType dtype, const Shape& shape) {
  const Tensor* t = state.find("");
  if (!t || state.size() != 1)
    fail<ValueError>("load_state", "a value must be one tensor without a name of its own: ", state.size(), " are there");
  const bool fits = t->dtype() == dtype && t->dim() == shape.dim() && (shape.dim() == 1 || t->shape() == shape);
  if (!fits)
    fail<ValueError>("load_state", "the saved value must be of the variable's type: ", t->dtype(), " ", t->shape(), ", wanted ", dtype,
                     shape.dim() == 1 ? " [n]" : " []");
  return *t;
}

TensorMap value(Tensor t) {
  TensorMap state;
  state.insert("", std::move(t));
  return state;
}

}  // namespace

TensorMap state_of(const Generator& g) { return value(generator_tensor(g)); }
TensorMap state_of(const std::string& s) { return value(text_tensor(s)); }
TensorMap state_of(const std::vector<double>& v) {
  const Tensor t = empty({static_cast<std::int64_t>(v.size())}, DType::f64);
  std::copy(v.begin(), v.end(), t.data<double>());
  return value(t);
}
TensorMap state_of_number(double v) { return value(number(v)); }
TensorMap state_of_number(std::int64_t v) { return value(count(v)); }
TensorMap state_of_number(bool v) { return value(full({}, v, DType::boolean)); }

void load_into(Generator& g, const TensorMap& state) {
  only(state, DType::i64, {0});
  StateReader reader(state);
  const Generator read = reader.read_generator("");
  reader.require_fit("load_state", "the state does not fit a generator:");
  g = read;
}
void load_into(std::string& s, const TensorMap& state) {
  only(state, DType::i64, {0});
  StateReader reader(state);
  std::string read = reader.read_text("");
  reader.require_fit("load_state", "the state does not fit a text:");
  s.swap(read);
}
void load_into(std::vector<double>& v, const TensorMap& state) {
  const Tensor& t = only(state, DType::f64, {0});
  v = std::vector<double>(t.data<double>(), t.data<double>() + t.numel());
}
double load_double(const TensorMap& state) { return *only(state, DType::f64, {}).data<double>(); }
float load_float(const TensorMap& state) {
  const double saved = load_double(state);
  const auto held = static_cast<float>(saved);
  if (static_cast<double>(held) != saved && !std::isnan(saved)) fail<ValueError>("load_state", "the saved number must be a float: ", saved);
  return held;
}
std::int64_t load_integer(const TensorMap& state, std::int64_t low, std::int64_t high) {
  const std::int64_t saved = *only(state, DType::i64, {}).data<std::int64_t>();
  if (saved < low || saved > high)
    fail<ValueError>("load_state", "the saved number must fit the variable, which holds ", low, " to ", high, ": ", saved);
  return saved;
}
bool load_bool(const TensorMap& state) { return *only(state, DType::boolean, {}).data<bool>(); }

}  // namespace capstan::detail
