#include <capstan/optim/muon.h>

#include <capstan/core/text.h>

#include <algorithm>

namespace capstan::optim {

using capstan::detail::fail;
using capstan::detail::join;

std::array<Tensor, 2> Muon::plan(const MuonOptions& o, StepInfo step, const Tensor& w, const Tensor& g, const Tensor& old) {
  if (w.numel() == 0) return {};
  const Tensor m = detail::kept_finite(o.momentum * old + (1 - o.momentum) * g, old);
  Tensor x = o.nesterov ? (1 - o.momentum) * g + o.momentum * m : m;
  const double rows = static_cast<double>(w.size(0)), columns = static_cast<double>(w.size(1));
  const bool tall = rows > columns;  // then on the smaller side: X^T X
  const double size = detail::length(x);
  x = size == 0 ? x * 0 : detail::times(x, 1, std::max(size, o.eps));
  for (int i = 0; i < static_cast<int>(o.ns_steps); ++i) {
    const Tensor gram = matmul(x, x, {.transpose_a = tall, .transpose_b = !tall});
    const Tensor polynomial = o.b * gram + o.c * matmul(gram, gram);
    x = o.a * x + (tall ? matmul(x, polynomial) : matmul(polynomial, x));
  }
  return {x * (step.lr * (o.match_rms_adamw ? 0.2 * std::sqrt(std::max(rows, columns)) : std::sqrt(std::max(1.0, rows / columns)))), m};
}

void Muon::accept(const std::string& parameter, const Tensor& w) {
  if (w.dim() != 2)
    fail<ValueError>(name, "moves matrices only: '", parameter, "' has the shape ", w.shape(), " (give the others to another optimizer)");
}

void Muon::check(const MuonOptions& o) {
  if (!(o.ns_steps >= 0 && o.ns_steps < 100 && o.ns_steps == std::floor(o.ns_steps)))
    detail::bad_option(name, "ns_steps", "must be a whole number from 0 to 99", o.ns_steps);
}

std::string Muon::formula(const MuonOptions& o) {
  const std::string x = o.nesterov ? join("(1 - ", o.momentum, ")*g + ", o.momentum, "*m") : "m";
  return join(detail::shrunk(o.lr, o.weight_decay), "m <- ", o.momentum, "*m + (1 - ", o.momentum, ")*g, X = ", x, ", X <- X/max(|X|, ",
              o.eps, "), ", o.ns_steps, " times A = X X', X <- ", o.a, "*X + (", o.b, "*A + ", o.c, "*A A) X, w <- w - ", o.lr, "*",
              o.match_rms_adamw ? "0.2*sqrt(max(rows, columns))" : "sqrt(max(1, rows/columns))", "*X");
}

template class Method<Muon, MuonOptions>;
template class WholeTensor<Muon, MuonOptions>;

}  // namespace capstan::optim
