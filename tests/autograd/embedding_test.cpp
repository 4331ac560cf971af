// Look-ups and bags of them beside plain loops; their gradients by rows and dense, with the bits of one another.
#include <capstan/autograd/checkpoint.h>
#include <capstan/autograd/functional.h>
#include <capstan/autograd/no_grad.h>
#include <capstan/core/threads.h>

#include <limits>
#include <random>

#include "support.h"

using namespace capstan;

namespace {

Tensor whole(const NestedList& list) { return tensor(list, DType::i64); }
const BagMode modes[] = {BagMode::sum, BagMode::mean, BagMode::max};

/// Look-ups in a table of so many rows, in bags of up to `most`, of which some are empty.
struct Drawn {
  Drawn(std::int64_t rows, std::int64_t bags, int most, unsigned seed = 1) : offsets(empty({bags}, DType::i64)) {
    std::mt19937_64 bits(seed);
    std::vector<std::int64_t> all;
    for (std::int64_t b = 0; b < bags; ++b) {
      offsets.data<std::int64_t>()[b] = static_cast<std::int64_t>(all.size());
      for (auto left = bits() % static_cast<unsigned>(most + 1); left > 0; --left)
        all.push_back(static_cast<std::int64_t>(bits() % static_cast<std::uint64_t>(rows)));
    }
    index = tensor(all);
  }
  std::int64_t n() const { return index.numel(); }
  Tensor index, offsets;
};

struct Plain {
  Tensor y, table, v;  // the result and the gradients along dy
};

/// The same by loops that know nothing of threads, rows or padding; what comes to one row is added to 0 in order.
template <class T>
Plain plain(const Drawn& x, const Tensor& table, const Tensor& v, const Tensor& dy, BagMode mode, std::int64_t padding) {
  const std::int64_t size = table.size(1), bags = x.offsets.numel();
  Plain p{zeros({bags, size}, table.dtype()), zeros(table.shape(), table.dtype()), zeros({x.n()}, table.dtype())};
  const auto *index = x.index.data<std::int64_t>(), *offsets = x.offsets.data<std::int64_t>();
  for (std::int64_t b = 0; b < bags; ++b) {
    const std::int64_t end = b + 1 < bags ? offsets[b + 1] : x.n();
    std::int64_t count = 0;
    for (std::int64_t k = offsets[b]; k < end; ++k) count += index[k] != padding;
    for (std::int64_t j = 0; j < size; ++j) {
      T& y = p.y.data<T>()[b * size + j];
      const T slope = dy.data<T>()[b * size + j];
      std::int64_t largest = -1;
      for (std::int64_t k = offsets[b]; k < end; ++k) {
        if (index[k] == padding) continue;
        const T w = table.detach().data<T>()[index[k] * size + j];
        const T factor = v.defined() ? v.detach().data<T>()[k] : T(1);
        if (mode != BagMode::max) {
          y += factor * w;
          p.table.data<T>()[index[k] * size + j] += factor * (mode == BagMode::mean ? slope / static_cast<T>(count) : slope);
          p.v.data<T>()[k] += slope * w;
        } else if (largest < 0 || w > y) {
          largest = k;
          y = w;
        }
      }
      if (mode == BagMode::mean && count > 0) y /= static_cast<T>(count);
      if (largest >= 0) p.table.data<T>()[index[largest] * size + j] += slope;
    }
  }
  return p;
}

template <class T>
void expect_plain(DType dtype) {
  for (const auto& [rows, bags, most] : {std::array<int, 3>{1, 1, 1}, {7, 5, 6}, {500, 9, 8}, {1000, 300, 3}, {40, 200, 12}, {30, 4, 0}})
    for (const std::int64_t size : {1, 3, 16, 17, 40, 0})
      for (const BagMode mode : modes)
        for (const std::int64_t padding : {-1, 0})
          for (const bool weighted : {false, true}) {
            if (weighted && mode != BagMode::sum) continue;
            const Drawn x(rows, bags, most);
            const Tensor table = parameter(numbers({rows, size}).to(dtype)), dy = numbers({bags, size}, -1, 1, 2).to(dtype),
                         v = weighted ? parameter(numbers({x.n()}, -1, 1, 3).to(dtype)) : Tensor();
            const Plain expected = plain<T>(x, table, v, dy, mode, padding);
            for (const bool sparse : {false, true}) {
              Tape tape;
              const Tensor y = embedding_bag(x.index, table, x.offsets,
                                             {.mode = mode, .per_sample_weights = v, .padding_idx = padding, .sparse = sparse});
              const Gradients g = tape.gradients(sum(y * dy));
              const std::string what = "rows " + std::to_string(rows) + " size " + std::to_string(size) + " mode " +
                                       std::to_string(static_cast<int>(mode)) + " padding " + std::to_string(padding);
              ASSERT_TRUE(same_bits(y.detach(), expected.y)) << what;
              ASSERT_TRUE(!sparse || g.is_sparse(table)) << what;
              ASSERT_TRUE(same_bits(g[table], expected.table)) << what;
              if (weighted) {
                ASSERT_TRUE(near(g[v], expected.v, dtype == DType::f32 ? 1e-5 : 1e-14)) << what;
              }
            }
          }
}

/// d sum(f(table) * a slope that differs everywhere).
template <class F>
Gradients gradients_of(F f) {
  Tape tape;
  const Tensor y = f();
  return tape.gradients(sum(y * numbers(y.shape(), -1, 1, 5).to(y.dtype())));
}

}  // namespace

TEST(EmbeddingBag, IsThePlainLoopToTheBit) {
  expect_plain<float>(DType::f32);
  expect_plain<double>(DType::f64);
}

TEST(EmbeddingBag, BagsOfOneLength) {
  const Tensor table = parameter(numbers({30, 5})), index = whole({{3, 0, 3}, {29, 1, 2}, {4, 4, 4}}), v = parameter(numbers({3, 3}));
  for (const BagMode mode : modes)
    for (const std::int64_t padding : {-1, 3, 4}) {
      const auto flat = [&] { return embedding_bag(index.reshape({9}), table, whole({0, 3, 6}), {.mode = mode, .padding_idx = padding}); };
      const auto bags = [&] { return embedding_bag(index, table, {.mode = mode, .padding_idx = padding}); };
      EXPECT_TRUE(same_bits(bags().detach(), flat().detach()));
      EXPECT_TRUE(same_bits(gradients_of(bags)[table], gradients_of(flat)[table]));
    }
  const Gradients g = gradients_of([&] { return embedding_bag(index, table, {.per_sample_weights = v, .padding_idx = 3}); });
  EXPECT_EQ(g[v].shape(), (Shape{3, 3}));
  EXPECT_EQ(g[v].reshape({9}).data<double>()[0], 0) << "of a look-up that is left out";
  EXPECT_NE(g[v].reshape({9}).data<double>()[1], 0);
  EXPECT_EQ(embedding_bag(empty({0, 4}, DType::i64), table).shape(), (Shape{0, 5}));
  EXPECT_EQ(values(embedding_bag(empty({2, 0}, DType::i64), table)), Values(10, 0));
}

TEST(EmbeddingBag, OfNone) {
  const Tensor table = parameter(numbers({8, 2})), none = empty({0}, DType::i64);
  for (const BagMode mode : modes) {
    EXPECT_EQ(embedding_bag(none, table, none, {.mode = mode}).shape(), (Shape{0, 2}));
    EXPECT_EQ(values(embedding_bag(none, table, whole({0, 0}), {.mode = mode})), Values(4, 0));
    EXPECT_EQ(values(embedding_bag(whole({5, 5}), table, whole({0, 2}), {.mode = mode, .padding_idx = 5})), Values(4, 0));
    EXPECT_EQ(values(embedding_bag(none, zeros({0, 2}), whole(NestedList{0}), {.mode = mode})), Values(2, 0));
    const Gradients g = gradients_of([&] { return embedding_bag(none, table, whole({0, 0}), {.mode = mode}); });
    EXPECT_TRUE(g.is_sparse(table));
    EXPECT_EQ(g.sparse(table).rows.numel(), 0);
  }
}

TEST(EmbeddingBag, MaxOfEqualOnesAndOfNaN) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Tensor table = p({{1, 5}, {1, 2}, {nan, 5}});
  const auto gradient = [&](const NestedList& rows) {
    Tape tape;
    return values(tape.gradients(sum(embedding_bag(whole(rows), table, {.mode = BagMode::max})))[table]);
  };
  EXPECT_EQ(gradient({{0, 1}}), (Values{1, 1, 0, 0, 0, 0})) << "the first of two";
  EXPECT_EQ(gradient({{1, 0}}), (Values{0, 1, 1, 0, 0, 0}));
  EXPECT_EQ(gradient({{0, 2, 1}}), (Values{0, 1, 0, 0, 1, 0})) << "NaN is the largest";
  EXPECT_TRUE(std::isnan(embedding_bag(whole({{0, 2, 1}}), table, {.mode = BagMode::max}).data<double>()[0]));
  EXPECT_TRUE(std::isnan(embedding_bag(whole({{2, 0, 1}}), table, {.mode = BagMode::max}).data<double>()[0]));
}

TEST(EmbeddingBag, ByRowsWhenFewRowsOccurOrAlways) {
  const Tensor table = parameter(numbers({16, 2}));
  const auto is_sparse = [&](const NestedList& rows, BagMode mode, bool always, std::int64_t padding = -1) {
    return gradients_of([&] {
             return embedding_bag(whole(rows), table, whole(NestedList{0}), {.mode = mode, .padding_idx = padding, .sparse = always});
           })
        .is_sparse(table);
  };
  for (const BagMode mode : {BagMode::sum, BagMode::mean}) {
    EXPECT_TRUE(is_sparse({1, 2, 3, 4, 4, 1, 2, 3}, mode, false));
    EXPECT_FALSE(is_sparse({1, 2, 3, 4, 5}, mode, false));
    EXPECT_TRUE(is_sparse({1, 2, 3, 4, 5}, mode, true));
    EXPECT_TRUE(is_sparse({1, 2, 3, 4, 5}, mode, false, 5)) << "the padding row does not count";
  }
  EXPECT_TRUE(is_sparse({1, 2, 3, 4, 5, 6, 7, 8}, BagMode::max, false)) << "two elements are of two rows at most";
}

// Nothing of the padding row may come through, whatever its gradient would be.
TEST(EmbeddingBag, ThePaddingRowHasNoGradientByRows) {
  const Tensor table = parameter(numbers({40, 2}));
  const Tensor index = whole({7, 2, 7, 9});
  const double inf = std::numeric_limits<double>::infinity();
  Tape tape;
  const Tensor slope = d({{inf, inf}, {1, 2}, {inf, inf}, {3, 4}});
  const RowSparse one = tape.gradients(sum(embedding(index, table, {.padding_idx = 7}) * slope), {.keep = true}).sparse(table);
  EXPECT_EQ(values(one.rows), (Values{2, 9}));
  EXPECT_EQ(values(one.values), (Values{1, 2, 3, 4}));
  for (const BagMode mode : modes) {
    const Gradients g = gradients_of([&] { return embedding_bag(index, table, whole({0, 1}), {.mode = mode, .padding_idx = 7}); });
    for (const double row : values(g.sparse(table).rows)) EXPECT_NE(row, 7);
  }
}

TEST(Embedding, IsIndexSelectToTheBit) {
  std::mt19937_64 bits(2);
  for (const DType dtype : {DType::f32, DType::f64})
    for (const std::int64_t rows : {1, 9, 400})
      for (const Shape& shape : {Shape{}, Shape{7}, Shape{3, 5}, Shape{2, 3, 4}, Shape{0, 2}})
        for (const bool sparse : {false, true}) {
          const Tensor table = parameter(numbers({rows, 5}).to(dtype)), index = empty(shape, DType::i64);
          for (std::int64_t k = 0; k < index.numel(); ++k)
            index.data<std::int64_t>()[k] = static_cast<std::int64_t>(bits() % static_cast<std::uint64_t>(rows));
          const auto ours = [&] { return embedding(index, table, {.sparse = sparse}).reshape({index.numel(), 5}); };
          const auto other = [&] { return index_select(table, 0, index.reshape({index.numel()})); };
          EXPECT_TRUE(same_bits(ours().detach(), other().detach()));
          const Gradients g = gradients_of(ours);
          EXPECT_TRUE(same_bits(g[table], gradients_of(other)[table]));
          EXPECT_TRUE(!sparse || g.is_sparse(table));
        }
  EXPECT_EQ(values(embedding(whole({1, 0}), whole({{1, 2}, {3, 4}}))), (Values{3, 4, 1, 2})) << "of any dtype";
}

// Every operation along rows of one table, in both orders, and a dense use of it.
TEST(Embedding, SeveralUsesOfOneTableByRowsAndDense) {
  const Drawn x(60, 9, 8), other(60, 5, 9, 2);
  const Tensor table = parameter(numbers({60, 3}).to(DType::f32)), v = numbers({x.n()}).to(DType::f32);
  for (const std::int64_t padding : {-1, 3}) {
    const auto use = [&](int which, bool sparse) {
      const Drawn& at = which % 2 == 0 ? x : other;
      if (which == 3) return sin(embedding(at.index, table, {.padding_idx = padding, .sparse = sparse}));
      BagOptions options{.mode = modes[which], .padding_idx = padding, .sparse = sparse};
      return sin(embedding_bag(at.index, table, at.offsets, options));
    };
    for (int a = 0; a < 4; ++a)
      for (int b = 0; b < 4; ++b) {
        const auto both = [&](bool sparse, bool dense_too) {
          Tape tape;
          const Tensor loss = sum(use(a, sparse)) + sum(use(b, sparse));
          return tape.gradients(dense_too ? sum(table * 0.3) + loss : loss);
        };
        const Gradients rows = both(true, false), dense = both(false, false);
        EXPECT_TRUE(rows.is_sparse(table));
        EXPECT_TRUE(same_bits(rows[table], dense[table])) << a << " and " << b;
        const Gradients mixed = both(true, true);
        EXPECT_FALSE(mixed.is_sparse(table));
        EXPECT_TRUE(near(mixed[table], rows[table] + 0.3, 1e-6)) << a << " and " << b;
      }
  }
}

TEST(Embedding, CheckpointAndHigherOrders) {
  const Drawn x(50, 6, 5);
  const Tensor table = parameter(numbers({50, 3})), v = parameter(numbers({x.n()}, -1, 1, 4));
  for (int which = 0; which < 5; ++which) {
    const auto f = [&](const std::vector<Tensor>& in) {
      if (which == 4) return square(embedding(x.index, in[0], {.padding_idx = 2})) * in[1].reshape({x.n(), 1});
      if (which == 3) return square(embedding_bag(x.index, in[0], x.offsets, {.per_sample_weights = in[1], .padding_idx = 2}));
      return square(embedding_bag(x.index, in[0], x.offsets, {.mode = modes[which]})) * sum(in[1]);
    };
    const Gradients plain = [&] {
      Tape one;
      return one.gradients(sum(f({table, v})));
    }();
    const Gradients again = [&] {
      Tape one;
      return one.gradients(sum(checkpoint(f, {table, v})));
    }();
    EXPECT_TRUE(same_bits(plain[table], again[table])) << which;
    EXPECT_TRUE(same_bits(plain[v], again[v])) << which;
    const auto loss = [&] { return sum(f({table, v})); };
    const auto slope = [&](const Tensor& of) {
      Tape higher({.higher_order = true});
      return sum(square(higher.gradient(loss(), of)));
    };
    for (const Tensor& of : {table, v}) {  // the gradient of |gradient|^2 beside its differences
      Tape outer({.higher_order = true});
      const Tensor g = outer.gradient(loss(), of);
      const Tensor h = outer.gradient(sum(square(g)), table);
      Tensor moved = table.detach();
      for (const std::int64_t at : {0, 7, 100, 149}) {
        const double before = moved.data<double>()[at], step = 1e-5;
        moved.data<double>()[at] = before + step;
        const double up = slope(of).item();
        moved.data<double>()[at] = before - step;
        const double down = slope(of).item();
        moved.data<double>()[at] = before;
        EXPECT_NEAR(h.data<double>()[at], (up - down) / (2 * step), 1e-6 * std::max(1.0, std::abs(h.data<double>()[at]))) << which;
      }
    }
  }
}

TEST(EmbeddingBag, AnyNumberOfThreadsGivesTheSameBits) {
  const Drawn x(5000, 2000, 30);
  const Tensor table = parameter(numbers({5000, 17}).to(DType::f32)), v = parameter(numbers({x.n()}).to(DType::f32));
  const int before = num_threads();
  for (int which = 0; which < 4; ++which) {
    const auto f = [&] {
      return which == 3 ? embedding_bag(x.index, table, x.offsets, {.per_sample_weights = v})
                        : embedding_bag(x.index, table, x.offsets, {.mode = modes[which]});
    };
    set_num_threads(1);
    const Tensor y = f().detach();
    const Gradients g = gradients_of(f);
    for (const int threads : {2, 5}) {
      set_num_threads(threads);
      EXPECT_TRUE(same_bits(f().detach(), y));
      const Gradients other = gradients_of(f);
      EXPECT_TRUE(same_bits(other[table], g[table]));
      EXPECT_TRUE(which != 3 || same_bits(other[v], g[v]));
    }
  }
  set_num_threads(before);
}

TEST(EmbeddingBag, KeepsOnlyWhatAGradientNeeds) {
  const Tensor table = numbers({30, 2}), v = parameter(numbers({3})), index = whole({1, 2, 1}), offsets = whole(NestedList{0});
  Tape tape;
  const Tensor y = embedding_bag(index, table, offsets, {.per_sample_weights = v});
  EXPECT_FALSE(tape.gradients(sum(y)).contains(table)) << "a constant table";
  Tensor w = parameter(numbers({30, 2})), i = whole({1, 2, 1});
  Tape second;
  const Tensor loss = sum(embedding_bag(i, w, offsets));
  {
    const NoGrad pause;
    w *= 2.0;  // no rule reads it
  }
  EXPECT_EQ(values(second.gradients(loss, {.keep = true}).sparse(w).values), (Values{2, 2, 1, 1}));
  i += 1;
  for (const char* op : {"embedding_bag", "embedding"}) {
    Tape third;
    const Tensor changed = sum(op == std::string("embedding") ? embedding(i, w) : embedding_bag(i, w, offsets));
    i += 1;
    EXPECT_TRUE(thrown([&] {
                  (void)third.gradients(changed);
                }).starts_with(std::string("ValueError: [") + op + "] a tensor that the gradient needs was changed in place"));
  }
}
