#pragma once
#include <charconv>
#include <cmath>
#include <string>

// Private: the fields of a CSV file.
namespace capstan::detail {

/// A text as RFC 4180 has it: in quotes when it holds a comma, a quote or a line break.
inline void append_name(std::string& line, const std::string& name) {
  if (name.find_first_of(",\"\r\n") == std::string::npos) {
    line += name;
    return;
  }
  line += '"';
  for (const char c : name) line.append(c == '"' ? 2 : 1, c);
  line += '"';
}

/// The shortest digits that read back to the same double; `nan`, `inf` and `-inf` stand for themselves.
inline void append_number(std::string& line, double value) {
  if (std::isnan(value)) {
    line += "nan";  // without the sign, which means nothing
    return;
  }
  char text[32];
  line.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

}  // namespace capstan::detail
