#include <capstan/optim/radam.h>

namespace capstan::optim {

template class Method<RAdam, RAdamOptions>;
template class Elementwise<RAdam, RAdamOptions>;

}  // namespace capstan::optim
