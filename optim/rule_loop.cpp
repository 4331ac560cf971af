#include <capstan/optim/rule_loop.h>

#include <capstan/core/kernels/table.h>

namespace capstan::optim::detail {

int isa_level = 0;
// Several threads may come here at once: all write the same.
void choose_isa_level() { __atomic_store_n(&isa_level, kernels::isa_level(), __ATOMIC_RELAXED); }

}  // namespace capstan::optim::detail
