#include <capstan/core/text.h>
#include <capstan/optim/adamw.h>

namespace capstan::optim {

using capstan::detail::cat;

void AdamW::check(const AdamWOptions& o) { detail::require_betas(name, o.beta1, o.beta2); }

std::string AdamW::formula(const AdamWOptions& o) {
  return cat(detail::shrunk(o.lr, o.weight_decay), Adam::formula({o.lr, o.beta1, o.beta2, o.eps, 0, o.amsgrad}));
}

template class Method<AdamW, AdamWOptions>;
template class Elementwise<AdamW, AdamWOptions>;

}  // namespace capstan::optim
