#include <capstan/data/table.h>

#include <random>

#include "support.h"

using namespace capstan;

namespace {

// Any bytes give a table or a FormatError. A copy of just their size lets a sanitizer see a read past the end.
bool parses(const std::string& text, const data::TableOptions& options) {
  const std::vector<char> exact(text.begin(), text.end());
  try {
    const Tensor t = data::parse_table({exact.data(), exact.size()}, options);
    EXPECT_EQ(t.dim(), 2);
    EXPECT_GT(t.numel(), 0);
    EXPECT_LE(t.numel(), static_cast<std::int64_t>(text.size()));
    return true;
  } catch (const FormatError&) {
    return false;
  }
}

}  // namespace

TEST(TableGarbage, MutatedTables) {
  const std::vector<std::string> seeds = {"1,2,3\n4,5,6\n",
                                          "a\tb\r\n1.5\t-2e10\r\n+.5\tnan\r\n",
                                          "  1 2  3\n 4 5 6\n",
                                          "\"x y\";\"z\"\"w\"\n1;2\n3;4",
                                          "\xEF\xBB\xBFx,y\n1e-400,1e400\n",
                                          "1\n2\n3\n4\n5\n6\n7\n8\n9\n",
                                          ",,,,\n\n\n\n"};
  const std::string pieces[] = {"\n",
                                "\r\n",
                                "\r",
                                ",",
                                "\t",
                                ";",
                                " ",
                                "\"",
                                "-",
                                "+",
                                "e",
                                ".",
                                "nan",
                                "inf",
                                "1e999",
                                "1e-999",
                                "\n\n",
                                std::string(1, '\0'),
                                "\xFF",
                                "\xEF\xBB\xBF",
                                "99999999999999999999",
                                ",,,,,,,,,,,,,,,,"};
  std::mt19937 random(20240607);
  const auto below = [&](std::size_t n) { return random() % n; };
  int good = 0, bad = 0;
  for (int round = 0; round < 70000; ++round) {
    std::string text = seeds[below(std::size(seeds))];
    for (std::size_t edits = 1 + below(4); edits > 0; --edits) {
      const std::size_t at = below(text.size() + 1);
      switch (below(5)) {
        case 0: text.insert(at, pieces[below(std::size(pieces))]); break;
        case 1: text.insert(at, 1, static_cast<char>(random())); break;
        case 2: text.erase(at, below(6)); break;
        case 3: text.insert(at, text.substr(below(text.size() + 1), below(12))); break;
        default:
          if (at < text.size()) text[at] = static_cast<char>(random());
      }
    }
    const data::TableOptions options = {.delimiter = "\0\0\0,; \t"[below(7)],
                                        .header = below(2) == 0,
                                        .dtype = below(2) ? DType::f32 : DType::f64,
                                        .allow_non_finite = below(2) == 0};
    ++(parses(text, options) ? good : bad);
  }
  EXPECT_GT(good, 3000);
  EXPECT_GT(bad, 3000);
}

TEST(TableGarbage, RandomBytes) {
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::string text(random() % 64, '\0');
    const bool near = round % 2;  // bytes that tables are made of
    for (char& c : text) c = near ? "0123456789+-.eE,;\t \n\r\"na"[random() % 25] : static_cast<char>(random());
    parses(text, {.header = random() % 2 == 0});
  }
}
