#pragma once
#include <capstan/core/tensor_map.h>
#include <capstan/optim/schedule.h>

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace capstan::optim {

namespace detail {
class Part;
}

/// A number of a transformation: a constant, which Chain::set_number() may change, or a Schedule of the steps that the
/// transformation has made, counted from 0.
class Scalar {
 public:
  Scalar(double value) : value_(value) {}
  template <class F>
  requires(std::is_convertible_v<F, Schedule> && !std::is_convertible_v<F, double>) Scalar(F schedule) : schedule_(std::move(schedule)) {}

  bool scheduled() const noexcept { return schedule_.has_value(); }
  /// At a step of the schedule.
  double at(std::int64_t step) const { return schedule_ ? (*schedule_)(step) : value_; }

 private:
  double value_ = 0;
  std::optional<Schedule> schedule_;
};

/// One or more steps on the way from gradients g to the update u that is added to the parameters: Optax's
/// GradientTransformation. The factories are in optim::transform, optim::Chain (optim/chain.h) drives one. A value without a
/// state of its own: what it remembers lies in the Chain, so that one may serve several. Copies are cheap.
class Transform {
 public:
  Transform(const Transform& other) noexcept;
  Transform& operator=(Transform other) noexcept {
    std::swap(part_, other.part_);
    return *this;
  }
  ~Transform();

  /// For Capstan's own rooms: takes over one reference.
  explicit Transform(detail::Part* part) noexcept : part_(part) {}
  const detail::Part& part() const noexcept { return *part_; }

 private:
  detail::Part* part_;
};

struct ScaleByRssOptions {
  double initial_accumulator = 0.1;  // what s starts from
  double eps = 1e-7;
  bool eps_in_sqrt = true;  // u / sqrt(s + eps) instead of u / (sqrt(s) + eps)
};
struct ScaleByRmsOptions {
  double decay = 0.9;  // how much of the average of squares is kept
  double eps = 1e-8;
  double initial_scale = 0;  // what v starts from
  bool eps_in_sqrt = true;   // u / sqrt(v + eps) instead of u / (sqrt(v) + eps)
};
struct ScaleByAdamOptions {
  double b1 = 0.9;    // how much of the average of updates is kept
  double b2 = 0.999;  // how much of the average of squares is kept
  double eps = 1e-8;
  double eps_root = 0;    // added under the root
  bool nesterov = false;  // look ahead, as Dozat (ICLR workshop 2016) does
};
struct ScaleByLionOptions {
  double b1 = 0.9;   // how much of the average goes into the update
  double b2 = 0.99;  // how much of the average is kept
};

/// Optax's transformations, by its names and with its defaults. u stands for the update so far, at first the gradient. Each
/// throws ValueError, naming itself and the number, for a number that is not finite or cannot be.
namespace transform {

/// One after the other: optax.chain. A chain in a chain is the same as its parts.
Transform chain(std::vector<Transform> parts);
template <class... Part>
requires(sizeof...(Part) > 0 && (std::is_same_v<Part, Transform> && ...)) Transform chain(const Part&... parts) {
  return chain(std::vector<Transform>{parts...});
}

/// Another transformation for each pattern of parameters' names (`*` stands for any text): optax.partition.
///
///     partition({{"*.bias", chain(trace(0.9), scale_by_learning_rate(0.1))}, {"*", scale_by_learning_rate(0.01)}})
///
/// The first pattern that matches counts. Norms and steps are counted for each by itself. Throws ValueError for no patterns;
/// the Chain's constructor for a pattern that no parameter is left for, it and add_parameters() for a parameter without one.
struct Branch {
  std::string pattern;
  Transform transform;
};
Transform partition(std::vector<Branch> branches);

// Clipping. A norm that is not finite is a ValueError of the step, unless a skip_nonfinite() behind lets it rest.

/// u limited to [-max_delta, max_delta]: optax.clip, clip_value().
Transform clip(Scalar max_delta);
/// u * min(1, max_norm / |u|), where |u| is the norm over all parameters together (Pascanu et al., ICML 2013, algorithm 1):
/// optax.clip_by_global_norm, clip_norm().
Transform clip_by_global_norm(Scalar max_norm);
/// u * min(1, max_norm / |u|) for each parameter: clip_each().
Transform clip_by_norm(Scalar max_norm);
/// u * min(1, threshold / sqrt(mean(u^2))) for each parameter: optax.clip_by_block_rms (Shazeer & Stern, ICML 2018, section 5).
Transform clip_by_block_rms(Scalar threshold);
/// Each row, which is what lies at one index of the first axis, scaled by min(1, max_norm / |row|): clip_rows().
Transform clip_by_row_norm(Scalar max_norm);
/// Each row scaled by min(1, clipping * max(|w|, eps) / |u|), w the same row of the parameter (Brock et al., ICML 2021, eq. 3).
/// As optax.adaptive_grad_clip with rows for units, and clip_adaptive().
Transform adaptive_grad_clip(Scalar clipping, double eps = 1e-3);

// Factors.

/// u * step_size: optax.scale.
Transform scale(double step_size);
/// u * step_size(t): optax.scale_by_schedule; t counts this transformation's steps from 0.
Transform scale_by_schedule(Schedule step_size);
/// -learning_rate * u: optax.scale_by_learning_rate, with which a chain goes downhill.
Transform scale_by_learning_rate(Scalar learning_rate);

// Directions, each the heart of an optimizer of its own, which it equals to the bit when scale_by_learning_rate comes behind.

/// s <- s + u^2,  u <- u / sqrt(s + eps), 0 where the root is 0: optax.scale_by_rss; optim::Adagrad (Duchi, Hazan & Singer, JMLR
/// 12, 2011, figure 1).
Transform scale_by_rss(ScaleByRssOptions options = {});
/// v <- decay*v + (1 - decay)*u^2,  u <- u / sqrt(v + eps), 0 where the root is 0: optax.scale_by_rms; optim::RMSProp (Hinton,
/// lecture 6e, 2012), with trace() behind it also with momentum.
Transform scale_by_rms(ScaleByRmsOptions options = {});
/// The same with v - a^2 for v in the root, a <- decay*a + (1 - decay)*u: optax.scale_by_stddev; centred optim::RMSProp
/// (Graves, arXiv:1308.0850, eq. 38-41). Where rounding leaves v - a^2 below 0 it counts as 0.
Transform scale_by_stddev(ScaleByRmsOptions options = {});
/// m <- b1*m + (1 - b1)*u,  v <- b2*v + (1 - b2)*u^2,  u <- m/(1 - b1^t) / (sqrt(v/(1 - b2^t) + eps_root) + eps), t = 1, 2, ...
/// the parameter's steps here: optax.scale_by_adam; optim::Adam (Kingma & Ba, ICLR 2015, algorithm 1), and optim::AdamW with
/// add_decayed_weights() behind it. With nesterov b1*m/(1 - b1^(t+1)) + (1 - b1)*u/(1 - b1^t) takes the place of m/(1 - b1^t).
Transform scale_by_adam(ScaleByAdamOptions options = {});
/// u <- sign(b1*m + (1 - b1)*u),  m <- b2*m + (1 - b2)*u: optax.scale_by_lion; optim::Lion (Chen et al., NeurIPS 2023, algorithm
/// 2) with add_decayed_weights() behind it.
Transform scale_by_lion(ScaleByLionOptions options = {});
/// sign(u): optax.scale_by_sign; signSGD (Bernstein et al., ICML 2018, algorithm 1).
Transform scale_by_sign();
/// m <- decay*m + u,  u <- m, with nesterov u <- u + decay*m: optax.trace; the momentum of optim::SGD (Polyak, 1964).
Transform trace(double decay, bool nesterov = false);

/// u + weight_decay*w, for the parameters whose names match the pattern: optax.add_decayed_weights. Before a direction it is L2,
/// as `weight_decay` of SGD or Adam; behind one it is decoupled, as AdamW's (Loshchilov & Hutter, ICLR 2019). The Chain's
/// constructor throws ValueError for a pattern that matches nothing.
Transform add_decayed_weights(Scalar weight_decay, std::string pattern = "*");
/// No update: the parameters stay, in a partition: optax.set_to_zero.
Transform set_to_zero();

// What lets a step rest. Everything behind it in its chain rests then: no state changes, no schedule goes on.

/// Lets the rest of the chain work in every k-th step, on the mean of the k updates: optax.MultiSteps around the rest. An update that is
/// missing counts as 0. The running mean u_n <- u_(n-1) + (u - u_(n-1))/n is kept for each parameter.
Transform accumulate(std::int64_t k);
/// Lets the rest of the chain rest when the loss or an element of u, for any parameter, is NaN or infinite. Chain::skipped() counts such
/// steps. As optax.apply_if_finite around the rest. The step throws ValueError where more than max_consecutive
/// of them would rest in a row; Optax lets the update through then.
Transform skip_nonfinite(std::int64_t max_consecutive = 10);

}  // namespace transform

namespace detail {
struct Function {
  virtual ~Function() = default;
  virtual Tensor call(const Tensor& u, const Tensor& w) const = 0;
};
/// Takes over the function.
Transform from_function(const std::string& name, const Function* function);
}  // namespace detail

namespace transform {

/// A transformation of one's own without memory: optax.stateless_with_tree_map. f gets a parameter's update and the parameter,
/// both to be read only. It returns the new update, of the same shape and dtype (ValueError of the step). The name is one word
/// for explain() and for the names in a state.
///
///     stateless("centralize", [](const Tensor& u, const Tensor&) { return u.dim() < 2 ? u : u - mean(u, 1, true); })
template <class F>
requires std::is_invocable_r_v<Tensor, const F&, const Tensor&, const Tensor&> Transform stateless(const std::string& name, F f) {
  struct Held final : detail::Function {
    explicit Held(F function) : f(std::move(function)) {}
    Tensor call(const Tensor& u, const Tensor& w) const override { return f(u, w); }
    F f;
  };
  return detail::from_function(name, new Held(std::move(f)));
}

}  // namespace transform

}  // namespace capstan::optim
