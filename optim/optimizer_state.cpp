#include <capstan/core/state_reader.h>
#include <capstan/core/text.h>
#include <capstan/optim/optimizer.h>

#include <algorithm>

// What an optimizer keeps, saves and tells of itself.
namespace capstan::optim {

using capstan::detail::fail;
using capstan::detail::join;

double& Optimizer::share(const char* name, double start) {
  std::vector<std::string> taken = {"step"};
  for (const Option& o : all_options()) taken.push_back(o.name);
  for (const auto& s : shared_) taken.push_back(s->name);
  for (const std::string& other : taken)
    if (other == name) fail<ValueError>(method(), "what all parameters share must have a name of its own: '", name, "'");
  shared_.reserve(shared_.size() + 1);
  shared_.push_back(new Shared{name, start, start});
  return shared_.back()->value;
}

TensorMap Optimizer::state() const { return live_state().clone(); }

TensorMap Optimizer::live_state() const {
  TensorMap state;
  for (const Option& o : all_options()) state.insert(join(method(), "/", o.name), capstan::detail::number(o.value));
  for (const auto& s : shared_) state.insert(join(method(), "/", s->name), capstan::detail::number(s->value));
  state.insert(join(method(), "/step"), capstan::detail::count(steps_));
  for (const Entry& e : entries_) {
    state.insert(e.name + "/step", capstan::detail::count(e.steps));
    save_entry(e, state);
  }
  save_rest(state);
  return state;
}

void Optimizer::load_state(const TensorMap& state) {
  capstan::detail::StateReader reader(state);
  Loaded loaded = read_state(reader);
  reader.require_fit(method(), "the state does not fit this optimizer:");
  commit_state(std::move(loaded));
}

Optimizer::Loaded Optimizer::read_state(capstan::detail::StateReader& reader) {
  if (const std::string other = reader.method(method()); other != method()) reader.complain("method: ", other, ", wanted ", method());
  std::vector<double> options, shared;
  for (const Option& o : all_options()) options.push_back(reader.read_number(join(method(), "/", o.name)));
  for (const auto& s : shared_) shared.push_back(reader.read_number(join(method(), "/", s->name)));
  const bool complete = reader.fits();
  const std::int64_t total = reader.read_count(join(method(), "/step"));
  std::vector<Entry> loaded = entries_;
  for (Entry& e : loaded) {
    e.steps = reader.read_count(e.name + "/step");
    read_entry(e, complete ? &options : nullptr, reader);
  }
  read_rest(reader);
  return {std::move(options), std::move(shared), std::move(loaded), total};
}

void Optimizer::commit_state(Loaded loaded) {
  set_options(loaded.options);
  commit_rest();
  for (std::size_t i = 0; i < shared_.size(); ++i) shared_[i]->value = loaded.shared[i];
  entries_ = std::move(loaded.entries);
  steps_ = loaded.steps;
}

Parameters Optimizer::parameters() const {
  Parameters all;
  for (const Entry& e : entries_) all.insert(e.name, e.parameter);
  return all;
}

std::vector<EffectiveRates> Optimizer::effective_rates() const { return {}; }

std::string Optimizer::total(std::size_t parameters, std::int64_t elements, std::int64_t bytes) {
  return join("\n  ", parameters, parameters == 1 ? " parameter, " : " parameters, ", elements,
              elements == 1 ? " element, " : " elements, ", bytes, " bytes of state");
}

std::string Optimizer::explain() const {
  std::string s = join(method(), ": ", describe()), shared;
  const auto by_rows = std::count_if(entries_.begin(), entries_.end(), [this](const Entry& e) { return takes_rows(e); });
  const auto all = std::ssize(entries_);
  const bool later = std::any_of(entries_.begin(), entries_.end(), [this](const Entry& e) { return takes_rows(e) && catches_up(e); });
  if (all > 0 && by_rows == 0) s += "\n  a row-sparse gradient moves every row";
  if (by_rows > 0)
    s += join("\n  a row-sparse gradient moves its rows alone", by_rows == all ? "" : join(" for ", by_rows, " of ", all, " parameters"),
              later ? ", and their state catches up" : "", by_rows == all ? "" : ", else every row");
  for (const auto& each : shared_) shared += join(shared.empty() ? "\n  for all parameters: " : ", ", each->name, " ", each->value);
  return s + shared + (paper() ? join("\n  ", paper()) : "");
}

}  // namespace capstan::optim
