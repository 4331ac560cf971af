#include <capstan/train/chart.h>

#include <cmath>
#include <limits>
#include <set>

#include "support.h"
#include "xml.h"

using capstan::plot::LineChart;

namespace {

using Numbers = std::vector<double>;
using Texts = std::vector<std::string>;

/// The curves of a chart: its open paths.
std::vector<Element> curves(const Xml& xml) { return xml.all("path", "fill", "none"); }

/// Where an axis shows a value, by the text at its tick.
double tick_at(const Xml& xml, const std::string& axis, const std::string& text) {
  for (const Element& e : xml.all("text", "class", axis))
    if (e.text == text) return axis == "x" ? e.number("x") : e.number("y") - 4;
  ADD_FAILURE() << "no tick " << text;
  return 0;
}

Numbers count(std::size_t n) {
  Numbers out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<double>(i);
  return out;
}

}  // namespace

TEST(LineChart, HasSeriesLegendTitleAndLabels) {
  const Xml xml = parsed(LineChart({.title = "Adagrad", .x = {.label = "epoch"}, .y = {.label = "loss"}})
                             .add("from scratch", {0, 1, 2}, {0.9, 0.3, 0.25})
                             .add("concise", {0, 1, 2}, {0.8, 0.4, 0.24})
                             .add("", {0, 1}, {0.5, 0.5})
                             .svg());
  EXPECT_EQ(curves(xml).size(), 3u);
  EXPECT_EQ(xml.texts("legend"), (Texts{"from scratch", "concise"}));
  EXPECT_EQ(xml.texts("title"), Texts{"Adagrad"});
  EXPECT_EQ(xml.all("title").at(0).text, "Adagrad");
  std::multiset<std::string> texts;
  for (const Element& e : xml.all("text")) texts.insert(e.text);
  EXPECT_EQ(texts.count("epoch"), 1u);
  EXPECT_EQ(texts.count("loss"), 1u);
  EXPECT_TRUE(xml.texts("note").empty());
}

TEST(LineChart, TicksAreRound) {
  const Xml xml = parsed(LineChart().add("a", {0, 2.5}, {0.2, 0.9}).svg());
  EXPECT_EQ(xml.texts("x"), (Texts{"0.0", "0.5", "1.0", "1.5", "2.0", "2.5"}));
  EXPECT_EQ(xml.texts("y"), (Texts{"0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9"}));
  const Xml negative = parsed(LineChart().add("a", {-5, 20}, {-1234, 4321}).svg());
  EXPECT_EQ(negative.texts("x"), (Texts{"−5", "0", "5", "10", "15", "20"}));
  EXPECT_EQ(negative.texts("y"), (Texts{"−1000", "0", "1000", "2000", "3000", "4000"}));
  const Xml large = parsed(LineChart().add("a", {0, 2e7 + 0.5}, {1e-7, 5e-7}).svg());
  EXPECT_EQ(large.texts("x"), (Texts{"0.0", "0.5", "1.0", "1.5", "2.0"}));
  EXPECT_EQ(large.texts("y"), (Texts{"1.0", "1.5", "2.0", "2.5", "3.0", "3.5", "4.0", "4.5", "5.0"}));
  std::multiset<std::string> texts;
  for (const Element& e : large.all("text")) texts.insert(e.text);
  EXPECT_EQ(texts.count("×107"), 1u);
  EXPECT_EQ(texts.count("×10−7"), 1u);
}

TEST(LineChart, LogTicksAreDecadesWithSmallOnesBetween) {
  const Xml xml = parsed(LineChart({.x = {.log = true}, .y = {.log = true}}).add("a", {1, 10, 1000}, {1, 1e-2, 1e-5}).svg());
  EXPECT_EQ(xml.texts("x"), (Texts{"1", "10", "100", "1000"}));
  EXPECT_EQ(xml.texts("y"), (Texts{"10−5", "10−4", "10−3", "10−2", "10−1", "100"}));
  const Frame frame(xml);
  int small = 0;
  for (const Element& e : xml.all("line"))
    if (std::abs(e.number("y1") - frame.bottom) < 0.01 && std::abs(e.number("y2") - frame.bottom - 2.5) < 0.01) ++small;
  EXPECT_EQ(small, 3 * 8);
  // A short range has 1, 2 and 5, a very short one evenly spaced values, a very long one every so many decades.
  EXPECT_EQ(parsed(LineChart({.y = {.log = true}}).add("a", {0, 1}, {0.05, 3}).svg()).texts("y"),
            (Texts{"0.05", "0.1", "0.2", "0.5", "1", "2"}));
  EXPECT_EQ(parsed(LineChart({.y = {.log = true}}).add("a", {0, 1}, {0.31, 0.79}).svg()).texts("y"),
            (Texts{"0.3", "0.4", "0.5", "0.6", "0.7", "0.8"}));
  EXPECT_EQ(parsed(LineChart({.y = {.log = true}}).add("a", {0, 1}, {1e-20, 1e20}).svg()).texts("y"),
            (Texts{"10−20", "10−15", "10−10", "10−5", "100", "105", "1010", "1015", "1020"}));
}

TEST(LineChart, PointsLieWhereTheAxesSay) {
  const Xml linear = parsed(LineChart().add("a", {0, 1, 2}, {0.2, 0.5, 0.9}).svg());
  const auto line = places(curves(linear).at(0)["d"]).at(0);
  ASSERT_EQ(line.size(), 3u);
  EXPECT_NEAR(line[1].x, tick_at(linear, "x", "1"), 0.02);
  EXPECT_NEAR(line[1].y, tick_at(linear, "y", "0.5"), 0.02);
  EXPECT_NEAR(line[2].y, tick_at(linear, "y", "0.9"), 0.02);
  EXPECT_LT(line[2].y, line[1].y);
  EXPECT_GT(line[2].x, line[1].x);
  const Xml log = parsed(LineChart({.x = {.log = true}, .y = {.log = true}}).add("a", {1, 100, 1000}, {1, 1e-2, 1e-5}).svg());
  const auto curve = places(curves(log).at(0)["d"]).at(0);
  EXPECT_NEAR(curve[1].x, tick_at(log, "x", "100"), 0.02);
  EXPECT_NEAR(curve[1].y, tick_at(log, "y", "10−2"), 0.02);
  EXPECT_NEAR(curve[2].y, tick_at(log, "y", "10−5"), 0.02);
}

TEST(LineChart, SkipsPointsThatCannotBeDrawnAndSaysSo) {
  const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
  const Xml gap = parsed(LineChart().add("a", count(6), {1, 2, nan, 4, 5, infinity}).svg());
  const auto pieces = places(curves(gap).at(0)["d"]);
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_EQ(pieces[0].size(), 2u);
  EXPECT_EQ(pieces[1].size(), 2u);
  EXPECT_EQ(gap.texts("note"), Texts{"Points not drawn (not finite): 2 of 6 in a"});
  EXPECT_EQ(gap.texts("x"), (Texts{"0", "1", "2", "3", "4"}));  // the lost ones claim no room

  const Xml huge = parsed(LineChart().add("a", count(5), {1, 2, 1e305, 4, 5}).svg());
  const auto halves = places(curves(huge).at(0)["d"]);
  ASSERT_EQ(halves.size(), 2u);
  EXPECT_EQ(halves[0].size(), 2u);
  EXPECT_EQ(halves[1].size(), 2u);
  EXPECT_EQ(huge.texts("note"), Texts{"Points not drawn (not finite): 1 of 5 in a"});

  const Xml log =
      parsed(LineChart({.y = {.log = true}}).add("a", count(4), {1, 0, -3, 10}).add("b", count(2), {1, 10}).add("", {0}, {-1}).svg());
  EXPECT_EQ(log.texts("note"), Texts{"Points not drawn (not finite, or not positive on a log axis): 2 of 4 in a, 1 of 1"});
  EXPECT_EQ(log.texts("legend"), (Texts{"a", "b"}));
  const auto dots = places(curves(log).at(0)["d"]);  // both points of a stand alone
  ASSERT_EQ(dots.size(), 2u);
  EXPECT_EQ(dots[0].size(), 1u);
  EXPECT_NE(curves(log).at(0)["d"].find("h0"), std::string::npos);
}

TEST(LineChart, LinesEndAtTheLimitsOfAnAxis) {
  LineChart chart({.x = {.low = 1, .high = 9}, .y = {.low = 0, .high = 1}});
  chart.add("a", count(11), {0.5, 0.5, 3, 3, 0.5, -2, 0.5, 1e200, 0.5, 0.5, 0.5});
  const Xml xml = parsed(chart.svg());
  const Frame frame(xml);
  const auto pieces = places(curves(xml).at(0)["d"]);
  EXPECT_EQ(pieces.size(), 4u);
  for (const auto& piece : pieces)
    for (const Place p : piece) EXPECT_TRUE(frame.holds(p)) << p.x << ", " << p.y;
  EXPECT_EQ(xml.texts("y").front(), "0.0");
  EXPECT_EQ(xml.texts("y").back(), "1.0");
  EXPECT_NEAR(pieces[0][0].x, frame.left, 0.02);
  // From (1, 0.5) to (2, 3) the line leaves at a fifth of the way.
  EXPECT_NEAR(pieces[0].back().x, frame.left + 0.2 / 8 * (frame.right - frame.left), 0.02);
  EXPECT_NEAR(pieces[0].back().y, frame.top, 0.02);
}

TEST(LineChart, APointFarBeyondTheLimitsStillDrawsItsLine) {
  const Xml xml = parsed(LineChart({.y = {.low = 0, .high = 1e-20}}).add("a", {0, 1}, {0, 1e300}).svg());
  const auto pieces = places(curves(xml).at(0)["d"]);
  ASSERT_EQ(pieces.at(0).size(), 2u);
  EXPECT_NEAR(pieces[0][1].y, Frame(xml).top, 0.01);
}

TEST(LineChart, TheYAxisFitsWhatTheXLimitsLeave) {
  const Xml xml = parsed(LineChart({.x = {.low = 5}}).add("a", count(11), {900, 800, 700, 600, 500, 5, 4, 3, 2, 1, 0}).svg());
  EXPECT_EQ(xml.texts("y"), (Texts{"0", "1", "2", "3", "4", "5"}));
}

TEST(LineChart, ReferenceLinesCrossTheChartAndAreInTheLegend) {
  const Xml xml = parsed(LineChart().add("a", {0, 1}, {0.3, 0.9}).reference("best", 0.1).reference("", 0.5).svg());
  EXPECT_EQ(xml.texts("legend"), (Texts{"a", "best"}));
  EXPECT_EQ(xml.texts("y").front(), "0.1");  // the axis reaches it
  const Frame frame(xml);
  std::vector<double> heights;
  for (const Element& e : xml.all("line", "stroke", "#555555"))
    if (e.number("x2") - e.number("x1") > 100) {
      EXPECT_NEAR(e.number("x1"), frame.left, 0.01);
      EXPECT_NEAR(e.number("x2"), frame.right, 0.01);
      heights.push_back(e.number("y1"));
    }
  ASSERT_EQ(heights.size(), 2u);
  EXPECT_NEAR(heights[0], tick_at(xml, "y", "0.1"), 0.02);
  EXPECT_NEAR(heights[1], tick_at(xml, "y", "0.5"), 0.02);
}

TEST(LineChart, SeriesDifferInColourAndDash) {
  LineChart chart;
  for (int i = 0; i < 7; ++i) chart.add("s", {0, 1}, {0.0, static_cast<double>(i)});
  std::set<std::string> colours, dashes;
  for (const Element& e : curves(parsed(chart.svg()))) {
    colours.insert(e["stroke"]);
    dashes.insert(e["stroke-dasharray"]);
  }
  EXPECT_EQ(colours.size(), 7u);
  EXPECT_EQ(dashes.size(), 7u);
  EXPECT_TRUE(colours.contains("#0072B2"));
  EXPECT_TRUE(colours.contains("#D55E00"));
  EXPECT_FALSE(colours.contains("#F0E442"));  // yellow vanishes on white
}

TEST(LineChart, ManyPointsMakeASmallFileOfTheSameShape) {
  const std::size_t n = 200000;
  Numbers y(n);
  unsigned state = 1;
  for (double& v : y) v = ((state = state * 1664525u + 1013904223u) >> 8) * 0x1p-24;
  y[123457] = 6;
  y[50001] = -4;
  const std::string svg = LineChart().add("noise", count(n), y).svg();
  EXPECT_LT(svg.size(), 60000u);
  const Xml xml = parsed(svg);
  const Frame frame(xml);
  double low = 0, high = 1e9, low_x = 0, high_x = 0;
  const auto pieces = places(curves(xml).at(0)["d"]);
  for (const Place p : pieces.at(0)) {
    if (p.y > low) low = p.y, low_x = p.x;
    if (p.y < high) high = p.y, high_x = p.x;
  }
  EXPECT_NEAR(high, tick_at(xml, "y", "6"), 0.02);
  EXPECT_NEAR(low, tick_at(xml, "y", "−4"), 0.02);
  EXPECT_NEAR((high_x - frame.left) / (frame.right - frame.left), 123457.0 / n, 0.003);
  EXPECT_NEAR((low_x - frame.left) / (frame.right - frame.left), 50001.0 / n, 0.003);

  LineChart many;
  for (int i = 0; i < 12; ++i) many.add("series", count(n), y);
  EXPECT_LT(many.svg().size(), 60000u);
  Numbers scattered = y;
  for (std::size_t i = 0; i < n; ++i) scattered[i] = y[(i * 7919) % n];
  EXPECT_LT(LineChart().add("no order in x", scattered, y).svg().size(), 60000u);
  for (std::size_t i = 0; i < n; i += 2) y[i] = std::nan("");
  EXPECT_LT(LineChart().add("lone points", count(n), y).svg().size(), 60000u);
}
