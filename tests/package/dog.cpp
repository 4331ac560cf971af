// An optimizer whose parameters share a state: DoG, which finds its own rate. Its options are numbers, a whole one and a word.
// Last line: dog: [0-9]+ promises kept, went as far as [0-9.]+, loss 0\.0[0-9]*
#include <capstan/capstan.h>
#include <capstan/optim/conformance.h>
#include <capstan/optim/make.h>
#include <capstan/optim/whole_tensor.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

using namespace capstan;

enum class WeightDecay { l2, decoupled };

struct DoGOptions {
  double lr = 1, r0 = 1e-4, eps = 1e-8, weight_decay = 0;
  std::int64_t warm_up = 0;  // over so many steps the rate grows to lr
  WeightDecay decay = WeightDecay::decoupled;
};

/// DoG, distance over gradients (Ivgi, Hinder & Carmon, "DoG is SGD's best friend", ICML 2023, section 2): SGD whose rate is how far all
/// parameters together have come, over what all gradients so far amount to. With norms over all parameters,
///   r <- max(r, |w - w_0|) (from r0),  G <- G + |g|^2,  w <- w - lr * r/sqrt(G + eps) * g.
struct DoG : optim::WholeTensor<DoG, DoGOptions> {
  using O = DoGOptions;
  explicit DoG(const Parameters& parameters, O o = {}) : WholeTensor(parameters, o, true), r(share("r", o.r0)), G(share("G", 0)) {}

  static constexpr auto name = "dog";
  static constexpr Field fields[] = {{"lr", &O::lr},           {"r0", &O::r0, Range::positive},
                                     {"eps", &O::eps},         {"weight_decay", &O::weight_decay},
                                     {"warm_up", &O::warm_up}, Field::choice<&O::decay>("decay", {"l2", "decoupled"})};
  static constexpr std::array states = {"start"};

  static optim::Decay decay(const O& o) { return o.decay == WeightDecay::l2 ? optim::Decay::l2 : optim::Decay::decoupled; }
  static void check(const O& o) {
    if (o.warm_up < 0) throw ValueError("[dog] warm_up must not be negative: " + std::to_string(o.warm_up));
  }

  void move(const O& o, optim::StepInfo step, Tensor& w, const Tensor& g, Tensor& start) {
    if (step.t == 1) start.assign(w);
    const double lr = o.warm_up > step.t ? step.lr * static_cast<double>(step.t) / static_cast<double>(o.warm_up) : step.lr;
    w -= (g.to(DType::f64) * (lr * r / std::sqrt(G + o.eps))).to(w.dtype());
  }

  double &r, &G;  // saved, loaded and explained: all parameters share them

 protected:
  void prepare(double) override {
    for (const Entry& e : entries())
      if (e.gradient) G += sum(square(e.gradient->to(DType::f64))).item();
  }
  void finish() override {
    double way = 0;
    for (const Entry& e : entries())
      if (e.steps > 0) way += sum(square((e.parameter - e.state[0]).to(DType::f64))).item();
    r = std::max(r, std::sqrt(way));
  }
};

int main() {
  optim::register_optimizer<DoG>();

  // Does it keep what every method promises? With an r0 from which twelve steps can be seen.
  const auto report = optim::conformance<DoG>({.r0 = 0.1}, {{.r0 = 0.1, .weight_decay = 0.1, .warm_up = 4}}, {.together = true});
  if (!report) return std::printf("%s\n", report.text().c_str()), 1;

  // Are its numbers the paper's? These are from a program of twenty lines in Python.
  const std::vector<std::vector<double>> slopes = {
      {1, -2, 0.5}, {0.75, -1.5, 0.25}, {0.5, -1, 0.5}, {0.25, -1.25, -0.5}, {0.5, -0.5, 0.25}};
  const optim::Trajectory plain = {.start = {1, -1, 0.5},
                                   .gradients = slopes,
                                   .expected = {{0.890891054985917, -0.7817821099718342, 0.4454455274929585},
                                                {0.8251117035783695, -0.650223407156739, 0.423519077023776},
                                                {0.7608923326809687, -0.5217846653619373, 0.3592997061263752},
                                                {0.7201346343361162, -0.3179961736376754, 0.44081510281607994},
                                                {0.6136644975638942, -0.2115260368654533, 0.3875800344299689}}};
  const optim::Trajectory warm = {.start = {1, -1, 0.5},
                                  .gradients = slopes,
                                  .expected = {{0.9201237988285771, -0.9027475976571542, 0.46006189941428854},
                                               {0.8413346481328223, -0.8037630462656447, 0.42421422627790595},
                                               {0.7691093775915613, -0.7142441458081226, 0.37805898210257716},
                                               {0.7104320011751264, -0.6165636851103034, 0.37564637635509074},
                                               {0.6375329663391948, -0.5495314200284231, 0.33791996045165446}}};
  for (const auto& p : {optim::follows<DoG>({.r0 = 0.25}, plain),
                        optim::follows<DoG>({.lr = 0.5, .r0 = 0.25, .eps = 0.5, .weight_decay = 0.125, .warm_up = 3}, warm)})
    if (p.outcome != optim::Property::Outcome::held) return std::printf("%s\n", p.message.c_str()), 1;

  manual_seed(0);
  const Tensor x = randn({64, 8}), truth = randn({8}), y = matmul(x, truth);
  Tensor w = parameter(zeros({8})), bias = parameter(zeros({1}));
  const auto optimizer = optim::make("dog warm_up=5 decay=l2", {{"w", w}, {"bias", bias}});
  double last = 0;
  for (int step = 0; step < 400; ++step) {
    Tape tape;
    const Tensor loss = mse_loss(matmul(x, w) + bias, y);
    optimizer->step(tape.gradients(loss));
    last = loss.item();
  }
  DoG other({{"w", w}, {"bias", bias}});
  other.load_state(optimizer->state());  // goes on where the first one stopped: r and G are in it
  std::printf("%s\n", other.explain().c_str());
  std::printf("dog: %zu promises kept, went as far as %.3f, loss %.4f\n", report.properties.size(), other.r, last);
}
