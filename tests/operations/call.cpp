#include "call.h"

using namespace capstan;

namespace operations {

namespace {

class Listed final : public Arguments {
 public:
  explicit Listed(const Numbers& numbers) : numbers_(numbers) {}

  double number() override { return numbers_.at(at_++); }
  bool flag() override { return number() != 0; }
  std::int64_t whole() override { return static_cast<std::int64_t>(number()); }
  int axis() override { return static_cast<int>(number()); }
  DType dtype() override { return static_cast<DType>(axis()); }
  Reduction reduction() override { return static_cast<Reduction>(axis()); }
  std::vector<std::int64_t> wholes() override {
    std::vector<std::int64_t> list(static_cast<std::size_t>(whole()));
    for (std::int64_t& n : list) n = whole();
    return list;
  }
  Axes axes() override {
    const std::vector<std::int64_t> list = wholes();
    return std::vector<int>(list.begin(), list.end());
  }

 private:
  const Numbers& numbers_;
  std::size_t at_ = 0;
};

}  // namespace

Tensors Call::all(const Tensors& x, const Numbers& given) const {
  Listed from(given);
  return bind(from)(x);
}

}  // namespace operations
