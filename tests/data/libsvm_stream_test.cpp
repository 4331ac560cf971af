// A file of LIBSVM's text as a stream: batches, the shuffle buffer, the place in a pass.
#include <capstan/core/random.h>
#include <capstan/data/libsvm.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <numeric>

#include "../child.h"
#include "arrays.h"

using namespace capstan;
using data::Batches;
using data::BatchOptions;
using data::Labels;
using data::Libsvm;

namespace {

/// Row i has label i and i % 3 features, the first in column i, each with the value i + 1.
std::string numbered_text(int rows) {
  std::string text;
  for (int i = 0; i < rows; ++i) {
    text += std::to_string(i);
    for (int j = 0; j < i % 3; ++j) text += " " + std::to_string(i + j + 1) + ":" + std::to_string(i + 1);
    text += i % 5 == 0 ? " # five\n" : "\n";
  }
  return text;
}

constexpr int endless = 1 << 20;

/// Takes batches, at most `count`, over as many passes as that needs up to `epochs`; the labels, and "|" where a pass came to its end.
/// Checks that x and y stay together. With `save`, what the state is inside the body of the last one.
std::string take(Batches<Libsvm>& batches, std::int64_t epochs, int count = endless, TensorMap* save = nullptr) {
  std::string all;
  while (batches.epoch() < epochs) {
    for (auto [x, y] : batches) {
      const Values labels = values(y), crow = values(x.crow()), col = values(x.col()), v = values(x.values());
      for (std::size_t r = 0; r < labels.size(); ++r) {
        const auto i = static_cast<std::int64_t>(labels[r]);
        EXPECT_EQ(crow[r + 1] - crow[r], static_cast<double>(i % 3));
        for (auto k = static_cast<std::size_t>(crow[r]); k < static_cast<std::size_t>(crow[r + 1]); ++k) {
          EXPECT_EQ(col[k], static_cast<double>(i) + static_cast<double>(k) - crow[r]);
          EXPECT_EQ(v[k], static_cast<double>(i + 1));
        }
        all += std::to_string(i) + " ";
      }
      if (--count == 0) {
        if (save) *save = batches.state();
        return all;
      }
    }
    all += "|";
  }
  return all;
}

std::string upto(int n) {
  std::string all;
  for (int i = 0; i < n; ++i) all += std::to_string(i) + " ";
  return all;
}

Values sorted_labels(const Libsvm& file, const BatchOptions& options) {
  Values labels;
  for (auto [x, y] : Batches(file, options))
    for (const double label : values(y)) labels.push_back(label);
  std::sort(labels.begin(), labels.end());
  return labels;
}

}  // namespace

TEST(LibsvmStream, FindsOutWhatIsNotGiven) {
  const Scratch file("file", "1 1:2 3:4\n2\n3 7:1\n"), zero("file", "1 0:2 3:4\n2\n");
  EXPECT_EQ(Libsvm(file.path()).features(), 7);
  EXPECT_EQ(Libsvm(file.path()).base(), 1);
  EXPECT_EQ(Libsvm(file.path(), {.base = 0}).features(), 8);
  EXPECT_EQ(Libsvm(file.path(), {.features = 9}).features(), 9);
  EXPECT_EQ(Libsvm(file.path(), {.features = 9}).base(), 1);
  EXPECT_EQ(Libsvm(zero.path()).features(), 4);
  EXPECT_EQ(Libsvm(zero.path(), {.features = 9}).base(), 0);
  EXPECT_EQ(Libsvm(zero.path()).path(), zero.path());
}

TEST(LibsvmStream, ColumnsAreCountedFromTheBase) {
  const Scratch file("file", "1 0:1 3:2\n1 5:4\n");
  for (const int base : {-1, 0}) {
    Batches batches(Libsvm(file.path(), {.features = 6, .base = base}), {.batch_size = 2});
    for (auto [x, y] : batches) EXPECT_EQ(values(x.col()), (Values{0, 3, 5}));
  }
  const Scratch from_one("file", "1 1:1 3:2\n1 5:4\n");
  Batches batches(Libsvm(from_one.path(), {.features = 6, .base = 1}), {.batch_size = 2});
  for (auto [x, y] : batches) EXPECT_EQ(values(x.col()), (Values{0, 2, 4}));
}

TEST(LibsvmStream, BatchesAreThoseOfTheWholeFile) {
  const Scratch file("file", numbered_text(50)), packed_file("file", gzip(numbered_text(50)));
  for (const std::string& path : {file.path(), packed_file.path()})
    for (const DType dtype : {DType::f32, DType::f64})
      for (const std::int64_t size : {1, 7, 50, 100}) {
        const auto whole = data::read_libsvm(path, {.labels = Labels::classes, .dtype = dtype});
        Batches wanted(whole, {.batch_size = size});
        auto next = wanted.begin();
        std::int64_t rows = 0;
        for (auto [x, y] : Batches(Libsvm(path, {.labels = Labels::classes, .dtype = dtype}), {.batch_size = size})) {
          const auto batch = *next;
          EXPECT_EQ(x.shape(), batch.x.shape());
          EXPECT_TRUE(same_bits(x.crow(), batch.x.crow()) && same_bits(x.col(), batch.x.col()) && same_bits(x.values(), batch.x.values()) &&
                      same_bits(y, batch.y));
          EXPECT_NO_THROW(CsrMatrix(x.crow(), x.col(), x.values(), x.shape()));
          rows += x.rows();
          ++next;
        }
        EXPECT_EQ(rows, 50);
      }
}

TEST(LibsvmStream, EachRowComesOnce) {
  const Scratch file("file", numbered_text(53));
  const Libsvm stream(file.path());
  Values all(53);
  std::iota(all.begin(), all.end(), 0);
  for (const std::int64_t buffer : {0, 1, 2, 10, 52, 53, 54, 1000})
    for (const std::int64_t size : {1, 8, 53}) EXPECT_EQ(sorted_labels(stream, {.batch_size = size, .shuffle_buffer = buffer}), all);
  EXPECT_EQ(sorted_labels(stream, {.batch_size = 10, .drop_last = true, .shuffle_buffer = 5}).size(), 50U);
  EXPECT_EQ(sorted_labels(stream, {.batch_size = 54, .drop_last = true}).size(), 0U);
}

TEST(LibsvmStream, TheOrderIsDrawnAnewAndDoesNotDependOnBatches) {
  const Scratch file("file", numbered_text(60));
  const Libsvm stream(file.path());
  const auto order = [&](std::int64_t size, std::int64_t buffer, std::uint64_t seed, int passes = 1) {
    manual_seed(seed);
    Batches batches(stream, {.batch_size = size, .shuffle_buffer = buffer});
    return take(batches, passes);
  };
  EXPECT_EQ(order(4, 0, 1), upto(60) + "|");
  EXPECT_EQ(order(4, 1, 1), upto(60) + "|");
  const std::string one = order(4, 20, 1), two = order(4, 20, 1, 2);
  EXPECT_NE(one, upto(60) + "|");
  EXPECT_EQ(order(7, 20, 1), one);
  EXPECT_NE(order(7, 21, 1), one);
  EXPECT_NE(order(7, 20, 2), one);
  EXPECT_EQ(two.substr(0, one.size()), one);
  EXPECT_NE(two.substr(one.size()), one);
}

// A row waits 20 places on average: with a buffer of 20 the first one is among rows 0 to 19, and every place is as likely.
TEST(LibsvmStream, EachOfTheRowsHeldIsAsLikely) {
  const Scratch file("file", numbered_text(30));
  const Libsvm stream(file.path());
  manual_seed(0);
  Batches batches(stream, {.batch_size = 1, .shuffle_buffer = 20});
  std::vector<int> first(30), second(30);
  for (int pass = 0; pass < 4000; ++pass) {
    int place = 0;
    for (auto [x, y] : batches) {
      ++(place == 0 ? first : second)[static_cast<std::size_t>(y.item())];
      if (++place == 2) break;
    }
  }
  for (int i = 0; i < 30; ++i) {
    EXPECT_NEAR(first[static_cast<std::size_t>(i)], i < 20 ? 200 : 0, 60) << i;
    EXPECT_NEAR(second[static_cast<std::size_t>(i)], i < 20 ? 190 : i == 20 ? 200 : 0, 60) << i;
  }
  EXPECT_EQ(std::accumulate(first.begin() + 20, first.end(), 0), 0);
}

TEST(LibsvmStream, AnyPlaceGoesOnAsTheUndisturbedRun) {
  const Scratch file("file", numbered_text(11));
  const Libsvm stream(file.path());
  for (const std::int64_t buffer : {0, 4, 20})
    for (const bool drop : {false, true})
      for (const std::int64_t size : {1, 3, 11}) {
        const BatchOptions options{.batch_size = size, .drop_last = drop, .shuffle_buffer = buffer};
        manual_seed(5);
        Batches undisturbed(stream, options);
        const std::string whole = take(undisturbed, 3);
        const int batches_in_all = static_cast<int>(3 * (drop ? 11 / size : (11 + size - 1) / size));
        for (int k = 1; k <= batches_in_all; ++k) {
          manual_seed(5);
          TensorMap saved;
          Batches before(stream, options);
          std::string labels = take(before, 3, k, &saved);
          manual_seed(99);  // another process, in which something else was drawn
          permutation(7);
          const Libsvm opened_again(file.path());
          Batches after(opened_again, options);
          for (auto [x, y] : after) break;
          after.load_state(saved);
          EXPECT_EQ(bits(after.state()), bits(saved));
          labels += take(after, 3);
          EXPECT_EQ(labels, whole) << k << " of batches of " << size << ", buffer " << buffer << (drop ? " dropped" : "");
          EXPECT_EQ(after.epoch(), 3);
        }
      }
}

TEST(LibsvmStream, EpochCountsThePassesThatCameToTheirEnd) {
  const Scratch file("file", numbered_text(4));
  Batches batches(Libsvm(file.path()), {.batch_size = 2, .shuffle_buffer = 3});
  for (auto [x, y] : batches) EXPECT_EQ(batches.epoch(), 0);
  EXPECT_EQ(batches.epoch(), 1);
  for (auto [x, y] : batches) break;
  EXPECT_EQ(batches.epoch(), 1);
  EXPECT_EQ(values(batches.state()["next"]), Values{-1});  // a break ends a pass
  for (auto [x, y] : batches) {
    for (auto [u, v] : batches) continue;  // a pass inside of another, which is not noted any more
    EXPECT_EQ(batches.epoch(), 2);
    break;
  }
  EXPECT_EQ(batches.epoch(), 2);
}

TEST(LibsvmStream, FingerprintsTellFilesAndOptionsApart) {
  const Scratch file("file", "1 1:2\n-1 3:1\n"), other("file", "1 1:2\n-1 3:2\n");
  const auto print = [](const std::string& path, const data::LibsvmOptions& options = {}, const BatchOptions& batch = {.batch_size = 2}) {
    return Batches(Libsvm(path, options), batch).fingerprint();
  };
  EXPECT_EQ(print(file.path()), "libsvm 13 bytes 87ffa194, features 3, base 1, real, f32, batch_size 2");
  EXPECT_EQ(print(file.path(), {.features = 9, .labels = Labels::binary, .base = 0, .dtype = DType::f64},
                  {.batch_size = 3, .drop_last = true, .shuffle_buffer = 5}),
            "libsvm 13 bytes 87ffa194, features 9, base 0, binary, f64, batch_size 3, drop_last, shuffle_buffer 5");
  EXPECT_NE(print(other.path()), print(file.path()));
  EXPECT_NE(print(file.path(), {.labels = Labels::classes}), print(file.path()));
}

TEST(LibsvmStream, RefusesWhatCannotBe) {
  const Scratch file("file", numbered_text(5));
  const Libsvm stream(file.path());
  const auto refused = [&](const BatchOptions& options) { return thrown([&] { Batches batches(stream, options); }); };
  EXPECT_EQ(refused({.batch_size = 0}), "ValueError: [Batches] batch_size must be 1 or more: 0");
  EXPECT_EQ(refused({.shuffle = true}),
            "ValueError: [Batches] a stream is shuffled among the rows that it holds: .shuffle (set .shuffle_buffer)");
  EXPECT_EQ(refused({.shuffle_buffer = -1}), "ValueError: [Batches] shuffle_buffer must be 0 or more: -1");
  EXPECT_EQ(thrown([&] {
              Batches batches(data::Dataset{zeros({2, 1}), zeros({2})}, {.shuffle_buffer = 7});
            }),
            "ValueError: [Batches] shuffle_buffer is for what is read as a stream: 7 (set .shuffle)");
  Batches batches(stream, {.batch_size = 2, .shuffle_buffer = 3});
  TensorMap saved;
  take(batches, 1, 2, &saved);
  Batches others(stream, {.batch_size = 2, .shuffle_buffer = 4});
  EXPECT_EQ(thrown([&] { others.load_state(saved); }), "ValueError: [Batches] the data and the options must be those of the saved state: " +
                                                           others.fingerprint() + ", saved " + batches.fingerprint());
  TensorMap far;
  for (const auto& [name, tensor_of] : saved) far.insert(name, name == "next" ? tensor(100, DType::i64) : tensor_of);
  batches.load_state(far);
  EXPECT_EQ(thrown([&] { take(batches, 1); }),
            "ValueError: [Batches] the saved place must lie in the file: row 200 of 5 in " + file.path());
  take(batches, 1);
  EXPECT_EQ(batches.epoch(), 1);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which map more than any limit leaves
// 400 MB of text by 24 MB of memory.
TEST(LibsvmStream, AFileMayBeLargerThanMemory) {
  const Scratch file("file");
  {
    std::string row = "1";
    for (int i = 1; i < 12'000; ++i) row += " " + std::to_string(i * 50) + ":0.25";
    row += "\n";
    std::ofstream out(file.path(), std::ios::binary);
    for (std::size_t written = 0; written < 400'000'000; written += row.size()) out << row;
  }
  EXPECT_EQ(in_a_child([&] {
              std::size_t pages = 0;
              std::ifstream("/proc/self/statm") >> pages;
              const rlim_t most = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + (std::size_t{24} << 20);
              const rlimit limit = {most, most};
              ::setrlimit(RLIMIT_AS, &limit);
              std::int64_t rows = 0, n = 0;
              for (auto [x, y] : Batches(Libsvm(file.path(), {.features = 1 << 20, .base = 1}), {.batch_size = 4, .shuffle_buffer = 10})) {
                rows += x.rows();
                n += x.nnz();
              }
              return rows > 2000 && n == rows * 11'999 ? 0 : 1;
            }),
            "exit 0");
}
#endif
