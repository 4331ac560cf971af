#include <capstan/core/tensor.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ostream>
#include <string>
#include <vector>

namespace capstan {

namespace {

constexpr std::int64_t edge = 3;            // elements shown at each end of a shortened axis
constexpr std::int64_t show_all = 1000;     // up to so many elements nothing is shortened
constexpr int significant = 8;

/// How all numbers of one tensor are written: NumPy's choice, positional unless the range asks for exponents.
struct Format {
  bool exponent = false;
  int decimals = 0;  // after the point
  std::size_t width = 0;
};

int digits_after_point(double v, bool exponent) {
  char buffer[400];
  const int n = std::snprintf(buffer, sizeof buffer, exponent ? "%.*e" : "%.*f", significant - (exponent ? 1 : 0), std::abs(v));
  const std::string s(buffer, static_cast<std::size_t>(n));
  const std::size_t point = s.find('.'), end = exponent ? s.find('e') : s.size();
  const std::size_t last = s.find_last_not_of('0', end - 1);
  return last > point ? static_cast<int>(last - point) : 0;
}

std::string number(double v, const Format& f) {
  if (std::isnan(v)) return "nan";
  if (std::isinf(v)) return v < 0 ? "-inf" : "inf";
  char buffer[400];
  const int n = std::snprintf(buffer, sizeof buffer, f.exponent ? "%.*e" : "%.*f", f.decimals, v);
  std::string s(buffer, static_cast<std::size_t>(n));
  if (!f.exponent && f.decimals == 0) s += '.';  // 3. is a float, 3 is not
  return s;
}

class Printer {
 public:
  explicit Printer(const Tensor& t) : tensor_(t), shape_(t.shape()), shorten_(t.numel() > show_all) {
    if (is_floating(t.dtype())) choose_format();
    visit(0, 0, [&](std::int64_t i) { format_.width = std::max(format_.width, element(i).size()); });
  }

  std::string print() {
    write(0, 0);
    return std::move(out_);
  }

 private:
  double value(std::int64_t i) const {
    return tensor_.dtype() == DType::f32 ? static_cast<double>(tensor_.data<float>()[i]) : tensor_.data<double>()[i];
  }

  std::string element(std::int64_t i) const {
    if (tensor_.dtype() == DType::i64) return std::to_string(tensor_.data<std::int64_t>()[i]);
    if (tensor_.dtype() == DType::boolean) return tensor_.data<bool>()[i] ? "true" : "false";
    return number(value(i), format_);
  }

  void choose_format() {
    double largest = 0, smallest = INFINITY;
    visit(0, 0, [&](std::int64_t i) {
      const double v = std::abs(value(i));
      if (!std::isfinite(v) || v == 0) return;
      largest = std::max(largest, v);
      smallest = std::min(smallest, v);
    });
    format_.exponent = largest >= 1e8 || (largest > 0 && (smallest < 1e-4 || largest / smallest > 1e3 * 1e3));
    visit(0, 0, [&](std::int64_t i) {
      if (std::isfinite(value(i))) format_.decimals = std::max(format_.decimals, digits_after_point(value(i), format_.exponent));
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
    if (axis == shape_.dim()) {
      const std::string s = element(offset);
      out_.append(shape_.dim() == 0 ? 0 : format_.width - s.size(), ' ');
      out_ += s;
      return;
    }
    const bool innermost = axis == shape_.dim() - 1;
    const std::string between = innermost ? " " : std::string(static_cast<std::size_t>(shape_.dim() - 1 - axis), '\n') +
                                                       std::string(static_cast<std::size_t>(axis + 1), ' ');
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

  const Tensor& tensor_;
  Shape shape_;
  bool shorten_;
  Format format_;
  std::string out_;
};

}  // namespace

std::string to_string(const Tensor& tensor) { return tensor.defined() ? Printer(tensor).print() : "undefined"; }
std::ostream& operator<<(std::ostream& out, const Tensor& tensor) { return out << to_string(tensor); }

}  // namespace capstan
