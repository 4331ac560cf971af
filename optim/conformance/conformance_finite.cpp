#include <capstan/optim/conformance_checks.h>

#include <limits>

// Finite in, finite out.
namespace capstan::optim::detail {

using capstan::detail::join;

namespace {

bool all_finite(const Tensor& w) {
  const Tensor wide = w.detach().to(DType::f64);
  return std::all_of(wide.data<double>(), wide.data<double>() + wide.numel(), [](double x) { return std::isfinite(x); });
}

/// Sizes where something happens: the ends of the dtype, of its normal numbers, of what its square, its cube and the fourth
/// power can be.
template <class T>
std::vector<double> sizes() {
  using Limits = std::numeric_limits<T>;
  const double most = static_cast<double>(Limits::max()), least = static_cast<double>(Limits::min());
  std::vector<double> all = {static_cast<double>(Limits::denorm_min()), least, 1, most / 4, most};
  for (const double power : {2.0, 3.0, 4.0}) {
    all.push_back(std::pow(most, 1 / power) * 1.01);
    all.push_back(std::pow(least, 1 / power));
  }
  return all;
}

}  // namespace

void keeps_finite(const Subject& s) {
  const Shape shape = shape_of(s, 21);  // vectors of each width, and what is left over
  for_sets(s, [&](const Trial& trial) {
    for (const DType dtype : both_dtypes)
      for (const double size : dtype == DType::f32 ? sizes<float>() : sizes<double>())
        for (const bool one_sign : {true, false})
          for (const bool alone : {true, false}) {
            Tensor w = parameter(irregular(shape, 3, dtype));
            const auto optimizer = trial.build(Parameters{{"kit.w", w}});
            for (int t = 0; t < 6; ++t) {
              // Four extreme steps, then two as they may follow.
              const Tensor g = irregular(shape, 100 * t, dtype);
              for (std::int64_t i = 0; i < g.numel() && t < 4; ++i) {
                if (alone && i != 17) continue;
                const double extreme = one_sign || (i + t) % 2 == 0 ? size : -size;
                if (dtype == DType::f32)
                  g.data<float>()[i] = static_cast<float>(extreme);
                else
                  g.data<double>()[i] = extreme;
              }
              trial.step(*optimizer, gradients_of({{w, g}}));
              expect(all_finite(w), "step ", t + 1, ", with gradients of ", size, alone ? " in one element" : "",
                     one_sign ? "" : ", of both signs", ", makes a ", dtype, " parameter infinite or NaN, ", trial.text());
            }
          }
  });
}

}  // namespace capstan::optim::detail
