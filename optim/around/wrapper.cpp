#include <capstan/optim/wrapper.h>

#include <capstan/core/state_reader.h>
#include <capstan/core/text.h>

namespace capstan::optim {

using capstan::detail::join;

Wrapper::~Wrapper() = default;

void Wrapper::save(TensorMap&, const std::string&) const {}
void Wrapper::read(capstan::detail::StateReader&, const std::string&) {}
void Wrapper::commit() noexcept {}

double Wrapper::step_inside(const Source& source) const {
  if (inside_.wrapper) return inside_.wrapper->run(source);
  if (source.ready) {
    optimizer().step(*source.ready);
    return source.ready->loss();
  }
  const Gradients gradients = source.call(source.function);
  optimizer().step(gradients);
  return gradients.loss();
}

void Wrapper::check_names() {
  if (checked_ == parameter_count()) return;
  for (const auto& p : optimizer().parameters())
    for (const Wrapper* w = this; w; w = w->inside_.wrapper)
      if (p.name == w->name())
        capstan::detail::fail<ValueError>(name(), "a parameter must not be named like a wrapper: '", p.name,
                                          "' (their state would have the same names)");
  checked_ = parameter_count();
}

std::string Wrapper::explain() const {
  std::string text;
  for (const Wrapper* w = this; w; w = w->inside_.wrapper) text += join(w->name(), ": ", w->describe(), "\n");
  return text + optimizer().explain();
}

TensorMap Wrapper::state() const { return live_state().clone(); }

TensorMap Wrapper::live_state() const {
  TensorMap state = optimizer().live_state();
  std::string path;
  for (const Wrapper* w = this; w; w = w->inside_.wrapper) {
    path += join(w->name(), "/");
    w->save(state, path);
  }
  return state;
}

void Wrapper::load_state(const TensorMap& state) {
  capstan::detail::StateReader reader(state);
  std::string path;
  for (Wrapper* w = this; w; w = w->inside_.wrapper) {
    path += join(w->name(), "/");
    w->read(reader, path);
  }
  Optimizer::Loaded loaded = optimizer().read_state(reader);
  reader.require_fit(name(), "the state does not fit:");
  optimizer().commit_state(std::move(loaded));
  for (Wrapper* w = this; w; w = w->inside_.wrapper) w->commit();
}

}  // namespace capstan::optim
