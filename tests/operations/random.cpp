#include "row.h"

using namespace capstan;

namespace operations {

// Each call draws from a generator of its own, so that every call keeps the same elements.
void add_random(std::vector<Operation>& all) {
  const auto add = [&](Checked form) { all.back().table.push_back(std::move(form)); };
  const auto dropped = [](const Tensor& x, double p) {
    Generator g{5, 0, 0};
    return dropout(x, p, true, g);
  };
  all.push_back(
      {.name = "dropout",
       .declaration =
           "dropout(const Tensor& x, double p = 0.5, bool training = true, Generator& generator = default_generator(Purpose::dropout))",
       .f =
           [](const Tensor& x, double p, bool training) {
             Generator generator{.seed = 3};
             return dropout(x, p, training, generator);
           },
       .kinds = "f"});
  Generator g{5, 0, 0};
  const Tensor u = uniform({4}, 0, 1, DType::f64, g);
  Tensor kept = zeros({4}, DType::f64);
  for (std::int64_t i = 0; i < 4; ++i)
    if (u.data<double>()[i] >= 0.25) kept.data<double>()[i] = static_cast<double>(i + 1) / 0.75;
  add({.form = "p = 0.25",
       .f = [=](const Tensors& in) { return dropped(in[0], 0.25); },
       .at = {d({1, 2, 3, 4})},
       .is = kept,
       .shapes = one_shapes()});
  add({.form = "p = 1",
       .f = [=](const Tensors& in) { return dropped(in[0], 1); },
       .at = {d({1, 2, 3, 4})},
       .is = d({0, 0, 0, 0}),
       .shapes = one_shapes(),
       .flat = true});
}

}  // namespace operations
