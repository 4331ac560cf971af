// Hashed names and n-grams, beside scikit-learn's numbers.
#include <capstan/data/feature_hasher.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "support.h"

using namespace capstan;
using data::Analyzer;
using data::FeatureHasher;
using data::NgramOptions;

namespace {

std::string text_of(const std::string& hexadecimal) {
  std::string text;
  for (std::size_t i = 0; i + 1 < hexadecimal.size(); i += 2) text += static_cast<char>(std::stoi(hexadecimal.substr(i, 2), nullptr, 16));
  return text;
}

/// "column:value" of each feature.
std::string in_words(const CsrMatrix& x) {
  std::ostringstream words;
  const Values col = values(x.col()), v = values(x.values());
  for (std::size_t k = 0; k < col.size(); ++k) words << (k > 0 ? " " : "") << static_cast<std::int64_t>(col[k]) << ":" << v[k];
  return words.str();
}
/// The number of features and two sums over them.
std::string in_numbers(const CsrMatrix& x) {
  const Values col = values(x.col()), v = values(x.values());
  double sum = 0, size = 0;
  for (std::size_t k = 0; k < col.size(); ++k) {
    sum += v[k] * (col[k] + 1) * (col[k] + 1);
    size += std::abs(v[k]);
  }
  std::ostringstream words;
  words << x.nnz() << " " << static_cast<std::int64_t>(sum) << " " << static_cast<std::int64_t>(size);
  return words.str();
}

CsrMatrix one_row(const FeatureHasher& hasher, std::string_view text, std::int64_t features, const NgramOptions& options = {}) {
  CsrBuilder rows(features);
  hasher.add_text(rows, text, options);
  rows.end_row();
  return rows.take();
}

}  // namespace

TEST(FeatureHasher, AsScikitLearn) {
  std::ifstream file(std::string(CAPSTAN_TEST_FILES) + "/oracles/hashing.txt");
  int names = 0, rows = 0, texts = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream in(line);
    std::string what, analyzer, code, wanted;
    std::int64_t features = 0;
    bool sign = true;
    in >> what;
    if (what == "name") {
      in >> features >> sign >> code;
      const auto place = FeatureHasher({.features = features, .alternate_sign = sign}).place(text_of(code));
      in >> wanted;
      EXPECT_EQ(std::to_string(place.column) + ":" + std::to_string(static_cast<int>(place.sign)), wanted) << line;
      ++names;
    } else if (what == "dict") {
      in >> features;
      const FeatureHasher hasher({.features = features});
      CsrBuilder builder(features);
      hasher.add(builder, "age", 42);
      hasher.add(builder, "height", -1.5);
      hasher.add(builder, "nothing", 0);
      hasher.add(builder, "city", "Paris");
      hasher.add(builder, "empty", "");
      builder.end_row();
      std::getline(in >> std::ws, wanted);
      EXPECT_EQ(in_words(builder.take()), wanted);
      ++rows;
    } else {
      NgramOptions options;
      in >> analyzer >> options.shortest >> options.longest >> options.lowercase >> features >> sign >> code;
      options.analyzer = analyzer == "word" ? Analyzer::word : analyzer == "char" ? Analyzer::chars : Analyzer::char_wb;
      in >> std::ws;
      std::getline(in, wanted);
      const FeatureHasher hasher({.features = features, .alternate_sign = sign});
      const CsrMatrix x = one_row(hasher, text_of(code), features, options);
      EXPECT_NO_THROW(CsrMatrix(x.crow(), x.col(), x.values(), x.shape()));
      EXPECT_EQ(features == 101 ? in_numbers(x) : in_words(x), wanted) << line;
      ++texts;
    }
  }
  EXPECT_EQ(names, 6 * 2 * 17);
  EXPECT_EQ(rows, 2);
  EXPECT_GT(texts, 800);
}

TEST(FeatureHasher, TextsAsRows) {
  const FeatureHasher hasher({.features = 64});
  const std::vector<std::string> texts = {"one two", "", "two three two"};
  const CsrMatrix x = hasher.transform(texts, {.longest = 2}, DType::f64);
  EXPECT_EQ(x.shape(), (Shape{3, 64}));
  EXPECT_EQ(x.values().dtype(), DType::f64);
  for (std::int64_t i = 0; i < 3; ++i)
    EXPECT_EQ(in_words(x.rows(i, i + 1)), in_words(one_row(hasher, texts[static_cast<std::size_t>(i)], 64, {.longest = 2})));
  EXPECT_EQ(values(x.crow())[1], values(x.crow())[2]);
}

TEST(FeatureHasher, NamesAndTextsInOneRow) {
  const FeatureHasher hasher({.features = 1 << 20, .alternate_sign = false});
  CsrBuilder rows(1 << 20);
  hasher.add(rows, "word", 0.5);
  hasher.add_text(rows, "another word");
  hasher.add(rows, "another", 2);
  rows.end_row();
  const CsrMatrix x = rows.take();
  EXPECT_EQ(x.nnz(), 2);
  const Tensor dense = x.to_dense();
  EXPECT_EQ(dense.data<float>()[hasher.place("word").column], 1.5f);
  EXPECT_EQ(dense.data<float>()[hasher.place("another").column], 3.0f);
}

TEST(FeatureHasher, OfTheGuide) {
  const FeatureHasher hasher({.features = 1 << 18});
  CsrBuilder rows(1 << 18);
  hasher.add(rows, "age", 42);
  hasher.add(rows, "city", "Paris");  // the name "city=Paris" with the value 1
  hasher.add_text(rows, "a text", {.analyzer = Analyzer::char_wb, .shortest = 1, .longest = 4});
  rows.end_row();
  const CsrMatrix x = rows.take();
  const auto value = [&](std::string_view name) {
    return x.to_dense().data<float>()[hasher.place(name).column] * static_cast<float>(hasher.place(name).sign);
  };
  EXPECT_EQ(value("age"), 42.0f);
  EXPECT_EQ(value("city=Paris"), 1.0f);
  EXPECT_EQ(value(" "), 4.0f);  // before and behind each word
  EXPECT_EQ(value("t"), 2.0f);
  EXPECT_EQ(value("text"), 1.0f);
  EXPECT_EQ(value(" tex"), 1.0f);
}

TEST(FeatureHasher, RefusesAndAddsNothing) {
  EXPECT_EQ(thrown([] { FeatureHasher hasher({.features = 0}); }), "ValueError: [FeatureHasher] features must lie in [1, 2^31): 0");
  EXPECT_EQ(thrown([] { FeatureHasher hasher({.features = std::int64_t{1} << 31}); }),
            "ValueError: [FeatureHasher] features must lie in [1, 2^31): 2147483648");
  const FeatureHasher hasher({.features = 100});
  CsrBuilder rows(100), few(99);
  const auto refused = [&](std::string_view text, const NgramOptions& options = {}) {
    return thrown([&] { hasher.add_text(rows, text, options); });
  };
  EXPECT_EQ(refused("a", {.shortest = 0}), "ValueError: [FeatureHasher] 1 <= shortest <= longest must hold: 0, 1");
  EXPECT_EQ(refused("a", {.shortest = 3, .longest = 2}), "ValueError: [FeatureHasher] 1 <= shortest <= longest must hold: 3, 2");
  EXPECT_EQ(refused("words\xff"), "ValueError: [FeatureHasher] a text must be UTF-8: byte 0xff at byte 5 of 'words\\xff'");
  for (const char* bad : {"\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80", "two words \xf0\x8f\xbf\xbf", "\xce\xa3\xff"})
    EXPECT_TRUE(refused(bad, {.analyzer = Analyzer::chars}).starts_with("ValueError: [FeatureHasher] a text must be UTF-8: byte 0x"))
        << bad;
  const std::string columns = "ValueError: [FeatureHasher] the builder must have a column for each feature: 99 columns, 100 features";
  EXPECT_EQ(thrown([&] { hasher.add_text(few, "text"); }), columns);
  EXPECT_EQ(thrown([&] { hasher.add(few, "name"); }), columns);
  EXPECT_EQ(thrown([&] { hasher.add(few, "name", "value"); }), columns);
  EXPECT_TRUE(thrown([&] { hasher.add(rows, "name", NAN); }).starts_with("ValueError: [CsrBuilder] a value must be finite"));
  rows.end_row();
  EXPECT_EQ(rows.take().nnz(), 0);
}
