#include <capstan/optim/sgd.h>

#include "support.h"

// What an optimizer says of gradients that are nobody's, beside tests/nn/check_test.cpp.

using namespace capstan;

TEST(Unowned, AreListedUpToEight) {
  for (const int count : {7, 8, 9}) {
    Tensor w = parameter(ones({1}));
    optim::SGD sgd(Parameters{{"w", w}});
    sgd.set_warn_unowned(true);
    std::vector<GradientFor> all = {{w, ones({1})}};
    std::vector<Tensor> strangers;
    for (int i = 0; i < count; ++i) {
      strangers.push_back(parameter(ones({2})));
      all.push_back({strangers.back(), ones({2})});
    }
    testing::internal::CaptureStderr();
    sgd.step(Gradients::from(all));
    const std::string text = testing::internal::GetCapturedStderr();
    std::string want = "[sgd] step 1: " + std::to_string(count) + " of " + std::to_string(count + 1) +
                       " gradients belong to none of this optimizer's parameters: ";
    for (int i = 0; i < std::min(count, 8); ++i) want += i == 0 ? "f32 [2]" : ", f32 [2]";
    EXPECT_EQ(text, want + (count > 8 ? ", ..." : "") + " (what members() does not show is not trained; see nn::check())\n");
  }
}
