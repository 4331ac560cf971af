// A step of Adagrad beside the bare fused loop on the same buffers: with gradients of which it is known that they are finite,
// because clip_norm() or an earlier step has looked through them, and with others, through which it looks first. That costs a
// read of them that the loop does not make.
#include <capstan/autograd/gradient_table.h>
#include <capstan/capstan.h>

#include <memory>

#include "bench.h"
#include "limits.h"

using namespace capstan;

namespace {

struct Problem {
  explicit Problem(std::int64_t n) : w(parameter(full({n}, 0.5))), optimizer({{"w", w}}, {.lr = 0.01}) {
    const Tensor factor = full({n}, 0.01);
    Tape tape;
    gradients = tape.gradients(sum(w * factor));
    optimizer.step(gradients);
    state = optimizer.state()["w/sum"];
  }
  Tensor w, state;
  optim::Adagrad optimizer;
  Gradients gradients;
};

void add(std::int64_t n) {
  const std::string size = std::to_string(n), name = "adagrad/" + size;
  auto p = std::make_shared<Problem>(n);
  bench::loop(name + "/ours", [=] { p->optimizer.step(p->gradients); });
  bench::loop(name + "/look", [=] {
    for (const auto& e : *p->gradients.table()) e.finite = false;
    p->optimizer.step(p->gradients);
  });
  bench::loop(name + "/hand", [=] {
    limits::adagrad(p->w.data<float>(), p->gradients[p->w].data<float>(), p->state.data<float>(), n, 0.01f, 1e-10f);
    benchmark::ClobberMemory();
  });
  bench::report({.title = "Adagrad step, " + size + " parameters",
                 .name = name + "/ours",
                 .limit = name + "/hand",
                 .bytes = 20.0 * static_cast<double>(n)});
  bench::report({.title = "the same, looking for NaN first",
                 .name = name + "/look",
                 .limit = name + "/hand",
                 .bytes = 24.0 * static_cast<double>(n)});
}

}  // namespace

void bench::register_adagrad() {
  add(1000);
  add(1000000);
  add(20000000);
}
