#include <capstan/nn/activations.h>
#include <capstan/nn/linear.h>
#include <capstan/nn/sequential.h>

#include <algorithm>
#include <cmath>

#include "safetensors.h"

// Files that safetensors' own package wrote: tests/oracles/safetensors_files.py --write tests/data/safetensors.

using namespace capstan;

namespace {

std::string stored(const std::string& name) { return CAPSTAN_TEST_FILES "/data/safetensors/" + name + ".safetensors"; }

}  // namespace

TEST(SafetensorsFiles, ModelOfPyTorchPredictsTheSameAndGoesBackInTheSameBytes) {
  nn::Sequential model{nn::Linear(4, 8), nn::ReLU(), nn::Linear(8, 3)};
  Metadata metadata;
  model.load_state(load(stored("mlp"), &metadata));
  const TensorMap answers = load(stored("mlp_answers"));
  const Values y = values(model(answers["x"])), wanted = values(answers["y"]);
  ASSERT_EQ(y.size(), 15u);
  for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], wanted[i], 1e-6 * std::max(1.0, std::abs(wanted[i]))) << i;

  const Scratch back;
  save(back.path(), model, metadata);
  EXPECT_EQ(read(back.path()), read(stored("mlp")));
}

TEST(SafetensorsFiles, EveryDtype) {
  const TensorMap tensors = load(stored("dtypes"));
  EXPECT_EQ(tensors.size(), 13u);
  for (const auto& [name, t] : tensors) {
    const bool f32 = name == "F32" || name == "F16" || name == "BF16";
    EXPECT_EQ(t.dtype(), f32 ? DType::f32 : name == "F64" ? DType::f64 : name == "BOOL" ? DType::boolean : DType::i64) << name;
    EXPECT_EQ(t.shape(), (Shape{2, 2})) << name;
    EXPECT_EQ(values(t), name == "BOOL" ? (Values{0, 1, 1, 1}) : (Values{0, 1, 2, 100})) << name;
  }
}

TEST(SafetensorsFiles, NamesAndMetadata) {
  Metadata metadata;
  const TensorMap tensors = load(stored("names"), &metadata);
  EXPECT_EQ(metadata, (Metadata{{"\t", "\xf0\x9f\x98\x80\x7f"}}));
  EXPECT_EQ(tensors.size(), 4u);
  EXPECT_EQ(values(tensors[""]), (Values{0.5}));
  EXPECT_EQ(tensors[""].dim(), 0);
  EXPECT_EQ(tensors["\xc3\xa9/\"\\\x01"].shape(), (Shape{2, 0, 3}));
  EXPECT_EQ(values(tensors["\xf0\x9f\x98\x80"]), (Values{1}));
  EXPECT_EQ(values(tensors["a"]), (Values{0, 1, 2}));

  const Scratch back;
  save(back.path(), tensors, metadata);
  EXPECT_EQ(read(back.path()), read(stored("names")));
}
