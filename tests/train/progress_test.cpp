#include <capstan/train/progress.h>

#include <cmath>

#include "support.h"
#include "terminal.h"

namespace {

/// What `body` makes a Progress write to a plain file.
template <class Body>
std::string written(ProgressStyle style, Body body) {
  const Folder folder;
  std::FILE* file = std::fopen(folder.file("out").c_str(), "w");
  body(ProgressOptions{.style = style, .file = file});
  std::fclose(file);
  return read(folder.file("out"));
}

}  // namespace

TEST(Progress, APlainLinePerEpoch) {
  const std::string text = written(ProgressStyle::automatic, [](ProgressOptions options) {  // a file is no terminal
    Progress progress(10, 5, options);
    for (int epoch = 0; epoch < 10; ++epoch) {
      for (int step = 0; step < 5; ++step) progress.step({{"loss", 0.5}});
      progress.end_epoch({{"loss", 0.231 / (epoch + 1)}, {"correct", 359 + epoch}});
    }
  });
  const std::string seconds = R"(  \d+\.\d\d s\n)";
  EXPECT_TRUE(matches(text, R"(epoch  1/10  loss 0\.2310  correct 359\.0)" + seconds + R"((epoch  [2-9]/10  loss 0\.\d+  correct 36\d\.0)" +
                                seconds + R"(){8}epoch 10/10  loss 0\.02310  correct 368\.0)" + seconds))
      << text;
}

TEST(Progress, StartsAtAnEpoch) {
  const std::string text = written(ProgressStyle::plain, [](ProgressOptions options) {
    options.done = 8;
    Progress progress(10, 5, options);
    progress.end_epoch();
    progress.end_epoch();
  });
  EXPECT_TRUE(matches(text, R"(epoch  9/10  \d\.\d\d s\nepoch 10/10  \d\.\d\d s\n)")) << text;
  EXPECT_EQ(thrown([] { Progress progress(10, 5, {.done = 11}); }),
            "ValueError: [Progress] the epochs that are done must lie in [0, epochs]: 11 of 10 (epochs is the number of the last one)");
  EXPECT_EQ(thrown([] { Progress progress(0, 5, {.done = -1}); }),
            "ValueError: [Progress] the epochs that are done must lie in [0, epochs]: -1 of 0 (epochs is the number of the last one)");
}

TEST(Progress, PlainWithUnknownTotalsAndWithoutValues) {
  const std::string text = written(ProgressStyle::plain, [](ProgressOptions options) {
    Progress progress(0, 0, options);
    progress.step();
    progress.end_epoch();
    progress.end_epoch({{"a\nb\x1b[2J", -0.5}});
  });
  EXPECT_TRUE(matches(text, R"(epoch 1  \d\.\d\d s\nepoch 2  a\?b\?\[2J -0\.5000  \d\.\d\d s\n)")) << text;
}

TEST(Progress, PlainSaysNothingOfAnUnfinishedEpoch) {
  EXPECT_EQ(written(ProgressStyle::plain, [](ProgressOptions options) { Progress(3, 3, options).step({{"loss", 1}}); }), "");
}

TEST(Progress, OffSaysNothing) {
  EXPECT_EQ(written(ProgressStyle::off,
                    [](ProgressOptions options) {
                      Progress progress(2, 2, options);
                      train(progress, 2, 2, 0);
                    }),
            "");
}

TEST(Progress, ValuesHaveFourDigits) {
  const std::string text = written(ProgressStyle::plain, [](ProgressOptions options) {
    Progress progress(0, 0, options);
    progress.end_epoch({{"a", 0.0},
                        {"b", 12.3456},
                        {"c", 123456},
                        {"d", 1e-5},
                        {"e", -2.5e12},
                        {"f", 0.0123456},
                        {"g", NAN},
                        {"h", -HUGE_VAL},
                        {"i", -0.0}});
  });
  EXPECT_TRUE(text.starts_with("epoch 1  a 0.000  b 12.35  c 123456  d 1.000e-05  e -2.500e+12  f 0.01235  g nan  h -inf  i 0.000  "))
      << text;
}

TEST(Progress, RefusesNegativeTotals) {
  EXPECT_EQ(thrown([] { Progress progress(-1, 10); }),
            "ValueError: [Progress] totals cannot be negative: epochs -1, steps per epoch 10 (0 stands for unknown)");
  EXPECT_EQ(thrown([] { Progress progress(1, -10); }),
            "ValueError: [Progress] totals cannot be negative: epochs 1, steps per epoch -10 (0 stands for unknown)");
}
