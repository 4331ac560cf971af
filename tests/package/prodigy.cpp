// An optimizer whose parameters share a state: Prodigy, which finds its own rate. Its options are numbers, a whole one and a word.
// Last line: prodigy: [0-9]+ promises kept, d grew from 1e-06 to [0-9.]+, loss 0\.0[0-9]*
#include <capstan/capstan.h>
#include <capstan/optim/conformance.h>
#include <capstan/optim/make.h>
#include <capstan/optim/whole_tensor.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

using namespace capstan;

enum class WeightDecay { l2, decoupled };

struct ProdigyOptions {
  double lr = 1, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, d0 = 1e-6, weight_decay = 0;
  std::int64_t warm_up = 0;  // over so many steps the rate grows to lr
  WeightDecay decay = WeightDecay::decoupled;
};

/// Prodigy (Mishchenko & Defazio, ICML 2024, algorithm 4): Adam with the rate d, an estimate of how far all parameters together have to go.
///   r <- b*r + (1 - b)*lr*d^2*<g, w_0 - w>,  s <- b*s + (1 - b)*lr*d^2*g,  b = sqrt(beta2),
///   m <- beta1*m + (1 - beta1)*d*g,  v <- beta2*v + (1 - beta2)*d^2*g^2,  w <- w - lr*d*m/(sqrt(v) + d*eps),
///   d <- max(d, r/|s|_1), with r and |s|_1 over all parameters.
struct Prodigy : optim::WholeTensor<Prodigy, ProdigyOptions> {
  using O = ProdigyOptions;
  explicit Prodigy(const Parameters& parameters, O o = {}) : WholeTensor(parameters, o, true), d(share("d", o.d0)), r(share("r", 0)) {}

  static constexpr auto name = "prodigy";
  static constexpr Field fields[] = {{"lr", &O::lr},           {"beta1", &O::beta1},
                                     {"beta2", &O::beta2},     {"eps", &O::eps},
                                     {"d0", &O::d0},           {"weight_decay", &O::weight_decay},
                                     {"warm_up", &O::warm_up}, Field::choice<&O::decay>("decay", {"l2", "decoupled"})};
  static constexpr std::array states = {"exp_avg", "exp_avg_sq", "s", "start"};

  static optim::Decay decay(const O& o) { return o.decay == WeightDecay::l2 ? optim::Decay::l2 : optim::Decay::decoupled; }
  static void check(const O& o) {
    if (!(o.d0 > 0)) throw ValueError("[prodigy] d0 must be positive: " + std::to_string(o.d0));
    if (!(o.eps > 0)) throw ValueError("[prodigy] eps must be positive: " + std::to_string(o.eps));
    if (o.beta1 < 0 || o.beta1 >= 1 || o.beta2 < 0 || o.beta2 >= 1) throw ValueError("[prodigy] beta1 and beta2 must lie in [0, 1)");
    if (o.warm_up < 0) throw ValueError("[prodigy] warm_up must not be negative: " + std::to_string(o.warm_up));
  }

  void move(const O& o, optim::StepInfo step, Tensor& w, const Tensor& g, Tensor& m, Tensor& v, Tensor& s, Tensor& start) {
    if (step.t == 1) start.assign(w);
    const double lr = o.warm_up > step.t ? step.lr * static_cast<double>(step.t) / static_cast<double>(o.warm_up) : step.lr;
    const double b = std::sqrt(o.beta2), part = (1 - b) * lr * d * d;
    towards += part * sum(g * (start - w)).to(DType::f64).item();
    s.assign(b * s + part * g);
    size += sum(abs(s)).to(DType::f64).item();
    m.assign(o.beta1 * m + (1 - o.beta1) * d * g);
    v.assign(o.beta2 * v + (1 - o.beta2) * d * d * square(g));
    w -= lr * d * m / (sqrt(v) + d * o.eps);
  }

  double &d, &r;                 // saved, loaded and explained: all parameters share them
  double towards = 0, size = 0;  // of one step

 protected:
  void prepare(double) override { towards = size = 0; }
  void finish() override {
    r = std::sqrt(options().beta2) * r + towards;
    if (size > 0) d = std::max(d, r / size);
  }
};

int main() {
  optim::register_optimizer<Prodigy>();

  // Does it keep what every method promises? With a d0 from which twelve steps can be seen.
  const auto report =
      optim::conformance<Prodigy>({.beta2 = 0.99, .d0 = 0.01}, {{.d0 = 0.01, .weight_decay = 0.1, .warm_up = 4}}, {.together = true});
  if (!report) return std::printf("%s\n", report.text().c_str()), 1;

  // Are its numbers the algorithm's? These are from a program of twenty lines in Python.
  const std::vector<std::vector<double>> slopes = {
      {1, -2, 0.5}, {0.75, -1.5, 0.25}, {0.5, -1, 0.5}, {0.25, -1.25, -0.5}, {0.5, -0.5, 0.25}};
  const optim::Trajectory plain = {.start = {1, -1, 0.5},
                                   .gradients = slopes,
                                   .expected = {{0.7500000249999976, -0.7500000124999995, 0.25000004999999015},
                                                {0.4189389555841787, -0.418938929799158, -0.06430917209526293},
                                                {0.047710508247926386, -0.04771046857771016, -0.44286486788787804},
                                                {-0.32848053496571517, 0.36251961409477884, -0.5872506837575326},
                                                {-0.8335571634266042, 0.8690415172479482, -0.8374380359628688}}};
  const optim::Trajectory warm = {.start = {1, -1, 0.5},
                                  .gradients = slopes,
                                  .expected = {{0.8958333374999996, -0.8958333354166665, 0.427083341666665},
                                               {0.7294900641009767, -0.729490057719511, 0.2956208921140807},
                                               {0.49828271142653946, -0.4982826985013177, 0.0878667384606431},
                                               {0.27904452035555993, -0.2620249885087408, 0.010182159372025587},
                                               {0.05859455834117969, -0.04170281477689816, -0.08710549479829033}}};
  for (const auto& p : {optim::follows<Prodigy>({.beta2 = 0.99, .d0 = 0.25}, plain),
                        optim::follows<Prodigy>({.lr = 0.5, .beta2 = 0.99, .d0 = 0.25, .weight_decay = 0.125, .warm_up = 3}, warm)})
    if (p.outcome != optim::Property::Outcome::held) return std::printf("%s\n", p.message.c_str()), 1;

  manual_seed(0);
  const Tensor x = randn({64, 8}), truth = randn({8}), y = matmul(x, truth);
  Tensor w = parameter(zeros({8})), bias = parameter(zeros({1}));
  const auto optimizer = optim::make("prodigy beta2=0.99 warm_up=5 decay=l2", {{"w", w}, {"bias", bias}});
  double last = 0;
  for (int step = 0; step < 400; ++step) {
    Tape tape;
    const Tensor loss = mse_loss(matmul(x, w) + bias, y);
    optimizer->step(tape.gradients(loss));
    last = loss.item();
  }
  Prodigy other({{"w", w}, {"bias", bias}});
  other.load_state(optimizer->state());  // goes on where the first one stopped: d and r are in it
  std::printf("%s\n", other.explain().c_str());
  std::printf("prodigy: %zu promises kept, d grew from %g to %.3f, loss %.4f\n", report.properties.size(), other.options().d0, other.d,
              last);
}
