// Each operation that a header of autograd/ops declares has all its rows; what is missing is named.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "../fuzz/operations.h"
#include "../operations/row.h"
#include "../oracles/answers.h"
#include "ops_table.h"

namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The public headers of autograd/ops, which ops.h includes, one behind the other.
std::string headers() {
  std::string text;
  const std::string umbrella = text_of(CAPSTAN_TEST_FILES "/../autograd/ops.h");
  for (const auto& entry : std::filesystem::directory_iterator(CAPSTAN_TEST_FILES "/../autograd/ops"))
    if (umbrella.find("#include <capstan/autograd/ops/" + entry.path().filename().string() + ">") != std::string::npos)
      text += text_of(entry.path());
  return text;
}

/// What they declare, without the result's type and ";".
std::set<std::string> declarations() {
  const std::string text = headers();
  const std::regex declaration(R"(\n[\w:<>]+ ?((operator\S+|\w+|\(\w+\))\([^;]*\));)"), any(R"(\n\w[^\n]*\()");
  std::set<std::string> found;
  for (std::sregex_iterator i(text.begin(), text.end(), declaration), end; i != end; ++i)
    found.insert(
        std::regex_replace(std::regex_replace(std::string((*i)[1]), std::regex(R"(\s+)"), " "), std::regex(R"(^\((\w+)\))"), "$1"));
  EXPECT_EQ(std::distance(std::sregex_iterator(text.begin(), text.end(), any), std::sregex_iterator()), std::ptrdiff_t(found.size()))
      << "the first expression overlooks one that the second finds";
  return found;
}

/// The word before the arguments of a declaration; of the name of a row, before what tells its forms apart.
std::string word(const std::string& text) { return text.substr(0, text.find_first_of("(,")); }

std::set<std::string> words(const std::set<std::string>& texts) {
  std::set<std::string> all;
  for (const std::string& text : texts) all.insert(word(text));
  return all;
}

void expect_each(const std::set<std::string>& wanted, const std::set<std::string>& found, const char* missing) {
  EXPECT_GE(wanted.size(), 100u);
  for (const std::string& name : wanted) EXPECT_TRUE(found.count(name)) << missing << name;
}

}  // namespace

TEST(Complete, EachDeclarationHasARowOfTheTable) {
  std::set<std::string> found;
  for (const OpRow& row : ops_table()) found.insert(row.declaration);
  const std::set<std::string> declared = declarations();
  expect_each(declared, found, "an operation without a row of the table (tests/operations): ");
  for (const std::string& name : found) EXPECT_TRUE(declared.count(name)) << "a row for no operation: " << name;
}

TEST(Complete, EachIsCalledByTheFuzzTarget) {
  std::set<std::string> found;
  for (const fuzz::Operation& o : fuzz::all_operations()) found.insert(word(o.name));
  expect_each(words(declarations()), found, "an operation that is not fuzzed (tests/operations): ");
}

TEST(Complete, EachIsComparedWithPyTorch) {
  // Those that draw, and what PyTorch does not have.
  std::set<std::string> found = {"dropout", "bernoulli", "categorical", "hinge_loss"};
  for (const oracle::Answer& a : oracle::all_answers()) found.insert(word(a.name));
  expect_each(words(declarations()), found, "an operation without PyTorch's expression (tests/operations): ");
}

TEST(Complete, EachIsRefusedByATextThatIsTested) {
  std::string tests;
  for (const auto& entry : std::filesystem::directory_iterator(CAPSTAN_TEST_FILES "/autograd"))
    if (entry.path().extension() == ".cpp") tests += text_of(entry.path());
  std::set<std::string> found;
  for (const operations::Row& r : operations::rows())
    if (!operations::refusals(r).empty()) found.insert(word(r.name));
  for (const std::string& name : words(declarations()))
    if (tests.find("Error: [" + name.substr(name.starts_with("operator") ? 8 : 0) + "] ") != std::string::npos) found.insert(name);
  expect_each(words(declarations()), found, "an operation of which no error's text is tested (tests/autograd/*_errors_test.cpp): ");
}

TEST(Complete, EachFunctionOfOneTensorHasItsEdges) {
  for (const operations::Row& r : operations::rows()) {
    const bool wanted = r.f.tensors == 1 && is_floating(r.cases.front().is.dtype());
    EXPECT_EQ(r.edges.size(), wanted ? 4u : 0u) << "a row of tests/operations without its values at -inf, -0, 0 and inf: " << r.name;
    EXPECT_TRUE(r.exact.of_double || r.same_as || !wanted) << "a row of tests/operations without a second opinion: " << r.name;
  }
}
