#include <capstan/core/tensor.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ostream>
#include <string>
#include <vector>

// A tensor as text, in NumPy's layout: one format for all elements, found first, then the rows, shortened in the middle.

namespace capstan {

namespace {

constexpr std::int64_t edge = 3;         // elements shown at each end of a shortened axis
constexpr std::int64_t show_all = 1000;  // up to so many elements nothing is shortened
constexpr std::size_t line_width = 75;
constexpr int most_decimals = 8;

/// The fewest digits that read back as v: "-1.25e+01".
template <class T>
std::string shortest(T v) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, v, std::chars_format::scientific).ptr};
}

/// The same digits without an exponent: "-12.5", "100.".
template <class T>
std::string positional(T v) {
  const std::string s = shortest(std::abs(v));
  const std::size_t e = s.find('e');
  const int exponent = std::stoi(s.substr(e + 1));
  std::string digits = s.substr(0, 1) + (e > 2 ? s.substr(2, e - 2) : "");
  if (exponent < 0) digits.insert(0, static_cast<std::size_t>(-exponent), '0');
  const std::size_t before = exponent < 0 ? 1 : static_cast<std::size_t>(exponent) + 1;
  if (digits.size() < before) digits.append(before - digits.size(), '0');
  return (std::signbit(v) ? "-" : "") + digits.insert(before, ".");
}

/// The digits between the point and `end`, without zeros at the end.
int decimals_of(const std::string& s, std::size_t end) {
  const std::size_t point = s.find('.'), last = s.find_last_not_of('0', end - 1);
  return point >= end || last <= point ? 0 : static_cast<int>(last - point);
}

/// How all floating-point elements of one tensor are written: NumPy's choice.
struct Format {
  bool exponent = false;
  int decimals = 0;
  std::size_t exponent_digits = 2;
};

template <class T>
int decimals_needed(T v, bool exponent) {
  const std::string s = exponent ? shortest(v) : positional(v);
  const int n = decimals_of(s, exponent ? s.find('e') : s.size());
  if (n <= most_decimals) return n;
  const std::string r = exponent ? detail::scientific(v, most_decimals) : detail::fixed(v, most_decimals);
  return decimals_of(r, exponent ? r.find('e') : r.size());
}

template <class T>
std::string number(T v, const Format& f) {
  if (std::isnan(v)) return "nan";
  if (std::isinf(v)) return v < 0 ? "-inf" : "inf";
  if (f.exponent) {
    std::string s = detail::scientific(v, f.decimals);
    if (f.decimals == 0) s.insert(s.find('e'), ".");
    const std::size_t digits = s.find('e') + 2;
    return s.insert(digits, f.exponent_digits - (s.size() - digits), '0');
  }
  std::string s = positional(v);
  if (decimals_of(s, s.size()) > f.decimals) {
    s = detail::fixed(v, f.decimals);
    if (f.decimals == 0) s += '.';
    s.resize(s.find('.') + 1 + static_cast<std::size_t>(decimals_of(s, s.size())));
  }
  return s.append(s.find('.') + 1 + static_cast<std::size_t>(f.decimals) - s.size(), ' ');
}

/// A tensor without axes is written as a number alone, with all its digits.
template <class T>
std::string scalar(T v) {
  if (!std::isfinite(v)) return number(v, {});
  const T size = std::abs(v);
  if (size != 0 && (static_cast<double>(size) < 1e-4 || size >= T(sizeof(T) == 4 ? 1e6 : 1e16))) return shortest(v);
  const std::string s = positional(v);
  return s.back() == '.' ? s + '0' : s;
}

class Printer {
 public:
  explicit Printer(const Tensor& t) : tensor_(t), shape_(t.shape()), shorten_(t.numel() > show_all) {
    if (t.dtype() == DType::f32) choose_format<float>();
    if (t.dtype() == DType::f64) choose_format<double>();
    visit(0, 0, [&](std::int64_t i) { width_ = std::max(width_, element(i).size()); });
  }

  std::string print() {
    write(0, 0);
    return std::move(out_);
  }

 private:
  std::string element(std::int64_t i) const {
    switch (tensor_.dtype()) {
      case DType::f32: return number(tensor_.data<float>()[i], format_);
      case DType::f64: return number(tensor_.data<double>()[i], format_);
      case DType::i64: return std::to_string(tensor_.data<std::int64_t>()[i]);
      case DType::boolean: break;
    }
    return tensor_.data<bool>()[i] ? " True" : "False";
  }

  template <class T>
  void choose_format() {
    const T* x = tensor_.data<T>();
    T largest = 0, smallest = INFINITY;
    visit(0, 0, [&](std::int64_t i) {
      const T v = std::abs(x[i]);
      if (!std::isfinite(v) || v == 0) return;
      largest = std::max(largest, v);
      smallest = std::min(smallest, v);
    });
    format_.exponent = largest >= T(sizeof(T) == 4 ? 1e6 : 1e8) || (largest > 0 && (smallest < T(1e-4) || largest / smallest > T(1000)));
    visit(0, 0, [&](std::int64_t i) {
      if (!std::isfinite(x[i])) return;
      format_.decimals = std::max(format_.decimals, decimals_needed(x[i], format_.exponent));
      if (format_.exponent) {
        const std::string s = shortest(x[i]);
        format_.exponent_digits = std::max(format_.exponent_digits, s.size() - s.find('e') - 2);
      }
    });
  }

  // Calls f(k) for the indices k of one axis that are shown, and gap() where some are left out.
  template <class F, class G>
  void along(std::int64_t size, F f, G gap) const {
    const bool cut = shorten_ && size > 2 * edge;
    for (std::int64_t k = 0; k < size; ++k) {
      if (cut && k == edge) {
        gap();
        k = size - edge;
      }
      f(k);
    }
  }

  template <class F>
  void visit(int axis, std::int64_t offset, const F& f) const {
    if (axis == shape_.dim()) return f(offset);
    along(
        shape_[axis], [&](std::int64_t k) { visit(axis + 1, offset * shape_[axis] + k, f); }, [] {});
  }

  void write(int axis, std::int64_t offset) {
    if (axis == shape_.dim() - 1) return write_row(offset * shape_[axis]);
    const std::string between =
        std::string(static_cast<std::size_t>(shape_.dim() - 1 - axis), '\n') + std::string(static_cast<std::size_t>(axis + 1), ' ');
    bool first = true;
    out_ += '[';
    along(
        shape_[axis],
        [&](std::int64_t k) {
          if (!first) out_ += between;
          first = false;
          write(axis + 1, offset * shape_[axis] + k);
        },
        [&] { out_ += between + "..."; });
    out_ += ']';
  }

  // The innermost axis; what does not fit goes on below, under the first element.
  void write_row(std::int64_t offset) {
    const auto indent = static_cast<std::size_t>(shape_.dim());
    std::string line(indent, ' ');
    bool first = true, first_line = true;
    const auto flush = [&] {
      out_ += first_line ? '[' + line.substr(indent) : line;
      first_line = false;
    };
    const auto word = [&](const std::string& s) {
      if (!first) line += ' ';
      first = false;
      if (line.size() + s.size() > line_width - indent && line.size() > indent) {
        line.resize(line.find_last_not_of(' ') + 1);
        flush();
        out_ += '\n';
        line.assign(indent, ' ');
      }
      line += s;
    };
    along(
        shape_[shape_.dim() - 1],
        [&](std::int64_t k) {
          const std::string s = element(offset + k);
          word(std::string(width_ - s.size(), ' ') + s);
        },
        [&] { word("..."); });
    flush();
    out_ += ']';
  }

  const Tensor& tensor_;
  Shape shape_;
  bool shorten_;
  Format format_;
  std::size_t width_ = 0;
  std::string out_;
};

std::string print_scalar(const Tensor& t) {
  switch (t.dtype()) {
    case DType::f32: return scalar(*t.data<float>());
    case DType::f64: return scalar(*t.data<double>());
    case DType::i64: return std::to_string(*t.data<std::int64_t>());
    case DType::boolean: break;
  }
  return *t.data<bool>() ? "True" : "False";
}

}  // namespace

std::string to_string(const Tensor& tensor) {
  if (!tensor.defined()) return "undefined";
  if (tensor.dim() == 0) return print_scalar(tensor);
  return tensor.numel() == 0 ? "[]" : Printer(tensor).print();
}

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) { return out << to_string(tensor); }

}  // namespace capstan
