#include <capstan/autograd/row_places.h>

#include <random>

#include "support.h"

// When a gradient is kept by rows, and that its bits are those of a dense one.

using namespace capstan;

namespace {

using Rows = std::vector<std::int64_t>;

/// d sum(slope * w[index]); with a product between, of which no rows are kept.
Gradients picked(const Tensor& w, const Tensor& index, const Tensor& slope, bool by_rows = true) {
  Tape tape;
  return tape.gradients(sum(slope * index_select(by_rows ? w : 1.0 * w, 0, index)));
}

Tensor index_of(const Rows& rows) { return tensor(rows); }

}  // namespace

TEST(RowPlaces, DistinctRowsAreWhatCounts) {
  const Tensor w = parameter(numbers({16, 2})), v = parameter(numbers({16}));
  const auto is_sparse = [&](const Rows& rows) {
    Tape tape;
    const Tensor index = index_of(rows);
    const Gradients g = tape.gradients(sum(index_select(w, 0, index)) + sum(gather(v, 0, index)));
    EXPECT_EQ(g.is_sparse(w), g.is_sparse(v));
    return g.is_sparse(w);
  };
  EXPECT_TRUE(is_sparse({1, 2, 3, 4}));
  EXPECT_TRUE(is_sparse({1, 2, 3, 4, 4, 1, 2, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 1}));
  EXPECT_FALSE(is_sparse({1, 2, 3, 4, 4, 1, 2, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5}));
  EXPECT_FALSE(is_sparse({1, 2, 3, 4, 5}));
  EXPECT_TRUE(is_sparse({}));
}

TEST(RowPlaces, AreFoundForAnyNumberOfRowsAndLookUps) {
  std::mt19937_64 bits(3);
  for (const std::int64_t height : {1, 2, 100, 2048, 2049, 70'000, 5'000'000})
    for (const std::int64_t n : {0, 1, 2, 30, 5000})
      for (const bool ascending : {false, true}) {
        Rows rows(static_cast<std::size_t>(n));
        for (auto& r : rows) r = static_cast<std::int64_t>(bits() % static_cast<std::uint64_t>(height));
        if (ascending) std::sort(rows.begin(), rows.end());
        Rows all = rows;
        std::sort(all.begin(), all.end());
        all.erase(std::unique(all.begin(), all.end()), all.end());
        const std::int64_t half = n / 2;
        const Tensor index = index_of(rows);
        const detail::RowPlaces found = detail::places_of({index.rows(0, half), index.rows(half, n)}, height);
        const Rows got(found.rows.data<std::int64_t>(), found.rows.data<std::int64_t>() + found.rows.numel());
        ASSERT_EQ(got, all) << height << " " << n;
        ASSERT_EQ(found.place.numel(), n);
        for (std::int64_t k = 0; k < n; ++k)
          ASSERT_EQ(all[static_cast<std::size_t>(found.place.data<std::int64_t>()[k])], rows[static_cast<std::size_t>(k)]);
      }
  const std::int64_t many = (std::int64_t{1} << 40) + 1;  // more than 32 bits count
  const Tensor w = parameter(empty({many, 0}));
  Tape tape;
  const Gradients g = tape.gradients(sum(index_select(w, 0, index_of({many - 1, 5, many - 1, many - (std::int64_t{1} << 32)}))));
  EXPECT_EQ(values(g.sparse(w).rows), (Values{5, static_cast<double>(many - (std::int64_t{1} << 32)), static_cast<double>(many - 1)}));
}

TEST(RowPlaces, BitsAreThoseOfADenseGradient) {
  std::mt19937_64 bits(4);
  for (const DType dtype : {DType::f32, DType::f64})
    for (const std::int64_t size : {1, 3, 4, 15, 16, 17, 40})
      for (const std::int64_t most : {1, 7, 25})
        for (const std::int64_t n : {1, 20, 400}) {
          const Tensor w = parameter(numbers({100, size}).to(dtype)), slope = numbers({n, size}, -1, 1, 1).to(dtype),
                       index = empty({n}, DType::i64);
          for (std::int64_t k = 0; k < n; ++k)
            index.data<std::int64_t>()[k] = 4 * static_cast<std::int64_t>(bits() % static_cast<std::uint64_t>(most));
          slope.rows(0, 1).assign(full({1, size}, -0.0, dtype));
          const Gradients g = picked(w, index, slope), dense = picked(w, index, slope, false);
          ASSERT_TRUE(g.is_sparse(w) && !dense.is_sparse(w));
          ASSERT_TRUE(same_bits(g[w], dense[w])) << size << " " << most << " " << n;
          ASSERT_TRUE(same_bits(Gradients::from({{w, RowSparse{index, slope, w.shape()}}})[w], dense[w]));
        }
}

TEST(RowPlaces, DenseAndRowsAreAddedInTheOrderInWhichTheyCome) {
  const Tensor w = parameter(zeros({8, 1})), small = full({2, 1}, 0x1p-24);
  const auto rows = [&] { return sum(small * index_select(w, 0, index_of({3, 3}))); };
  const auto gradient = [&](auto loss) {
    Tape tape;
    return values(tape.gradients(loss())[w])[3];
  };
  // The operation that was recorded last comes first.
  EXPECT_EQ(gradient([&] {
              const Tensor r = rows();
              return r + sum(w * ones({8, 1}));
            }),
            1);
  EXPECT_EQ(gradient([&] {
              const Tensor d = sum(w * ones({8, 1}));
              return d + rows();
            }),
            1 + 0x1p-23);
  EXPECT_EQ(gradient([&] {
              const Tensor r = rows(), d = sum(w * ones({8, 1}));
              return r + d + rows();
            }),
            1 + 0x1p-22);
}
