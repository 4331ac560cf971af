#include <capstan/data/characters.h>

#include <capstan/core/text.h>

#include <algorithm>
#include <array>
#include <iterator>

// UTF-8 into characters and back. ASCII is looked up byte by byte; for the others there are tables of ranges.

namespace capstan::data {

namespace {

struct Range {
  std::uint32_t first, last;
};
/// Capital letters first, first + step, ..., and what makes small ones of them.
struct Lower {
  std::uint32_t first, last, step;
  std::int32_t difference;
};

#include <capstan/data/unicode_tables.inl>

template <class Row, std::size_t n>
const Row* row_of(const Row (&rows)[n], std::uint32_t c) {
  const Row* const at = std::lower_bound(rows, rows + n, c, [](const Row& r, std::uint32_t x) { return r.last < x; });
  return at != rows + n && at->first <= c ? at : nullptr;
}

constexpr bool is_blank_character(std::uint32_t c) {
  return (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
         c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

constexpr bool is_ascii_letter(std::uint32_t c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }

constexpr auto ascii_kinds = [] {
  std::array<CharacterKind, 128> kinds{};
  for (std::uint32_t c = 0; c < 128; ++c)
    kinds[c] = is_blank_character(c)                                      ? CharacterKind::blank
               : is_ascii_letter(c) || (c >= '0' && c <= '9') || c == '_' ? CharacterKind::word
                                                                          : CharacterKind::other;
  return kinds;
}();

CharacterKind kind_of(std::uint32_t c) {
  if (c < 128) return ascii_kinds[c];
  return is_blank_character(c) ? CharacterKind::blank : row_of(word_ranges, c) ? CharacterKind::word : CharacterKind::other;
}

bool is_cased(std::uint32_t c) { return c < 128 ? is_ascii_letter(c) : row_of(cased_ranges, c) != nullptr; }
/// Signs that belong to the letter before them (Unicode's Case_Ignorable).
bool is_ignorable(std::uint32_t c) {
  return c < 128 ? c == '\'' || c == '.' || c == ':' || c == '^' || c == '`' : row_of(ignorable_ranges, c) != nullptr;
}

std::uint32_t first_of(std::string_view text, std::size_t size) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  std::uint32_t c = size == 1 ? byte(0) : byte(0) & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) c = c << 6 | (byte(i) & 0x3f);
  return c;
}

/// Writes it in UTF-8; returns where it ends.
char* write_character(char* to, std::uint32_t c) {
  const auto put = [&](std::uint32_t byte) { *to++ = static_cast<char>(byte); };
  const auto more = [&](int shift) { put(0x80 | (c >> shift & 0x3f)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | c >> 6);
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12);
    more(6);
  } else {
    put(0xf0 | c >> 18);
    more(12);
    more(6);
  }
  if (c >= 0x80) more(0);
  return to;
}

/// Whether a sigma between these texts, of which the first is in small letters already, is the last letter of a word.
bool is_final_sigma(const Characters& before, std::string_view behind) {
  std::size_t i = before.size;
  const auto character = [&](std::size_t k) {
    const std::uint32_t at = before.begin[k], end = before.begin[k + 1];
    return first_of({before.bytes.data() + at, end - at}, end - at);
  };
  while (i > 0 && is_ignorable(character(i - 1))) --i;
  if (i == 0 || !is_cased(character(i - 1))) return false;
  for (std::size_t size; (size = capstan::detail::utf8_size(behind)) > 0; behind.remove_prefix(size)) {
    const std::uint32_t c = first_of(behind, size);
    if (!is_ignorable(c)) return !is_cased(c);
  }
  return true;
}

}  // namespace

std::size_t split_characters(std::string_view text, bool lowercase, Characters& to) {
  constexpr std::uint32_t capital_i_with_dot = 0x130, dot_above = 0x307, capital_sigma = 0x3a3, final_sigma = 0x3c2;
  if (const std::size_t most = text.size() + 8; to.kind.size() < most) {
    to.bytes.resize(2 * most);  // a small letter may take a byte more than the capital of two
    to.begin.resize(most);
    to.kind.resize(most);
  }
  char* at = to.bytes.data();
  const auto put = [&](std::uint32_t c, CharacterKind kind) {
    to.begin[to.size] = static_cast<std::uint32_t>(at - to.bytes.data());
    to.kind[to.size++] = kind;
    at = write_character(at, c);
    to.begin[to.size] = static_cast<std::uint32_t>(at - to.bytes.data());
  };
  to.size = 0;
  put(' ', CharacterKind::blank);
  for (std::size_t i = 0, size = 1; i < text.size(); i += size) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 128) [[likely]] {
      size = 1;
      put(lowercase && byte >= 'A' && byte <= 'Z' ? byte | 32U : byte, ascii_kinds[byte]);
      continue;
    }
    const std::string_view rest = text.substr(i);
    size = capstan::detail::utf8_size(rest);
    if (size == 0) return i;
    std::uint32_t c = first_of(rest, size);
    if (lowercase) {
      if (c == capital_sigma && is_final_sigma(to, rest.substr(size)))
        c = final_sigma;
      else if (const Lower* run = row_of(lower_runs, c); run && (c - run->first) % run->step == 0)
        c += static_cast<std::uint32_t>(run->difference);
      if (c == capital_i_with_dot) {
        put('i', CharacterKind::word);
        c = dot_above;
      }
    }
    put(c, kind_of(c));
  }
  put(' ', CharacterKind::blank);
  return std::string_view::npos;
}

}  // namespace capstan::data
