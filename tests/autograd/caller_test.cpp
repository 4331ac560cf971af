#include <capstan/nn/activations.h>
#include <capstan/nn/linear.h>
#include <capstan/nn/sequential.h>

#include <string>

#include "support.h"

using namespace capstan;

// With optimisation, under which Capstan's headers are inlined into the caller: the line named is the caller's.

#ifdef CAPSTAN_TEST_LINES
TEST(CheckFinite, NamesTheLineOfACallThroughAModule) {
  nn::Sequential model{nn::Linear(2, 2), nn::ReLU()};
  nn::Linear layer(2, 2);
  for (const auto& p : model.parameters()) {
    Tensor t = p.tensor;
    t *= 1e30;
  }
  layer.weight *= 1e30;
  const Tensor x = full({1, 2}, 1e30);
  Tape tape({.check_finite = true});
  for (const bool whole : {true, false}) {
    int line = 0;
    const std::string text = thrown([&] {
      line = __LINE__ + 1;
      (void)(whole ? model(x) : layer(x));
    });
    EXPECT_NE(text.find(", caller_test.cpp:" + std::to_string(line) + ")"), std::string::npos) << text;
  }
}
#endif
