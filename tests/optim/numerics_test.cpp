#include <capstan/optim/make.h>

#include "all_methods.h"
#include "files.h"
#include "support.h"

// docs/NUMERICS.md lists each method's formula with its defaults and its paper, as explain() tells them.

TEST(Numerics, ThePageHasEachMethodsFormulaAndNoOther) {
  const std::string page = read(std::string(CAPSTAN_TEST_FILES) + "/../docs/NUMERICS.md");
  const std::size_t begin = page.find("```text\n"), end = page.rfind("```");
  ASSERT_TRUE(begin != std::string::npos && begin + 8 < end);
  const std::string list = page.substr(begin + 8, end - begin - 8);
  std::size_t size = 0;
  for (const std::string& method : built_in_methods) {
    const std::string told = capstan::optim::make(method, {{"w", capstan::zeros({2, 3})}})->explain();
    const std::string entry = told.substr(0, told.find('\n')) + told.substr(told.rfind('\n')) + '\n';  // between the two: sizes
    EXPECT_TRUE(list.find(entry) != std::string::npos) << "docs/NUMERICS.md must say:\n" << entry;
    size += entry.size();
  }
  EXPECT_EQ(list.size(), size) << "docs/NUMERICS.md lists a method that is not there, or one twice";
}
