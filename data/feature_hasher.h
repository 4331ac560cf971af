#pragma once
#include <capstan/autograd/csr_matrix.h>

#include <string>
#include <string_view>
#include <vector>

namespace capstan::data {

/// What a text is cut into, in scikit-learn's words.
enum class Analyzer {
  word,     // runs of two or more letters, digits and '_'
  chars,    // characters, blanks among them; several blanks count as one (scikit-learn: "char")
  char_wb,  // characters of each word between two blanks
};

struct NgramOptions {
  Analyzer analyzer = Analyzer::word;
  int shortest = 1, longest = 1;  // how many words or characters are taken together: scikit-learn's ngram_range
  bool lowercase = true;          // small letters first
};

struct FeatureHasherOptions {
  std::int64_t features = 1 << 20;  // columns
  bool alternate_sign = true;       // half of the names count negatively; false: all values stay as they are
};

/// Makes columns of names, so that no list of them is kept: the column of a name is its hash.
///
///     data::FeatureHasher hasher({.features = 1 << 18});
///     CsrBuilder rows(1 << 18);
///     hasher.add(rows, "age", 42);
///     hasher.add(rows, "city", "Paris");  // the name "city=Paris" with the value 1
///     hasher.add_text(rows, review, {.analyzer = data::Analyzer::char_wb, .shortest = 1, .longest = 4});
///     rows.end_row();
///
/// With h = murmur3_32(name), seed 0, as a signed number:
///
///     column = |h| mod features,  x[column] += h >= 0 ? value : -value
///
/// The signs let names that share a column cancel on average: inner products stay right in expectation. Columns and values are those of
/// scikit-learn's FeatureHasher(features, alternate_sign=...). Those of texts are HashingVectorizer's with norm=None.
/// Weakness: names may share a column, and no name can be told from its column. A power of two for `features` spreads them evenly.
/// Texts are UTF-8. Letters are those of Unicode 14.
/// Sources: Weinberger et al., ICML 2009, for signed hashing; Appleby's MurmurHash3; scikit-learn's FeatureHasher and HashingVectorizer.
class FeatureHasher {
 public:
  /// Throws ValueError unless 1 <= features < 2^31.
  explicit FeatureHasher(const FeatureHasherOptions& options = {});

  struct Place {
    std::int64_t column;
    double sign;  // 1 or -1
  };
  /// Where a name stands, and what its values are multiplied by.
  Place place(std::string_view name) const noexcept;

  /// Adds to the row under way; nothing for a value of 0. Throws ValueError, and adds nothing, for a builder with other columns, and as
  /// CsrBuilder::add.
  void add(CsrBuilder& to, std::string_view name, double value = 1) const;
  /// A name for each value that a category has: "name=value".
  void add(CsrBuilder& to, std::string_view name, std::string_view value) const;

  /// Adds 1 times the sign for each n-gram of a text. Throws, and adds nothing then:
  ///   - ValueError unless 1 <= shortest <= longest, and for a builder with other columns;
  ///   - ValueError for a text that is no UTF-8, naming the byte, or has 2^31 bytes or more.
  void add_text(CsrBuilder& to, std::string_view text, const NgramOptions& options = {}) const;
  /// The n-grams of texts, a row for each.
  CsrMatrix transform(const std::vector<std::string>& texts, const NgramOptions& options = {}, DType dtype = DType::f32) const;

 private:
  void check(const CsrBuilder& to) const;

  std::uint32_t features_;
  bool alternate_sign_;
};

}  // namespace capstan::data
