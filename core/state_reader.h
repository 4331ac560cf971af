#pragma once
#include <capstan/core/random.h>
#include <capstan/core/tensor_map.h>
#include <capstan/core/text.h>

// Private: how a saved state is read by what it is loaded into. Everything is looked at before anything is changed, and all that does not
// fit is told at once.
namespace capstan::detail {

/// What a state holds of numbers: f64 and i64 scalars.
Tensor number(double value);
Tensor count(std::int64_t value);
/// Of a text: its bytes, i64 [n]. Of a generator: seed, purpose, draw, i64 [3]; the bits of what is unsigned.
Tensor text_tensor(std::string_view text);
Tensor generator_tensor(const Generator& generator);

class StateReader {
 public:
  explicit StateReader(const TensorMap& state) : state_(state) {}

  /// The tensor under a key; null, and a line in the report, when it is missing or of another shape or dtype.
  const Tensor* read(const std::string& key, const Shape& shape, DType dtype);
  /// What is under a key that somebody reads; null when there is nothing.
  const Tensor* find(const std::string& key) const noexcept { return state_.find(key); }
  /// An f64 scalar; 0 when it is not there.
  double read_number(const std::string& key);
  /// An i64 scalar from 0 to 2^53; 0 when it is not there.
  std::int64_t read_count(const std::string& key);
  /// An i64 scalar; 0 when it is not there.
  std::int64_t read_integer(const std::string& key);
  /// What text_tensor() and generator_tensor() make; empty, and zeros, when it is not there.
  std::string read_text(const std::string& key);
  Generator read_generator(const std::string& key);

  /// An i64 scalar that is `wanted`.
  void require_count(const std::string& key, std::int64_t wanted);

  template <class... Parts>
  void complain(const Parts&... parts) {
    report_ += join("\n  ", parts...);
  }
  bool fits() const noexcept { return report_.empty(); }
  /// Whose state it is: `wanted` when it has its count of steps or nothing at all, else "sgd" when it has "sgd/lr".
  std::string method(const std::string& wanted) const;
  /// Throws ValueError "[op] what:" and the report, to which it adds every key that nobody asked for; unless all fits.
  void require_fit(const char* op, const char* what);

 private:
  const TensorMap& state_;
  std::vector<std::string> asked_;
  std::string report_;
};

}  // namespace capstan::detail
