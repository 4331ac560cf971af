#include <capstan/train/chart.h>
#include <capstan/train/contour.h>
#include <capstan/train/plot.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "support.h"
#include "xml.h"

using capstan::plot::LineChart;

// What stands at the axes of small, short and long charts.

namespace {

using Numbers = std::vector<double>;
using Texts = std::vector<std::string>;

Texts x_texts(const Numbers& x) { return parsed(LineChart().add("a", x, Numbers(x.size(), 1)).svg()).texts("x"); }

/// The texts at a small chart's log axis.
Texts log_texts(double low, double high, int width = 300, int height = 200) {
  return parsed(LineChart({.title = "t", .x = {.label = "x"}, .y = {.label = "y", .log = true}, .width = width, .height = height})
                    .add("a", {0, 1}, {low, high})
                    .svg())
      .texts("y");
}

/// How far the outermost texts of an axis are from its ends, as a share of its length; 1 unless there are two.
double uncovered(const Xml& xml, const std::string& axis) {
  const Frame frame(xml);
  const std::vector<Element> texts = xml.all("text", "class", axis);
  if (texts.size() < 2) return 1;
  if (axis == "x") {
    const double length = frame.right - frame.left;
    return std::max(texts.front().number("x") - frame.left, frame.right - texts.back().number("x")) / length;
  }
  const double length = frame.bottom - frame.top;
  return std::max(frame.bottom - texts.front().number("y") + 4, texts.back().number("y") - 4 - frame.top) / length;
}

std::multiset<std::string> all_texts(const Xml& xml) {
  std::multiset<std::string> texts;
  for (const Element& e : xml.all("text")) texts.insert(e.text);
  return texts;
}

}  // namespace

TEST(Ticks, WholeNumbersHaveWholeTicks) {
  EXPECT_EQ(x_texts({1, 2, 3}), (Texts{"1", "2", "3"}));
  EXPECT_EQ(x_texts({1, 2}), (Texts{"1", "2"}));
  EXPECT_EQ(x_texts({1}), (Texts{"1"}));
  EXPECT_EQ(x_texts({0, 1}), (Texts{"0", "1"}));
  EXPECT_EQ(x_texts({-1, 1}), (Texts{"−1", "0", "1"}));
  EXPECT_EQ(x_texts({1, 1.5, 2}), (Texts{"1.0", "1.2", "1.4", "1.6", "1.8", "2.0"}));
  // One of two series is enough; a point that is not drawn is not.
  const Xml two = parsed(LineChart().add("a", {1, 2}, {1, 1}).add("b", {1, 1.5}, {1, 1}).svg());
  EXPECT_EQ(two.texts("x"), (Texts{"1.0", "1.2", "1.4", "1.6", "1.8", "2.0"}));
  const Xml gap = parsed(LineChart().add("a", {1, 1.5, 2}, {1, std::nan(""), 1}).svg());
  EXPECT_EQ(gap.texts("x"), (Texts{"1", "2"}));
}

TEST(Ticks, AnAxisOfWholeNumbersHasWholeTicksBetweenFractionsToo) {
  const auto texts = [](const Numbers& x, double low) {
    LineChart chart({.x = {.low = low, .whole = true}, .y = {.whole = true}});
    return parsed(chart.add("a", x, {0, 2}).svg());
  };
  EXPECT_EQ(texts({0.1, 3}, 0).texts("x"), (Texts{"0", "1", "2", "3"}));
  EXPECT_EQ(texts({0.1, 3}, 0).texts("y"), (Texts{"0", "1", "2"}));
  EXPECT_EQ(texts({0.1, 1}, 0).texts("x"), (Texts{"0", "1"}));
  EXPECT_EQ(texts({0.1, 1000}, 0).texts("x"), (Texts{"0", "100", "200", "300", "400", "500", "600", "700", "800", "900", "1000"}));
  EXPECT_EQ(texts({0.3, 0.9}, 0.2).texts("x"),
            (Texts{"0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9"}));  // no whole number in sight
}

TEST(Ticks, LargeNumbersAreWrittenOut) {
  EXPECT_EQ(x_texts({0, 100000}), (Texts{"0", "20000", "40000", "60000", "80000", "100000"}));
  EXPECT_EQ(x_texts({0, 2000000}), (Texts{"0", "500000", "1000000", "1500000", "2000000"}));
  const Xml steps = parsed(capstan::plot::schedule(capstan::optim::schedule::constant(1), 100'001).svg());
  EXPECT_EQ(steps.texts("x"), (Texts{"0", "20000", "40000", "60000", "80000", "100000"}));
  // Beyond seven digits, and below a thousandth, with a factor; and then rather 2 to 10 than 0.2 to 1.0.
  const Xml long_run = parsed(LineChart().add("a", {0, 1e7}, {0, 1e-4}).svg());
  EXPECT_EQ(long_run.texts("x"), (Texts{"0", "2", "4", "6", "8", "10"}));
  EXPECT_EQ(all_texts(long_run).count("×106"), 1u);
  EXPECT_EQ(long_run.texts("y"), (Texts{"0", "2", "4", "6", "8", "10"}));
  EXPECT_EQ(all_texts(long_run).count("×10−5"), 1u);
}

TEST(Ticks, AShortLogAxisHasTwoAtLeast) {
  EXPECT_EQ(log_texts(0.31, 0.79), (Texts{"0.3", "0.4", "0.5", "0.7"}));
  EXPECT_EQ(log_texts(0.9, 1.15), (Texts{"0.90", "0.96", "1.02", "1.08", "1.14"}));
  EXPECT_EQ(log_texts(8, 130), (Texts{"10", "20", "50", "100"}));
  EXPECT_EQ(log_texts(1e-7, 0.5), (Texts{"10−7", "10−5", "10−3", "10−1"}));
  EXPECT_EQ(log_texts(1, 1e5), (Texts{"100", "101", "102", "103", "104", "105"}));
  for (double low = 1e-9; low < 1e9; low *= 6.1)
    for (const double ratio : {1.001, 1.1, 1.5, 2.0, 3.0, 5.0, 9.0, 15.0, 40.0, 90.0, 200.0, 800.0, 3e3, 1e5, 1e7, 1e12, 1e25, 1e60})
      for (const int height : {150, 380}) {
        const Xml xml = parsed(LineChart({.title = "t", .x = {.label = "x"}, .y = {.label = "y", .log = true}, .height = height})
                                   .add("a", {0, 1}, {low, low * ratio})
                                   .svg());
        const std::vector<Element> texts = xml.all("text", "class", "y");
        EXPECT_GE(texts.size(), 2u) << low << " times " << ratio << ", height " << height;
        EXPECT_LE(uncovered(xml, "y"), 0.201) << low << " times " << ratio << ", height " << height;
        for (std::size_t i = 1; i < texts.size(); ++i)
          EXPECT_GT(texts[i - 1].number("y") - texts[i].number("y"), 13) << low << " times " << ratio << ", height " << height;
      }
}

TEST(Ticks, TextsBelowALogAxisDoNotTouch) {
  for (const double ratio : {1.01, 1.5, 3.0, 9.0, 50.0, 400.0, 3e3, 1e5, 1e9, 1e30})
    for (double low = 1e-6; low < 1e6; low *= 4.3)
      for (const int width : {200, 300, 600, 1000}) {
        const Xml xml = parsed(LineChart({.x = {.log = true}, .width = width}).add("a", {low, low * ratio}, {0, 1}).svg());
        const std::vector<Element> texts = xml.all("text", "class", "x");
        EXPECT_GE(texts.size(), width < 300 ? 1u : 2u) << low << " times " << ratio << ", width " << width;
        EXPECT_LE(width < 300 ? 0 : uncovered(xml, "x"), 0.201) << low << " times " << ratio << ", width " << width;
        for (std::size_t i = 1; i < texts.size(); ++i) {
          const double letters = static_cast<double>(texts[i].text.size() + texts[i - 1].text.size()) / 2;
          EXPECT_GT(texts[i].number("x") - texts[i - 1].number("x"), 4 * letters) << low << " times " << ratio << ", width " << width;
        }
      }
}

TEST(Ticks, BothEndsOfALogAxisHaveANumber) {
  // FTRL's losses on the digits: 0.9 and 1 stood in the lowest third, and nothing above.
  EXPECT_EQ(log_texts(0.87, 1.9, 600, 380), (Texts{"0.9", "1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9"}));
  EXPECT_EQ(log_texts(0.29, 1.6, 600, 380), (Texts{"0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "1", "1.5"}));
}

TEST(Ticks, BothEndsOfALinearAxisHaveANumber) {
  for (double low = -977; low < 1000; low += 331.7)
    for (double span = 1.1e-3; span < 1e5; span *= 3.1)
      for (const int height : {150, 200, 380}) {
        const Xml xml = parsed(LineChart({.title = "t", .x = {.label = "x"}, .y = {.label = "y"}, .width = 300, .height = height})
                                   .add("a", {low, low + span}, {low, low + span})
                                   .svg());
        EXPECT_LE(uncovered(xml, "y"), 0.201) << low << " and " << span << ", height " << height;
        EXPECT_LE(span < 0.1 ? 0 : uncovered(xml, "x"), 0.201) << low << " and " << span << ", height " << height;
        const capstan::plot::ContourPlot plot([](double x, double y) { return x + y; },
                                              {.x = {.low = low, .high = low + span}, .y = {.low = low, .high = low + span}, .samples = 2});
        EXPECT_LE(uncovered(parsed(plot.svg()), "x"), 0.201) << low << " and " << span;
        EXPECT_LE(uncovered(parsed(plot.svg()), "y"), 0.201) << low << " and " << span;
      }
}

TEST(LineChart, ALongLegendLeavesThePlotItsHeight) {
  LineChart few({.title = "t", .x = {.label = "epoch"}, .y = {.label = "loss"}}), many = few;
  few.add("a", {0, 1}, {0, 1});
  for (int i = 0; i < 14; ++i)
    many.add("sgd momentum=0.9 nesterov=true weight_decay=0.001, lr 0.0" + std::to_string(i), {0, 1}, {0, 1.0 + i});
  const Xml a = parsed(few.svg()), b = parsed(many.svg());
  const Frame plain(a), squeezed(b);
  EXPECT_EQ(b.texts("legend").size(), 14u);
  EXPECT_GT(squeezed.bottom - squeezed.top, 0.55 * (plain.bottom - plain.top));
  for (const Element& e : b.all("text", "class", "legend")) EXPECT_LT(e.number("y"), squeezed.top);
  EXPECT_GT(b.all("svg").at(0).number("height"), squeezed.bottom + 30);
}

TEST(Picture, RefusesTheNameOfAnotherFormat) {
  const Folder folder;
  const LineChart chart = LineChart().add("a", {0, 1}, {0, 1});
  const std::string path = folder.file("loss.png");
  EXPECT_EQ(thrown([&] { chart.save(path); }), "ValueError: [LineChart] a picture is saved as SVG: " + path + " (name it " +
                                                   folder.file("loss.svg") + "; browsers and rsvg-convert turn that into others)");
  for (const char* name :
       {"a.PNG", "a.Jpg", "a.jpeg", "a.gif", "a.webp", "a.avif", "a.bmp", "a.tif", "a.tiff", "a.pdf", "a.eps", "a.ps", "a.svgz"})
    EXPECT_NE(thrown([&] { chart.save(folder.file(name)); }).find("a picture is saved as SVG"), std::string::npos) << name;
  EXPECT_TRUE(folder.names().empty());
  for (const char* name : {"a.svg", "a.SVG", "a", "run.3", "png"}) chart.save(folder.file(name));
  EXPECT_EQ(folder.names().size(), 5u);
  const capstan::plot::ContourPlot plot([](double x, double y) { return x + y; }, {.x = {.low = 0, .high = 1}, .y = {.low = 0, .high = 1}});
  EXPECT_EQ(thrown([&] { plot.save(folder.file("x.pdf")); }).substr(0, 39), "ValueError: [ContourPlot] a picture is ");
}
