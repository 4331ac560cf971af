#include <capstan/optim/adadelta.h>

namespace capstan::optim {

template class Method<Adadelta, AdadeltaOptions>;
template class Elementwise<Adadelta, AdadeltaOptions>;

}  // namespace capstan::optim
