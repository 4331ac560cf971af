#include <capstan/optim/adagrad.h>
#include <capstan/optim/adam.h>
#include <capstan/optim/lion.h>
#include <capstan/optim/rmsprop.h>
#include <capstan/optim/sgd.h>
#include <capstan/optim/transform_part.h>

#include <cmath>

// The directions that methods give an update: the formulas are those of the methods' own rules. A part's slots are written anew, beside
// the old ones, and the last quotient waits (Update::d).
namespace capstan::optim {

using capstan::detail::join;
using detail::Call;
using detail::Each;
using detail::Memory;
using Range = FieldInfo::Range;
using detail::rule;
using detail::sweep;
using detail::Update;
using Texts = std::vector<std::string>;

namespace {

/// A method's rule, or one that derives from it, at the step t.
template <template <class> class Rule, class Options>
auto rule_of(const Options& options, std::int64_t t = 1) {
  return [=]<class T>(T*) { return Rule<T>(options, StepInfo{1, t}); };
}

/// u <- n, or n/d.
void set_direction(Update& u, const Tensor& n, const Tensor& d = {}) {
  u.set(n);
  u.d = d;
  u.direction = true;
}

struct Rss final : Each {
  explicit Rss(const ScaleByRssOptions& o)
      : Each("scale_by_rss",
             {{"initial_accumulator", o.initial_accumulator, Range::not_negative},
              {"eps", o.eps, Range::not_negative},
              {"eps_in_sqrt", o.eps_in_sqrt}},
             {"sum"}) {}
  template <class T>
  struct Rule : Adagrad::Rule<T> {
    using Adagrad::Rule<T>::Rule;
    void operator()(T& root, T g, T& s, T& old_s) const {
      s = this->sum(old_s, g);
      root = this->root(s);
    }
  };
  void each(Call& call, Update& u) const override {
    const AdagradOptions o{.eps = call.number(1), .eps_inside_root = call.is_on(2)};
    const Tensor g = u.elements(), root = empty_like(g), sum = empty_like(g);
    Tensor& kept = call.remembered(u).slots[0];
    if (u.rows) {
      const Tensor before = empty_like(g);
      detail::take_rows(kept, *u.rows, before);
      sweep(root, g, rule_of<Rule>(o), sum, before);
      call.program.slot_rows.push_back({kept, *u.rows, sum});
    } else {
      sweep(root, g, rule_of<Rule>(o), sum, kept);
      kept = sum;
    }
    set_direction(u, g, root);
  }
  bool rests(const std::vector<double>&) const override { return true; }
  double initial(std::size_t, const std::vector<double>& v) const override { return v[0]; }
  std::string formula(const Texts& v) const override {
    return join("s <- s + u^2 (from ", v[0], "), u <- u/", v[2] == "1" ? join("sqrt(s + ", v[1], ")") : join("(sqrt(s) + ", v[1], ")"));
  }
};

/// scale_by_rms and, with `centered`, scale_by_stddev.
struct Rms final : Each {
  Rms(const ScaleByRmsOptions& o, bool centred)
      : Each(centred ? "scale_by_stddev" : "scale_by_rms",
             {{"decay", o.decay, Range::fraction},
              {"eps", o.eps, Range::not_negative},
              {"initial_scale", o.initial_scale, Range::not_negative},
              {"eps_in_sqrt", o.eps_in_sqrt}},
             centred ? std::vector<const char*>{"nu", "mu"} : std::vector<const char*>{"nu"}),
        centered(centred) {}
  template <class T>
  struct Rule : RMSProp::Base<T> {
    using RMSProp::Base<T>::Base;
    void operator()(T& out, T g, T& v, T& old_v) const {
      v = this->average(old_v, g * g);
      out = this->divide(g, v);
    }
    void operator()(T& out, T g, T& v, T& old_v, T& a, T& old_a) const {
      v = this->average(old_v, g * g);
      a = finite_or(this->average(old_a, g), old_a);
      out = this->divide(g, v - a * a);
    }
  };
  void each(Call& call, Update& u) const override {
    const RMSPropOptions o{.alpha = call.number(0), .eps = call.number(1), .eps_inside_root = call.is_on(3)};
    const Tensor g = u.elements(), out = empty_like(g), nu = empty_like(g), mu = centered ? empty_like(g) : Tensor();
    std::vector<Tensor>& kept = call.remembered(u).slots;
    if (centered)
      sweep(out, g, rule_of<Rule>(o), nu, kept[0], mu, kept[1]);
    else
      sweep(out, g, rule_of<Rule>(o), nu, kept[0]);
    kept[0] = nu;
    if (centered) kept[1] = mu;
    set_direction(u, out);
  }
  double initial(std::size_t slot, const std::vector<double>& v) const override { return slot == 0 ? v[2] : 0; }
  std::string formula(const Texts& v) const override {
    const std::string square = centered ? "v - a^2" : "v";
    return join("v <- ", v[0], "*v + (1 - ", v[0], ")*u^2 (from ", v[2], "), ",
                centered ? join("a <- ", v[0], "*a + (1 - ", v[0], ")*u, ") : "", "u <- u/",
                v[3] == "1" ? join("sqrt(", square, " + ", v[1], ")") : join("(sqrt(", square, ") + ", v[1], ")"));
  }
  bool centered;
};

struct AdamDirection final : Each {
  explicit AdamDirection(const ScaleByAdamOptions& o)
      : Each("scale_by_adam",
             {{"b1", o.b1, Range::fraction},
              {"b2", o.b2, Range::fraction},
              {"eps", o.eps, Range::not_negative},
              {"eps_root", o.eps_root, Range::not_negative},
              {"nesterov", o.nesterov}},
             {"mu", "nu"}) {}
  template <class T>
  struct Rule : detail::AdamStep<T> {
    using detail::AdamStep<T>::AdamStep;
    void operator()(T& root, T g, T& m, T& old_m, T& v, T& old_v) const {
      m = finite_or(this->first(old_m, g), old_m);
      v = this->second(old_v, g);
      root = this->root(v);
    }
  };
  /// What Optax has beside: another eps under the root.
  struct RootOptions : AdamOptions {
    double eps_root;
  };
  template <class T>
  struct RootRule : Rule<T> {
    T correction, eps_root;
    RootRule(const RootOptions& o, StepInfo step) : Rule<T>(o, step), correction(T(this->correction2)), eps_root(T(o.eps_root)) {}
    void operator()(T& root, T g, T& m, T& old_m, T& v, T& old_v) const {
      Rule<T>::operator()(root, g, m, old_m, v, old_v);
      root = std::sqrt(v / correction + eps_root) + this->eps;
    }
  };
  template <class T>
  struct Ahead {
    T of_m, of_g;
    void operator()(T& out, T g, T& m) const { out = of_m * m + of_g * g; }
  };
  void each(Call& call, Update& u) const override {
    Memory::OfParameter& kept = call.remembered(u);
    RootOptions o;
    o.beta1 = call.number(0);
    o.beta2 = call.number(1);
    o.eps = call.number(2);
    o.eps_root = call.number(3);
    const Tensor g = u.elements(), root = empty_like(g), m = empty_like(g), v = empty_like(g);
    if (o.eps_root == 0)
      sweep(root, g, rule_of<Rule>(o, kept.count), m, kept.slots[0], v, kept.slots[1]);
    else
      sweep(root, g, rule_of<RootRule>(o, kept.count), m, kept.slots[0], v, kept.slots[1]);
    kept.slots = {m, v};
    const double t = static_cast<double>(kept.count), correction = 1 - std::pow(o.beta1, t);
    if (call.is_on(4)) {
      const Tensor out = empty_like(g);
      sweep(out, g, rule<Ahead>(o.beta1 / (1 - std::pow(o.beta1, t + 1)), (1 - o.beta1) / correction), m);
      set_direction(u, out, root);
    } else {
      set_direction(u, m, root);
      u.den = correction;
    }
  }
  std::string formula(const Texts& v) const override {
    const std::string square = join("v/(1 - ", v[1], "^t)");
    return join(
        "m <- ", v[0], "*m + (1 - ", v[0], ")*u, v <- ", v[1], "*v + (1 - ", v[1], ")*u^2, u <- (",
        v[4] == "1" ? join(v[0], "*m/(1 - ", v[0], "^(t + 1)) + (1 - ", v[0], ")*u/(1 - ", v[0], "^t)") : join("m/(1 - ", v[0], "^t)"),
        ")/(sqrt(", v[3] == "0" ? square : join(square, " + ", v[3]), ") + ", v[2], ")");
  }
};

struct LionDirection final : Each {
  explicit LionDirection(const ScaleByLionOptions& o)
      : Each("scale_by_lion", {{"b1", o.b1, Range::fraction}, {"b2", o.b2, Range::fraction}}, {"mu"}) {}
  template <class T>
  struct Rule : Lion::Rule<T> {
    using Lion::Rule<T>::Rule;
    void operator()(T& out, T g, T& m, T& old_m) const {
      out = this->direction(g, old_m);
      m = this->average(old_m, g);
    }
  };
  void each(Call& call, Update& u) const override {
    const LionOptions o{.beta1 = call.number(0), .beta2 = call.number(1)};
    const Tensor g = u.elements(), out = empty_like(g), m = empty_like(g);
    Tensor& kept = call.remembered(u).slots[0];
    sweep(out, g, rule_of<Rule>(o), m, kept);
    kept = m;
    set_direction(u, out);
  }
  std::string formula(const Texts& v) const override {
    return join("d <- sign(", v[0], "*m + (1 - ", v[0], ")*u), m <- ", v[1], "*m + (1 - ", v[1], ")*u, u <- d");
  }
};

struct Sign final : Each {
  Sign() : Each("scale_by_sign", {}) {}
  template <class T>
  struct Rule {
    void operator()(T& out, T g) const { out = sign(g); }
  };
  void each(Call&, Update& u) const override {
    const Tensor g = u.elements(), out = empty_like(g);
    sweep(out, g, rule<Rule>());
    set_direction(u, out);
  }
  bool rests(const std::vector<double>&) const override { return true; }
  std::string formula(const Texts&) const override { return "u <- sign(u)"; }
};

struct Trace final : Each {
  Trace(double decay, bool nesterov) : Each("trace", {{"decay", decay, Range::not_negative}, {"nesterov", nesterov}}, {"trace"}) {}
  template <class T>
  struct Rule : SGD::Nesterov<T> {
    using SGD::Nesterov<T>::Nesterov;
    void operator()(T& m, T g, T& old_m) const { m = finite_or(this->sum(old_m, g), old_m); }
  };
  template <class T>
  struct Ahead : SGD::Nesterov<T> {
    using SGD::Nesterov<T>::Nesterov;
    void operator()(T& out, T g, T& m) const { out = this->ahead(g, m); }
  };
  void each(Call& call, Update& u) const override {
    const SGDOptions o{.momentum = call.number(0)};
    const Tensor g = u.elements(), m = empty_like(g);
    Memory::OfParameter& kept = call.remembered(u);
    sweep(m, g, rule_of<Rule>(o, kept.count), kept.slots[0]);
    kept.slots[0] = m;
    if (!call.is_on(1)) return set_direction(u, m);
    const Tensor out = empty_like(g);
    sweep(out, g, rule_of<Ahead>(o), m);
    set_direction(u, out);
  }
  std::string formula(const Texts& v) const override {
    return join("m <- ", v[0], "*m + u, u <- ", v[1] == "1" ? join("u + ", v[0], "*m") : "m");
  }
};

}  // namespace

namespace transform {

Transform scale_by_rss(ScaleByRssOptions options) { return Transform(new Rss(options)); }
Transform scale_by_rms(ScaleByRmsOptions options) { return Transform(new Rms(options, false)); }
Transform scale_by_stddev(ScaleByRmsOptions options) { return Transform(new Rms(options, true)); }
Transform scale_by_adam(ScaleByAdamOptions options) { return Transform(new AdamDirection(options)); }
Transform scale_by_lion(ScaleByLionOptions options) { return Transform(new LionDirection(options)); }
Transform scale_by_sign() { return Transform(new Sign); }
Transform trace(double decay, bool nesterov) { return Transform(new Trace(decay, nesterov)); }

}  // namespace transform

}  // namespace capstan::optim
