// The sums of L-BFGS, which are held where a double is too small for them.
#include <capstan/core/create.h>
#include <capstan/optim/line_search.h>

#include "support.h"

using namespace capstan;

TEST(LineSearch, SumsThatNoDoubleHoldsHaveTheirSign) {
  using optim::detail::Wide;
  const Tensor x = full({9}, 1e200, DType::f64), y = full({9}, -1e200, DType::f64), most = full({9}, 1.5e308, DType::f64);
  const Wide square = Wide{1e200} * Wide{1e200};
  EXPECT_NEAR(static_cast<double>(optim::detail::dot({x}, {x}) / square), 9, 1e-12);
  EXPECT_NEAR(static_cast<double>(optim::detail::dot({x}, {y}) / square), -9, 1e-12);
  EXPECT_NEAR(static_cast<double>(optim::detail::sum_of_sizes({most}) / Wide{1.5e308}), 9, 1e-12);
}
