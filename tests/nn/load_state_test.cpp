#include "../colliding.h"
#include "support.h"

// What load_state() says of a state that does not fit, and what it takes of one in part. Strict loading is in model_test.cpp.

using namespace capstan;

namespace {

using Names = std::vector<std::string>;

/// The state of a Net with a prefix before each name.
TensorMap prefixed(Net& net, const std::string& prefix) {
  TensorMap state;
  for (const auto& [name, tensor] : net.state()) state.insert(prefix + name, tensor);
  return state;
}

const std::string begin = "ValueError: [load_state] the state does not fit Net:";

}  // namespace

TEST(LoadState, NamesAPrefix) {
  Net net;
  const auto lines = [](const std::string& prefix) {
    std::string text = "\n  missing: hidden.weight\n  missing: hidden.bias\n  missing: out.weight\n  missing: out.bias";
    for (const char* name : {"hidden.weight", "hidden.bias", "out.weight", "out.bias"}) text += "\n  unexpected: " + prefix + name;
    return text;
  };
  EXPECT_EQ(thrown([&] { net.load_state(prefixed(net, "module.")); }),
            begin + lines("module.") +
                "\n  (4 of 4 missing names are there with the prefix 'module.', which PyTorch's DataParallel adds: take it off)");
  EXPECT_EQ(thrown([&] { net.load_state(prefixed(net, "_orig_mod.")); }),
            begin + lines("_orig_mod.") +
                "\n  (4 of 4 missing names are there with the prefix '_orig_mod.', which torch.compile adds: take it off)");
  EXPECT_EQ(thrown([&] { net.load_state(prefixed(net, "my.net.")); }),
            begin + lines("my.net.") + "\n  (4 of 4 missing names are there with the prefix 'my.net.': take it off)");
  EXPECT_EQ(
      thrown([&] { net.load_state(prefixed(net, "model/")); }),
      begin + lines("model/") + "\n  (4 of 4 missing names are there with the prefix 'model/', as in a Checkpoint's file: take it off)");
  TensorMap some;
  for (const auto& [name, tensor] : net.state()) some.insert(name == "out.bias" ? "module." + name : name, tensor);
  some.insert("module.hidden.weight", ones({1}));  // hidden.weight is not missing
  EXPECT_EQ(thrown([&] { net.load_state(some); }),
            begin +
                "\n  missing: out.bias\n  unexpected: module.out.bias\n  unexpected: module.hidden.weight"
                "\n  (1 of 1 missing names are there with the prefix 'module.', which PyTorch's DataParallel adds: take it off)");
}

// A stranger's file may hold it: 400,000 suffixes, half of it long on average.
TEST(LoadState, ANameOfDotsTakesNoTime) {
  nn::Sequential model;
  for (int i = 0; i < 20; ++i) model.append(nn::Linear(1, 1));
  const TensorMap dots{{std::string(400'000, '.'), ones({1})}};
  EXPECT_LT(processor_seconds([&] { EXPECT_NE(thrown([&] { model.load_state(dots); }), "nothing"); }), 0.5);
}

TEST(LoadState, NamesAWeightThatIsTransposed) {
  Net net;
  TensorMap state;
  for (const auto& [name, tensor] : net.state()) state.insert(name, tensor.dim() == 2 ? transpose(tensor) : tensor);
  EXPECT_EQ(thrown([&] { net.load_state(state); }),
            begin +
                "\n  hidden.weight: f32 [5, 4], wanted f32 [4, 5] (it is transposed: transpose() it)"
                "\n  out.weight: f32 [4, 1], wanted f32 [1, 4] (it is transposed: transpose() it)");
  // Another dtype of the same square shape is no transposed one.
  nn::Linear square(3, 3);
  EXPECT_EQ(thrown([&] {
              square.load_state({{"weight", ones({3, 3}, DType::f64)}, {"bias", ones({3})}});
            }),
            "ValueError: [load_state] the state does not fit Linear(3, 3):\n  weight: f64 [3, 3], wanted f32 [3, 3]");
}

TEST(LoadState, TakesAPartAndReturnsTheRest) {
  Net net;
  const Values bias = values(net.out.bias);
  const Tensor identity = net.hidden.bias;
  const TensorMap state = {{"hidden.weight", transpose(ones({4, 5}))},
                           {"hidden.bias", full({4}, 7)},
                           {"out.weight", ones({1, 4}, DType::f64)},
                           {"head.weight", ones({2})}};
  const nn::LoadResult left = net.load_state(state, {.partial = true});
  EXPECT_EQ(left.missing_keys, Names{"out.bias"});
  EXPECT_EQ(left.unexpected_keys, Names{"head.weight"});
  EXPECT_EQ(left.mismatched_keys, (Names{"hidden.weight", "out.weight"}));
  EXPECT_EQ(left.report,
            "  hidden.weight: f32 [5, 4], wanted f32 [4, 5] (it is transposed: transpose() it)\n"
            "  out.weight: f64 [1, 4], wanted f32 [1, 4]\n"
            "  missing: out.bias\n"
            "  unexpected: head.weight");
  EXPECT_EQ(values(net.hidden.bias), (Values{7, 7, 7, 7}));
  EXPECT_TRUE(same(net.hidden.bias, identity));
  EXPECT_EQ(values(net.out.bias), bias);
}

TEST(LoadState, ReturnsNothingWhereAllFits) {
  Net net;
  for (const bool partial : {false, true}) {
    const nn::LoadResult left = net.load_state(net.state(), {.partial = partial});
    EXPECT_EQ(left.missing_keys, Names{});
    EXPECT_EQ(left.unexpected_keys, Names{});
    EXPECT_EQ(left.mismatched_keys, Names{});
    EXPECT_EQ(left.report, "");
  }
}

TEST(LoadState, TellsAPrefixInPartToo) {
  Net net;
  const Values before = values(net.hidden.weight);
  TensorMap state;
  for (const auto& [name, tensor] : net.state()) state.insert("module." + name, zeros(tensor.shape()));
  const nn::LoadResult left = net.load_state(state, {.partial = true});
  EXPECT_EQ(left.missing_keys.size(), 4u);
  EXPECT_TRUE(left.report.ends_with(
      "\n  (4 of 4 missing names are there with the prefix 'module.', which PyTorch's DataParallel adds: take it off)"))
      << left.report;
  EXPECT_EQ(values(net.hidden.weight), before);
}

TEST(LoadState, RefusesAReadOnlyTensorInPartToo) {
  const Tensor w = parameter(ones({2}));
  Tape tape;
  const Gradients g = tape.gradients(sum(w));
  struct Holds : nn::Module {
    Tensor w, slope;
    void members(nn::Visitor& visit) override {
      visit("w", w);
      visit.buffer("slope", slope);
    }
    std::string describe() const override { return "Holds"; }
  } model;
  model.w = w;
  model.slope = g[w];
  EXPECT_EQ(thrown([&] {
              model.load_state({{"w", tensor({3, 4})}, {"slope", tensor({3, 4})}, {"more", ones({1})}}, {.partial = true});
            }),
            "ValueError: [load_state] the state does not fit Holds:\n  slope: the model holds a gradient there, which is read-only");
  EXPECT_EQ(values(w), (Values{1, 1}));
}
