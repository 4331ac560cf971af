#include <capstan/data/table_parts.h>

#include <cstdint>

// How error texts of table.cpp call a delimiter, and which of them a number out of range gets.

namespace capstan::data {

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
