#include <capstan/train/chart.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "support.h"
#include "xml.h"

using capstan::plot::Axis;
using capstan::plot::LineChart;

namespace {

using Numbers = std::vector<double>;
using Texts = std::vector<std::string>;

}  // namespace

TEST(LineChart, TheSameChartGivesTheSameBytes) {
  const auto make = [] {
    return LineChart({.title = "t", .y = {.log = true}}).add("a", {1, 2, 3}, {0.1, 0.2, 0.7}).reference("r", 2).svg();
  };
  const std::string first = make();
  EXPECT_EQ(first, make());
  EXPECT_EQ(first.find('\r'), std::string::npos);
}

TEST(LineChart, TextsAreEscaped) {
  const std::string hostile = "a<b & \"c\" 'd' ]]> \x01\xff\xc0\xaf\xed\xa0\x80 é";
  const std::string clean = "a<b & \"c\" 'd' ]]> \uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD é";
  const std::string svg = LineChart({.title = hostile, .x = {.label = hostile}, .y = {.label = hostile}})
                              .add(hostile, {0, 1}, {0, std::nan("")})
                              .reference(hostile, 1)
                              .svg();
  EXPECT_NE(svg.find("&quot;c&quot; &apos;d&apos;"), std::string::npos);
  const Xml xml = parsed(svg);
  EXPECT_EQ(xml.texts("title"), Texts{clean});
  EXPECT_EQ(xml.texts("legend"), (Texts{clean, clean}));
  EXPECT_EQ(xml.texts("note"), Texts{"Points not drawn (not finite): 1 of 2 in " + clean});
}

TEST(LineChart, ALongLabelAtTheEndStaysInThePicture) {
  const Xml xml = parsed(LineChart({.width = 600}).add("a", {1e9, 1e9 + 1, 1e9 + 2}, {0, 1, 2}).svg());
  const std::vector<Element> labels = xml.all("text", "class", "x");
  ASSERT_FALSE(labels.empty());
  EXPECT_EQ(labels.back().text, "1.000000002");
  EXPECT_LT(labels.back().number("x") + 0.31 * 10 * static_cast<double>(labels.back().text.size()), 600);
}

TEST(LineChart, LongTextsAreCut) {
  const std::string name(300, 'm');
  const Xml xml = parsed(LineChart({.title = name, .x = {.label = name}, .y = {.label = name}}).add(name, {0, 1}, {0, 1}).svg());
  for (const Element& e : xml.all("text")) EXPECT_LT(e.text.size(), 80u);
  EXPECT_TRUE(xml.texts("legend").at(0).ends_with("…"));
  EXPECT_EQ(xml.all("title").at(0).text, name);
}

TEST(LineChart, ALongTitleOrNoteHasSeveralLines) {
  std::string title, note;
  for (int i = 0; i < 14; ++i) title += "word " + std::to_string(i) + (i < 13 ? " " : "");
  for (int i = 0; i < 40; ++i) note += "word " + std::to_string(i) + (i < 39 ? " " : "");
  const LineChart plain = LineChart().add("a", {0, 1}, {0, 1});
  LineChart chart({.title = title, .note = note});
  const Xml xml = parsed(chart.add("a", {0, 1}, {0, 1}).svg());
  const auto joined = [](const Texts& lines) {
    std::string out;
    for (const std::string& line : lines) out += (out.empty() ? "" : " ") + line;
    return out;
  };
  EXPECT_EQ(xml.texts("title").size(), 2u);
  EXPECT_EQ(joined(xml.texts("title")), title);
  EXPECT_EQ(xml.texts("note").size(), 3u);
  EXPECT_EQ(joined(xml.texts("note")), note);
  const Frame frame(xml), before(parsed(plain.svg()));
  EXPECT_GT(frame.bottom - frame.top, 0.6 * (before.bottom - before.top));
  for (const Element& e : xml.all("text", "class", "note")) EXPECT_GT(e.number("y"), frame.bottom + 20);
  for (const Element& e : xml.all("text", "class", "title")) EXPECT_LT(e.number("y"), frame.top - 20);
  note += note;
  LineChart longer({.note = note});
  EXPECT_EQ(parsed(longer.add("a", {0, 1}, {0, 1}).svg()).texts("note").size(), 3u);
}

TEST(LineChart, TheLegendShowsADotWhereOnlyDotsAreDrawn) {
  const double nan = std::nan("");
  LineChart chart({.y = {.high = 5}});
  chart.add("line", {1, 2, 3}, {1, 2, 3}).add("dots", {1, 2, 3}, {2, nan, 1}).add("outside", {1, 2}, {8, 9}).add("one", {3}, {3});
  const Xml xml = parsed(chart.svg());
  const Frame frame(xml);
  std::set<std::string> lines, dots;
  for (const Element& e : xml.all("line"))
    if (e.number("y1") < frame.top) lines.insert(e["stroke"]);
  for (const Element& e : xml.all("circle")) dots.insert(e["fill"]);
  EXPECT_EQ(lines, (std::set<std::string>{"#0072B2"}));
  EXPECT_EQ(dots, (std::set<std::string>{"#D55E00", "#CC79A7"}));
  EXPECT_EQ(xml.texts("legend"), (Texts{"line", "dots", "one"}));  // and not what stands in the note alone
  EXPECT_EQ(xml.texts("note"), Texts{"Points not drawn (not finite): 1 of 3 in dots; Outside the frame: outside"});
}

TEST(LineChart, EqualSinglePointsAreAllSeen) {
  const Xml xml = parsed(LineChart().add("a", {1}, {2}).add("b", {1}, {2}).add("c", {2}, {3}).add("d", {1}, {2}).svg());
  std::vector<double> widths;
  for (const Element& e : xml.all("path", "fill", "none")) widths.push_back(e.number("stroke-width"));
  EXPECT_EQ(widths, (Numbers{14, 10, 6, 6}));  // the last stands within the others
}

TEST(LineChart, PointsAtTheFrameAreDrawn) {
  for (double high = 1.1; high < 1e6; high *= 1.37) {
    LineChart chart({.x = {.log = true, .low = 1, .high = high}, .y = {.low = 1, .high = high}});
    const Xml xml = parsed(chart.add("a", {1}, {1}).add("b", {high}, {high}).svg());
    EXPECT_EQ(xml.all("path", "fill", "none").size(), 2u) << high;
    EXPECT_TRUE(xml.texts("note").empty()) << high;
  }
}

TEST(LineChart, ManySeriesMakeItTallerRatherThanHideIt) {
  LineChart chart({.width = 300, .height = 200});
  for (int i = 0; i < 30; ++i) chart.add("series number " + std::to_string(i), {0, 1}, {0, 1});
  const Xml xml = parsed(chart.svg());
  const Frame frame(xml);
  EXPECT_EQ(xml.texts("legend").size(), 30u);
  EXPECT_GE(frame.bottom - frame.top, 85);
  for (const Element& e : xml.all("text", "class", "legend")) EXPECT_LT(e.number("y"), frame.top);
}

TEST(LineChart, OddRangesAreDrawn) {
  for (const bool log : {false, true})
    for (const Numbers& y : {Numbers{3, 3}, Numbers{1e300, 1e-300}, Numbers{1e-300, 1e-300}, Numbers{1e300, 1e300},
                             Numbers{1e9 + 0.1, 1e9 + 0.2}, Numbers{5e-324, 1}, Numbers{1, 1 + 1e-15}})
      for (const Axis& x : {Axis{}, Axis{.low = 100}, Axis{.high = -100}}) {
        LineChart chart({.x = x, .y = {.log = log}});
        const Xml xml = parsed(chart.add("a", {0, 1}, y).svg());
        EXPECT_GE(xml.texts("y").size(), 2u) << y[0] << " " << y[1] << " " << log;
      }
  const Xml zero = parsed(LineChart().add("a", {0}, {0}).svg());
  EXPECT_EQ(zero.all("path", "fill", "none").size(), 1u);
  EXPECT_GE(parsed(LineChart().add("a", {0, 1}, {-1e300, 1e300}).svg()).texts("y").size(), 3u);
}

TEST(LineChart, RefusesWhatCannotBeDrawn) {
  EXPECT_EQ(thrown([] { (void)LineChart().svg(); }),
            "ValueError: [LineChart] a chart needs at least one series: there is none (call add first)");
  EXPECT_EQ(thrown([] {
              LineChart().add("a", {1, 2, 3}, {1, 2});
            }),
            "ValueError: [LineChart] x and y must be equally long: 3 and 2 values in series \"a\"");
  EXPECT_EQ(thrown([] { LineChart().add("a", {}, {}); }),
            "ValueError: [LineChart] a series needs at least one point: series \"a\" has none");
  EXPECT_EQ(thrown([] {
              (void)LineChart({.y = {.log = true}}).add("a", {1, 2}, {0, -1}).svg();
            }),
            "ValueError: [LineChart] there must be a point to draw: all 2 are not finite, or not positive on a log axis");
  EXPECT_EQ(thrown([] { LineChart({.y = {.log = true}}).reference("r", 0); }),
            "ValueError: [LineChart] a reference line must be finite, and positive on a log axis: \"r\" at 0");
  EXPECT_EQ(thrown([] { LineChart({.width = 100}); }),
            "ValueError: [LineChart] a picture measures from 200 x 150 to 10000 x 10000 pixels: 100 x 380");
  EXPECT_EQ(thrown([] { LineChart({.y = {.low = 2, .high = 1}}); }),
            "ValueError: [LineChart] an axis must run from low to high: y from 2 to 1");
  EXPECT_EQ(thrown([] { LineChart({.x = {.low = std::nan("")}}); }),
            "ValueError: [LineChart] the limits of an axis must be finite: x has nan");
  EXPECT_EQ(thrown([] { LineChart({.x = {.log = true, .low = 0}}); }),
            "ValueError: [LineChart] the limits of a log axis must be positive: x has 0");
}

TEST(LineChart, SavesThroughATemporaryFile) {
  const Folder folder;
  const LineChart chart = LineChart().add("a", {0, 1}, {0, 1});
  const std::string path = folder.file("loss.svg");
  write(path, "old");
  chart.save(path);
  EXPECT_EQ(read(path), chart.svg());
  EXPECT_EQ(folder.names(), Texts{"loss.svg"});
  {
    const FullDisk full(1000);
    EXPECT_EQ(thrown([&] { chart.save(path); }),
              "IoError: [LineChart] cannot write the file: " + path + ": " + std::strerror(EFBIG) + " (write elsewhere?)");
  }
  EXPECT_EQ(read(path), chart.svg());
  EXPECT_EQ(folder.names(), Texts{"loss.svg"});
  const std::string nowhere = folder.file("no/loss.svg");
  EXPECT_EQ(thrown([&] { chart.save(nowhere); }),
            "IoError: [LineChart] cannot write the file: " + nowhere + ": " + std::strerror(ENOENT) + " (create the directory first?)");
}

TEST(LineChart, SavesToAPipeWithoutReplacingIt) {
  const Folder folder;
  const std::string path = folder.file("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const int reader = ::open(path.c_str(), O_RDWR | O_NONBLOCK);
  const LineChart chart = LineChart().add("a", {0, 1}, {0, 1});
  chart.save(path);
  std::string bytes(100000, ' ');
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(::read(reader, bytes.data(), bytes.size()), 0)));
  ::close(reader);
  EXPECT_EQ(bytes, chart.svg());
  EXPECT_TRUE(std::filesystem::is_fifo(path));
}
