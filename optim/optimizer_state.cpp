#include <capstan/autograd/tape_state.h>
#include <capstan/core/create.h>
#include <capstan/core/text.h>
#include <capstan/optim/optimizer.h>
#include <capstan/optim/state_reader.h>

#include <cmath>

// What an optimizer keeps, saves and tells of itself.
namespace capstan::optim {

using capstan::detail::fail;
using capstan::detail::join;

double& Optimizer::share(const char* name, double start) {
  std::vector<std::string> taken = {"step"};
  for (const char* option : option_names()) taken.emplace_back(option);
  for (const Shared* s : shared_) taken.push_back(s->name);
  for (const std::string& other : taken)
    if (other == name) fail<ValueError>(method(), "what all parameters share must have a name of its own: '", name, "'");
  shared_.reserve(shared_.size() + 1);
  shared_.push_back(new Shared{name, start, start});
  return shared_.back()->value;
}

std::string Optimizer::option_key(std::size_t group, const char* name) const {
  return group == 0 ? join(method(), "/", name) : join(method(), "/", group, "/", name);
}

TensorMap Optimizer::state() const {
  TensorMap state;
  for (std::size_t g = 0; g < group_count(); ++g)
    for (const char* name : option_names()) state.insert(option_key(g, name), detail::number(option(g, name)));
  for (const Shared* s : shared_) state.insert(join(method(), "/", s->name), detail::number(s->value));
  state.insert(join(method(), "/step"), detail::count(steps_));
  for (const Entry& e : entries_) {
    state.insert(e.name + "/step", detail::count(e.steps));
    if (e.group > 0) state.insert(e.name + "/group", detail::count(static_cast<std::int64_t>(e.group)));
    if (e.steps == 0) continue;
    Entry next = e;  // after an option changed, with the slots of the rule that the next step will use
    if (const std::size_t rule = rule_of(e.group); rule != e.rule) {
      next.state = new_slots(e, rule);
      next.rule = rule;
    }
    const std::vector<const char*> names = slot_names(next.rule);
    for (std::size_t i = 0; i < names.size(); ++i) state.insert(join(e.name, "/", names[i]), next.state[i].clone());
  }
  save_rest(state);
  return state;
}

void Optimizer::load_state(const TensorMap& state) {
  detail::StateReader reader(state);
  Loaded loaded = read_state(reader);
  reader.require_fit(method(), "the state does not fit this optimizer:");
  take_state(std::move(loaded));
}

Optimizer::Loaded Optimizer::read_state(detail::StateReader& reader) {
  if (const std::string other = reader.method(); other != method() && !other.empty())
    reader.complain("method: ", other, ", wanted ", method());
  std::vector<double> options;
  for (std::size_t g = 0; g < group_count(); ++g)
    for (const char* name : option_names()) options.push_back(reader.take_number(option_key(g, name)));
  std::vector<double> shared;
  for (const Shared* s : shared_) shared.push_back(reader.take_number(join(method(), "/", s->name)));
  const bool complete = reader.fits();
  const std::int64_t total = reader.take_count(join(method(), "/step"));

  std::vector<Entry> loaded = entries_;
  for (Entry& e : loaded) {
    e.steps = reader.take_count(e.name + "/step");
    if (e.group > 0) reader.require_count(e.name + "/group", static_cast<std::int64_t>(e.group));
    e.state.clear();
    e.rule = no_rule;
    if (e.steps == 0) continue;
    // The loaded options may choose another rule than the present ones.
    e.rule = complete ? rule_of(e.group, options) : rule_of(e.group);
    const std::vector<const char*> names = slot_names(e.rule);
    for (std::size_t i = 0; i < names.size(); ++i)
      if (const Tensor* t = reader.take(join(e.name, "/", names[i]), shape_of(e.rule, i, e.parameter.shape()), e.parameter.dtype()))
        e.state.push_back(t->clone());
  }
  read_rest(reader);
  return {std::move(options), std::move(shared), std::move(loaded), total};
}

void Optimizer::take_state(Loaded loaded) {
  set_options(loaded.options);
  take_rest();
  for (std::size_t i = 0; i < shared_.size(); ++i) shared_[i]->value = loaded.shared[i];
  entries_ = std::move(loaded.entries);
  steps_ = loaded.steps;
}

Parameters Optimizer::parameters() const {
  Parameters all;
  for (const Entry& e : entries_) all.insert(e.name, e.parameter);
  return all;
}

std::vector<EffectiveRates> Optimizer::effective_rates() const {
  const capstan::detail::Pause pause;
  std::vector<EffectiveRates> all;
  for (const Entry& e : entries_) {
    if (!rates(e, nullptr)) continue;
    const Tensor t = full(e.parameter.shape(), std::nan(""), DType::f64);
    if (e.steps > 0) rates(e, t.data<double>());
    all.push_back({e.name, option(e.group, "lr"), e.steps, t, forgets(e)});
  }
  return all;
}

std::int64_t Optimizer::state_bytes(const Entry& e) const {
  std::int64_t bytes = 0;
  const std::size_t rule = rule_of(e.group);
  for (std::size_t i = 0; i < slot_names(rule).size(); ++i)
    bytes += shape_of(rule, i, e.parameter.shape()).numel() * static_cast<std::int64_t>(size_of(e.parameter.dtype()));
  return bytes;
}

std::string Optimizer::explain() const {
  std::string s = method();
  for (std::size_t g = 0; g < group_count(); ++g) {
    std::size_t parameters = 0;
    std::int64_t elements = 0, bytes = 0;
    for (const Entry& e : entries_)
      if (e.group == g) {
        ++parameters;
        elements += e.parameter.numel();
        bytes += state_bytes(e);
      }
    s +=
        join(g == 0 ? "" : join("\ngroup ", g), ": ", formula_of(g), "\n  ", parameters, parameters == 1 ? " parameter, " : " parameters, ",
             elements, elements == 1 ? " element, " : " elements, ", bytes, " bytes of state");
  }
  std::string shared;
  for (const Shared* each : shared_) shared += join(shared.empty() ? "\n  for all parameters: " : ", ", each->name, " ", each->value);
  s += shared;
  if (paper()) s += join("\n  ", paper());
  return s;
}

}  // namespace capstan::optim
