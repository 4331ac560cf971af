#include <capstan/data/samples.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>

#include "support.h"

using namespace capstan;

namespace {

// CAPSTAN_DATA for the length of a scope.
class Variable {
 public:
  explicit Variable(const char* value) {
    if (const char* old = std::getenv("CAPSTAN_DATA")) old_ = old;
    set(value);
  }
  ~Variable() { set(old_ ? old_->c_str() : nullptr); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  static void set(const char* value) { value ? ::setenv("CAPSTAN_DATA", value, 1) : ::unsetenv("CAPSTAN_DATA"); }
  std::optional<std::string> old_;
};

std::string shipped() {
  std::ifstream file(CAPSTAN_SHARE "/digits.csv", std::ios::binary);
  std::stringstream all;
  all << file.rdbuf();
  return all.str();
}

// What digits() throws for a file of these bytes, its path shortened to FILE.
std::string refused(const std::string& bytes) {
  const Variable none(nullptr);
  const Scratch file("digits.csv", bytes);
  std::string text = thrown([&] { data::digits(file.folder()); });
  const std::size_t at = text.find(file.path());
  return at == std::string::npos ? text : text.replace(at, file.path().size(), "FILE");
}

}  // namespace

TEST(Digits, Shipped) {
  const Variable none(nullptr);
  const data::Dataset set = data::digits();
  ASSERT_EQ(set.x.shape(), (Shape{1797, 64}));
  ASSERT_EQ(set.y.shape(), (Shape{1797}));
  ASSERT_EQ(set.x.dtype(), DType::f32);
  ASSERT_EQ(set.y.dtype(), DType::i64);
  double pixels = 0, weighted = 0;
  for (std::int64_t i = 0; i < set.x.numel(); ++i) {
    const double pixel = static_cast<double>(set.x.data<float>()[i]);
    EXPECT_TRUE(pixel >= 0 && pixel <= 1);
    pixels += pixel;
    weighted += pixel * static_cast<double>(i % 1009);
  }
  EXPECT_EQ(pixels, 561718 / 16.0);
  EXPECT_EQ(weighted, 17696212.7500);
  std::vector<int> count(10);
  for (std::int64_t i = 0; i < 1797; ++i) ++count[static_cast<std::size_t>(set.y.data<std::int64_t>()[i])];
  EXPECT_EQ(count, (std::vector<int>{178, 182, 177, 183, 181, 182, 181, 179, 174, 180}));
  EXPECT_EQ(std::vector<double>(set.x.data<float>(), set.x.data<float>() + 8),
            (std::vector<double>{0, 0, 0.3125, 0.8125, 0.5625, 0.0625, 0, 0}));
  EXPECT_EQ(values(set.y.rows(0, 5)), (std::vector<double>{0, 1, 2, 3, 4}));
}

TEST(Digits, SplitOfTheReadme) {
  const Variable none(nullptr);
  const auto [training, test] = data::digits().split(5);
  EXPECT_EQ(training.size(), 1437);
  EXPECT_EQ(test.size(), 360);
}

TEST(Digits, WhereTheyAreSought) {
  const std::string bytes = shipped();
  ASSERT_EQ(bytes.size(), 264712U);
  std::string changed = bytes;
  changed[0] = '1';  // the first pixel tells the files apart
  const Scratch ours("digits.csv", changed), empty("other.csv", "1\n");
  const auto first_pixel = [](const std::string& share) { return data::digits(share).x.data<float>()[0]; };
  {
    const Variable variable(ours.folder().c_str());
    EXPECT_EQ(first_pixel(CAPSTAN_SHARE), 0.0625F);
  }
  for (const std::string& other : {empty.folder(), empty.path(), std::string("/nowhere"), std::string()}) {
    const Variable variable(other.c_str());
    EXPECT_EQ(first_pixel(CAPSTAN_SHARE), 0);
    EXPECT_EQ(first_pixel(ours.folder()), 0.0625F);
  }
}

TEST(Digits, Missing) {
  {
    const Variable variable("/nowhere");
    EXPECT_EQ(thrown([] { data::digits("/neither"); }),
              "IoError: [digits] the sample data must be found: not /nowhere/digits.csv, /neither/digits.csv"
              " (set CAPSTAN_DATA to the folder that holds digits.csv)");
  }
  const Variable none(nullptr);
  EXPECT_EQ(
      thrown([] { data::digits("/neither"); }),
      "IoError: [digits] the sample data must be found: not /neither/digits.csv (set CAPSTAN_DATA to the folder that holds digits.csv)");
  EXPECT_EQ(thrown([] { data::digits(""); }),
            "IoError: [digits] the sample data must be found: no folder is known (set CAPSTAN_DATA to the folder that holds digits.csv)");
}

TEST(Digits, Malformed) {
  const std::string bytes = shipped();
  const auto with_first_line = [&](const std::string& line) { return line + bytes.substr(bytes.find('\n')); };
  const std::string zeros = [] {
    std::string s;
    for (int i = 0; i < 62; ++i) s += "0,";
    return s;
  }();
  EXPECT_EQ(refused(with_first_line("17," + zeros + "0,0")),
            "FormatError: [digits] values must be the integers 0 to 16: 17 at FILE, line 1, column 1");
  EXPECT_EQ(refused(with_first_line(zeros + "0,-1,0")),
            "FormatError: [digits] values must be the integers 0 to 16: -1 at FILE, line 1, column 64");
  EXPECT_EQ(refused(with_first_line("0.5," + zeros + "0,0")),
            "FormatError: [digits] values must be the integers 0 to 16: 0.5 at FILE, line 1, column 1");
  EXPECT_EQ(refused(with_first_line("1e20," + zeros + "0,0")),
            "FormatError: [digits] values must be the integers 0 to 16: 100000002004087734272 at FILE, line 1, column 1");
  EXPECT_EQ(refused(with_first_line(zeros + "0,0,10")),
            "FormatError: [digits] values must be the integers 0 to 9: 10 at FILE, line 1, column 65");
  EXPECT_EQ(refused(bytes.substr(bytes.find('\n') + 1)), "FormatError: [digits] the table must be [1797, 65]: [1796, 65] in FILE");
  EXPECT_EQ(refused(""), "FormatError: [read_table] a table must have rows: FILE is empty");
}
