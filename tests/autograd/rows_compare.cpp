#include "xtensor_support.h"

using namespace capstan;

void add_compare_rows(std::vector<OpRow>& rows) {
  const char* where_of = "where(const Tensor& condition, const Tensor& a, const Tensor& b)";
  rows.push_back({.declaration = where_of,
                  .form = "a condition of the first one's shape",
                  .f = [](const Args& in) { return where(numbers(in[0].shape(), -1, 1, 7) > 0, in[0], in[1]); },  // 0.3, -0.5
                  .at = {d({1, 2}), d({{10, 20}, {30, 40}})},
                  .is = d({{1, 20}, {1, 40}}),
                  .shapes = two_shapes(),
                  .same_as = by_xtensor([](const auto& a, const auto& b) {
                    const Tensor n = numbers({static_cast<std::int64_t>(a.size())}, -1, 1, 7);
                    xt::xarray<double> sign = a;
                    std::copy(n.data<double>(), n.data<double>() + n.numel(), sign.begin());
                    return xt::xarray<double>(xt::where(sign > 0.0, a, b));
                  })});
  rows.push_back({.declaration = where_of,
                  .form = "a condition that is broadcast",
                  .f =
                      [](const Args& in) {
                        return where(tensor({{1}, {0}}, DType::boolean), in[0], in[1]);
                      },
                  .at = {d({1, 2}), d({10, 20})},
                  .is = d({{1, 2}, {10, 20}}),
                  .shapes = {{{}, {}}, {{3}, {3}}, {{2, 3}, {1}}, {{1}, {2, 3}}, {{4, 1, 3}, {2, 1}}, {{2, 0}, {1}}}});
}
