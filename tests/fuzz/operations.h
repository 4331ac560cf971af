#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "../operations/call.h"

// Private: what the fuzz target of operations is made of.
namespace fuzz {

using operations::Tensors;
using Call = operations::Call::Bound;

/// The fuzzer's bytes, read one after the other as whatever is asked for; after the last one, zeros.
class Bytes final : public operations::Arguments {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) noexcept : at_(data), end_(data + size) {}

  unsigned byte() noexcept { return at_ == end_ ? 0 : *at_++; }
  unsigned below(unsigned n) noexcept { return byte() % n; }
  bool flag() noexcept override { return (byte() & 1) != 0; }
  /// One time in sixteen.
  bool seldom() noexcept { return (byte() & 15) == 15; }
  /// A number with few digits or one of those that break things: NaN, infinities, denormals, -0.0, the largest, ...
  double number() noexcept override;
  /// A small whole number, seldom one at the end of a range: 2^31, 2^63 - 1, ...
  std::int64_t whole() noexcept override;
  std::vector<std::int64_t> wholes() override;
  /// An axis that mostly exists.
  int axis() noexcept override;
  capstan::Axes axes() override;
  capstan::DType dtype() noexcept override { return static_cast<capstan::DType>(below(4)); }
  /// Sizes as they come, for operations that are told a shape.
  capstan::Shape sizes();
  capstan::Reduction reduction() noexcept override { return static_cast<capstan::Reduction>(below(3)); }
  /// An input. kind: 'f' floating, 'i' i64, 'b' boolean, 'a' any of them, 's' floating and mostly square in the last two axes; seldom
  /// another dtype, no tensor at all, a view, or an input that was there before.
  capstan::Tensor tensor(char kind, const Tensors& before);

  /// Whether something was drawn that may ask for more memory than there is.
  bool large() const noexcept { return large_; }

 private:
  capstan::Shape shape(const Tensors& before, unsigned how);
  void fill(const capstan::Tensor& t, unsigned how);

  const std::uint8_t *at_, *end_;
  bool large_ = false;
};

struct Operation {
  std::string name;                  // as it is declared, with what tells its forms apart behind it; a stored find begins with it
  std::string inputs;                // the kind of each; "*": up to four floating ones, or of any dtype
  std::function<Call(Bytes&)> call;  // the call, its other arguments drawn
  bool may_refuse = false;           // whether the gradient is documented to throw for some values
  bool bounded = false;              // whether finite inputs have finite gradients, whatever their size
};

std::span<const Operation> other_operations();

/// All of them and those of tests/operations, by name.
const std::vector<Operation>& all_operations();

/// The operation whose name the bytes begin with, and where the bytes of its arguments begin; null when they begin with none.
struct Named {
  const Operation* operation = nullptr;
  std::size_t begin = 0;
};
Named named(const std::uint8_t* data, std::size_t size);

}  // namespace fuzz
