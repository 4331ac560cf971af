// Every piece of text in a throw of autograd/ stands in a test of this folder.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "support.h"

namespace {

std::string all_text(const std::string& folder, const std::string& except = "") {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.path().extension() == ".cpp" && entry.path().filename() != except) files.push_back(entry.path());
  std::string text;
  for (const auto& path : files) {
    std::ifstream file(path);
    text.append(std::istreambuf_iterator<char>(file), {});
  }
  return std::regex_replace(text, std::regex("\"\\s*\n\\s*\""), "");  // a text over several lines is one text
}

}  // namespace

TEST(ErrorTexts, EachIsTested) {
  const std::string source = all_text(CAPSTAN_TEST_FILES "/../autograd"),
                    tests = all_text(CAPSTAN_TEST_FILES "/autograd", "error_texts_test.cpp");
  const std::regex call(R"re(fail<\w+>\(((?:[^;"]|"[^"]*")*)\);)re"), literal(R"re("([^"]*)")re");
  std::set<std::string> pieces;
  std::ptrdiff_t calls = 0;
  for (std::sregex_iterator c(source.begin(), source.end(), call), end; c != end; ++c, ++calls) {
    const std::string arguments = (*c)[1];
    for (std::sregex_iterator l(arguments.begin(), arguments.end(), literal); l != end; ++l) pieces.insert((*l)[1]);
  }
  const std::regex any(R"(\bfail<)");  // nothing that the first expression overlooks
  EXPECT_EQ(std::distance(std::sregex_iterator(source.begin(), source.end(), any), std::sregex_iterator()), calls);
  EXPECT_GE(calls, 40);
  for (const std::string& piece : pieces) EXPECT_NE(tests.find(piece), std::string::npos) << "no test holds: " << piece;
}
