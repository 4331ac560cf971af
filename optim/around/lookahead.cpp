#include <capstan/optim/lookahead.h>

#include <capstan/autograd/tape.h>
#include <capstan/core/state_reader.h>
#include <capstan/core/text.h>
#include <capstan/optim/sweep.h>

namespace capstan::optim {

using capstan::detail::fail;
using capstan::detail::join;

Lookahead::Lookahead(Wrapped inside, LookaheadOptions options) : Wrapper(inside), options_(options) {
  if (options.period < 1) fail<ValueError>(name(), "period must be positive: ", options.period);
  if (!(options.alpha > 0 && options.alpha <= 1)) fail<ValueError>(name(), "alpha must lie in (0, 1]: ", options.alpha);
  slow_ = with_added();
}

/// The slow weights, and a copy of each parameter that has none yet.
std::vector<Lookahead::Slow> Lookahead::with_added() const {
  std::vector<Slow> all = slow_;
  const Parameters parameters = optimizer().parameters();
  for (std::size_t i = all.size(); i < parameters.size(); ++i)
    all.push_back({parameters.at(i).name, parameters.at(i).tensor, parameters.at(i).tensor.clone()});
  return all;
}

double Lookahead::run(const Source& source) {
  std::vector<Slow> added;
  if (parameter_count() != slow_.size()) added = with_added();
  for (const Slow& s : slow_)
    if (s.slow.dtype() != s.w.dtype())
      fail<ValueError>(name(), "the slow weights must have the parameter's dtype: '", s.name, "' is ", s.w.dtype(), ", they are ",
                       s.slow.dtype(), " (convert the model first)");
  const double loss = step_inside(source);
  if (!added.empty()) slow_ = std::move(added);
  if (++steps_ % options_.period != 0) return loss;
  const NoGrad pause;
  for (Slow& s : slow_) {
    detail::sweep<true>(s.slow, s.w, detail::rule<detail::Towards>(options_.alpha));
    s.w.assign(s.slow);
  }
  return loss;
}

std::string Lookahead::describe() const {
  std::int64_t bytes = 0;
  for (const auto& [parameter, w] : optimizer().parameters()) bytes += w.numel() * static_cast<std::int64_t>(size_of(w.dtype()));
  return join("every ", options_.period, " steps slow <- slow + ", options_.alpha, "*(w - slow), w <- slow\n  ", bytes,
              " bytes of slow weights\n  Zhang et al., NeurIPS 2019, algorithm 1");
}

void Lookahead::save(TensorMap& state, const std::string& path) const {
  state.insert(path + "step", capstan::detail::count(steps_));
  for (const Slow& s : with_added()) state.insert(join(path, "slow/", s.name), s.slow);
}

void Lookahead::read(capstan::detail::StateReader& reader, const std::string& path) {
  loaded_steps_ = reader.read_count(path + "step");
  loaded_.clear();
  for (const auto& [parameter, w] : optimizer().parameters())
    if (const Tensor* s = reader.read(join(path, "slow/", parameter), w.shape(), w.dtype())) loaded_.push_back({parameter, w, s->clone()});
}

void Lookahead::commit() noexcept {
  slow_ = std::move(loaded_);
  loaded_.clear();
  steps_ = loaded_steps_;
}

}  // namespace capstan::optim
