#pragma once
#include <capstan/core/tensor.h>

#include <initializer_list>
#include <vector>

namespace capstan {

/// Which axes an operation is about: one (0, -1), several ({0, 2}), or every one (Axes(), what leaving them out means). A negative
/// axis counts from the end. Throws ShapeError for more than six.
class Axes {
 public:
  Axes() noexcept = default;
  Axes(int axis) noexcept : axes_{axis}, count_(1) {}
  Axes(std::initializer_list<int> axes) : Axes(axes.begin(), axes.size()) {}
  Axes(const std::vector<int>& axes) : Axes(axes.data(), axes.size()) {}

  /// Whether none was named, which stands for every one.
  bool all() const noexcept { return count_ == 0; }
  bool one() const noexcept { return count_ == 1; }
  const int* begin() const noexcept { return axes_; }
  const int* end() const noexcept { return axes_ + count_; }

 private:
  Axes(const int* axes, std::size_t count);
  int axes_[Shape::max_dim] = {};
  int count_ = 0;
};

}  // namespace capstan
