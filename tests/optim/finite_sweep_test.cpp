#include <capstan/optim/average.h>
#include <capstan/optim/chain.h>
#include <capstan/optim/inject.h>
#include <capstan/optim/lookahead.h>
#include <capstan/optim/make.h>
#include <capstan/optim/sam.h>

#include <cmath>

#include "all_methods.h"
#include "support.h"

// Finite in, finite out: gradients of every size, and twenty of them, for all that Capstan has.

using namespace capstan;
using namespace optim::transform;

namespace {

/// How gradients come.
struct Way {
  DType dtype;
  double size;
  bool by_rows, alternates, alone;
};

std::string text(const Way& way) {
  return std::string(", ") + name(way.dtype) + ", gradients of " + std::to_string(std::log10(way.size)) + " decades" +
         (way.by_rows ? ", by rows" : "") + (way.alternates ? ", of both signs" : "") + (way.alone ? ", in one element" : "");
}

template <class T>
std::vector<double> sizes() {
  using Limits = std::numeric_limits<T>;
  std::vector<double> all = {static_cast<double>(Limits::denorm_min()), 1e-30, 1, 1e15, static_cast<double>(Limits::max())};
  all.push_back(std::sqrt(all.back()) * 1.01);  // whose square is none
  for (const double size : {1e19, 1e30, 1e160})
    if (size < all[4]) all.push_back(size);
  return all;
}

template <class F>
void for_each_way(F f) {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const double size : dtype == DType::f32 ? sizes<float>() : sizes<double>())
      for (const bool alternates : {false, true})
        for (const int place : {0, 1, 2}) f(Way{dtype, size, place == 1, alternates, place == 2});
}

/// The t-th gradient for w: all elements of one size, those of two rows, or one among ordinary ones.
Gradients gradients_of(const Tensor& w, const Way& way, int t) {
  const double size = way.alternates && t % 2 == 1 ? -way.size : way.size;
  if (way.by_rows) {
    const Shape& shape = w.shape();
    const Tensor rows = tensor(std::vector<std::int64_t>{0, shape[0] - 1});
    return Gradients::from({{w, RowSparse{rows, full(shape.with(0, 2), size, way.dtype), shape}}});
  }
  if (!way.alone) return Gradients::from({{w, full(w.shape(), size, way.dtype)}});
  Tensor g = wobbles(w.shape(), 17 * t, way.dtype);
  g.reshape({-1}).rows(1, 2).assign(full({1}, size, way.dtype));
  return Gradients::from({{w, g}});
}

bool all_finite(const Tensor& w) {
  for (const double x : values(w))
    if (!std::isfinite(x)) return false;
  return true;
}

/// What a state's numbers may be: finite, but for sums and averages of squares, which may be infinite.
bool is_sound(const std::string& key, const Tensor& t) {
  if (!is_floating(t.dtype()) || all_finite(t)) return true;
  bool squares = false;
  for (const char* slot : {"/sum", "/square_avg", "/exp_avg_sq", "/max_exp_avg_sq", "/exp_avg_var", "/square", "/nu"})
    squares = squares || key.ends_with(slot);
  for (const double x : values(t))
    if (std::isnan(x) || x == -INFINITY) return false;
  return squares;
}

/// Twenty steps, and that the state goes on in another optimizer.
template <class Build>
void expect_finite(const std::string& what, const Shape& shape, const Way& way, Build build) {
  Tensor w = parameter(wobbles(shape, 3, way.dtype));
  const auto optimizer = build(Parameters{{"w", w}});
  for (int t = 0; t < 20; ++t) {
    optimizer->step(gradients_of(w, way, t));
    if (!all_finite(w)) {
      ADD_FAILURE() << what << text(way) << ": not finite after step " << t + 1;
      return;
    }
  }
  const TensorMap state = optimizer->state();
  for (const auto& [key, t] : state) EXPECT_TRUE(is_sound(key, t)) << what << text(way) << ": " << key << " " << to_string(t);
  Tensor twin = parameter(w.detach().clone());
  const auto other = build(Parameters{{"w", twin}});
  other->load_state(state);
  optimizer->step(gradients_of(w, way, 20));
  other->step(gradients_of(twin, way, 20));
  EXPECT_EQ(bits(twin) == bits(w) && bits(other->state()) == bits(optimizer->state()), true) << what << text(way) << ": goes on otherwise";
}

}  // namespace

TEST(FiniteSweep, OfEveryMethod) {
  for (const Row& row : rows()) {
    std::vector<Settings> sets = row.all;
    for (const Row::Change& c : row.changes) sets.push_back(c.to);
    for (const Settings& set : sets) {
      std::string what = row.name;
      for (const auto& [option, value] : set) what += " " + option + "=" + std::to_string(value);
      for (const Shape& shape : {Shape{7, 3}, Shape{6}}) {  // 21: sixteen at once, four, and one more
        if (shape.dim() == 1 && (row.matrices || !row.whole)) continue;
        for_each_way([&](const Way& way) { expect_finite(what, shape, way, [&](const Parameters& w) { return row.build(w, set); }); });
      }
      if (HasFailure()) break;
    }
  }
}

TEST(FiniteSweep, OfEveryPartOfAChain) {
  for (const auto& [part, name] : std::vector<std::pair<optim::Transform, const char*>>{
           {trace(0.9), "trace"},
           {trace(0.9, true), "nesterov"},
           {scale_by_adam(), "adam"},
           {scale_by_adam({.nesterov = true}), "nadam"},
           {scale_by_adam({.eps_root = 1e-8}), "root"},
           {scale_by_rss(), "rss"},
           {scale_by_rss({.initial_accumulator = 0, .eps = 0}), "rss without eps"},
           {scale_by_rms(), "rms"},
           {scale_by_stddev(), "stddev"},
           {scale_by_lion(), "lion"},
           {scale_by_sign(), "sign"},
           {accumulate(2), "accumulate"},
           {skip_nonfinite(), "skip"},
           {scale(1e30), "scale"},
           {scale_by_schedule(optim::schedule::linear(1, 1e30, 20)), "schedule"},
           {clip(1), "clip"},
           {clip_by_global_norm(1), "global"},
           {clip_by_norm(1), "norm"},
           {clip_by_row_norm(1), "row"},
           {clip_by_block_rms(1), "rms of a block"},
           {adaptive_grad_clip(0.1), "agc"},
           {add_decayed_weights(0.1), "decay"},
           {set_to_zero(), "zero"},
           {partition({{"w", chain(trace(0.9), scale_by_rms())}}), "partition"},
           {stateless("nan", [](const Tensor&u, const Tensor&) { return u / zeros(u.shape(), u.dtype()); }), "nan"}})
    for_each_way([&, &part = part, &name = name](const Way& way) {
      expect_finite(name, {7, 3}, way, [&](const Parameters& w) {
        return std::make_unique<optim::Chain>(w, chain(part, trace(0.5), scale_by_learning_rate(0.1)));
      });
    });
}

namespace {

/// A method inside of all wrappers.
struct Wrapped {
  explicit Wrapped(const Parameters& w, const char* spec)
      : optimizer(optim::make(spec, w)),
        inject(*optimizer, {{"weight_decay", optim::schedule::linear(0, 0.1, 10)}}),
        sam(inject, {.rho = 0.05}),
        lookahead(sam, {.period = 3}) {}
  void step(const Gradients& g) {
    lookahead.step([&] { return g.clone(); });
  }
  TensorMap state() const { return lookahead.state(); }
  void load_state(const TensorMap& state) { lookahead.load_state(state); }

  std::unique_ptr<optim::Optimizer> optimizer;
  optim::Inject inject;
  optim::SAM sam;
  optim::Lookahead lookahead;
};

}  // namespace

TEST(FiniteSweep, OfEveryWrapper) {
  for (const char* spec : {"sgd lr=0.1 momentum=0.9", "adam lr=0.1", "lars", "schedule_free_adamw lr=0.1"})
    for_each_way([&](const Way& way) {
      expect_finite(std::string("wrapped ") + spec, {7, 3}, way, [&](const Parameters& w) { return std::make_unique<Wrapped>(w, spec); });
    });
}

TEST(FiniteSweep, OfEveryAverage) {
  for_each_way([&](const Way& way) {
    Tensor w = parameter(wobbles({7, 3}, 3, way.dtype));
    const Parameters all = {{"w", w}};
    optim::SGD sgd(all, {.lr = 0.9, .momentum = 0.5});
    optim::ScheduleFreeAdamW free(all, {.lr = 0.9});
    optim::EMA ema(all, {.decay = 0.9});
    optim::SWA swa(all);
    for (int t = 0; t < 20; ++t) {
      t % 2 == 0 ? sgd.step(gradients_of(w, way, t / 2)) : free.step(gradients_of(w, way, t / 2));
      ema.update();
      swa.update();
      EXPECT_TRUE(all_finite(w) && all_finite(ema.state()["ema/average/w"]) && all_finite(swa.state()["swa/average/w"]) &&
                  all_finite(free.averaged()["w"]))
          << text(way) << " " << t;
    }
  });
}
