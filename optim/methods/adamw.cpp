#include <capstan/optim/adamw.h>

#include <capstan/core/text.h>

namespace capstan::optim {

using capstan::detail::join;

std::string AdamW::formula(const AdamWOptions& o) {
  return join(detail::shrunk(o.lr, o.weight_decay), Adam::formula({o.lr, o.beta1, o.beta2, o.eps, 0, o.amsgrad}));
}

template class Method<AdamW, AdamWOptions>;
template class Elementwise<AdamW, AdamWOptions>;

}  // namespace capstan::optim
