#include <capstan/optim/rprop.h>

#include <capstan/core/text.h>

namespace capstan::optim {

using capstan::detail::fail;

void Rprop::check(const RpropOptions& o) {
  if (!(o.etaminus > 0 && o.etaminus < 1)) detail::bad_option(name, "etaminus", "must lie in (0, 1)", o.etaminus);
  if (!(o.etaplus > 1)) detail::bad_option(name, "etaplus", "must be above 1", o.etaplus);
  detail::require_positive(name, "step_size_min", o.step_size_min);
  if (o.step_size_min > o.step_size_max)
    fail<ValueError>(name, "step_size_min must not be above step_size_max: ", o.step_size_min, " and ", o.step_size_max);
}

template class Method<Rprop, RpropOptions>;
template class Elementwise<Rprop, RpropOptions>;

}  // namespace capstan::optim
