#pragma once
#include <capstan/capstan.h>

#include <functional>
#include <tuple>
#include <type_traits>
#include <vector>

namespace operations {

using capstan::Tensor;
using Tensors = std::vector<Tensor>;
using Numbers = std::vector<double>;

/// Where a call's arguments beside its tensors come from: the fuzzer's bytes, or a list of numbers.
class Arguments {
 public:
  virtual ~Arguments() = default;
  virtual bool flag() = 0;
  virtual double number() = 0;
  virtual std::int64_t whole() = 0;
  virtual std::vector<std::int64_t> wholes() = 0;
  virtual int axis() = 0;
  virtual capstan::Axes axes() = 0;
  virtual capstan::DType dtype() = 0;
  virtual capstan::Reduction reduction() = 0;
};

/// Any function of tensors and other arguments, whose types say what is drawn for it, in their order. A std::vector<Tensor> takes all.
class Call {
 public:
  using Bound = std::function<Tensors(const Tensors&)>;

  template <class F>
  Call(F f) : Call(std::function(std::move(f))) {}
  template <class Result, class... T>
  Call(std::function<Result(T...)> f);

  int tensors = 0, numbers = 0;  // how many it takes, and how many other arguments
  /// The call with other arguments from there.
  std::function<Bound(Arguments&)> bind;
  /// All results with those numbers: 0 or 1 for a flag; of several, their count before them.
  Tensors all(const Tensors& x, const Numbers& given) const;
  /// The first of them.
  Tensor operator()(const Tensors& x, const Numbers& given) const { return all(x, given).front(); }
};

namespace detail {

inline void draw(Arguments& from, bool& to) { to = from.flag(); }
inline void draw(Arguments& from, double& to) { to = from.number(); }
inline void draw(Arguments& from, std::int64_t& to) { to = from.whole(); }
inline void draw(Arguments& from, std::vector<std::int64_t>& to) { to = from.wholes(); }
inline void draw(Arguments& from, int& to) { to = from.axis(); }
inline void draw(Arguments& from, capstan::Axes& to) { to = from.axes(); }
inline void draw(Arguments& from, capstan::DType& to) { to = from.dtype(); }
inline void draw(Arguments& from, capstan::Reduction& to) { to = from.reduction(); }
inline void draw(Arguments& from, capstan::Shape& to) {
  const std::vector<std::int64_t> sizes = from.wholes();
  to = {sizes.data(), static_cast<int>(sizes.size())};
}
inline void draw(Arguments&, Tensor&) {}
inline void draw(Arguments&, Tensors&) {}

template <class T>
void put(T&, const Tensors&, std::size_t&) {}
inline void put(Tensor& to, const Tensors& x, std::size_t& at) { to = x[at++]; }
inline void put(Tensors& to, const Tensors& x, std::size_t&) { to = x; }

inline Tensors results(const Tensor& y) { return {y}; }
inline Tensors results(const Tensors& y) { return y; }
inline Tensors results(const capstan::Sorted& y) { return {y.values, y.indices}; }
inline Tensors results(const capstan::QR& y) { return {y.q, y.r}; }
inline Tensors results(const capstan::Lstsq& y) { return {y.solution, y.residuals, y.rank, y.singular_values}; }

}  // namespace detail

template <class Result, class... T>
Call::Call(std::function<Result(T...)> f)
    : tensors((0 + ... + std::is_same_v<std::decay_t<T>, Tensor>)), numbers(static_cast<int>(sizeof...(T)) - tensors) {
  bind = [f](Arguments& from) -> Bound {
    std::tuple<std::decay_t<T>...> drawn;
    std::apply([&](auto&... one) { (detail::draw(from, one), ...); }, drawn);
    return [f, drawn](const Tensors& x) {
      auto all = drawn;
      std::size_t at = 0;
      std::apply([&](auto&... one) { (detail::put(one, x, at), ...); }, all);
      return detail::results(std::apply(f, all));
    };
  };
}

}  // namespace operations
