#include <cmath>

#include "rates.h"
#include "xml.h"

TEST(RateMicroscope, WritesItsHistogramAsCSV) {
  Tensor w = parameter(zeros({4}, DType::f64));
  optim::Adagrad adagrad(Parameters{{"a \"w\"", w}}, plain());
  RateMicroscope microscope(adagrad);
  microscope.observe(5);
  step(adagrad, w, {0.9, 0.95, 0.4, 0});
  microscope.observe(10);
  Folder folder;
  write(folder.file("rates.csv"), "an old one");
  microscope.write_csv(folder.file("rates.csv"));
  EXPECT_EQ(folder.names(), std::vector<std::string>{"rates.csv"});
  const std::string text = read(folder.file("rates.csv"));
  const auto rows = lines(text);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(text.back(), '\n');
  EXPECT_EQ(rows[0],
            "step,coordinates,reached,frozen,left,least,5 %,25 %,median,75 %,95 %,largest,\"median of a \"\"w\"\"\",\"frozen of a "
            "\"\"w\"\"\",from 1,from 1.25893,from 1.58489,from 1.99526");
  EXPECT_EQ(rows[1], "5,4,0,0,nan,nan,nan,nan,nan,nan,nan,nan,nan,0,0,0,0,0");
  EXPECT_TRUE(rows[2].starts_with("10,4,3,0,1,")) << rows[2];
  EXPECT_TRUE(rows[2].ends_with(",0,2,0,0,1")) << rows[2];
  microscope.write_csv(folder.file("rates.png"));  // no picture, whatever it is called
  EXPECT_EQ(read(folder.file("rates.png")), text);
  const FullDisk disk(40);
  EXPECT_EQ(thrown([&] { microscope.write_csv(folder.file("rates.csv")); }),
            "IoError: [RateMicroscope] cannot write the file: " + folder.file("rates.csv") + ": File too large (write elsewhere?)");
  EXPECT_EQ(read(folder.file("rates.csv")), text);
}

TEST(RateMicroscope, DrawsItsHistogramOverTime) {
  Tensor w = parameter(zeros({10}, DType::f64));
  optim::Adagrad adagrad(Parameters{{"w", w}}, plain());
  RateMicroscope microscope(adagrad, {.frozen_below = 0.2});
  const auto draw = [&] { return parsed(microscope.svg()); };
  for (int t = 1; t <= 30; ++t) {
    step(adagrad, w, {1, 1, 1, 1, 1, 0.1, 0.01, 0.01, 0.01, 0});
    microscope.observe();
    if (t == 1) draw();  // alone
  }
  const Xml xml = draw();
  EXPECT_EQ(xml.texts("title"), std::vector<std::string>{"Effective rates of adagrad"});
  EXPECT_EQ(xml.texts("legend"), (std::vector<std::string>{"median", "5 % and 95 % of the coordinates"}));
  EXPECT_EQ(xml.texts("note"),
            std::vector<std::string>{"9 of 10 coordinates frozen at the end: below 0.2 of their first rate; 1 without a gradient"});
  EXPECT_EQ(xml.texts("key"), std::vector<std::string>{"share"});
  EXPECT_EQ(xml.texts("share"), (std::vector<std::string>{"0.5 %", "1 %", "2 %", "5 %", "10 %", "20 %", "50 %"}));
  EXPECT_EQ(xml.texts("y"), (std::vector<std::string>{"0.2", "0.5", "1", "2", "5", "10", "20", "50", "100"}));
  const Frame frame(xml);
  const auto shades = xml.all("path", "fill-rule", "evenodd");
  ASSERT_EQ(shades.size(), 3u);  // a half, a third and a ninth
  for (const Element& shade : shades) {
    EXPECT_EQ(xml.all("rect", "fill", shade["fill"]).size(), 1u);  // its field of the key
    EXPECT_EQ(places(shade["d"]).size(), 30u);                     // one for each observation
    for (const auto& field : places(shade["d"]))
      for (const Place p : field) EXPECT_TRUE(frame.holds(p));
  }
  // The median is one of the five rates 1/sqrt(t), and lies in their field.
  const auto curves = xml.all("path", "stroke-width", "1.8");
  ASSERT_EQ(curves.size(), 1u);
  const auto median = places(curves[0]["d"]).at(0);
  EXPECT_NEAR(median.front().x, frame.left, 0.01);
  EXPECT_NEAR(median.back().x, frame.right, 0.01);
  const auto dark = places(shades.back()["d"]);
  EXPECT_LE(dark.front()[1].y - 0.01, median.front().y);
  EXPECT_GE(dark.front()[0].y + 0.01, median.front().y);
  EXPECT_LE(dark.back()[1].y - 0.01, median.back().y);
  EXPECT_GE(dark.back()[0].y + 0.01, median.back().y);
  EXPECT_EQ(microscope.svg(), microscope.svg());
  Folder folder;
  microscope.save(folder.file("rates.svg"));
  EXPECT_EQ(read(folder.file("rates.svg")), microscope.svg());
}

TEST(RateMicroscope, DrawsManyObservationsAndFarApartRates) {
  Tensor w = parameter(zeros({3}, DType::f64));
  optim::Adagrad adagrad(Parameters{{"w", w}}, plain());
  RateMicroscope microscope(adagrad, {.title = "Far apart", .width = 300, .height = 200});
  for (int t = 1; t <= 1000; ++t) {
    if (t == 500) adagrad.set_lr(0);  // no rate to draw for a while
    if (t == 600) adagrad.set_lr(1);
    step(adagrad, w, {1e-70 * t, 1, 1e70});
    microscope.observe();
  }
  const Xml xml = parsed(microscope.svg());
  EXPECT_EQ(xml.texts("title"), std::vector<std::string>{"Far apart"});
  EXPECT_LT(microscope.svg().size(), 100000u);
  const auto curves = xml.all("path", "stroke-width", "1.8");
  ASSERT_EQ(curves.size(), 1u);
  EXPECT_EQ(places(curves[0]["d"]).size(), 2u);  // with a gap
  const Frame frame(xml);
  for (const auto& piece : places(curves[0]["d"]))
    for (const Place p : piece) EXPECT_TRUE(frame.holds(p));
}

// All rates below 1: the axis and the columns end where they do.
TEST(RateMicroscope, ShowsWhatThereIsAndNoMore) {
  Tensor w = parameter(zeros({2}, DType::f64));
  optim::Adagrad adagrad(Parameters{{"w", w}}, plain());
  RateMicroscope microscope(adagrad);
  for (int t = 0; t < 3; ++t) {
    step(adagrad, w, {40, 30});
    microscope.observe();
  }
  EXPECT_EQ(parsed(microscope.svg()).texts("y"), (std::vector<std::string>{"0.015", "0.020", "0.025", "0.030", "0.035"}));
  Folder folder;
  microscope.write_csv(folder.file("rates.csv"));
  EXPECT_TRUE(lines(read(folder.file("rates.csv")))[0].ends_with(
      ",frozen of w,from 0.0125893,from 0.0158489,from 0.0199526,from 0.0251189,from 0.0316228"));
}

TEST(RateMicroscope, ShadesByShare) {
  Tensor w = parameter(zeros({3}, DType::f64)), many = parameter(zeros({300}, DType::f64));
  optim::Adagrad adagrad(Parameters{{"w", w}}, plain()), other(Parameters{{"many", many}}, plain());
  step(adagrad, w, {1, 1e-3, 1e-6});
  RateMicroscope thirds(adagrad), outlier(other);
  for (int t = 1; t <= 200; ++t) thirds.observe(t);
  const auto fields = parsed(thirds.svg()).all("path", "fill-rule", "evenodd");
  ASSERT_EQ(fields.size(), 1u);  // also where two observations share a column
  EXPECT_EQ(places(fields[0]["d"]).size(), 3 * 100u);
  EXPECT_EQ(fields[0]["fill"], "#48719C");  // from 20 % on
  Values g(300, 1);
  g[7] = 100;  // below the others, with nothing between
  step(other, many, g);
  outlier.observe();
  const Xml xml = parsed(outlier.svg());
  const Frame frame(xml);
  const auto shades = xml.all("path", "fill-rule", "evenodd");
  ASSERT_EQ(shades.size(), 2u);
  for (const Element& shade : shades) {
    const auto field = places(shade["d"]);
    ASSERT_EQ(field.size(), 1u);
    EXPECT_LT(field[0][0].y - field[0][1].y, (frame.bottom - frame.top) / 20);  // no more than its row
    EXPECT_GT(field[0][0].y, field[0][1].y);
  }
}
