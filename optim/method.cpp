#include <capstan/optim/method.h>

#include <capstan/autograd/no_grad.h>
#include <capstan/core/create.h>
#include <capstan/core/state_reader.h>
#include <capstan/core/text.h>
#include <capstan/optim/sweep.h>

#include <algorithm>
#include <cmath>
#include <limits>

// Groups and slots, and what the checks and texts of methods share.
namespace capstan::optim {

using capstan::detail::fail;
using capstan::detail::join;

bool MethodBase::has_f32(std::size_t group) const noexcept {
  return std::any_of(entries().begin(), entries().end(),
                     [group](const Entry& e) { return e.group == group && e.parameter.dtype() == DType::f32; });
}

bool MethodBase::has_f32(std::string_view pattern) const {
  return std::any_of(entries().begin(), entries().end(),
                     [pattern](const Entry& e) { return e.parameter.dtype() == DType::f32 && capstan::detail::matches(pattern, e.name); });
}

void MethodBase::assign_group(std::string_view pattern, std::size_t group) {
  std::size_t matched = 0;
  for (Entry& e : entries())
    if (capstan::detail::matches(pattern, e.name)) {
      e.group = group;
      ++matched;
    }
  if (matched > 0) return;
  std::string names;
  for (const Entry& e : entries()) names += join(names.empty() ? "" : ", ", e.name);
  fail<ValueError>(method(), "a group's pattern must match a parameter: '", pattern, "' among ", names);
}

Shape MethodBase::shape_of(std::size_t, std::size_t, const Shape& parameter) const { return parameter; }
bool MethodBase::rates(const Entry&, double*) const { return false; }
std::optional<bool> MethodBase::forgets(const Entry&) const { return {}; }

std::vector<Tensor> MethodBase::new_slots(const Entry& entry, std::size_t rule) const {
  const std::vector<const char*> names = slot_names(rule);
  const std::vector<const char*> old = entry.rule == no_rule ? std::vector<const char*>{} : slot_names(entry.rule);
  std::vector<Tensor> slots;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Shape shape = shape_of(rule, i, entry.parameter.shape());
    for (std::size_t k = 0; k < old.size(); ++k)  // an option changed: what both rules know goes on
      if (std::string_view(old[k]) == names[i] && entry.state[k].shape() == shape) slots.push_back(entry.state[k]);
    if (slots.size() == i) slots.push_back(detail::new_slot(shape, start_of(entry.group, i), entry.parameter.dtype()));
  }
  return slots;
}

/// The slots as dense steps would have made them, before they are read, or their rule changes.
void MethodBase::catch_up(const Entry& e) {
  if (!e.missed.empty()) e.missed.front().catch_up(e.state, e.steps);
}

/// Slots for those of the step's parameters whose rule has changed: all of them, or none when there is no memory.
void MethodBase::make_ready() {
  const auto is_stale = [this](const Entry& e) { return e.gradient && rule_of(e.group) != e.rule; };
  if (std::none_of(entries().begin(), entries().end(), is_stale)) [[likely]]
    return;
  std::vector<std::vector<Tensor>> made;
  for (const Entry& e : entries())
    if (is_stale(e)) catch_up(e), made.push_back(new_slots(e, rule_of(e.group)));
  auto next = made.begin();
  for (Entry& e : entries()) {
    if (!is_stale(e)) continue;
    e.state = std::move(*next++);
    e.rule = rule_of(e.group);
  }
}

std::vector<Optimizer::Option> MethodBase::all_options() const {
  std::vector<Option> all;
  for (std::size_t g = 0; g < group_count(); ++g)
    for (const char* name : option_names()) all.push_back({g == 0 ? name : join(g, "/", name), option_of(g, name)});
  return all;
}

void MethodBase::save_entry(const Entry& e, TensorMap& state) const {
  if (e.group > 0) state.insert(e.name + "/group", capstan::detail::count(static_cast<std::int64_t>(e.group)));
  if (e.steps == 0) return;
  catch_up(e);
  const std::size_t rule = rule_of(e.group);  // after an option changed, that of the next step
  const std::vector<Tensor> slots = rule == e.rule ? e.state : new_slots(e, rule);
  const std::vector<const char*> names = slot_names(rule);
  for (std::size_t i = 0; i < names.size(); ++i) state.insert(join(e.name, "/", names[i]), slots[i]);
}

void MethodBase::read_entry(Entry& e, const std::vector<double>* options, capstan::detail::StateReader& reader) const {
  if (e.group > 0) reader.require_count(e.name + "/group", static_cast<std::int64_t>(e.group));
  e.state.clear();
  e.missed.clear();
  e.rule = no_rule;
  if (e.steps == 0) return;
  e.rule = options ? rule_with(e.group, *options) : rule_of(e.group);  // the loaded options may choose another
  const std::vector<const char*> names = slot_names(e.rule);
  for (std::size_t i = 0; i < names.size(); ++i)
    if (const Tensor* t = reader.read(join(e.name, "/", names[i]), shape_of(e.rule, i, e.parameter.shape()), e.parameter.dtype()))
      e.state.push_back(t->clone());
}

std::string MethodBase::describe() const {
  std::string s;
  for (std::size_t g = 0; g < group_count(); ++g) {
    const std::size_t rule = rule_of(g), slots = slot_names(rule).size();
    std::size_t parameters = 0;
    std::int64_t elements = 0, bytes = 0;
    for (const Entry& e : entries()) {
      if (e.group != g) continue;
      ++parameters;
      elements += e.parameter.numel();
      for (std::size_t i = 0; i < slots; ++i)
        bytes += shape_of(rule, i, e.parameter.shape()).numel() * static_cast<std::int64_t>(size_of(e.parameter.dtype()));
    }
    s += join(g == 0 ? "" : join("\ngroup ", g, ": "), formula_of(g), total(parameters, elements, bytes));
  }
  return s;
}

std::vector<EffectiveRates> MethodBase::effective_rates() const {
  const NoGrad pause;
  std::vector<EffectiveRates> all;
  for (const Entry& e : entries()) {
    if (!rates(e, nullptr)) continue;
    const Tensor t = full(e.parameter.shape(), std::nan(""), DType::f64);
    catch_up(e);
    if (e.steps > 0) rates(e, t.data<double>());
    all.push_back({e.name, option_of(e.group, "lr"), e.steps, t, forgets(e)});
  }
  return all;
}

namespace detail {

void bad_option(const char* method, const char* option, const char* rule, double value) {
  fail<ValueError>(method, option, " ", rule, ": ", value);
}

std::string fill(std::string_view formula, Decay decay, const Fields& fields, const std::vector<double>& values) {
  std::string s = decay == Decay::l2 ? "g <- g + {weight_decay}*w, " : decay == Decay::decoupled ? "w <- w - {lr}*{weight_decay}*w, " : "";
  s += formula;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::string name = join("{", fields[i].name, "}"), value = fields[i].text(values[i]);
    for (std::size_t at = 0; (at = s.find(name, at)) != std::string::npos; at += value.size()) s.replace(at, name.size(), value);
  }
  return s;
}

void require_positive(const char* method, const char* option, double value) {
  if (!(value > 0)) bad_option(method, option, "must be above 0", value);
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
