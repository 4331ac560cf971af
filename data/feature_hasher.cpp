#include <capstan/data/feature_hasher.h>

#include <capstan/core/create.h>
#include <capstan/core/text.h>
#include <capstan/data/characters.h>
#include <capstan/data/quoted.h>
#include <capstan/data/table_parts.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>
#include <vector>

// Hashes names and the n-grams of texts into columns. A text's columns are sorted and counted before they go to the builder, which then has
// nothing to sort.

namespace capstan::data {

using capstan::detail::fail;

namespace {

constexpr const char* hasher_op = "FeatureHasher";

std::uint32_t four_bytes(const char* bytes) noexcept {
  std::uint32_t k;
  std::memcpy(&k, bytes, 4);
  if constexpr (std::endian::native == std::endian::big) k = __builtin_bswap32(k);
  return k;
}

// MurmurHash3_x86_32 with the seed 0: its blocks of four bytes, little-endian, what is left over, and its end.
std::uint32_t mixed(std::uint32_t k) noexcept { return std::rotl(k * 0xcc9e2d51U, 15) * 0x1b873593U; }
std::uint32_t with_block(std::uint32_t h, std::uint32_t k) noexcept { return std::rotl(h ^ mixed(k), 13) * 5 + 0xe6546b64U; }
std::uint32_t finished(std::uint32_t h, std::size_t size) noexcept {
  h ^= static_cast<std::uint32_t>(size);
  h = (h ^ h >> 16) * 0x85ebca6bU;
  h = (h ^ h >> 13) * 0xc2b2ae35U;
  return h ^ h >> 16;
}

std::uint32_t murmur3(const char* bytes, std::size_t size) noexcept {
  std::uint32_t h = 0, rest = 0;
  std::size_t i = 0;
  for (; i + 4 <= size; i += 4) h = with_block(h, four_bytes(bytes + i));
  for (std::size_t k = size; k > i; --k) rest = rest << 8 | static_cast<unsigned char>(bytes[k - 1]);
  return finished(h ^ mixed(rest), size);  // no rest changes nothing
}

/// A column, and in the last bit whether its value counts negatively.
inline std::uint32_t key_of(std::uint32_t h, std::uint32_t features) noexcept {
  const bool negative = h >> 31 != 0;
  const std::uint32_t size = negative ? 0U - h : h;
  const std::uint32_t column = (features & (features - 1)) == 0 ? size & (features - 1) : size % features;
  return column << 1 | static_cast<std::uint32_t>(negative);
}

/// Hashes the n-grams of texts. Eight bytes from each one's begin may be read.
class NgramHasher {
 public:
  NgramHasher(const NgramOptions& options, std::uint32_t features, bool alternate_sign)
      : options_(options),
        shortest_(static_cast<std::size_t>(options.shortest)),
        longest_(static_cast<std::size_t>(options.longest)),
        features_(features),
        alternate_sign_(alternate_sign) {}

  struct Element {
    std::uint32_t column;
    std::int32_t value;
  };
  /// A text's columns, ascending. Throws ValueError for what is no UTF-8.
  const std::vector<Element>& row(std::string_view text) {
    if (text.size() >= std::size_t{1} << 31) fail<ValueError>(hasher_op, "a text must have less than 2^31 bytes: ", text.size());
    if (const std::size_t bad = split_characters(text, options_.lowercase, text_); bad != std::string_view::npos)
      fail<ValueError>(hasher_op, "a text must be UTF-8: byte 0x", hex(text[bad]), " at byte ", bad, " of ", quoted(text));
    keys_.clear();
    if (options_.analyzer == Analyzer::word)
      take(0, join_words(), 1);
    else if (options_.analyzer == Analyzer::chars)
      take(1, join_blanks(), 0);
    else
      take_each_word();
    sort_keys();
    row_.clear();
    const std::uint32_t twice = alternate_sign_ ? 2 : 0;
    for (std::size_t i = 0; i < keys_.size();) {
      const std::uint32_t column = keys_[i] >> 1;
      std::int32_t value = 0;
      for (; i < keys_.size() && keys_[i] >> 1 == column; ++i) value += 1 - static_cast<std::int32_t>(keys_[i] << 1 & twice);
      row_.push_back({column, value});
    }
    return row_;
  }

 private:
  void take_bytes(const char* bytes, std::size_t size) { keys_.push_back(key_of(murmur3(bytes, size), features_)); }
  /// Each n-gram of the units [first, last), between which are `gap` bytes. Those of less than 8 bytes begin with the same block.
  void take(std::size_t first, std::size_t last, std::uint32_t gap) {
    const auto part = [](std::uint32_t k, std::size_t size) { return k & ((std::uint32_t{1} << (8 * static_cast<unsigned>(size))) - 1); };
    const std::uint32_t* const begin = text_.begin.data();
    const std::uint32_t features = features_;
    for (std::size_t i = first; i + shortest_ <= last; ++i) {
      const char* const bytes = text_.bytes.data() + begin[i];
      const std::uint32_t low = four_bytes(bytes), high = four_bytes(bytes + 4), block = with_block(0, low);
      const std::size_t most = std::min(longest_, last - i);
      for (std::size_t n = shortest_; n <= most; ++n) {
        const std::size_t size = begin[i + n] - gap - begin[i];
        if (size < 8) [[likely]]
          keys_.push_back(key_of(finished(size < 4 ? mixed(part(low, size)) : block ^ mixed(part(high, size - 4)), size), features));
        else
          take_bytes(bytes, size);
      }
    }
  }

  /// Hashes lie evenly: those of a text are put into about as many buckets as there are, and few are then out of order. A sort by
  /// comparisons alone takes as long as the hashing.
  void sort_keys() {
    const std::size_t n = keys_.size();
    if (n > std::size_t{1} << 12) return std::sort(keys_.begin(), keys_.end());
    const auto bits = std::bit_width(n), width = std::bit_width(2 * std::uint64_t{features_} - 1);
    const int shift = std::max(0, static_cast<int>(width) - static_cast<int>(bits));
    starts_.assign((std::size_t{1} << bits) + 1, 0);
    for (const std::uint32_t key : keys_) ++starts_[(key >> shift) + 1];
    for (std::size_t b = 1; b < starts_.size(); ++b) starts_[b] += starts_[b - 1];
    sorted_.resize(n);
    for (const std::uint32_t key : keys_) sorted_[starts_[key >> shift]++] = key;
    for (std::size_t i = 1; i < n; ++i) {
      const std::uint32_t key = sorted_[i];
      std::size_t at = i;
      for (; at > 0 && sorted_[at - 1] > key; --at) sorted_[at] = sorted_[at - 1];
      sorted_[at] = key;
    }
    keys_.swap(sorted_);
  }

  std::size_t end_of_run(std::size_t i, bool (*same)(CharacterKind)) const {
    while (i < text_.size && same(text_.kind[i])) ++i;
    return i;
  }

  /// Words of two characters and more become the units, with a blank behind each. Returns how many there are.
  std::size_t join_words() {
    std::size_t words = 0, next;
    std::uint32_t at = 0;
    for (std::size_t i = 0; i < text_.size; i = next) {
      next = std::max(i + 1, end_of_run(i, [](CharacterKind k) { return k == CharacterKind::word; }));
      if (next < i + 2) continue;
      const std::uint32_t from = text_.begin[i], size = text_.begin[next] - from;
      std::memmove(text_.bytes.data() + at, text_.bytes.data() + from, size);
      text_.begin[words++] = at;
      at += size;
      text_.bytes[at++] = ' ';
    }
    text_.begin[words] = at;
    return words;
  }

  /// Several blanks become one. Returns where the text's own characters end.
  std::size_t join_blanks() {
    const auto is_blank = [](CharacterKind k) { return k == CharacterKind::blank; };
    std::size_t units = 1, next;
    std::uint32_t at = 1;
    for (std::size_t i = 1; i + 1 < text_.size; i = next) {
      next = std::max(i + 1, std::min(end_of_run(i, is_blank), text_.size - 1));
      const std::uint32_t from = text_.begin[i], size = next > i + 1 ? 1 : text_.begin[next] - from;
      if (next > i + 1)
        text_.bytes[at] = ' ';
      else
        std::memmove(text_.bytes.data() + at, text_.bytes.data() + from, size);
      text_.begin[units++] = at;
      at += size;
    }
    text_.begin[units] = at;
    return units;
  }

  /// Words between blanks, and a blank before and behind each. One that is shorter than the shortest n-gram counts once.
  void take_each_word() {
    for (std::size_t i = 0, next; i < text_.size; i = next) {
      next = i + 1;
      if (text_.kind[i] == CharacterKind::blank) continue;
      next = end_of_run(i, [](CharacterKind k) { return k != CharacterKind::blank; });
      const std::uint32_t from = text_.begin[i] - 1, to = text_.begin[next] + 1;
      text_.bytes[from] = text_.bytes[to - 1] = ' ';
      const std::uint32_t before = std::exchange(text_.begin[i - 1], from), behind = std::exchange(text_.begin[next + 1], to);
      if (next + 1 - (i - 1) < shortest_)
        take_bytes(text_.bytes.data() + from, to - from);
      else
        take(i - 1, next + 1, 0);
      text_.begin[i - 1] = before;
      text_.begin[next + 1] = behind;
    }
  }

  NgramOptions options_;
  std::size_t shortest_, longest_;
  std::uint32_t features_;
  bool alternate_sign_;
  Characters text_;
  std::vector<std::uint32_t> keys_, sorted_, starts_;
  std::vector<Element> row_;
};

void check_ngrams(const NgramOptions& options) {
  if (options.shortest < 1 || options.longest < options.shortest)
    fail<ValueError>(hasher_op, "1 <= shortest <= longest must hold: ", options.shortest, ", ", options.longest);
}

}  // namespace

FeatureHasher::FeatureHasher(const FeatureHasherOptions& options)
    : features_(static_cast<std::uint32_t>(options.features)), alternate_sign_(options.alternate_sign) {
  if (options.features < 1 || options.features >= std::int64_t{1} << 31)
    fail<ValueError>(hasher_op, "features must lie in [1, 2^31): ", options.features);
}

void FeatureHasher::check(const CsrBuilder& to) const {
  if (to.columns() != features_)
    fail<ValueError>(hasher_op, "the builder must have a column for each feature: ", to.columns(), " columns, ", features_, " features");
}

FeatureHasher::Place FeatureHasher::place(std::string_view name) const noexcept {
  const std::uint32_t key = key_of(murmur3(name.data(), name.size()), features_);
  return {key >> 1, alternate_sign_ && (key & 1) != 0 ? -1.0 : 1.0};
}

void FeatureHasher::add(CsrBuilder& to, std::string_view name, double value) const {
  check(to);
  const Place at = place(name);
  if (value != 0) to.add(at.column, at.sign * value);
}

void FeatureHasher::add(CsrBuilder& to, std::string_view name, std::string_view value) const {
  add(to, std::string(name).append("=").append(value), 1);
}

void FeatureHasher::add_text(CsrBuilder& to, std::string_view text, const NgramOptions& options) const {
  check(to);
  check_ngrams(options);
  NgramHasher hasher(options, features_, alternate_sign_);
  for (const auto& [column, value] : hasher.row(text)) to.add(column, value);
}

CsrMatrix FeatureHasher::transform(const std::vector<std::string>& texts, const NgramOptions& options, DType dtype) const {
  check_ngrams(options);
  if (!is_floating(dtype)) fail<ValueError>(hasher_op, "the dtype must be f32 or f64: ", dtype);
  const auto rows = [&]<class T>(T) {
    NgramHasher hasher(options, features_, alternate_sign_);
    std::vector<std::int64_t> crow{0};
    Blocks<std::int64_t> col;
    Blocks<T> values;
    for (const std::string& text : texts) {
      const auto& row = hasher.row(text);
      std::int64_t* to_col = col.more(row.size());
      T* to_value = values.more(row.size());
      for (const auto& [column, value] : row) {
        *to_col++ = column;
        *to_value++ = static_cast<T>(value);
      }
      crow.push_back(crow.back() + static_cast<std::int64_t>(row.size()));
    }
    const Tensor index = empty({crow.back()}, DType::i64), numbers = empty({crow.back()}, dtype);
    col.move_to(index.data<std::int64_t>());
    values.move_to(numbers.data<T>());
    return CsrMatrix::known(tensor(crow), index, numbers, static_cast<std::int64_t>(texts.size()), features_);
  };
  return dtype == DType::f32 ? rows(float()) : rows(double());
}

}  // namespace capstan::data
