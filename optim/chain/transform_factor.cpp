#include <capstan/optim/transform_part.h>

#include <algorithm>
#include <cmath>

// Factors, weight decay, no update at all, and a function of the user's.
namespace capstan::optim {

using capstan::detail::fail;
using capstan::detail::join;
using detail::Call;
using detail::Each;
using detail::Function;
using detail::Number;
using detail::Part;
using detail::Update;
using detail::Updates;
using Range = FieldInfo::Range;
using Texts = std::vector<std::string>;

namespace {

struct Factor final : Each {
  Factor(const char* part_name, Number step, double sign_of) : Each(part_name, {std::move(step)}), sign(sign_of) { descends = sign < 0; }
  void each(Call& call, Update& u) const override { u.scale(sign * call.number(0)); }
  bool rests(const std::vector<double>& v) const override { return sign > 0 && !scheduled() && !std::signbit(v[0]); }
  std::string formula(const Texts& v) const override { return join("u <- ", sign < 0 ? "-" : "", v[0], "*u"); }
  double sign;
};

struct AddDecayedWeights final : Each {
  AddDecayedWeights(Scalar rate, std::string pattern)
      : Each("add_decayed_weights", {{"weight_decay", std::move(rate), Range::not_negative}}) {
    patterns.push_back(std::move(pattern));
  }
  void each(Call& call, Update& u) const override {
    if (call.node.matches[u.index] == detail::no_match) return;
    u.decay += call.number(0);
    if (!u.direction) u.elements();  // into the gradient: what follows sees it
  }
  std::string formula(const Texts& v) const override {
    return join("u <- u + ", v[0], "*w", patterns[0] == "*" ? "" : join(" for ", patterns[0]));
  }
};

struct Zero final : Part {
  Zero() : Part("set_to_zero", {}) { descends = true; }
  bool run(Call&, Updates& updates) const override { return updates.clear(), true; }
  std::string formula(const Texts&) const override { return "no update"; }
};

struct Stateless final : Each {
  Stateless(const std::string& part_name, const Function* f) : Each(part_name, {}), function(f) {}
  ~Stateless() override { delete function; }
  void each(Call& call, Update& u) const override {
    const Tensor value = function->call(u.elements(), u.w);
    if (!(value.shape() == u.w.shape()) || value.dtype() != u.w.dtype())
      fail<ValueError>("chain", call.node.path, ": an update must have its parameter's shape and dtype: ", value.dtype(), " ",
                       value.shape(), " for '", u.name, "', which is ", u.w.dtype(), " ", u.w.shape());
    // A handle on a parameter's own elements would change with them.
    const auto holds = [&](const TensorMap::Entry& p) { return p.tensor.header()->data == value.header()->data; };
    const Parameters& all = call.program.parameters;
    u.set(std::any_of(all.begin(), all.end(), holds) ? value.clone() : value);
  }
  std::string formula(const std::vector<std::string>&) const override { return "u <- " + name + "(u, w)"; }
  const Function* function;
};

}  // namespace

Transform detail::from_function(const std::string& name, const Function* function) {
  struct Guard {
    const Function* f;
    ~Guard() { delete f; }
  } guard{function};
  if (name.empty() || name.find_first_of(" /") != std::string::npos)
    fail<ValueError>("stateless", "a name must be one word without '/': '", name, "'");
  Part* const part = new Stateless(name, function);
  guard.f = nullptr;
  return Transform(part);
}

namespace transform {

Transform scale(double step_size) { return Transform(new Factor("scale", {"step_size", step_size}, 1)); }
Transform scale_by_schedule(Schedule step_size) {
  return Transform(new Factor("scale_by_schedule", {"step_size", std::move(step_size)}, 1));
}
Transform scale_by_learning_rate(Scalar learning_rate) {
  return Transform(new Factor("scale_by_learning_rate", {"learning_rate", std::move(learning_rate), Range::not_negative}, -1));
}
Transform add_decayed_weights(Scalar weight_decay, std::string pattern) {
  return Transform(new AddDecayedWeights(std::move(weight_decay), std::move(pattern)));
}
Transform set_to_zero() { return Transform(new Zero); }

}  // namespace transform

}  // namespace capstan::optim
