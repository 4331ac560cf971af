#include <capstan/optim/adabelief.h>

namespace capstan::optim {

template class Method<AdaBelief, AdaBeliefOptions>;
template class Elementwise<AdaBelief, AdaBeliefOptions>;

}  // namespace capstan::optim
