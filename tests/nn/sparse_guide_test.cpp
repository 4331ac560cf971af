// What docs/sparse.md shows of rows with few features.
#include <capstan/data/sparse_dataset.h>
#include <capstan/nn/sparse_linear.h>
#include <capstan/optim/adagrad.h>

#include <algorithm>

#include "support.h"

using namespace capstan;

namespace {

/// FNV-1a, folded to 20 bits.
std::int64_t column_of(const std::string& word) {
  std::uint32_t hash = 2166136261u;
  for (const char c : word) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash % (1 << 20);
}

}  // namespace

TEST(SparseGuide, AFewWordsOfMany) {
  manual_seed(0);
  const std::vector<std::vector<std::string>> documents = {
      {"rain", "and", "wind"}, {"sun", "and", "sea"}, {"rain", "rain", "fog"}, {"sun", "sand"}, {"wind", "fog"}};
  const Tensor labels = tensor({1, 0, 1, 0, 1});
  CsrBuilder builder(1 << 20);  // columns
  for (const auto& words : documents) {
    for (const std::string& word : words) builder.add(column_of(word), 1);
    builder.end_row();
  }
  nn::SparseLinear model(1 << 20);  // from rows [n] logits [n]; SparseLinear(1 << 20, 10) gives [n, 10]
  optim::Adagrad optimizer(model.parameters(), {.lr = 0.5});
  data::Batches batches(data::SparseDataset{builder.take(), labels}, {.batch_size = 2, .shuffle = true});
  while (batches.epoch() < 20)
    for (auto [x, y] : batches) {
      Tape tape;
      optimizer.step(tape.gradients(binary_cross_entropy_with_logits(model(x), y)));
    }
  for (const char* word : {"rain", "sea", "fog", "sand"}) {
    builder.add(column_of(word), 1);
    builder.end_row();
  }
  const Values p = values(sigmoid(model(builder.take())));
  EXPECT_GT(std::min(p[0], p[2]), 0.6);
  EXPECT_LT(std::max(p[1], p[3]), 0.45);
}
