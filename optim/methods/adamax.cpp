#include <capstan/optim/adamax.h>

namespace capstan::optim {

template class Method<Adamax, AdamaxOptions>;
template class Elementwise<Adamax, AdamaxOptions>;

}  // namespace capstan::optim
