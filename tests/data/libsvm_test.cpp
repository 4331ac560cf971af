// LIBSVM's text as a whole file: what is read, and what is written.
#include <capstan/core/random.h>
#include <capstan/data/libsvm.h>

#include <bit>
#include <charconv>
#include <random>

#include "arrays.h"

using namespace capstan;
using data::Labels;
using data::LibsvmOptions;
using data::SparseDataset;

namespace {

SparseDataset read_text(const std::string& bytes, const LibsvmOptions& options = {}) {
  const Scratch file("file", bytes);
  return data::read_libsvm(file.path(), options);
}

bool same(const SparseDataset& a, const SparseDataset& b) {
  return a.x.columns() == b.x.columns() && same_bits(a.x.crow(), b.x.crow()) && same_bits(a.x.col(), b.x.col()) &&
         same_bits(a.x.values(), b.x.values()) && same_bits(a.y, b.y);
}

const std::string small =
    "# a comment\n"
    "+1 1:0.5 3:-2e-3 # another one: \xc3\xa9\n"
    "\n"
    "  -1\tqid:4\t2:1 \t\r\n"
    "3\n"
    "0.25 4:7#x\n"
    "  # the end\n"
    "1e-3 00000000000000000000001:+1.5 4:.5";

}  // namespace

TEST(Libsvm, RowsLabelsAndColumns) {
  for (const std::string& bytes : {small, gzip(small), gzip(small.substr(0, 40)) + gzip(small.substr(40))}) {
    const SparseDataset set = read_text(bytes, {.dtype = DType::f64});
    EXPECT_EQ(values(set.y), (Values{1, -1, 3, 0.25, 1e-3}));
    EXPECT_EQ(set.x.rows(), 5);
    EXPECT_EQ(set.x.columns(), 4);
    EXPECT_EQ(values(set.x.crow()), (Values{0, 2, 3, 3, 4, 6}));
    EXPECT_EQ(values(set.x.col()), (Values{0, 2, 1, 3, 0, 3}));
    EXPECT_EQ(values(set.x.values()), (Values{0.5, -2e-3, 1, 7, 1.5, 0.5}));
    EXPECT_NO_THROW(CsrMatrix(set.x.crow(), set.x.col(), set.x.values(), set.x.shape()));
  }
}

TEST(Libsvm, TheBaseIsZeroWhenAnyIndexIs) {
  EXPECT_EQ(values(read_text("1 1:1 2:1\n1 2:1\n").x.col()), (Values{0, 1, 1}));
  EXPECT_EQ(values(read_text("1 1:1 2:1\n1 0:1 2:1\n").x.col()), (Values{1, 2, 0, 2}));
  EXPECT_EQ(read_text("1 1:1 2:1\n1 0:1\n").x.columns(), 3);
  EXPECT_EQ(values(read_text("1 1:1 2:1\n", {.base = 0}).x.col()), (Values{1, 2}));
  EXPECT_EQ(read_text("1 1:1 2:1\n", {.base = 0}).x.columns(), 3);
  EXPECT_EQ(values(read_text("1 1:1 2:1\n", {.base = 1}).x.col()), (Values{0, 1}));
  EXPECT_EQ(read_text("1 2:1\n", {.features = 9}).x.columns(), 9);
  EXPECT_EQ(values(read_text("1 9:1\n", {.features = 9}).x.col()), Values{8});
  EXPECT_EQ(values(read_text("1 0:1 8:1\n", {.features = 9}).x.col()), (Values{0, 8}));
  EXPECT_EQ(values(read_text("1 281474976710656:1\n").x.col()), Values{281474976710655.0});
  EXPECT_EQ(read_text("1\n2\n").x.columns(), 0);
  EXPECT_EQ(read_text("1\n2\n", {.base = 0}).x.columns(), 0);
  EXPECT_EQ(read_text("1\n2\n", {.features = 5}).x.columns(), 5);
}

TEST(Libsvm, KindsOfLabels) {
  const SparseDataset binary = read_text("+1\n-1\n1.0\n-1e0\n", {.labels = Labels::binary});
  EXPECT_EQ(binary.y.dtype(), DType::f32);
  EXPECT_EQ(values(binary.y), (Values{1, 0, 1, 0}));
  EXPECT_EQ(read_text("1\n", {.labels = Labels::binary, .dtype = DType::f64}).y.dtype(), DType::f64);
  const SparseDataset classes = read_text("3\n-0\n+12\n9007199254740992\n-5\n", {.labels = Labels::classes});
  EXPECT_EQ(classes.y.dtype(), DType::i64);
  EXPECT_EQ(values(classes.y), (Values{3, 0, 12, 9007199254740992.0, -5}));
}

TEST(Libsvm, Queries) {
  Tensor query;
  const SparseDataset set = read_text("1 qid:3 1:1\n2 qid:-9223372036854775808\n", {.query_id = &query});
  EXPECT_EQ(query.dtype(), DType::i64);
  EXPECT_EQ(query.data<std::int64_t>()[0], 3);
  EXPECT_EQ(query.data<std::int64_t>()[1], INT64_MIN);
  EXPECT_EQ(set.x.nnz(), 1);
}

// Against std::from_chars: numbers of every length, near halfway between two of f32, and below its normal ones.
TEST(Libsvm, EachNumberIsTheNearest) {
  std::mt19937_64 bits(3);
  std::vector<std::string> numbers = {"0",
                                      "-0",
                                      "0.0",
                                      "9007199254740991",
                                      "9007199254740992",
                                      "9007199254740993",
                                      "1.17549435e-38",
                                      "1e-45",
                                      "7e-46",
                                      "1e-999",
                                      "-1e-999",
                                      "16777217",
                                      "16777219",
                                      "0.00000000000000000001",
                                      "1234567890123456789",
                                      "9999999999999999999",
                                      "99999999999999999999",
                                      "1.",
                                      ".5",
                                      "3.4028235e38"};
  for (int i = 0; i < 40'000; ++i) {
    char text[64];
    switch (i % 4) {
      case 0:
        std::snprintf(text, sizeof text, "%.*f", static_cast<int>(bits() % 12), static_cast<double>(bits() % 100'000'000) * 1e-5);
        break;
      case 1:
        std::snprintf(text, sizeof text, "%.*g", 1 + static_cast<int>(bits() % 19),
                      std::bit_cast<float>(static_cast<std::uint32_t>(bits()) & 0xbf7fffff));
        break;
      case 2: {  // halfway between two of f32, exactly and nearly
        const double low = static_cast<double>(bits() % (1 << 24) + (1 << 24)), half = (2 * low + 1) / 2;
        std::snprintf(text, sizeof text, "%.1f", half);
        if (i % 8 > 3) std::snprintf(text, sizeof text, "%.10f", half / 64);
        break;
      }
      default:
        std::snprintf(text, sizeof text, "0.%0*llu", 1 + static_cast<int>(bits() % 18),
                      static_cast<unsigned long long>(bits() % 1'000'000'000'000));
    }
    numbers.push_back(text);
  }
  std::string bytes = "1";
  for (std::size_t i = 0; i < numbers.size(); ++i) bytes += " " + std::to_string(i + 1) + ":" + numbers[i];
  const auto check = [&]<class T>(T) {
    const SparseDataset set = read_text(bytes, {.dtype = sizeof(T) == 4 ? DType::f32 : DType::f64});
    ASSERT_EQ(set.x.nnz(), static_cast<std::int64_t>(numbers.size()));
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      T wanted = 0;
      const auto error = std::from_chars(numbers[i].data(), numbers[i].data() + numbers[i].size(), wanted).ec;
      if (error != std::errc()) wanted = numbers[i][0] == '-' ? -T(0) : T(0);
      const T got = set.x.values().data<T>()[i];
      EXPECT_TRUE(got == wanted && std::signbit(got) == std::signbit(wanted)) << numbers[i] << ": " << got << ", wanted " << wanted;
    }
  };
  check(float());
  check(double());
}

// Where pieces of the file end does not matter, nor how long a line is.
TEST(Libsvm, LinesAcrossPieces) {
  for (const std::size_t before : {262'130U, 262'140U, 262'143U, 262'144U, 262'145U, 524'288U, 1'000'000U}) {
    const std::string comment = "#" + std::string(before - 12, '-') + "\n";
    for (std::size_t more = 0; more < 24; ++more)
      for (const bool line : {false, true}) {
        std::string text = line ? comment + std::string(more, '\n') : "5" + std::string(before - 12 + more, ' ') + " 1:2 2:3\n";
        text += "7 12:1.5 345:-2.5\n8 1:1";
        const SparseDataset set = read_text(text);
        EXPECT_EQ(values(set.y), line ? (Values{7, 8}) : (Values{5, 7, 8})) << before << " " << more;
        EXPECT_EQ(values(set.x.values()), line ? (Values{1.5, -2.5, 1}) : (Values{2, 3, 1.5, -2.5, 1})) << before << " " << more;
      }
  }
}

TEST(Libsvm, WhatIsWrittenIsReadAgain) {
  std::mt19937_64 bits(1);
  const auto check = [&]<class T>(T, DType dtype) {
    for (const Labels labels : {Labels::real, Labels::binary, Labels::classes})
      for (const int base : {-1, 0, 1}) {
        CsrBuilder builder(1000, dtype);
        std::vector<double> y;
        std::vector<std::int64_t> query;
        for (int i = 0; i < 300; ++i) {
          for (std::uint64_t k = bits() % 9; k > 0; --k) {
            T value = 0;
            const std::uint64_t b = bits();
            std::memcpy(&value, &b, sizeof value);
            if (std::isfinite(value) && std::abs(value) < T(1e30))
              builder.add(static_cast<std::int64_t>(bits() % 1000), static_cast<double>(value));
          }
          builder.end_row();
          y.push_back(labels == Labels::real ? static_cast<double>(static_cast<T>(bits()) / T(3)) : static_cast<double>(bits() % 2));
          query.push_back(static_cast<std::int64_t>(bits()));
        }
        const SparseDataset set{builder.take(), tensor(y, labels == Labels::classes ? DType::i64 : dtype)};
        Tensor queries = tensor(query), again;
        const Scratch file("file");
        LibsvmOptions options{.features = 1000, .labels = labels, .base = base, .dtype = dtype, .query_id = &queries};
        data::write_libsvm(file.path(), set, options);
        if (base < 0) options.base = 1;
        options.query_id = &again;
        EXPECT_TRUE(same(data::read_libsvm(file.path(), options), set));
        EXPECT_TRUE(same_bits(again, queries));
      }
  };
  check(float(), DType::f32);
  check(double(), DType::f64);
}

TEST(Libsvm, WrittenBytes) {
  const SparseDataset set = read_text("1 2:0.5 3:-2\n-1\n1 1:0.1\n", {.labels = Labels::binary});
  const auto written = [&](const LibsvmOptions& options) {
    const Scratch file("file");
    data::write_libsvm(file.path(), set, options);
    return ::read(file.path());
  };
  EXPECT_EQ(written({}), "1 2:0.5 3:-2\n0\n1 1:0.1\n");
  EXPECT_EQ(written({.labels = Labels::binary, .base = 0}), "+1 1:0.5 2:-2\n-1\n+1 0:0.1\n");
  Tensor query = tensor({5, -6, 7}, DType::i64);
  EXPECT_EQ(written({.query_id = &query}), "1 qid:5 2:0.5 3:-2\n0 qid:-6\n1 qid:7 1:0.1\n");
}

TEST(Libsvm, WritingRefuses) {
  const SparseDataset set = read_text("1 2:0.5\n3\n");
  const Scratch file("file", "before");
  const auto refused = [&](const SparseDataset& data, const LibsvmOptions& options = {}) {
    const std::string text = thrown([&] { data::write_libsvm(file.path(), data, options); });
    EXPECT_EQ(::read(file.path()), "before");
    return text;
  };
  EXPECT_EQ(refused({set.x, tensor({1})}), "ShapeError: [write_libsvm] y must have an element for each row: x [2, 2], y [1]");
  EXPECT_EQ(refused({set.x, zeros({2, 1})}), "ShapeError: [write_libsvm] y must have an element for each row: x [2, 2], y [2, 1]");
  EXPECT_EQ(refused({CsrBuilder(3).take(), zeros({0})}), "ShapeError: [write_libsvm] a file must have rows: x [0, 3]");
  EXPECT_EQ(refused(set, {.features = 3}), "ValueError: [write_libsvm] features must be the number of columns: 3, x [2, 2]");
  EXPECT_EQ(refused(set, {.labels = Labels::binary}),
            "ValueError: [write_libsvm] a label must be 0 or 1, which are written as -1 and +1: 3 in row 1");
  EXPECT_EQ(refused(set, {.labels = Labels::classes}), "ValueError: [write_libsvm] classes must be i64: y f32");
  EXPECT_EQ(refused({set.x, tensor({true, false}, DType::boolean)}),
            "ValueError: [write_libsvm] labels must be f32, f64 or i64: y boolean");
  EXPECT_EQ(refused({set.x, tensor({INFINITY, 2})}), "ValueError: [write_libsvm] a label must be finite: inf in row 0");
  EXPECT_EQ(refused({set.x, tensor(std::vector<std::int64_t>{1, (std::int64_t{1} << 53) + 1})}),
            "ValueError: [write_libsvm] a label must be at most 2^53: 9007199254740993 in row 1");
  Tensor query = tensor({1, 2});
  EXPECT_EQ(refused(set, {.query_id = &query}), "ShapeError: [write_libsvm] query ids must be i64, one for each row: f32 [2], x [2, 2]");
}
