#pragma once
#include <cstdint>
#include <string>
#include <string_view>

// Private: the little of JSON (RFC 8259) that the headers of files are written in.
namespace capstan::data {

/// Reads a text token by token; the caller knows what may come next, so that nothing here recurses. Errors are FormatErrors that
/// name `op`, the file and the byte, from 0 on in the file.
class JsonReader {
 public:
  /// `first`: which byte of the file the text begins with.
  JsonReader(const char* op, const std::string& source, std::string_view text, std::uint64_t first)
      : op_(op), source_(source), text_(text), first_(first) {}

  /// Takes this character, after blanks; whether it was there.
  bool take(char c) noexcept;
  /// The same, refused when it is not there.
  void expect(char c);
  /// A text in quotes, with its escapes resolved; UTF-8 without lone surrogates.
  std::string string();
  /// A whole number of digits alone, at most 2^64 - 1: no sign, fraction, exponent or leading 0.
  std::uint64_t whole();
  /// Refuses what is left but for spaces.
  void end();

  /// The byte of the next token.
  std::uint64_t place() noexcept;
  /// "[op] the rule: the file, byte n: found"; or what stands at this byte.
  [[noreturn]] void fail(const char* rule, std::uint64_t place, const std::string& found) const;
  [[noreturn]] void fail(const char* rule) const { fail(rule, first_ + at_, found()); }

 private:
  void skip_blanks() noexcept;
  std::string found() const;
  unsigned hex4();
  void append_escape(std::string& out);

  const char* op_;
  const std::string& source_;
  std::string_view text_;
  std::uint64_t first_;
  std::size_t at_ = 0;
};

/// Appends a text in quotes: quotes, backslashes and control characters escaped in the shortest way, all else as it is.
void append_json(std::string& out, std::string_view text);

}  // namespace capstan::data
