#pragma once
#include "../operations/row.h"
#include "tables.h"

/// What a kernel of one number computes, by its operation's row in tests/operations.
struct UnaryRule {
  capstan::kernels::Unary kind;
  const char* name;
  operations::Exact exact;
  double ulps, low;
};

inline const std::vector<UnaryRule>& unary_rules() {
  static const std::vector<UnaryRule> rules = [] {
    std::vector<UnaryRule> list;
#define X(kind, ...) list.push_back({capstan::kernels::Unary::kind, #kind, {}, 0, 0});
    CAPSTAN_UNARY(X)
#undef X
    for (UnaryRule& rule : list) {
      const operations::Row& row = operations::row(rule.name);
      rule.exact = row.exact;
      rule.ulps = row.ulps;
      rule.low = row.cases.front().low;
    }
    return list;
  }();
  return rules;
}
