#include <capstan/train/contour.h>
#include <capstan/train/level_set.h>

#include <cmath>
#include <limits>
#include <set>

#include "support.h"
#include "xml.h"

using capstan::plot::ContourOptions;
using capstan::plot::ContourPlot;
using capstan::plot::detail::Box;
using capstan::plot::detail::level_set;
using capstan::plot::detail::Point;
using capstan::plot::detail::Polyline;

namespace {

using Numbers = std::vector<double>;
using Texts = std::vector<std::string>;

double bowl(double x1, double x2) { return 0.1 * x1 * x1 + 2 * x2 * x2; }

ContourOptions frame_of_the_chapter() { return {.x = {.label = "x1", .low = -6, .high = 2}, .y = {.label = "x2", .low = -3, .high = 2}}; }

/// f over [-2, 2] x [-2, 2], the frame's pixels being the coordinates (y downwards).
constexpr Box kSquare{-2, -2, 2, 2};
template <class F>
Numbers sampled(F f, int n = 81) {
  Numbers out;
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < n; ++i) out.push_back(f(-2 + 4.0 * i / (n - 1), -2 + 4.0 * j / (n - 1)));
  return out;
}

/// The area that the even-odd rule fills, for loops that do not cross: all loops have the region on the same side.
double area(const std::vector<Polyline>& loops) {
  double sum = 0;
  for (const Polyline& loop : loops)
    for (std::size_t i = 0; i < loop.size(); ++i) {
      const Point a = loop[i], b = loop[(i + 1) % loop.size()];
      sum += (a.x * b.y - b.x * a.y) / 2;
    }
  return std::abs(sum);
}

std::vector<Element> bands(const Xml& xml) { return xml.all("path", "fill-rule", "evenodd"); }

}  // namespace

TEST(LevelSet, FollowsACircle) {
  const auto loops = level_set(sampled([](double x, double y) { return x * x + y * y; }), 81, 1, kSquare);
  ASSERT_EQ(loops.size(), 2u);  // the frame and the circle
  std::size_t on_circle = 0, on_frame = 0;
  for (const Polyline& loop : loops)
    for (const Point p : loop) {
      const bool is_on_frame = std::max(std::abs(p.x), std::abs(p.y)) > 2 - 1e-9;
      ++(is_on_frame ? on_frame : on_circle);
      if (!is_on_frame) {
        EXPECT_NEAR(std::hypot(p.x, p.y), 1, 1e-3);
      }
    }
  EXPECT_GT(on_circle, 100u);
  EXPECT_GT(on_frame, 4u);
  EXPECT_NEAR(area(loops), 16 - M_PI, 0.01);
}

TEST(LevelSet, ClosesRegionsAtTheFrame) {
  const auto plane = sampled([](double x, double y) { return x + 0 * y; });
  EXPECT_NEAR(area(level_set(plane, 81, 0.5, kSquare)), 1.5 * 4, 1e-9);
  EXPECT_NEAR(area(level_set(plane, 81, -10, kSquare)), 16, 1e-9);
  EXPECT_TRUE(level_set(plane, 81, 10, kSquare).empty());
  const auto up = level_set(sampled([](double, double y) { return y; }), 81, 1.5, kSquare);
  ASSERT_EQ(up.size(), 1u);
  for (const Point p : up[0]) EXPECT_LE(p.y, -1.5 + 1e-9);  // a large y is at the top of the picture
}

TEST(LevelSet, KeepsSaddlesApartOrTogether) {
  // Two high corners of one cell: the mean of the four decides whether they are joined.
  const Box unit{0, 0, 1, 1};
  EXPECT_EQ(level_set({1, 0, 0, 1}, 2, 0.6, unit).size(), 2u);
  EXPECT_EQ(level_set({1, 0, 0, 1}, 2, 0.4, unit).size(), 1u);
  EXPECT_EQ(level_set({0, 1, 1, 0}, 2, 0.6, unit).size(), 2u);
  EXPECT_EQ(level_set({0, 1, 1, 0}, 2, 0.4, unit).size(), 1u);
  EXPECT_NEAR(area(level_set({1, 0, 0, 1}, 2, 0.6, unit)), 0.16, 1e-9);
  EXPECT_NEAR(area(level_set({1, 0, 0, 1}, 2, 0.4, unit)), 1 - 0.16, 1e-9);
  EXPECT_NEAR(area(level_set(sampled([](double x, double y) { return x * y; }), 81, 0, kSquare)), 8, 0.01);
}

TEST(LevelSet, TakesInfiniteValues) {
  const double infinity = std::numeric_limits<double>::infinity();
  const auto loops = level_set(sampled([&](double x, double y) { return x > 1 ? infinity : y > 1 ? -infinity : 0; }), 81, 0.5, kSquare);
  for (const Polyline& loop : loops)
    for (const Point p : loop) EXPECT_TRUE(std::isfinite(p.x) && std::isfinite(p.y));
  EXPECT_NEAR(area(loops), 4, 0.2);
}

TEST(ContourPlot, HasBandsWithAKey) {
  const Xml xml = parsed(ContourPlot(bowl, frame_of_the_chapter()).svg());
  const Texts levels{"2", "4", "6", "8", "10", "12", "14", "16", "18", "20"};
  EXPECT_EQ(xml.texts("level"), levels);
  ASSERT_EQ(bands(xml).size(), levels.size());
  std::set<std::string> shades;
  for (const Element& band : bands(xml)) {
    shades.insert(band["fill"]);
    EXPECT_EQ(xml.all("rect", "fill", band["fill"]).size(), 1u);  // its field of the key
  }
  EXPECT_EQ(shades.size(), levels.size());
  EXPECT_EQ(xml.texts("x"), (Texts{"−6", "−5", "−4", "−3", "−2", "−1", "0", "1", "2"}));
  EXPECT_EQ(xml.texts("y"), (Texts{"−3", "−2", "−1", "0", "1", "2"}));
}

TEST(ContourPlot, LinesLieWhereTheFunctionHasTheLevel) {
  ContourOptions options = frame_of_the_chapter();
  options.levels = {3};
  const Xml xml = parsed(ContourPlot(bowl, options).svg());
  const Frame frame(xml);
  std::size_t inside = 0;
  for (const auto& loop : places(bands(xml).at(0)["d"]))
    for (const Place p : loop) {
      if (p.x < frame.left + 0.1 || p.x > frame.right - 0.1 || p.y < frame.top + 0.1 || p.y > frame.bottom - 0.1) continue;
      const double x1 = -6 + 8 * (p.x - frame.left) / (frame.right - frame.left),
                   x2 = 2 - 5 * (p.y - frame.top) / (frame.bottom - frame.top);
      EXPECT_NEAR(bowl(x1, x2), 3, 0.02);
      ++inside;
    }
  EXPECT_GT(inside, 20u);
}

TEST(ContourPlot, LevelsMayBeGiven) {
  ContourOptions options = frame_of_the_chapter();
  options.levels = {-1, 0.01, 0.5, 12.5, 99};
  const Xml xml = parsed(ContourPlot(bowl, options).svg());
  EXPECT_EQ(xml.texts("level"), (Texts{"−1", "0.01", "0.5", "12.5", "99"}));
  EXPECT_EQ(bands(xml).size(), 4u);  // nothing is as high as 99
}

TEST(ContourPlot, DrawsPathsWithTheirPoints) {
  ContourPlot plot(bowl, frame_of_the_chapter());
  plot.path("Adagrad", {-5, -4, -3}, {-2, -1, -0.5}).path("gradient descent", {-5, -3}, {-2, 1});
  const Xml xml = parsed(plot.svg());
  EXPECT_EQ(xml.texts("legend"), (Texts{"Adagrad", "gradient descent", "least value 0"}));
  const auto lines = xml.all("path", "fill", "none");
  ASSERT_EQ(lines.size(), 4u);  // a white one under each
  EXPECT_EQ(lines[0]["d"], lines[2]["d"]);
  EXPECT_EQ(lines[1]["d"], lines[3]["d"]);
  for (const std::size_t k : {0u, 1u}) EXPECT_EQ(lines[k]["stroke"], "#FFFFFF");
  EXPECT_NE(lines[2]["stroke"], lines[3]["stroke"]);
  EXPECT_EQ(places(lines[2]["d"]).at(0).size(), 3u);
  EXPECT_EQ(xml.all("circle", "fill", lines[2]["stroke"]).size(), 3u + 1);   // and one in the legend
  EXPECT_EQ(xml.all("polygon", "fill", lines[3]["stroke"]).size(), 2u + 1);  // squares
  EXPECT_EQ(xml.all("circle", "fill", "none").size(), 2u);                   // rings at the starts
  EXPECT_TRUE(xml.texts("note").empty());
  const Frame frame(xml);
  EXPECT_NEAR(places(lines[2]["d"])[0][0].x, frame.left + (frame.right - frame.left) / 8, 0.02);
  EXPECT_NEAR(places(lines[2]["d"])[0][0].y, frame.top + (frame.bottom - frame.top) * 4 / 5, 0.02);
}

// A border of its own would cover the path that leads the same way with other points, as L-BFGS's first step and gradient descent's do.
TEST(ContourPlot, APathAcrossAnotherHidesItNot) {
  ContourPlot plot(bowl, frame_of_the_chapter());
  const Xml xml = parsed(plot.path("long", {-5, -1}, {-2, 0}).path("short", {-5, -3}, {-2, -1}).svg());
  const auto lines = xml.all("path", "fill", "none");
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[1]["stroke"], "#FFFFFF");
  EXPECT_EQ(lines[2]["stroke-dasharray"], "");
  EXPECT_EQ(lines[3]["stroke-dasharray"], "6 3");  // the lower one shows in its gaps
}

TEST(ContourPlot, TheTextsOfALowKeyDoNotTouch) {
  ContourOptions options = frame_of_the_chapter();
  for (const int height : {150, 200, 250, 400}) {
    options.height = height;
    const std::vector<Element> texts = parsed(ContourPlot(bowl, options).svg()).all("text", "class", "level");
    EXPECT_GE(texts.size(), 3u) << height;
    for (std::size_t i = 1; i < texts.size(); ++i) EXPECT_GT(texts[i - 1].number("y") - texts[i].number("y"), 11.9) << height;
  }
}

TEST(ContourPlot, CutsAPathThatDiverges) {
  Numbers x{-5}, y{-2};
  for (int step = 0; step < 400; ++step) {
    x.push_back(0.6 * x.back());
    y.push_back(-7 * y.back());
  }
  ContourPlot plot(bowl, frame_of_the_chapter());
  const Xml xml = parsed(plot.path("gradient descent", x, y).svg());
  const Frame frame(xml);
  const auto lines = xml.all("path", "fill", "none");
  ASSERT_EQ(lines.size(), 2u);
  const auto pieces = places(lines[1]["d"]);
  ASSERT_EQ(pieces.size(), 1u);  // nothing between points outside
  ASSERT_EQ(pieces[0].size(), 2u);
  EXPECT_NEAR(pieces[0][1].y, frame.top, 0.01);
  EXPECT_TRUE(frame.holds(pieces[0][1]));
  ASSERT_EQ(xml.all("path", "fill", "#D55E00").size(), 1u);  // the arrow
  EXPECT_NEAR(places(xml.all("path", "fill", "#D55E00")[0]["d"])[0][0].y, frame.top, 0.01);
  EXPECT_EQ(xml.texts("note"),
            Texts{"gradient descent: 364 of 401 points lie outside the frame; gradient descent: 36 of 401 points are not finite"});
}

TEST(ContourPlot, DrawsAPathThatComesBack) {
  ContourPlot plot(bowl, frame_of_the_chapter());
  const Xml xml = parsed(plot.path("p", {0, 0, 1, 1, 1}, {0, 50, 50, 0, -50}).svg());
  const auto pieces = places(xml.all("path", "fill", "none").at(1)["d"]);
  EXPECT_EQ(pieces.size(), 2u);
  for (const auto& piece : pieces)
    for (const Place p : piece) EXPECT_TRUE(Frame(xml).holds(p));
  EXPECT_EQ(xml.all("path", "fill", "#D55E00").size(), 2u);
  EXPECT_EQ(xml.texts("note"), Texts{"p: 3 of 5 points lie outside the frame"});
}

TEST(ContourPlot, ALongPathIsALineWithoutPoints) {
  Numbers x, y;
  for (int i = 0; i < 100000; ++i) {
    x.push_back(-2 + 3 * std::sin(0.7 * i) * std::exp(-1e-5 * i));
    y.push_back(2 * std::cos(1.1 * i) * std::exp(-1e-5 * i));
  }
  ContourPlot plot(bowl, frame_of_the_chapter());
  const std::string svg = plot.path("walk", x, y).svg();
  EXPECT_LT(svg.size(), 120000u);
  EXPECT_LE(parsed(svg).all("circle").size(), 1u);
}

TEST(ContourPlot, TakesValuesInRowsFromTheBottom) {
  // Two rows of three columns: high at the upper right.
  const Xml xml =
      parsed(ContourPlot({0, 0, 0, 0, 0, 1}, 3, {.x = {.low = 0, .high = 2}, .y = {.low = 0, .high = 1}, .levels = {0.5}}).svg());
  const Frame frame(xml);
  const auto loops = places(bands(xml).at(0)["d"]);
  for (const Place p : loops.at(0)) {
    EXPECT_GE(p.x, frame.left + 0.74 * (frame.right - frame.left));
    EXPECT_LE(p.y, frame.top + 0.51 * (frame.bottom - frame.top));
  }
}

TEST(ContourPlot, NaNCountsAsHigh) {
  const Xml xml = parsed(ContourPlot([](double x, double y) { return x > 1 ? std::nan("") : y; }, frame_of_the_chapter()).svg());
  const std::string last = bands(xml).back()["d"];
  double right = 0;
  for (const auto& loop : places(last))
    for (const Place p : loop) right = std::max(right, p.x);
  EXPECT_NEAR(right, Frame(xml).right, 0.01);
}

TEST(ContourPlot, TakesValuesThatHardlyDifferOrDifferTooMuch) {
  const ContourOptions frame = frame_of_the_chapter();
  for (const double high : {std::nextafter(1e17, 2e17), 1e17 + 160}) {
    const std::string svg = ContourPlot([&](double x, double) { return x < 0 ? 1e17 : high; }, frame).svg();
    EXPECT_NE(svg.find("<path"), std::string::npos);
    EXPECT_LT(svg.size(), 60000u);
  }
  const std::string svg = ContourPlot([](double x, double) { return 1.7e308 * std::tanh(x); }, frame).svg();
  EXPECT_NE(svg.find("<path"), std::string::npos);
  EXPECT_LT(svg.size(), 60000u);
}

TEST(ContourPlot, TheSamePlotGivesTheSameBytes) {
  const auto make = [] { return ContourPlot(bowl, frame_of_the_chapter()).path("p", {0, 1}, {0, 1}).svg(); };
  EXPECT_EQ(make(), make());
  EXPECT_LT(make().size(), 30000u);
}

TEST(ContourPlot, RefusesWhatCannotBeDrawn) {
  const auto refused = [](ContourOptions options) { return thrown([&] { ContourPlot plot(bowl, options); }); };
  ContourOptions options = frame_of_the_chapter();
  options.x.high.reset();
  EXPECT_EQ(refused(options), "ValueError: [ContourPlot] both limits of an axis are needed: x lacks high");
  options = frame_of_the_chapter();
  options.y = {.log = true, .low = 1, .high = 2};
  EXPECT_EQ(refused(options), "ValueError: [ContourPlot] axes must be linear: y is logarithmic");
  options = frame_of_the_chapter();
  options.levels = {1, 3, 3};
  EXPECT_EQ(refused(options), "ValueError: [ContourPlot] levels must rise: 3 comes before 3");
  options.levels = {1, std::nan("")};
  EXPECT_EQ(refused(options), "ValueError: [ContourPlot] levels must be finite: level 1 is nan");
  options = frame_of_the_chapter();
  options.samples = 1;
  EXPECT_EQ(refused(options), "ValueError: [ContourPlot] samples must lie in [2, 2000]: 1");
  options = frame_of_the_chapter();
  options.x.low = 7;
  EXPECT_EQ(refused(options), "ValueError: [ContourPlot] an axis must run from low to high: x from 7 to 2");
  options = frame_of_the_chapter();
  options.y.low = std::nextafter(2, 0);
  EXPECT_EQ(refused(options), "ValueError: [ContourPlot] an axis must be wider than 1e-9 of its limits: y from 1.9999999999999998 to 2");
  EXPECT_EQ(thrown([&] { ContourPlot plot([](double, double) { return 3.0; }, frame_of_the_chapter()); }),
            "ValueError: [ContourPlot] f must take different finite values over the frame: all are 3");
  EXPECT_EQ(thrown([&] { ContourPlot plot([](double, double) { return std::nan(""); }, frame_of_the_chapter()); }),
            "ValueError: [ContourPlot] f must take different finite values over the frame: there are none");
  EXPECT_EQ(thrown([&] {
              ContourPlot plot({1, 2, 3, 4, 5}, 2, frame_of_the_chapter());
            }),
            "ValueError: [ContourPlot] the values must fill at least two rows of two columns: 5 values in rows of 2");
  EXPECT_EQ(thrown([&] {
              ContourPlot plot({1, 2, 3}, 3, frame_of_the_chapter());
            }),
            "ValueError: [ContourPlot] the values must fill at least two rows of two columns: 3 values in rows of 3");
  ContourPlot plot(bowl, frame_of_the_chapter());
  EXPECT_EQ(thrown([&] {
              plot.path("p", {1}, {1, 2});
            }),
            "ValueError: [ContourPlot] x and y must be equally long: 1 and 2 values in path \"p\"");
  EXPECT_EQ(thrown([&] { plot.path("p", {}, {}); }), "ValueError: [ContourPlot] a path needs at least one point: path \"p\" has none");
}

TEST(ContourPlot, Saves) {
  const Folder folder;
  const ContourPlot plot(bowl, frame_of_the_chapter());
  plot.save(folder.file("trace.svg"));
  EXPECT_EQ(read(folder.file("trace.svg")), plot.svg());
  const std::string nowhere = folder.file("no/trace.svg");
  EXPECT_EQ(thrown([&] { plot.save(nowhere); }),
            "IoError: [ContourPlot] cannot write the file: " + nowhere + ": " + std::strerror(ENOENT) + " (create the directory first?)");
}
