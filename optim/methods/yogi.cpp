#include <capstan/optim/yogi.h>

namespace capstan::optim {

template class Method<Yogi, YogiOptions>;
template class Elementwise<Yogi, YogiOptions>;

}  // namespace capstan::optim
