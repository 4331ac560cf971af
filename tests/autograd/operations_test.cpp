// What follows from a row of tests/operations beside the table of gradient checks.
#include "../operations/row.h"

#include "refusals.h"

using namespace capstan;

TEST(Operations, ValuesAtTheEdges) {
  for (const operations::Row& r : operations::rows()) {
    if (r.edges.empty()) continue;
    for (const DType dtype : {DType::f32, DType::f64}) {
      const Values y = values(r.f({tensor({-INFINITY, -0., 0, INFINITY, NAN}, dtype)}, r.cases.front().numbers));
      for (std::size_t i = 0; i < 4; ++i) {
        const double is = r.edges[i];
        EXPECT_TRUE(near(tensor(y[i], DType::f64), tensor(is, DType::f64), dtype == DType::f32 ? 1e-7 : 1e-15))
            << r.name << " at edge " << i;
        EXPECT_TRUE(is != 0 || std::signbit(y[i]) == std::signbit(is)) << r.name << " at edge " << i;
      }
      EXPECT_TRUE(std::isnan(y[4])) << r.name;
    }
  }
}

TEST(Operations, AreRefusedByTheirTextAndNothingIsLeftBehind) {
  std::vector<Refusal> all;
  for (const operations::Row& r : operations::rows())
    for (const operations::Refused& refused : operations::refusals(r))
      all.push_back({refused.text, [&r, x = refused.x] { return r.f(x, r.cases.front().numbers); }});
  EXPECT_GE(all.size(), 30u);
  check_refusals(all);
}
