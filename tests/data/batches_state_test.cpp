// The place of a pass: what Batches save of themselves, and where they go on.
#include <capstan/core/create.h>
#include <capstan/core/random.h>
#include <capstan/data/batches.h>

#include <new>

#include "support.h"

using namespace capstan;
using data::Batches;
using data::BatchOptions;
using data::Dataset;

namespace {

Dataset numbered(std::int64_t rows, double first = 0) {
  Tensor x = arange(static_cast<double>(rows), DType::f64).reshape({rows, 1});
  x += first;
  return {x, arange(static_cast<double>(rows), DType::i64)};
}

constexpr int endless = 1 << 20;

/// Takes batches, at most `count`, over as many passes as that needs up to `epochs`; the labels, and "|" where a pass came to its end.
/// With `save`, what the state is inside the body of the last one.
std::string take(Batches<>& batches, std::int64_t epochs, int count = endless, TensorMap* save = nullptr) {
  std::string all;
  while (batches.epoch() < epochs) {
    for (auto [x, y] : batches) {
      for (const double label : values(y)) all += std::to_string(static_cast<int>(label)) + " ";
      if (--count == 0) {
        if (save) *save = batches.state();
        return all;
      }
    }
    all += "|";
  }
  return all;
}

}  // namespace

TEST(BatchesState, AnyPlaceGoesOnAsTheUndisturbedRun) {
  const Dataset set = numbered(11);
  for (const bool shuffle : {false, true})
    for (const bool drop : {false, true})
      for (const std::int64_t size : {1, 3, 11}) {
        const BatchOptions options{.batch_size = size, .shuffle = shuffle, .drop_last = drop};
        manual_seed(5);
        Batches undisturbed(set, options);
        const std::string whole = take(undisturbed, 3);
        for (int k = 1; k <= 3 * undisturbed.size(); ++k) {
          manual_seed(5);
          TensorMap saved;
          Batches before(set, options);
          std::string labels = take(before, 3, k, &saved);
          manual_seed(99);  // another process, in which something else was drawn
          permutation(7);
          Batches after(set, options);
          for (auto [x, y] : after) break;
          after.load_state(saved);
          EXPECT_EQ(bits(after.state()), bits(saved));
          labels += take(after, 3);
          EXPECT_EQ(labels, whole) << k << " of batches of " << size << (shuffle ? " shuffled" : "") << (drop ? " dropped" : "");
          EXPECT_EQ(after.epoch(), 3);
        }
      }
}

TEST(BatchesState, BetweenTwoPassesTheNextOneIsNew) {
  const Dataset set = numbered(10);
  manual_seed(1);
  Batches batches(set, {.batch_size = 4, .shuffle = true});
  const TensorMap fresh = batches.state();
  EXPECT_EQ(values(fresh["next"]), Values{-1});
  EXPECT_EQ(values(fresh["epoch"]), Values{0});
  const std::string first = take(batches, 1);
  const TensorMap between = batches.state();
  const std::string second = take(batches, 2);
  EXPECT_NE(first, second);
  batches.load_state(between);
  EXPECT_EQ(batches.epoch(), 1);
  EXPECT_EQ(take(batches, 2), second);
  batches.load_state(fresh);
  EXPECT_EQ(take(batches, 2), first + second);
}

TEST(BatchesState, EpochCountsThePassesThatCameToTheirEnd) {
  Batches batches(numbered(4), {.batch_size = 2});
  EXPECT_EQ(batches.epoch(), 0);
  for (auto [x, y] : batches) EXPECT_EQ(batches.epoch(), 0);
  EXPECT_EQ(batches.epoch(), 1);
  for (auto [x, y] : batches) break;
  EXPECT_EQ(batches.epoch(), 1);
  EXPECT_EQ(values(batches.state()["next"]), Values{-1});  // a break ends a pass
  EXPECT_THROW(
      {
        for (auto [x, y] : batches) throw std::bad_alloc();
      },
      std::bad_alloc);
  EXPECT_EQ(values(batches.state()["next"]), Values{-1});
  for (auto [x, y] : batches) EXPECT_EQ(batches.epoch(), 1);
  EXPECT_EQ(batches.epoch(), 2);
}

TEST(BatchesState, OnlyTheFirstPassAfterLoadingGoesOn) {
  Batches batches(numbered(6), {.batch_size = 2});
  TensorMap saved;
  EXPECT_EQ(take(batches, 1, 1, &saved), "0 1 ");
  batches.load_state(saved);
  EXPECT_EQ(take(batches, 1, 1), "2 3 ");
  EXPECT_EQ(take(batches, 1), "0 1 2 3 4 5 |");
  batches.load_state(saved);
  EXPECT_EQ(take(batches, 2), "2 3 4 5 |0 1 2 3 4 5 |");
}

TEST(BatchesState, ALastBatchThatWasHandedOutEndsThePassAtOnce) {
  Batches batches(numbered(5), {.batch_size = 2});
  TensorMap saved;
  EXPECT_EQ(take(batches, 1, 3, &saved), "0 1 2 3 4 ");
  EXPECT_EQ(values(saved["next"]), Values{3});
  EXPECT_EQ(values(saved["epoch"]), Values{0});
  batches.load_state(saved);
  EXPECT_EQ(take(batches, 2), "|0 1 2 3 4 |");
}

TEST(BatchesState, APassThatWasOverwrittenIsNotNoted) {
  Batches batches(numbered(6), {.batch_size = 2});
  for (auto [x, y] : batches) {
    take(batches, 1);  // a pass of the same Batches inside
    break;
  }
  EXPECT_EQ(batches.epoch(), 1);
  TensorMap saved;
  take(batches, 2, 1, &saved);
  for (auto [x, y] : batches)
    if (values(y)[0] == 0) batches.load_state(saved);
  EXPECT_EQ(batches.epoch(), 1);
  EXPECT_EQ(take(batches, 2), "2 3 4 5 |");
}

TEST(BatchesState, AnotherModelTrainedInBetweenMovesNothing) {
  const Dataset set = numbered(9), other = numbered(40);
  for (const bool own : {false, true}) {
    Generator generator{3, 77, 5};
    const BatchOptions options{.batch_size = 4, .shuffle = true, .generator = own ? &generator : nullptr};
    manual_seed(2);
    Batches undisturbed(set, options);
    const std::string whole = take(undisturbed, 4);
    manual_seed(2);
    generator = {3, 77, 5};
    Batches batches(set, options);
    TensorMap saved;
    std::string labels = take(batches, 4, 4, &saved);
    Batches between(other, {.shuffle = true, .generator = options.generator});
    take(between, 3);
    batches.load_state(saved);
    EXPECT_EQ(labels + take(batches, 4), whole);
  }
}

TEST(BatchesState, TwoThatShareAGeneratorKeepTheirTurns) {
  const Dataset set = numbered(8);
  const BatchOptions options{.batch_size = 3, .shuffle = true};
  const auto run = [&](bool resumed) {
    manual_seed(6);
    Batches a(set, options), b(set, options);
    std::string labels = take(a, 1) + take(b, 1);
    const TensorMap of_a = a.state(), of_b = b.state();
    if (resumed) {
      manual_seed(8);
      a.load_state(of_a);
      b.load_state(of_b);
    }
    return labels + take(b, 2) + take(a, 2) + take(b, 3);
  };
  EXPECT_EQ(run(true), run(false));
}

TEST(BatchesState, FingerprintsTellDataAndOptionsApart) {
  const Dataset set{tensor({1, 2, 3, 4}).reshape({4, 1}), tensor({0, 1, 0, 1}, DType::i64)};
  Batches batches(set, {.batch_size = 2});
  const std::string print = batches.fingerprint();
  EXPECT_EQ(print, "f32 [4, 1] 8ba71454, i64 [4] 54853014, batch_size 2");
  EXPECT_TRUE(Batches(set, {.batch_size = 3, .shuffle = true}).fingerprint().ends_with(", batch_size 3, shuffle"));
  EXPECT_TRUE(Batches(set, {.batch_size = 3, .drop_last = true}).fingerprint().ends_with(", batch_size 3, drop_last"));
  Tensor x = set.x;
  x += 1;
  EXPECT_NE(batches.fingerprint(), print);
  x += -1;
  EXPECT_EQ(batches.fingerprint(), print);
}

TEST(BatchesState, AnotherDataSetIsRefusedWithBothFingerprints) {
  Generator generator{0, 2, 0};
  const auto make = [&](const Dataset& set, std::int64_t size, bool shuffle = true) {
    return Batches(set, {.batch_size = size, .shuffle = shuffle, .generator = &generator});
  };
  auto batches = make(numbered(6), 2);
  take(batches, 1, 2);
  const TensorMap saved = batches.state();
  for (auto other : {make(numbered(6, 1), 2), make(numbered(7), 2), make(numbered(6), 3), make(numbered(6), 2, false)}) {
    take(other, 1);
    const std::string before = bits(other.state());
    EXPECT_EQ(thrown([&] { other.load_state(saved); }),
              "ValueError: [Batches] the data and the options must be those of the saved state: " + other.fingerprint() + ", saved " +
                  batches.fingerprint());
    EXPECT_EQ(bits(other.state()), before);
  }
}

TEST(BatchesState, RefusesWhatDoesNotFitAndStaysAsItWas) {
  Generator generator{4, 9, 0};
  Batches batches(numbered(5), {.batch_size = 2, .shuffle = true, .generator = &generator});
  take(batches, 3, 7);
  const TensorMap good = batches.state();
  const std::string before = bits(good);
  const auto with = [&](const std::string& name, const Tensor& t) {
    TensorMap changed;
    for (const auto& [key, value] : good)
      if (key != name)
        changed.insert(key, value);
      else if (t.defined())
        changed.insert(key, t);
    if (!good.contains(name)) changed.insert(name, t);
    return thrown([&] { batches.load_state(changed); });
  };
  const std::string text = "ValueError: [Batches] the state does not fit:\n  ";
  EXPECT_EQ(with("fingerprint", {}), text + "missing: fingerprint");
  EXPECT_EQ(with("epoch", {}), text + "missing: epoch");
  EXPECT_EQ(with("more", tensor(1)), text + "unexpected: more");
  EXPECT_EQ(with("next", tensor(1.0, DType::f64)), text + "next: f64 [], wanted i64 []");
  EXPECT_EQ(with("next", tensor(4, DType::i64)), text + "next: there is no such batch: 4 of 3");
  EXPECT_EQ(with("next", tensor(-2, DType::i64)), text + "next: there is no such batch: -2 of 3");
  EXPECT_EQ(with("epoch", tensor(-1, DType::i64)), text + "epoch: a count must not be negative: -1");
  EXPECT_EQ(with("order", tensor({1, 2}, DType::i64)), text + "order: i64 [2], wanted i64 [3]");
  EXPECT_EQ(with("generator", tensor({4, 8, 2}, DType::i64)), text + "generator: purpose 8, wanted 9");
  EXPECT_EQ(with("order", tensor({4, -1, 2}, DType::i64)), text + "order: a purpose must fit into 32 bits: -1");
  EXPECT_EQ(with("fingerprint", tensor({65, 256}, DType::i64)), text + "fingerprint: the bytes of a text must lie in 0 to 255: 256");
  EXPECT_EQ(bits(batches.state()), before);
}
