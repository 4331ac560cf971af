#include <capstan/core/create.h>
#include <capstan/data/table.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <thread>

#include "support.h"

using namespace capstan;
using data::parse_table;
using data::read_table;
using Values = std::vector<double>;
using Names = std::vector<std::string>;

namespace {
constexpr double infinity = std::numeric_limits<double>::infinity();
}

TEST(Table, DelimitersAreFoundOut) {
  for (const char* text : {"1\t2\t3\n4\t5\t6\n", "1,2,3\n4,5,6\n", "1;2;3\n4;5;6\n", "1 2 3\n4 5 6\n", "  1   2   3  \n4 5 6 \n",
                           "1, 2 ,3\n 4,\t5,6 \n", "1\t 2\t3 \n 4\t5\t6\n", "1 ; 2;3\n4;5;6\n"}) {
    const Tensor t = parse_table(text);
    EXPECT_EQ(t.shape(), (Shape{2, 3})) << text;
    EXPECT_EQ(t.dtype(), DType::f32);
    EXPECT_EQ(values(t), (Values{1, 2, 3, 4, 5, 6})) << text;
  }
  EXPECT_EQ(parse_table("5").shape(), (Shape{1, 1}));
  EXPECT_EQ(parse_table("5\n6").shape(), (Shape{2, 1}));
}

TEST(Table, DelimitersByOption) {
  EXPECT_EQ(values(parse_table("1|2\n3|4", {.delimiter = '|'})), (Values{1, 2, 3, 4}));
  EXPECT_EQ(values(parse_table("1:2\n3:4", {.delimiter = ':'})), (Values{1, 2, 3, 4}));
  EXPECT_EQ(values(parse_table("1 2\t3", {.delimiter = ' '})), (Values{1, 2, 3}));
  EXPECT_EQ(parse_table("1\t2", {.delimiter = '\t'}).shape(), (Shape{1, 2}));
  EXPECT_EQ(parse_table("7\n8\n9", {.delimiter = ','}).shape(), (Shape{3, 1}));
}

TEST(Table, LineEnds) {
  for (const char* text :
       {"1,2\n3,4", "1,2\n3,4\n", "1,2\r\n3,4", "1,2\r\n3,4\r\n", "1,2\n3,4\r\n", "1,2\r\n3,4\n", "1,2\n3,4\n\n\n", "1,2\r\n3,4\r\n\r\n",
        "\xEF\xBB\xBF"
        "1,2\n3,4\n",
        "1 2 \r\n3 4 \r\n", "1\t2\r\n3\t4\r\n"})
    EXPECT_EQ(values(parse_table(text)), (Values{1, 2, 3, 4})) << text;
}

TEST(Table, Header) {
  Names names;
  const auto read = [&](const char* text) { return values(parse_table(text, {.header = true, .names = &names})); };
  EXPECT_EQ(read("a,b\n1,2\n"), (Values{1, 2}));
  EXPECT_EQ(names, (Names{"a", "b"}));
  EXPECT_EQ(read("\"fixed, acidity\";\"a \"\"b\"\"\" ; plain name \r\n1;2;3\r\n"), (Values{1, 2, 3}));
  EXPECT_EQ(names, (Names{"fixed, acidity", "a \"b\"", "plain name"}));
  EXPECT_EQ(read("  x \"y z\"\tw \n1 2 3"), (Values{1, 2, 3}));
  EXPECT_EQ(names, (Names{"x", "y z", "w"}));
  EXPECT_EQ(read("größe,\xE2\x82\xAC,\xF0\x9F\x8C\x8D\n1,2,3"), (Values{1, 2, 3}));
  EXPECT_EQ(names, (Names{"größe", "\xE2\x82\xAC", "\xF0\x9F\x8C\x8D"}));
  EXPECT_EQ(read(",b,\n1,2,3"), (Values{1, 2, 3}));
  EXPECT_EQ(names, (Names{"", "b", ""}));
  EXPECT_EQ(values(parse_table("a b\n1\n", {.delimiter = ',', .header = true, .names = &names})), (Values{1}));
  EXPECT_EQ(names, (Names{"a b"}));
  EXPECT_EQ(values(parse_table("a b\n1 2\n", {.header = true})), (Values{1, 2}));
}

TEST(Table, FormsOfNumbers) {
  const Tensor t = parse_table("1,+2,-3,.5,5.,1e3,1E-3,+1.5e+2,007,12345678901234567890", {.dtype = DType::f64});
  EXPECT_EQ(values(t), (Values{1, 2, -3, 0.5, 5, 1000, 0.001, 150, 7, 12345678901234567890.0}));
  EXPECT_TRUE(std::signbit(values(parse_table("-0"))[0]));
}

TEST(Table, LimitsOfNumbers) {
  const auto f32 = [](const std::string& text) { return parse_table(text).data<float>()[0]; };
  const auto f64 = [](const std::string& text) { return parse_table(text, {.dtype = DType::f64}).data<double>()[0]; };
  EXPECT_EQ(f32("3.4028235e38"), std::numeric_limits<float>::max());
  EXPECT_EQ(f32("1.4e-45"), std::numeric_limits<float>::denorm_min());
  EXPECT_EQ(f64("-1.7976931348623157e308"), std::numeric_limits<double>::lowest());
  EXPECT_EQ(f64("4.9e-324"), std::numeric_limits<double>::denorm_min());
  for (const char* tiny : {"1e-50", "0.001e-60", "1e-999999999999999999999", "+1e-50"}) EXPECT_EQ(f32(tiny), 0) << tiny;
  EXPECT_EQ(f32("0." + std::string(60, '0') + "1e9"), 0);
  EXPECT_EQ(f64("1e-400"), 0);
  EXPECT_EQ(f64("0." + std::string(400, '0') + "1"), 0);
  EXPECT_TRUE(std::signbit(f32("-1e-50")));
  EXPECT_EQ(f64("1" + std::string(400, '0') + "e-400"), 1);
  // A hair below the middle of two floats: rounding by way of a double would end on the wrong one.
  EXPECT_EQ(f32("1.00000017881393432617187499"), std::nextafter(1.0F, 2.0F));
}

TEST(Table, NonFiniteByOption) {
  const Tensor t = parse_table("nan,NaN,-nan,inf,-INF,Infinity,+inf,1", {.allow_non_finite = true});
  const Values v = values(t);
  for (int i : {0, 1, 2}) EXPECT_TRUE(std::isnan(v[static_cast<std::size_t>(i)]));
  EXPECT_EQ(Values(v.begin() + 3, v.end()), (Values{infinity, -infinity, infinity, infinity, 1}));
}

TEST(Table, LongLines) {
  std::string text;
  for (int i = 0; i < 300000; ++i) text += (i ? "," : "") + std::to_string(i % 1000);
  const Tensor t = parse_table(text + "\n" + text);
  EXPECT_EQ(t.shape(), (Shape{2, 300000}));
  EXPECT_EQ(t.data<float>()[599999], 999);
  EXPECT_EQ(parse_table(std::string(1 << 20, ' ') + "1" + std::string(1 << 20, '0') + "e-1048576").item(), 1);
}

TEST(Table, ManyRows) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += std::to_string(i) + " " + std::to_string(-i) + "\r\n";
  const Tensor t = parse_table(text);
  EXPECT_EQ(t.shape(), (Shape{100000, 2}));
  EXPECT_EQ(t.data<float>()[199998], 99999);
  EXPECT_EQ(t.data<float>()[199999], -99999);
}

TEST(Table, FilesAndPipes) {
  const Scratch file("t.csv", "1,2\n3,4\n");
  EXPECT_EQ(values(read_table(file.path())), (Values{1, 2, 3, 4}));

  const Scratch pipe("pipe");
  ASSERT_EQ(::mkfifo(pipe.path().c_str(), 0600), 0);
  const std::string text = "1.25\n" + std::string(300000, '0') + "2\n";  // more than the buffer's first size
  std::thread writer([&] {
    std::FILE* out = std::fopen(pipe.path().c_str(), "wb");
    std::fwrite(text.data(), 1, text.size(), out);
    std::fclose(out);
  });
  EXPECT_EQ(values(read_table(pipe.path())), (Values{1.25, 2}));
  writer.join();
}

// The NASA table of airfoil self-noise, as the airfoil example takes it: CAPSTAN_DATA is the file or its folder.
TEST(Table, Airfoil) {
  const char* variable = std::getenv("CAPSTAN_DATA");
  std::string path = variable ? variable : "";
  if (std::filesystem::is_directory(path)) path += "/airfoil_self_noise.dat";
  if (!std::filesystem::is_regular_file(path)) {
    const char* ci = std::getenv("CI");
    if (ci && std::string_view(ci) == "true") FAIL() << "CAPSTAN_DATA must lead to airfoil_self_noise.dat: " << path;
    GTEST_SKIP() << "CAPSTAN_DATA does not lead to airfoil_self_noise.dat, which ./run data airfoil fetches: " << path;
  }
  const Tensor t = read_table(path, {.dtype = DType::f64});
  ASSERT_EQ(t.shape(), (Shape{1503, 6}));
  EXPECT_EQ(values(t.rows(0, 1)), (Values{800, 0, 0.3048, 71.3, 0.00266337, 126.201}));
  EXPECT_EQ(values(t.rows(1502, 1503)), (Values{6300, 15.6, 0.1016, 39.6, 0.0528487, 104.204}));
  Values sums(6);
  for (std::int64_t i = 0; i < 1503; ++i)
    for (std::int64_t j = 0; j < 6; ++j) sums[static_cast<std::size_t>(j)] += t.data<double>()[i * 6 + j];
  const Values expected = {4338230, 10193.8, 205.232, 76443.7, 16.74324023, 187628.422};
  for (std::size_t j = 0; j < 6; ++j) EXPECT_NEAR(sums[j], expected[j], 1e-9 * expected[j]) << j;
}

TEST(Columns, CopiesARange) {
  const Tensor t = parse_table("1,2,3\n4,5,6");
  const Tensor right = data::columns(t, 1, 3);
  EXPECT_EQ(right.shape(), (Shape{2, 2}));
  EXPECT_EQ(values(right), (Values{2, 3, 5, 6}));
  EXPECT_EQ(values(data::columns(t, 2, 3)), (Values{3, 6}));
  EXPECT_EQ(values(data::columns(t.to(DType::i64), 0, 1)), (Values{1, 4}));
  EXPECT_EQ(data::columns(zeros({0, 3}), 0, 2).shape(), (Shape{0, 2}));
  right.data<float>()[0] = 9;
  EXPECT_EQ(t.data<float>()[1], 2);
}

TEST(Columns, Refuses) {
  const Tensor t = zeros({2, 3});
  EXPECT_EQ(thrown([&] { data::columns(t, 1, 4); }),
            "ShapeError: [columns] 0 <= begin < end <= 3 must hold: begin 1, end 4, tensor [2, 3]");
  EXPECT_EQ(thrown([&] { data::columns(t, 1, 1); }),
            "ShapeError: [columns] 0 <= begin < end <= 3 must hold: begin 1, end 1, tensor [2, 3]");
  EXPECT_EQ(thrown([&] { data::columns(t, -1, 1); }),
            "ShapeError: [columns] 0 <= begin < end <= 3 must hold: begin -1, end 1, tensor [2, 3]");
  EXPECT_EQ(thrown([&] { data::columns(zeros({3}), 0, 1); }), "ShapeError: [columns] a table must be [rows, columns]: [3]");
}
