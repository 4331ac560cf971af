#include <capstan/optim/elementwise.h>

#include <capstan/core/kernels/table.h>
#include <capstan/core/text.h>
#include <capstan/optim/whole_tensor.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace capstan::optim {

using capstan::detail::fail;
using capstan::detail::join;

namespace detail {

int isa_level = 0;
// Several threads may come here at once: all write the same.
void choose_isa_level() { __atomic_store_n(&isa_level, kernels::isa_level(), __ATOMIC_RELAXED); }

void bad_option(const char* method, const char* option, const char* rule, double value) {
  fail<ValueError>(method, option, " ", rule, ": ", value);
}

void unknown_option(const char* method, std::string_view option, const std::vector<const char*>& known) {
  std::string all;
  for (const char* name : known) all += join(all.empty() ? "" : ", ", name);
  const std::string near = capstan::detail::nearest(option, std::vector<std::string>(known.begin(), known.end()));
  fail<ValueError>(method, "there is no option '", option, "' among ", all, near.empty() ? "" : join(" (did you mean '", near, "'?)"));
}

std::string list_options(const std::vector<FieldInfo>& fields, const std::vector<double>& values) {
  std::string s;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const bool is_word = fields[i].kind == FieldInfo::Kind::word;
    s += join(s.empty() ? "" : ", ", fields[i].name, " ", is_word ? fields[i].text(values[i]) : join(values[i]));
  }
  return s;
}

namespace {
std::string what_of(const std::string& parameter, const char* state) {
  return state ? join("the state '", state, "' of '", parameter, "'") : join("the parameter '", parameter, "'");
}
}  // namespace

void not_in_place(const char* method, const std::string& parameter, const char* state) {
  const char* const w = state ? state : "w";
  fail<ValueError>(method, "move() must change ", what_of(parameter, state), " in place: it made another tensor (write ", w, " -= ... or ",
                   w, ".assign(...), not ", w, " = ...)");
}

void take_in(Tensor& made, const Tensor& old, const Tensor& w, const Tensor& g, const char* method, const std::string& parameter,
             const char* state) {
  if (!made.defined()) return;
  if (made.shape() != old.shape() || made.dtype() != old.dtype())
    fail<ValueError>(method, "plan() must give ", what_of(parameter, state), " a tensor of its shape and dtype: ", made.dtype(), " ",
                     made.shape(), " for ", old.dtype(), " ", old.shape());
  const void* const data = made.header()->data;
  if (data == w.header()->data || data == g.header()->data) made = made.clone();
}

void require_positive(const char* method, const char* option, double value) {
  if (!(value > 0)) bad_option(method, option, "must be above 0", value);
}

void require_non_negative(const char* method, const char* option, double value) {
  if (value < 0) bad_option(method, option, "must not be negative", value);
}

void require_fraction(const char* method, const char* option, double value) {
  if (!(value >= 0 && value < 1)) bad_option(method, option, "must lie in [0, 1)", value);
}

void require_held_by_f32(const char* method, const char* option, double value) {
  const auto held = static_cast<float>(value);
  if (!std::isfinite(held))
    fail<ValueError>(method, option, " must be finite in f32, which a parameter has: ", value, " is ", held, " there");
  if (held == 0 && value != 0 && std::string_view(option).starts_with("eps"))
    fail<ValueError>(method, option, " must not be 0 in f32, which a parameter has: ", value, " is ", held,
                     " there (1.4e-45 is the least that is more, and 0 itself is taken where the method takes it)");
}

double kept_positive(double floor, DType dtype) noexcept {
  return std::max(floor, dtype == DType::f32 ? std::numeric_limits<float>::min() : std::numeric_limits<double>::min());
}

std::string decayed(double weight_decay) { return weight_decay == 0 ? "" : join("g <- g + ", weight_decay, "*w, "); }

std::string shrunk(double lr, double weight_decay) { return weight_decay == 0 ? "" : join("w <- w - ", lr, "*", weight_decay, "*w, "); }

}  // namespace detail

}  // namespace capstan::optim
