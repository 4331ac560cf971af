#pragma once
#include <capstan/core/compute.h>
#include <capstan/core/threads.h>
#include <capstan/optim/rule_loop.h>

#include <array>

// Private: a rule's loop over whole tensors, for what is no Elementwise: chains, wrappers, averages.
namespace capstan::optim::detail {

/// What a slot starts as. One of zeros takes no memory where it is not touched.
Tensor new_slot(const Shape& shape, double start, DType dtype);

/// to <- the rows of `from` that an i64 vector names; the other way round. Ask for no memory.
void take_rows(const Tensor& from, const Tensor& rows, const Tensor& to);
void put_rows(const Tensor& from, const Tensor& rows, const Tensor& to);

/// A rule for either type from its numbers: rule<Times>(factor).
template <template <class> class Rule, class... Number>
auto rule(Number... numbers) {
  return [=]<class T>(T*) { return Rule<T>{T(numbers)...}; };
}

/// rule(out[i], in[i], more[i]...) for all elements, where `make` gives the rule for a type: make(static_cast<T*>(nullptr)).
/// No tensor may overlap another; `in` is not written to. `keeps` and `factor` as in rule_body().
template <Decay decay, bool keeps, class Make, class... More>
void sweep_by(double factor, const Tensor& out, const Tensor& in, Make make, const More&... more) {
  kernels::dispatch(in, [&]<class T>(T*) {
    constexpr std::size_t count = sizeof...(More);
    const auto each = make(static_cast<T*>(nullptr));
    const auto loop = rule_loop<decay, keeps, count, std::remove_const_t<decltype(each)>, T>();
    const std::array<T*, count + 1> all = {kernels::data_of<T>(more)..., nullptr};
    parallel_for(in.numel(), std::int64_t{1} << 16, [&](std::int64_t begin, std::int64_t end) {
      std::array<T*, count + 1> at = {};
      for (std::size_t k = 0; k < count; ++k) at[k] = all[k] + begin;
      loop(each, kernels::data_of<T>(out) + begin, kernels::data_of<T>(in) + begin, at.data(), end - begin, T(factor));
    });
  });
}
template <bool keeps = false, class Make, class... More>
void sweep(const Tensor& out, const Tensor& in, Make make, const More&... more) {
  sweep_by<Decay::own, keeps>(0, out, in, make, more...);
}

/// average + share*(x - average), for 0 <= share <= 1; the other way round where the difference is too large a number.
template <class T>
struct Towards {
  T share;
  void operator()(T& average, T x) const { average = finite_or(average + share * (x - average), (1 - share) * average + share * x); }
};

}  // namespace capstan::optim::detail
