#include <capstan/optim/inject.h>

#include <capstan/core/state_reader.h>
#include <capstan/core/text.h>

namespace capstan::optim {

using capstan::detail::fail;
using capstan::detail::join;

Inject::Inject(Wrapped inside, std::vector<Injection> injections) : Wrapper(inside), injections_(std::move(injections)) {
  if (injections_.empty()) fail<ValueError>(name(), "needs at least one option");
  for (const Injection& i : injections_) {
    before_.push_back(option(i.option));
    for (const Injection* earlier = injections_.data(); earlier != &i; ++earlier)
      if (earlier->option == i.option) fail<ValueError>(name(), "an option must come once: '", i.option, "'");
  }
}

double Inject::run(const Source& source) {
  std::size_t set = 0;
  try {
    for (; set < injections_.size(); ++set) {
      before_[set] = option(injections_[set].option);
      set_option(injections_[set].option, injections_[set].schedule(steps_));
    }
    const double loss = step_inside(source);
    ++steps_;
    return loss;
  } catch (...) {
    while (set-- > 0) set_option(injections_[set].option, before_[set]);
    throw;
  }
}

std::string Inject::describe() const {
  std::string text;
  for (const Injection& i : injections_) text += join(text.empty() ? "" : ", ", i.option, "(", steps_, ") = ", i.schedule(steps_));
  return text;
}

void Inject::save(TensorMap& state, const std::string& path) const { state.insert(path + "step", capstan::detail::count(steps_)); }
void Inject::read(capstan::detail::StateReader& reader, const std::string& path) { loaded_steps_ = reader.read_count(path + "step"); }
void Inject::commit() noexcept { steps_ = loaded_steps_; }

}  // namespace capstan::optim
