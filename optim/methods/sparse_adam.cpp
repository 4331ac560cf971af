#include <capstan/optim/sparse_adam.h>

#include <capstan/core/text.h>

namespace capstan::optim {

void SparseAdam::prepare(double) {
  for (const Entry& e : entries())
    if (e.gradient && !e.rows)
      capstan::detail::fail<ValueError>(name, "a gradient must come by rows: that for '", e.name, "' ", e.parameter.shape(),
                                        " is dense (make the Embedding {.sparse = true}, or take Adam)");
}

template class Method<SparseAdam, SparseAdamOptions>;
template class Elementwise<SparseAdam, SparseAdamOptions>;

}  // namespace capstan::optim
