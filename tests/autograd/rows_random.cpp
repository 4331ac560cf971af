#include <capstan/core/random.h>

#include "xtensor_support.h"

using namespace capstan;

// Each call draws from a generator of its own, so that every call keeps the same elements.
void add_random_rows(std::vector<OpRow>& rows) {
  const auto dropped = [](const Tensor& x, double p) {
    Generator g{5, 0, 0};
    return dropout(x, p, true, g);
  };
  const char* declaration =
      "dropout(const Tensor& x, double p = 0.5, bool training = true, Generator& generator = default_generator(Purpose::dropout))";
  Generator g{5, 0, 0};
  const Tensor u = uniform({4}, 0, 1, DType::f64, g);
  Tensor kept = zeros({4}, DType::f64);
  for (std::int64_t i = 0; i < 4; ++i)
    if (u.data<double>()[i] >= 0.25) kept.data<double>()[i] = static_cast<double>(i + 1) / 0.75;
  rows.push_back({.declaration = declaration,
                  .form = "p = 0.25",
                  .f = [=](const Args& in) { return dropped(in[0], 0.25); },
                  .at = {d({1, 2, 3, 4})},
                  .is = kept,
                  .shapes = one_shapes()});
  rows.push_back({.declaration = declaration,
                  .form = "p = 1",
                  .f = [=](const Args& in) { return dropped(in[0], 1); },
                  .at = {d({1, 2, 3, 4})},
                  .is = d({0, 0, 0, 0}),
                  .shapes = one_shapes(),
                  .flat = true});
}
