#pragma once
#include <capstan/core/error.h>
#include <capstan/core/shape.h>
#include <capstan/core/tensor.h>

#include <string>
#include <string_view>
#include <vector>

// Private: how error texts are put together.
namespace capstan::detail {

inline std::string text(const char* s) { return s; }
inline std::string text(std::string_view s) { return std::string(s); }
inline std::string text(const std::string& s) { return s; }
inline std::string text(int v) { return std::to_string(v); }
inline std::string text(std::int64_t v) { return std::to_string(v); }
inline std::string text(std::size_t v) { return std::to_string(v); }
inline std::string text(std::uint32_t v) { return std::to_string(v); }
inline std::string text(DType d) { return name(d); }
inline std::string text(const Shape& s) { return to_string(s); }
/// The shortest digits that read back as the same double.
std::string text(double v);

template <class... Parts>
std::string cat(const Parts&... parts) {
  std::string s;
  ((s += text(parts)), ...);
  return s;
}

/// Throws Kind with the text "[op] " and the parts.
template <class Kind, class... Parts>
[[noreturn, gnu::cold, gnu::noinline]] void fail(const char* op, const Parts&... parts) {
  throw Kind("[" + text(op) + "] " + cat(parts...));
}

/// The candidate nearest to `word` by edit distance, or "" when none is near; for "did you mean".
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// Whether `text` matches `pattern`, in which `*` stands for any text.
bool matches(std::string_view pattern, std::string_view text);

}  // namespace capstan::detail
