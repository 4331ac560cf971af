#include <capstan/data/quoted.h>

// Turns bytes of a file into a text that a terminal can show: no line ends, no control characters, no zero that would end the message.
// Called by the readers when they refuse.

namespace capstan::data {

std::string hex(char c) {
  constexpr char digits[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return {digits[byte >> 4], digits[byte & 15]};
}

std::string shown(std::string_view text, std::size_t longest) {
  std::string s;
  for (const char c : text.substr(0, longest)) s += c >= ' ' && c <= '~' ? std::string(1, c) : "\\x" + hex(c);
  return text.size() > longest ? s + "..." : s;
}

std::string quoted(std::string_view field) { return "'" + shown(field, 40) + "'"; }

}  // namespace capstan::data
