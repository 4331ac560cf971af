#pragma once
#include "by_xtensor.h"

namespace operations {

/// Rows for an operator of two tensors, of a tensor and a number, of a number and a tensor: f, the same by xtensor, and for each a case
/// by hand; for those with a number also the edges, where there are any.
template <class F, class X>
void add_operator(std::vector<Row>& rows, const std::string& op, F f, X same_as, Case both, Case right,
                  const std::vector<double>& right_edges, Case left, const std::vector<double>& left_edges) {
  const std::string name = "operator" + op, numbers = "[d.whole(-3, 3) + 0.5]";
  rows.push_back({.name = name,
                  .declaration = name + "(const Tensor& a, const Tensor& b)",
                  .f = [f](const Tensor& a, const Tensor& b) { return f(a, b); },
                  .torch = "x " + op + " y",
                  .kinds = "aa",
                  .same_as = by_xtensor([same_as](const auto& a, const auto& b) { return same_as(a, b); }),
                  .cases = {std::move(both)}});
  rows.push_back({.name = name + ", number right",
                  .declaration = name + "(const Tensor& a, double b)",
                  .f = [f](const Tensor& a, double b) { return f(a, b); },
                  .torch = "x " + op + " p",
                  .numbers = numbers,
                  .kinds = "a",
                  .same_as = by_xtensor([same_as](const auto& a, const double& b) { return same_as(a, b); }),
                  .cases = {std::move(right)},
                  .edges = right_edges});
  rows.push_back({.name = name + ", number left",
                  .declaration = name + "(double a, const Tensor& b)",
                  .f = [f](double a, const Tensor& b) { return f(a, b); },
                  .torch = "p " + op + " x",
                  .numbers = numbers,
                  .kinds = "a",
                  .same_as = by_xtensor([same_as](const double& a, const auto& b) { return same_as(a, b); }),
                  .cases = {std::move(left)},
                  .edges = left_edges});
}

}  // namespace operations
