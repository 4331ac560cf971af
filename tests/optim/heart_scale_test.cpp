// Logistic regression on a data set whose optimum is known to many digits: LIBLINEAR's heart_scale, as Debian's liblinear-tools has it.
#include <capstan/data/libsvm.h>
#include <capstan/nn/sparse_linear.h>
#include <capstan/optim/lbfgs.h>

#include <filesystem>

#include "support.h"

using namespace capstan;

TEST(HeartScale, LbfgsFindsTheOptimum) {
  const char* const path = "/usr/share/doc/liblinear-tools/examples/heart_scale";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there: install liblinear-tools";
  const data::SparseDataset set = data::read_libsvm(path, {.labels = data::Labels::binary, .dtype = DType::f64});
  ASSERT_EQ(set.x.shape(), (Shape{270, 13}));
  nn::SparseLinear model(13, {.bias = false, .dtype = DType::f64});
  optim::LBFGS optimizer(model.parameters(), {.max_iter = 200, .tolerance_grad = 1e-12, .tolerance_change = 1e-16});
  const double loss = optimizer.step([&] {
    Tape tape;
    const Tensor losses = binary_cross_entropy_with_logits(model(set.x), set.y, {.reduction = Reduction::sum});
    return tape.gradients(0.5 * sum(square(model.weight)) + losses);
  });
  EXPECT_NEAR(loss, 98.226799508137, 1e-8);  // L2-regularised, C = 1, no bias
}
