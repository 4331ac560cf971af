#pragma once
#include <capstan/optim/method.h>

namespace capstan::optim {

/// Adagrad's names and defaults.
struct RowwiseAdagradOptions {
  double lr = 1e-2;
  double eps = 1e-10;
  double initial_accumulator = 0;  // what s starts from
  double weight_decay = 0;         // L2: g + weight_decay * w takes the place of g
};

/// Row-wise Adagrad, as FBGEMM's embedding tables have it (Mudigere et al., ISCA 2022): Adagrad with one s for each row of
/// the first axis, so that the state of a table is a column:
///   s_i <- s_i + mean(g_i^2),   w_i <- w_i - lr * g_i / (sqrt(s_i) + eps)
/// A row with g = 0 and s = 0 stays where it is, also for eps = 0. Zero gradients change nothing, so that a sparse step is
/// exact unless there is weight decay. For a vector it is Adagrad itself. Throws ValueError unless all options are >= 0.
/// A square that overflows (from |g| = 1.8e19 on in f32, 1.3e154 in f64) makes s infinite and stops the row for good.
/// Weakness: Adagrad's, and within a row a rare column gets no larger step than a frequent one.
struct RowwiseAdagrad : Method<RowwiseAdagrad, RowwiseAdagradOptions> {
  explicit RowwiseAdagrad(const Parameters& parameters, RowwiseAdagradOptions options = {}) : Method(parameters, options) {}
  explicit RowwiseAdagrad(detail::NoParameters, RowwiseAdagradOptions options = {}) : Method(Parameters(), options) {}
  static constexpr auto name = "rowwise_adagrad";
  static constexpr auto source = "Mudigere et al., ISCA 2022";
  static constexpr auto formula = "s[i] <- s[i] + mean(g[i]^2) (from {initial_accumulator}), w[i] <- w[i] - {lr}*g[i]/(sqrt(s[i]) + {eps})";
  static constexpr Field fields[] = {{"lr", &RowwiseAdagradOptions::lr},
                                     {"eps", &RowwiseAdagradOptions::eps},
                                     {"initial_accumulator", &RowwiseAdagradOptions::initial_accumulator, Range::not_negative},
                                     {"weight_decay", &RowwiseAdagradOptions::weight_decay}};
  static constexpr std::array states = {"sum"};

  static double initial(const RowwiseAdagradOptions& o, std::size_t) { return o.initial_accumulator; }

 protected:
  bool takes_rows(const Entry& entry) const override { return detail::equal(options(entry.group).weight_decay, 0); }
  void update_all() override;
  Shape shape_of(std::size_t, std::size_t, const Shape& w) const override { return w.dim() == 0 ? w : Shape{w[0]}; }
  bool rates(const Entry& entry, double* out) const override;
  std::optional<bool> forgets(const Entry&) const override { return false; }
};

extern template class Method<RowwiseAdagrad, RowwiseAdagradOptions>;

}  // namespace capstan::optim
