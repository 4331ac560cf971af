#pragma once
#include <capstan/core/error.h>
#include <capstan/core/shape.h>
#include <capstan/core/tensor.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

// Private: how error texts are put together.
namespace capstan::detail {

/// What can stand in a text. It holds no copy, so it lives no longer than the call. One function then serves all lists of
/// types: a function for each would be large wherever something is checked.
class Piece {
 public:
  Piece(const char* s) : kind_(Kind::word), pointer_(s) {}
  Piece(const std::string_view& s) : kind_(Kind::view), pointer_(&s) {}
  Piece(const std::string& s) : kind_(Kind::string), pointer_(&s) {}
  Piece(int v) : Piece(std::int64_t{v}) {}
  Piece(std::int64_t v) : kind_(Kind::integer), integer_(v) {}
  Piece(std::size_t v) : kind_(Kind::count), count_(v) {}
  Piece(std::uint32_t v) : Piece(std::size_t{v}) {}
  Piece(double v) : kind_(Kind::number), number_(v) {}
  Piece(DType d) : Piece(name(d)) {}
  Piece(const Shape& s) : kind_(Kind::shape), pointer_(&s) {}

  void append_to(std::string& s) const;

 private:
  enum class Kind { word, view, string, integer, count, number, shape };
  Kind kind_;
  union {
    const void* pointer_;
    std::int64_t integer_;
    std::size_t count_;
    double number_;
  };
};

// Numbers as printf writes them, in whatever locale the program has chosen: printf itself would take its decimal point from there.

/// The shortest digits that read back as the same double.
std::string text(double v);
/// "%.*f", "%.*e" and "%.*g", rounded from the exact value; a NaN has no sign.
std::string fixed(double v, int decimals);
std::string scientific(double v, int decimals);
std::string general(double v, int digits);

/// Filled up with blanks to `width` bytes: on the right, or on the left.
std::string left(std::string text, std::size_t width);
std::string right(std::string text, std::size_t width);

/// The system's words for an errno, in English whatever the locale.
std::string reason(int error);

std::string join_pieces(std::initializer_list<Piece> pieces);

template <class Kind>
[[noreturn, gnu::cold]] void fail_with(const char* op, std::initializer_list<Piece> pieces);

template <class... Parts>
[[gnu::always_inline]] inline std::string join(const Parts&... parts) {
  return join_pieces({Piece(parts)...});
}

/// Throws Kind with the text "[op] " and the parts.
template <class Kind, class... Parts>
[[noreturn, gnu::always_inline]] inline void fail(const char* op, const Parts&... parts) {
  fail_with<Kind>(op, {Piece(parts)...});
}

/// How many bytes the first character of a text takes in UTF-8 (RFC 3629, section 4); 0 when there is none.
std::size_t utf8_size(std::string_view s) noexcept;

/// The candidate nearest to `word` by edit distance (capital letters count as small ones), or "" when none is near; for "did you mean".
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// Whether `text` matches `pattern`, in which `*` stands for any text.
bool matches(std::string_view pattern, std::string_view text);

}  // namespace capstan::detail
