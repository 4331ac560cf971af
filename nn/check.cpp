// Which tensors a model computes with, beside those that it shows.

#include <capstan/nn/check.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape_state.h>
#include <capstan/core/text.h>

#include <algorithm>

namespace capstan::nn {

using capstan::detail::join;

namespace {

/// The first operation that took what gathers in this slot.
std::string user_of(const capstan::detail::TapeState& tape, const capstan::detail::Slot& slot) {
  std::string op;
  for (capstan::detail::Node* n = tape.last; n; n = n->before)
    if (std::find(n->edges(), n->edges() + n->count(), &slot) != n->edges() + n->count()) op = n->op;
  return op.empty() ? "" : ", used by " + op;
}

}  // namespace

ModelCheck detail::check(Module& model, const Tensor* x, Tensor (*run)(void*), void* function) {
  const Parameters parameters = model.parameters();
  ModelCheck found;
  Tape tape;
  const Tensor y = run ? run(function) : model(*x);
  if (!is_floating(y.dtype()))
    capstan::detail::fail<ValueError>("check", "the model's output must be f32 or f64, which carry gradients: ", y.dtype(), " ", y.shape());
  const Tensor loss = sum(y);
  const bool recorded = loss.header()->tape == tape.state().serial;
  const Gradients gradients = recorded ? tape.gradients(loss, {.keep = true}) : Gradients();
  for (const auto& [name, w] : parameters)
    if (!w.requires_grad())
      found.no_gradient.push_back(name);
    else if (!gradients.contains(w))
      found.not_reached.push_back(name);
  for (const capstan::detail::TapeLeaf* l = tape.state().first_leaf; l; l = l->next) {
    const auto is_it = [&](const NamedTensors::Entry& p) { return l->is(p.tensor.header()); };
    if ((x && l->is(x->header())) || std::any_of(parameters.begin(), parameters.end(), is_it)) continue;
    const auto reached = [&](const auto& g) { return g.leaf == l->leaf && g.generation == l->generation; };
    if (gradients.table() && std::any_of(gradients.table()->begin(), gradients.table()->end(), reached))
      found.not_shown.push_back(join(l->slot.kind.dtype, " ", l->slot.shape(), user_of(tape.state(), l->slot)));
  }
  return found;
}

ModelCheck check(Module& model, const Tensor& x) { return detail::check(model, &x, nullptr, nullptr); }

std::string to_string(const ModelCheck& check) {
  if (check.ok()) return "every parameter is shown, reached and trained\n";
  std::string text;
  for (const std::string& tensor : check.not_shown) text += join("reached but not shown by members(), so never trained: ", tensor, "\n");
  for (const std::string& name : check.not_reached) text += join("shown but not reached from the output: ", name, "\n");
  for (const std::string& name : check.no_gradient) text += join("shown but wants no gradient (frozen, or no parameter()): ", name, "\n");
  return text;
}

}  // namespace capstan::nn
