#include <capstan/data/table_parts.h>

#include <cstdint>

// How error texts of table.cpp show a field, a byte, a delimiter.

namespace capstan::data {

std::string hex(char c) {
  constexpr char digits[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return {digits[byte >> 4], digits[byte & 15]};
}

std::string quoted(std::string_view field) {
  constexpr std::size_t longest = 40;
  std::string s = "'";
  for (const char c : field.substr(0, longest)) s += c >= ' ' && c <= '~' ? std::string(1, c) : "\\x" + hex(c);
  return s + (field.size() > longest ? "...'" : "'");
}

const char* delimiter_name(char delimiter) {
  return delimiter == ' '    ? "blanks"
         : delimiter == '\t' ? "a tab"
         : delimiter == ','  ? "a comma"
         : delimiter == ';'  ? "a semicolon"
                             : nullptr;
}

bool is_below_one(std::string_view number) {
  std::int64_t point = 0, exponent = 0;  // the number is 0.d1 d2 d3 ... * 10^(point + exponent) with d1 > 0
  bool significant = false, fraction = false;
  std::size_t i = 0;
  for (; i < number.size() && number[i] != 'e' && number[i] != 'E'; ++i) {
    if (number[i] == '.') fraction = true;
    if (!is_digit(number[i])) continue;
    significant = significant || number[i] != '0';
    if (significant && !fraction) ++point;
    if (!significant && fraction) --point;
  }
  const bool negative = i + 1 < number.size() && number[i + 1] == '-';
  for (; i < number.size(); ++i)
    if (is_digit(number[i])) exponent = std::min(exponent * 10 + (number[i] - '0'), std::int64_t{1} << 50);
  return point + (negative ? -exponent : exponent) <= 0;
}

}  // namespace capstan::data
