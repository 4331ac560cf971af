// A plug-in: a shared object with tensors of its own, which a program that knows nothing of Capstan opens and closes.
#include <capstan/capstan.h>
#include <capstan/core/threads.h>

using namespace capstan;

namespace {

const Tensor constant = ones({1000});
const Tensor weight = parameter(full({3, 3}, 2));
thread_local Tensor of_the_thread;

}  // namespace

/// 1000 + 4 + 3: a constant, a gradient and threads.
extern "C" double compute() {
  of_the_thread = ones({7});
  Tape tape;
  const double gradient = tape.gradients(sum(square(weight)))[weight].data<float>()[0];
  set_num_threads(3);
  double pieces[3] = {};
  parallel_for(3, 1, [&](std::int64_t i, std::int64_t) { pieces[i] = 1; });
  return sum(constant).item() + gradient + pieces[0] + pieces[1] + pieces[2];
}
