// Tables of rows as modules: Embedding and EmbeddingBag.
#include <capstan/nn/embedding.h>
#include <capstan/optim/adagrad.h>

#include "support.h"

using namespace capstan;

TEST(Embedding, LooksUpRowsOfItsWeight) {
  nn::Embedding table(3, 2, {.dtype = DType::f64});
  table.weight.assign(tensor({{1, 2}, {3, 4}, {5, 6}}, DType::f64));
  EXPECT_EQ(table.describe(), "Embedding(3, 2)");
  EXPECT_EQ(names(table.state()), "weight");
  const Tensor x = tensor({{2, 0}, {2, 1}}, DType::i64);
  Tape tape;
  const Tensor y = table(x);
  EXPECT_EQ(y.shape(), (Shape{2, 2, 2}));
  EXPECT_EQ(values(y), (Values{5, 6, 1, 2, 5, 6, 3, 4}));
  EXPECT_EQ(values(tape.gradients(sum(y * y))[table.weight]), (Values{2, 4, 6, 8, 20, 24}));
}

TEST(Embedding, ShapesOfTheIndex) {
  nn::Embedding table(4, 3);
  EXPECT_EQ(table.weight.dtype(), DType::f32);
  EXPECT_EQ(table(tensor(2, DType::i64)).shape(), Shape{3});
  EXPECT_EQ(table(tensor({1, 2}, DType::i64)).shape(), (Shape{2, 3}));
  EXPECT_EQ(table(empty({2, 0}, DType::i64)).shape(), (Shape{2, 0, 3}));
}

TEST(Embedding, StartsStandardNormalAndClones) {
  manual_seed(0);
  nn::Embedding table(200, 50);
  EXPECT_NEAR(mean(table.weight).item(), 0, 0.04);
  EXPECT_NEAR(var(table.weight).item(), 1, 0.06);
  table.weight.set_requires_grad(false);
  table.eval();
  nn::Embedding copy = nn::clone(table);
  EXPECT_EQ(bits(copy.weight), bits(table.weight));
  EXPECT_FALSE(same(copy.weight, table.weight));
  EXPECT_FALSE(copy.weight.requires_grad());
  EXPECT_FALSE(copy.training());
}

TEST(Embedding, Refusals) {
  EXPECT_EQ(thrown([] { nn::Embedding m(0, 2); }), "ValueError: [Embedding] count and size must be positive: 0, 2");
  EXPECT_EQ(thrown([] { nn::Embedding m(2, -1); }), "ValueError: [Embedding] count and size must be positive: 2, -1");
  EXPECT_EQ(thrown([] { nn::Embedding m(2, 2, {.dtype = DType::i64}); }), "ValueError: [Embedding] a layer is f32 or f64: i64");
  nn::Embedding table(3, 2);
  EXPECT_EQ(thrown([&] {
              table(tensor({0, 3}, DType::i64));
            }),
            "ValueError: [embedding] an index must lie in [0, 3): 3 at element 1 of [2]");
  EXPECT_EQ(thrown([&] { table(tensor({0, 1})); }), "ValueError: [embedding] the index must be i64: f32 [2] (convert with to())");
  const Tensor w = parameter(ones({2}));
  Tape tape;
  EXPECT_EQ(thrown([&] { table(zeros({1, 1, 1, 1, 1, 1}, DType::i64)); }), "ShapeError: [shape] a tensor has at most 6 axes: 7");
  EXPECT_EQ(tape.size(), 0u);
}

TEST(Embedding, ThePaddingRowStartsAtZeroAndStays) {
  manual_seed(3);
  nn::Embedding plain(8, 3), table = [] {
    manual_seed(3);
    return nn::Embedding(8, 3, {.padding_idx = 2});
  }();
  EXPECT_EQ(values(table.weight.rows(2, 3)), (Values{0, 0, 0}));
  EXPECT_EQ(bits(table.weight.rows(3, 8).clone()), bits(plain.weight.rows(3, 8).clone())) << "the others are drawn as without it";
  optim::Adagrad optimizer(table.parameters(), {.lr = 0.1});
  const std::string before = bits(table.weight.rows(1, 2).clone());
  Tape tape;
  const Tensor y = table(tensor({{2, 1}, {2, 2}}, DType::i64));
  optimizer.step(tape.gradients(sum(y + 1.0)));
  EXPECT_EQ(values(table.weight.rows(2, 3)), (Values{0, 0, 0}));
  EXPECT_NE(bits(table.weight.rows(1, 2).clone()), before);
}

TEST(Embedding, KeepsRowsAlwaysWhenAsked) {
  const Tensor all = tensor({0, 1, 2}, DType::i64);
  for (const bool sparse : {false, true}) {
    nn::Embedding table(3, 2, {.sparse = sparse});
    nn::Embedding copy = nn::clone(table);
    nn::EmbeddingBag bag(3, 2, {.sparse = sparse}), bag_copy = nn::clone(bag);
    Tape tape;
    const Gradients g =
        tape.gradients(sum(table(all)) + sum(copy(all)) + sum(bag(all.reshape({1, 3}))) + sum(bag_copy(all.reshape({1, 3}))));
    for (const Tensor& w : {table.weight, copy.weight, bag.weight, bag_copy.weight}) EXPECT_EQ(g.is_sparse(w), sparse);
  }
}

TEST(EmbeddingBag, IsItsOperation) {
  const Tensor index = tensor({2, 0, 2, 1}, DType::i64), offsets = tensor({0, 1, 1}, DType::i64), v = tensor({1, 2, 3, 4});
  for (const auto& [mode, word] : {std::pair{BagMode::sum, "sum"}, {BagMode::mean, "mean"}, {BagMode::max, "max"}}) {
    nn::EmbeddingBag bag(3, 2, {.mode = mode});
    EXPECT_EQ(bits(bag(index, offsets)), bits(embedding_bag(index, bag.weight, offsets, {.mode = mode})));
    EXPECT_EQ(bits(bag(index.reshape({2, 2}))), bits(embedding_bag(index.reshape({2, 2}), bag.weight, {.mode = mode})));
    EXPECT_EQ(bag.describe(), std::string("EmbeddingBag(3, 2, ") + word + ")");
    EXPECT_EQ(bits(nn::clone(bag)(index, offsets)), bits(bag(index, offsets)));
  }
  nn::EmbeddingBag sums(3, 2);
  EXPECT_EQ(bits(sums(index, offsets, v)), bits(embedding_bag(index, sums.weight, offsets, {.per_sample_weights = v})));
  EXPECT_EQ(names(sums.state()), "weight");
  nn::Sequential model{nn::EmbeddingBag(3, 2), nn::Linear(2, 1)};
  EXPECT_EQ(names(model.parameters()), "0.weight 1.weight 1.bias");
  EXPECT_EQ(model(index.reshape({2, 2})).shape(), (Shape{2, 1}));
}

TEST(EmbeddingBag, OptionsAndClones) {
  manual_seed(7);
  nn::EmbeddingBag bag(5, 3, {.mode = BagMode::mean, .padding_idx = 4, .sparse = true, .dtype = DType::f64});
  EXPECT_EQ(bag.describe(), "EmbeddingBag(5, 3, mean, padding_idx=4, sparse)");
  EXPECT_EQ(nn::Embedding(5, 3, {.padding_idx = 0}).describe(), "Embedding(5, 3, padding_idx=0)");
  EXPECT_EQ(nn::Embedding(5, 3, {.sparse = true}).describe(), "Embedding(5, 3, sparse)");
  EXPECT_EQ(bag.weight.dtype(), DType::f64);
  EXPECT_EQ(values(bag.weight.rows(4, 5)), (Values{0, 0, 0}));
  const Tensor padded = tensor({{1, 4, 4}}, DType::i64);
  bag.weight.rows(4, 5).assign(ones({1, 3}, DType::f64));
  bag.weight.set_requires_grad(false);
  bag.eval();
  nn::EmbeddingBag copy = nn::clone(bag);
  EXPECT_EQ(values(copy(padded)), values(bag.weight.rows(1, 2))) << "without the padding row, of which is no mean";
  EXPECT_FALSE(same(copy.weight, bag.weight));
  EXPECT_FALSE(copy.weight.requires_grad());
  EXPECT_FALSE(copy.training());
}

TEST(EmbeddingBag, Refusals) {
  EXPECT_EQ(thrown([] { nn::EmbeddingBag m(0, 2); }), "ValueError: [EmbeddingBag] count and size must be positive: 0, 2");
  EXPECT_EQ(thrown([] { nn::EmbeddingBag m(2, 2, {.dtype = DType::boolean}); }),
            "ValueError: [EmbeddingBag] a layer is f32 or f64: boolean");
  EXPECT_EQ(thrown([] { nn::EmbeddingBag m(2, 2, {.padding_idx = 2}); }),
            "ValueError: [EmbeddingBag] padding_idx must lie in [0, 2), or be -1 for none: 2");
  EXPECT_EQ(thrown([] { nn::Embedding m(2, 2, {.padding_idx = -2}); }),
            "ValueError: [Embedding] padding_idx must lie in [0, 2), or be -1 for none: -2");
  nn::EmbeddingBag bag(3, 2, {.mode = BagMode::mean});
  const Tensor index = tensor({0, 1}, DType::i64), offsets = tensor({0, 1}, DType::i64);
  EXPECT_EQ(thrown([&] { bag(index); }), "ShapeError: [embedding_bag] without offsets the index must be [bags, n]: [2]");
  EXPECT_EQ(thrown([&] { bag(index, offsets, ones({2})); }),
            "ValueError: [embedding_bag] per_sample_weights go with mode sum: mean (multiply the rows of embedding() instead)");
}
