#include <capstan/train/together.h>

#include <capstan/train/chart.h>
#include <capstan/train/contour.h>

#include <cmath>
#include <limits>
#include <set>

#include "support.h"
#include "xml.h"

using capstan::plot::ContourOptions;
using capstan::plot::ContourPlot;
using capstan::plot::LineChart;
using capstan::plot::detail::Polyline;
using capstan::plot::detail::stretches;

// Curves that lie upon one another take turns.

namespace {

using Numbers = std::vector<double>;
using Texts = std::vector<std::string>;

/// A curve from left to right, ten pixels a point.
Polyline curve(const Numbers& heights) {
  Polyline out;
  for (std::size_t i = 0; i < heights.size(); ++i) out.push_back({10.0 * static_cast<double>(i), heights[i]});
  return out;
}

/// "0-2 alone, 2-5 number 1 of 3 after 0".
std::string said(const std::vector<capstan::plot::detail::Stretch>& parts) {
  std::string out;
  for (const auto& s : parts) {
    out += (out.empty() ? "" : ", ") + std::to_string(s.first) + "-" + std::to_string(s.last);
    out += s.count == 1 ? " alone"
                        : " number " + std::to_string(s.rank) + " of " + std::to_string(s.count) + " after " + std::to_string(s.lead);
  }
  return out;
}

std::vector<Element> strokes(const Xml& xml) {
  std::vector<Element> out;
  for (const Element& e : xml.all("path", "fill", "none"))
    if (e["stroke"] != "#FFFFFF") out.push_back(e);
  return out;
}

double rosenbrock(double x, double y) { return (1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x); }
ContourOptions square() { return {.x = {.label = "x1", .low = -2, .high = 2}, .y = {.label = "x2", .low = -1, .high = 3}}; }

}  // namespace

TEST(Together, FindsWhereCurvesRunTogether) {
  const auto parts = stretches({curve({0, 50, 50, 50, 90, 90}), curve({9, 50.5, 50.5, 50, 20, 20}), curve({200, 200, 200, 200, 200, 200}),
                                curve({70, 70, 50, 50, 90, 90})});
  EXPECT_EQ(said(parts[0]), "0-3 alone, 3-5 number 0 of 2 after 0");  // for ten pixels with others is too short
  EXPECT_EQ(said(parts[1]), "0-5 alone");
  EXPECT_EQ(said(parts[2]), "0-5 alone");
  EXPECT_EQ(said(parts[3]), "0-3 alone, 3-5 number 1 of 2 after 0");
  EXPECT_TRUE(stretches({}).empty());
  EXPECT_EQ(said(stretches({{}})[0]), "");
  EXPECT_EQ(said(stretches({curve({5})})[0]), "0-0 alone");
}

TEST(Together, TakesCurvesThatEndEarlierOrHaveGaps) {
  const double nan = std::nan("");
  const auto parts = stretches({curve({1, 1, 1, 1, 1}), curve({1, 1, 1}), curve({1, 1, nan, 1, 1})});
  EXPECT_EQ(said(parts[0]), "0-4 alone");
  EXPECT_EQ(said(parts[1]), "0-2 alone");
  const auto longer = stretches({curve({1, 1, 1, 1, 1, 1}), curve({1, 1, 1}), curve({nan, nan, 1, 1, 1, 1})});
  EXPECT_EQ(said(longer[0]), "0-2 number 0 of 2 after 0, 2-5 number 0 of 2 after 0");
  EXPECT_EQ(said(longer[1]), "0-2 number 1 of 2 after 0");
  EXPECT_EQ(said(longer[2]), "0-2 alone, 2-5 number 1 of 2 after 0");
}

TEST(Together, EqualSeriesShareTheirLine) {
  const Numbers x{0, 1, 2, 3}, y{3, 1, 0.5, 0.2};
  const Xml xml = parsed(LineChart().add("a", x, y).add("b", x, y).add("c", x, {0, 1, 2, 3}).add("d", x, y).svg());
  const auto lines = strokes(xml);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0]["d"], lines[1]["d"]);
  EXPECT_EQ(lines[0]["d"], lines[3]["d"]);
  EXPECT_NE(lines[0]["d"], lines[2]["d"]);
  EXPECT_EQ(lines[2]["stroke-dasharray"], "2 2.5");  // its own
  std::set<std::string> offsets, colours;
  for (const std::size_t k : {0u, 1u, 3u}) {
    EXPECT_EQ(lines[k]["stroke-dasharray"], "9 18");
    offsets.insert(lines[k]["stroke-dashoffset"]);
    colours.insert(lines[k]["stroke"]);
  }
  EXPECT_EQ(offsets, (std::set<std::string>{"", "-9", "-18"}));
  EXPECT_EQ(colours.size(), 3u);
}

TEST(Together, SeriesThatPartHaveTheirOwnLinesFromThere) {
  const Numbers x{0, 1, 2, 3};
  const auto lines = strokes(parsed(LineChart().add("a", x, {4, 3, 2, 1}).add("b", x, {4, 3, 2, 2}).svg()));
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0]["stroke-dasharray"], "9 9");
  EXPECT_EQ(lines[1]["stroke-dasharray"], "");
  EXPECT_EQ(lines[2]["stroke-dasharray"], "9 9");
  EXPECT_EQ(lines[3]["stroke-dasharray"], "6 3");
  EXPECT_EQ(lines[0]["d"], lines[2]["d"]);
}

TEST(Together, EqualPathsOverAContourShareTheirLine) {
  ContourPlot plot(rosenbrock, square());
  plot.path("a", {-1, 0, 1}, {1, 0, 1}).path("b", {-1, 0, 1}, {1, 0, 1});
  const Xml xml = parsed(plot.svg());
  const auto lines = strokes(xml);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["d"], lines[1]["d"]);
  EXPECT_EQ(lines[0]["stroke-dasharray"], "9 9");
  EXPECT_EQ(lines[1]["stroke-dashoffset"], "-9");
  EXPECT_EQ(xml.all("path", "stroke", "#FFFFFF").size(), 1u);               // a white border would cover the first
  EXPECT_EQ(xml.all("circle", "fill", lines[0]["stroke"]).size(), 2u + 1);  // the points in turn, and one in the legend
  EXPECT_EQ(xml.all("polygon", "fill", lines[1]["stroke"]).size(), 1u + 1);
  const auto rings = xml.all("circle", "fill", "none");
  ASSERT_EQ(rings.size(), 2u);
  EXPECT_LT(rings[0].number("r") + 2, rings[1].number("r"));
}

TEST(ContourPlot, ACrossMarksTheLeastValue) {
  const auto crosses = [](const Xml& xml) {
    std::vector<Element> out;
    for (const Element& e : xml.all("line", "stroke", "#222222"))
      if (e.number("y1") > Frame(xml).top) out.push_back(e);  // not that of the legend
    return out;
  };
  const Xml xml = parsed(ContourPlot(rosenbrock, square()).svg());
  EXPECT_EQ(xml.texts("legend"), Texts{"least value 0"});
  const auto strokes = crosses(xml);
  ASSERT_EQ(strokes.size(), 2u);
  const Frame frame(xml);
  EXPECT_NEAR((strokes[0].number("x1") + strokes[0].number("x2")) / 2, frame.left + 0.75 * (frame.right - frame.left), 0.02);
  EXPECT_NEAR((strokes[0].number("y1") + strokes[0].number("y2")) / 2, (frame.top + frame.bottom) / 2, 0.02);
  const auto drawn = [&](auto f) { return crosses(parsed(ContourPlot(f, square()).svg())).size(); };
  EXPECT_EQ(drawn([](double x, double y) { return (x * x - 1) * (x * x - 1) + (y - 1) * (y - 1); }), 4u);  // two minima
  EXPECT_EQ(parsed(ContourPlot([](double x, double y) { return x == 0 && y == 1 ? -0.0 : 1.0; }, square()).svg()).texts("legend"),
            Texts{"least value 0"});
  EXPECT_EQ(drawn([](double x, double y) { return x + y; }), 0u);                                      // at the border
  EXPECT_EQ(drawn([](double x, double y) { return std::max(0.0, std::hypot(x, y - 1) - 0.5); }), 0u);  // a plain that reaches no border
  EXPECT_EQ(drawn([](double x, double) { return std::max(0.0, std::abs(x) - 1); }), 0u);               // a plain
}

TEST(ContourPlot, LogLevelsFillAValley) {
  ContourOptions options = square();
  EXPECT_EQ(parsed(ContourPlot(rosenbrock, options).svg()).texts("level"), (Texts{"500", "1000", "1500", "2000", "2500"}));
  options.log_levels = true;
  EXPECT_EQ(parsed(ContourPlot(rosenbrock, options).svg()).texts("level"),
            (Texts{"1", "2", "5", "10", "20", "50", "100", "200", "500", "1000", "2000"}));
  // The fewer of a decade, the more decades; values that are not positive lie in the lowest band.
  const auto levels = [&](auto f) { return parsed(ContourPlot(f, options).svg()).texts("level"); };
  EXPECT_EQ(levels([](double x, double) { return std::pow(10, 1.3 * x); }),
            (Texts{"0.003", "0.01", "0.03", "0.1", "0.3", "1", "3", "10", "30", "100", "300"}));
  EXPECT_LE(levels([](double x, double) { return std::pow(10, 30 * x); }).size(), 12u);
  EXPECT_GE(levels([](double x, double) { return std::pow(10, 30 * x); }).size(), 5u);
  EXPECT_EQ(levels([](double x, double) { return x < 0 ? -1 : 1 + x; }),
            (Texts{"1.2", "1.4", "1.6", "1.8", "2", "2.2", "2.4", "2.6", "2.8"}));
  EXPECT_EQ(levels([](double x, double y) { return x > 1.9 ? std::numeric_limits<double>::infinity()
                                                   : y > 0 ? 0
                                                           : 1 - 90 * y; }).back(),
            "50");
  EXPECT_EQ(thrown([&] { ContourPlot([](double x, double) { return -1 - x * x; }, options); }),
            "ValueError: [ContourPlot] log_levels need a positive value: the largest is -1");
  options.levels = {1, 2};
  EXPECT_EQ(thrown([&] { ContourPlot(rosenbrock, options); }),
            "ValueError: [ContourPlot] levels are given or chosen: 2 levels beside log_levels");
}
