// What the table of operations cannot show of shapes and indices: all dtypes, shared memory, orders with ties and NaN, many inputs.
#include <limits>

#include "support.h"

using namespace capstan;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), no_number = std::numeric_limits<double>::quiet_NaN();
const DType all_dtypes[] = {DType::f32, DType::f64, DType::i64, DType::boolean};

Tensor i64(const NestedList& list) { return tensor(list, DType::i64); }

}  // namespace

TEST(ShapeValues, EveryDtype) {
  for (const DType dtype : all_dtypes) {
    const auto of = [&](const NestedList& list) { return tensor(list, dtype); };
    const Tensor x = of({{1, 0, 1}, {0, 0, 1}});
    EXPECT_TRUE(same_bits(permute(x, {1, 0}), of({{1, 0}, {0, 0}, {1, 1}})));
    EXPECT_TRUE(same_bits(slice(x, 1, 0, 3, 2), of({{1, 1}, {0, 1}})));
    EXPECT_TRUE(same_bits(flip(x), of({{1, 0, 0}, {1, 0, 1}})));
    EXPECT_TRUE(same_bits(expand(of({1, 0}), {2, 2}), of({{1, 0}, {1, 0}})));
    EXPECT_TRUE(same_bits(repeat(of({1, 0}), {2, 2}), of({{1, 0, 1, 0}, {1, 0, 1, 0}})));
    EXPECT_TRUE(same_bits(pad(x, {1, 0, 0, 1}, 1), of({{1, 1, 0, 1}, {1, 0, 0, 1}, {1, 1, 1, 1}})));
    EXPECT_TRUE(same_bits(tril(x), of({{1, 0, 0}, {0, 0, 0}})));
    EXPECT_TRUE(same_bits(triu(x), of({{1, 0, 1}, {0, 0, 1}})));
    EXPECT_TRUE(same_bits(concat({x, x.rows(0, 1)}), of({{1, 0, 1}, {0, 0, 1}, {1, 0, 1}})));
    EXPECT_TRUE(same_bits(stack({of({1, 0}), of({0, 0})}, 1), of({{1, 0}, {0, 0}})));
    EXPECT_TRUE(same_bits(split(x, 2, 1)[1], of({{1}, {1}})));
    EXPECT_TRUE(same_bits(index_select(x, 1, i64({2, 1})), of({{1, 0}, {1, 0}})));
    EXPECT_TRUE(same_bits(gather(x, 1, i64({{2}, {0}})), of({{1}, {0}})));
    EXPECT_TRUE(same_bits(squeeze(unsqueeze(x, 1)), x));
    EXPECT_TRUE(same_bits(one_hot(i64({1, 0}), 2, dtype), of({{0, 1}, {1, 0}})));
  }
}

TEST(ShapeValues, ViewsShareMemoryAndCopiesDoNot) {
  const Tensor x = d({{1, 2}, {3, 4}});
  EXPECT_EQ(unsqueeze(x, 0).data<double>(), x.data<double>());
  EXPECT_EQ(squeeze(unsqueeze(x, 0)).data<double>(), x.data<double>());
  EXPECT_EQ(split(x, 1)[1].data<double>(), x.data<double>() + 2);
  EXPECT_NE(split(x, 1, 1)[0].data<double>(), x.data<double>());
  EXPECT_NE(permute(x, {0, 1}).data<double>(), x.data<double>());
  EXPECT_NE(repeat(x, {1, 1}).data<double>(), x.data<double>());
  EXPECT_EQ(repeat(x, {0, std::int64_t{1} << 40}).numel(), 0);  // and makes none of the others first
  EXPECT_NE(expand(x, {2, 2}).data<double>(), x.data<double>());
  EXPECT_NE(concat({x}).data<double>(), x.data<double>());
}

// NaN is the largest, equal elements stay as they stood, and both zeros are equal.
TEST(ShapeValues, OrdersWithTiesAndNan) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Tensor x = tensor({2, no_number, 0, -0.0, inf, no_number, 2, -inf}, dtype);
    EXPECT_EQ(values(argsort(x)), (Values{7, 2, 3, 0, 6, 4, 1, 5}));
    EXPECT_EQ(values(argsort(x, 0, true)), (Values{1, 5, 4, 0, 6, 2, 3, 7}));
    EXPECT_EQ(values(topk(x, 4).indices), (Values{1, 5, 4, 0}));
    EXPECT_EQ(values(topk(x, 3, 0, false).indices), (Values{7, 2, 3}));
    EXPECT_EQ(topk(x, 0).values.shape(), Shape{0});
    EXPECT_TRUE(near(sort(x).values, d({-inf, 0, 0, 2, 2, inf, no_number, no_number}), 0));
  }
}

TEST(ShapeValues, OrdersOfColumns) {
  const Tensor x = d({{3, 1}, {1, 2}, {2, 0}});
  const Sorted s = sort(x, 0);
  EXPECT_EQ(values(s.values), (Values{1, 0, 2, 1, 3, 2}));
  EXPECT_EQ(values(s.indices), (Values{1, 2, 2, 0, 0, 1}));
  EXPECT_EQ(values(gather(x, 0, s.indices)), values(s.values));
}

// More tensors than one node holds go in groups.
TEST(ShapeValues, ManyTensorsAreJoined) {
  std::vector<Tensor> xs;
  for (int k = 0; k < 600; ++k) xs.push_back(parameter(full({2}, k, DType::f64)));
  const Tensor weights = numbers({600, 2});
  Tape tape;
  const Tensor stacked = stack(xs), chain = concat(xs);
  EXPECT_EQ(stacked.shape(), (Shape{600, 2}));
  EXPECT_EQ(values(stacked), values(chain));
  EXPECT_EQ(values(stack(xs, 1)), values(transpose(stacked)));
  const Values all = values(stacked);
  const Gradients g = tape.gradients(sum(stacked * weights) + sum(chain * 2));
  for (int k = 0; k < 600; ++k) {
    const auto i = static_cast<std::size_t>(k);
    ASSERT_TRUE(all[2 * i] == k && all[2 * i + 1] == k);
    ASSERT_TRUE(near(g[xs[i]], weights.rows(k, k + 1).reshape({2}) + 2, 1e-15)) << k;
  }
}

TEST(ShapeValues, IntegersAreNotRecorded) {
  Tape tape;
  const Tensor x = i64({{1, 2}, {3, 4}});
  concat({permute(x, {1, 0}), flip(x), slice(x, 0, 0, 1)});
  EXPECT_EQ(tape.size(), 0u);
}

TEST(ShapeValues, DiagonalsFarOutside) {
  const std::int64_t far = std::numeric_limits<std::int64_t>::max();
  const Tensor x = d({{1, 2}, {3, 4}});
  EXPECT_EQ(values(tril(x, far)), (Values{1, 2, 3, 4}));
  EXPECT_EQ(values(tril(x, -far)), (Values{0, 0, 0, 0}));
  EXPECT_EQ(values(triu(x, far)), (Values{0, 0, 0, 0}));
  EXPECT_EQ(values(triu(x, -far)), (Values{1, 2, 3, 4}));
}

TEST(ShapeValues, SplitOfNothingIsOnePartOfNothing) {
  EXPECT_EQ(split(empty({0, 2}), 3).size(), 1u);
  EXPECT_EQ(split(d({1, 2, 3}), 2).size(), 2u);
  EXPECT_EQ(split(d({1, 2, 3}), 5).size(), 1u);
  EXPECT_EQ(split(d({1, 2, 3}), std::numeric_limits<std::int64_t>::max()).size(), 1u);
}
