#include <capstan/optim/lion.h>

namespace capstan::optim {

template class Method<Lion, LionOptions>;
template class Elementwise<Lion, LionOptions>;

}  // namespace capstan::optim
