#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

// Private: a text as characters, by the rules of Python's str, which scikit-learn's analyzers follow.
namespace capstan::data {

enum class CharacterKind : std::uint8_t { other, blank, word };  // str.isspace(), and what \w matches

/// A text's characters between two blanks that are not its own. Memory is kept from one text to the next.
struct Characters {
  std::vector<char> bytes;           // UTF-8, and eight more that may be read
  std::vector<std::uint32_t> begin;  // where each character begins, and the end of all; one more may be written
  std::vector<CharacterKind> kind;
  std::size_t size = 0;
};

/// The characters of a UTF-8 text of less than 2^31 bytes, in small letters as by str.lower() when that is wanted. Returns the place of the
/// first byte that is no UTF-8, else npos.
std::size_t split_characters(std::string_view text, bool lowercase, Characters& to);

}  // namespace capstan::data
