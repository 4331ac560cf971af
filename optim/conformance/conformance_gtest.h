#pragma once
#include <capstan/optim/conformance.h>

#include <gtest/gtest.h>

namespace capstan::optim {

/// For a test with GoogleTest, which whoever includes this must have. Makes a failure (EXPECT) of each property that did not hold, with
/// the method's and the property's name and what was seen.
///
///     TEST(Mine, KeepsWhatAMethodPromises) { optim::expect_conformance(optim::conformance<Mine>({.lr = 0.1})); }
inline void expect_conformance(const Conformance& report) {
  EXPECT_FALSE(report.properties.empty());
  for (const Property& p : report.properties)
    EXPECT_NE(p.outcome, Property::Outcome::failed) << report.method << " " << p.name << ": " << p.message;
}

/// A failure unless the method is where the reference trajectory is after each step: what follows() reports.
template <class Method, class Options = OptionsOf<Method>>
void expect_trajectory(const Options& options, const Trajectory& trajectory, double tolerance = 1e-12) {
  const Property p = follows<Method>(options, trajectory, tolerance);
  EXPECT_EQ(p.outcome, Property::Outcome::held) << Method::name << " " << p.name << ": " << p.message;
}

}  // namespace capstan::optim
