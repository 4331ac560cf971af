#include <capstan/optim/elementwise.h>
#include <capstan/optim/transform_part.h>

#include <cmath>

// The directions that methods give an update.
namespace capstan::optim {

using capstan::detail::join;
using detail::Call;
using detail::Each;
using detail::Memory;
using detail::Number;
using detail::sweep;
using detail::Update;
using Texts = std::vector<std::string>;

namespace {

struct Rss final : Each {
  explicit Rss(const ScaleByRssOptions& o)
      : Each("scale_by_rss",
             {{"initial_accumulator", o.initial_accumulator, Number::non_negative},
              {"eps", o.eps, Number::non_negative},
              {"eps_in_sqrt", static_cast<double>(o.eps_in_sqrt), Number::flag}},
             {"sum"}) {}
  template <class T>
  struct Rule {
    T inside, outside;
    void operator()(T& root, T g, T& s, T& before) const {
      s = before + g * g;
      root = std::sqrt(s + inside) + outside;
    }
  };
  void each(Call& call, Update& u) const override {
    const double eps = call.number(1);
    const bool in = call.is_on(2);
    const Tensor g = u.elements(), root = empty_like(g), sum = empty_like(g);
    Tensor& kept = call.remembered(u).slots[0];
    sweep(
        root, g,
        [&]<class T>(T*) {
          return Rule<T>{T(in ? eps : 0), T(in ? 0 : eps)};
        },
        0, sum, kept);
    kept = sum;
    u.set(g);
    u.d = root;
    u.direction = true;
  }
  double initial(std::size_t, const std::vector<double>& v) const override { return v[0]; }
  std::string formula(const Texts& v) const override {
    return join("s <- s + u^2 (from ", v[0], "), u <- u/", v[2] == "1" ? join("sqrt(s + ", v[1], ")") : join("(sqrt(s) + ", v[1], ")"));
  }
};

/// scale_by_rms and, with `centered`, scale_by_stddev.
struct Rms final : Each {
  Rms(const ScaleByRmsOptions& o, bool centred)
      : Each(centred ? "scale_by_stddev" : "scale_by_rms",
             {{"decay", o.decay, Number::fraction},
              {"eps", o.eps, Number::non_negative},
              {"initial_scale", o.initial_scale, Number::non_negative},
              {"eps_in_sqrt", static_cast<double>(o.eps_in_sqrt), Number::flag}},
             centred ? std::vector<const char*>{"nu", "mu"} : std::vector<const char*>{"nu"}),
        centered(centred) {}
  template <class T>
  struct Rule {
    T keep, take, inside, outside;
    T divide(T g, T v) const {
      const T root = std::sqrt((v < T(0) ? T(0) : v) + inside) + outside;
      return root == T(0) ? T(0) : g / root;
    }
    void operator()(T& out, T g, T& v, T& old_v) const {
      v = keep * old_v + take * (g * g);
      out = divide(g, v);
    }
    void operator()(T& out, T g, T& v, T& old_v, T& a, T& old_a) const {
      v = keep * old_v + take * (g * g);
      a = finite_or(keep * old_a + take * g, old_a);
      out = divide(g, v - a * a);
    }
  };
  void each(Call& call, Update& u) const override {
    const double decay = call.number(0), eps = call.number(1);
    const bool in = call.is_on(3);
    const auto rule = [&]<class T>(T*) { return Rule<T>{T(decay), T(1 - decay), T(in ? eps : 0), T(in ? 0 : eps)}; };
    const Tensor g = u.elements(), out = empty_like(g), nu = empty_like(g), mu = centered ? empty_like(g) : Tensor();
    std::vector<Tensor>& kept = call.remembered(u).slots;
    if (centered)
      sweep(out, g, rule, 0, nu, kept[0], mu, kept[1]);
    else
      sweep(out, g, rule, 0, nu, kept[0]);
    kept[0] = nu;
    if (centered) kept[1] = mu;
    u.set(out);
    u.direction = true;
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
             {{"b1", o.b1, Number::fraction},
              {"b2", o.b2, Number::fraction},
              {"eps", o.eps, Number::non_negative},
              {"eps_root", o.eps_root, Number::non_negative},
              {"nesterov", static_cast<double>(o.nesterov), Number::flag}},
             {"mu", "nu"}) {}
  template <class T>
  struct Rule {
    T keep1, take1, keep2, take2, scale, eps;
    void operator()(T& root, T g, T& m, T& old_m, T& v, T& old_v) const {
      m = finite_or(keep1 * old_m + take1 * g, old_m);
      v = keep2 * old_v + take2 * (g * g);
      root = std::sqrt(v) * scale + eps;
    }
  };
  template <class T>
  struct RootRule {
    T keep1, take1, keep2, take2, correction, eps_root, eps;
    void operator()(T& root, T g, T& m, T& old_m, T& v, T& old_v) const {
      m = finite_or(keep1 * old_m + take1 * g, old_m);
      v = keep2 * old_v + take2 * (g * g);
      root = std::sqrt(v / correction + eps_root) + eps;
    }
  };
  template <class T>
  struct Ahead {
    T of_m, of_g;
    void operator()(T& out, T g, T& m) const { out = of_m * m + of_g * g; }
  };
  void each(Call& call, Update& u) const override {
    const double b1 = call.number(0), b2 = call.number(1), eps = call.number(2), eps_root = call.number(3);
    const Tensor g = u.elements(), root = empty_like(g), m = empty_like(g), v = empty_like(g);
    Memory::OfParameter& kept = call.remembered(u);
    const double t = static_cast<double>(kept.count), correction1 = 1 - std::pow(b1, t), correction2 = 1 - std::pow(b2, t);
    if (eps_root == 0)
      sweep(
          root, g, [&]<class T>(T*) { return Rule<T>{T(b1), T(1 - b1), T(b2), T(1 - b2), T(1 / std::sqrt(correction2)), T(eps)}; }, 0, m,
          kept.slots[0], v, kept.slots[1]);
    else
      sweep(
          root, g, [&]<class T>(T*) { return RootRule<T>{T(b1), T(1 - b1), T(b2), T(1 - b2), T(correction2), T(eps_root), T(eps)}; }, 0, m,
          kept.slots[0], v, kept.slots[1]);
    kept.slots = {m, v};
    u.set(m);
    u.den = correction1;
    if (call.is_on(4)) {
      const double ahead = b1 / (1 - std::pow(b1, t + 1)), now = (1 - b1) / correction1;
      const Tensor out = empty_like(g);
      sweep(
          out, g,
          [&]<class T>(T*) {
            return Ahead<T>{T(ahead), T(now)};
          },
          0, m);
      u.set(out);
    }
    u.d = root;
    u.direction = true;
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
      : Each("scale_by_lion", {{"b1", o.b1, Number::fraction}, {"b2", o.b2, Number::fraction}}, {"mu"}) {}
  template <class T>
  struct Rule {
    T keep1, take1, keep2, take2;
    void operator()(T& out, T g, T& m, T& old) const {
      out = sign(keep1 * old + take1 * g);
      m = finite_or(keep2 * old + take2 * g, old);
    }
  };
  void each(Call& call, Update& u) const override {
    const double b1 = call.number(0), b2 = call.number(1);
    const Tensor g = u.elements(), out = empty_like(g), m = empty_like(g);
    Tensor& kept = call.remembered(u).slots[0];
    sweep(
        out, g,
        [&]<class T>(T*) {
          return Rule<T>{T(b1), T(1 - b1), T(b2), T(1 - b2)};
        },
        0, m, kept);
    kept = m;
    u.set(out);
    u.direction = true;
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
    sweep(
        out, g, []<class T>(T*) { return Rule<T>{}; }, 0);
    u.set(out);
    u.direction = true;
  }
  std::string formula(const Texts&) const override { return "u <- sign(u)"; }
};

struct Trace final : Each {
  Trace(double decay, bool nesterov)
      : Each("trace", {{"decay", decay, Number::non_negative}, {"nesterov", static_cast<double>(nesterov), Number::flag}}, {"trace"}) {}
  template <class T>
  struct Rule {
    T decay;
    void operator()(T& out, T g, T& m) const { out = finite_or(decay * m + g, m); }
  };
  template <class T>
  struct Ahead {
    T decay;
    void operator()(T& out, T g, T& m) const { out = decay * m + g; }
  };
  void each(Call& call, Update& u) const override {
    const double decay = call.number(0);
    const Tensor g = u.elements(), m = empty_like(g);
    Tensor& kept = call.remembered(u).slots[0];
    sweep(
        m, g, [&]<class T>(T*) { return Rule<T>{T(decay)}; }, 0, kept);
    kept = m;
    u.set(m);
    if (call.is_on(1)) {
      const Tensor out = empty_like(g);
      sweep(
          out, g, [&]<class T>(T*) { return Ahead<T>{T(decay)}; }, 0, m);
      u.set(out);
    }
    u.direction = true;
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
