#pragma once
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

/// The cases of tests/oracles/<file>: `case NAME`, then rows of numbers up to an empty line.
inline std::map<std::string, std::vector<std::vector<double>>> read_cases(const std::string& file) {
  std::map<std::string, std::vector<std::vector<double>>> cases;
  std::ifstream in(std::string(CAPSTAN_TEST_FILES) + "/oracles/" + file);
  std::string line, name;
  while (std::getline(in, line)) {
    if (line.empty() || line[0] == '#') continue;
    if (line.starts_with("case ")) {
      name = line.substr(5);
      continue;
    }
    std::istringstream words(line);
    std::vector<double>& row = cases[name].emplace_back();
    for (double x = 0; words >> x;) row.push_back(x);
    EXPECT_TRUE(words.eof()) << line;
  }
  EXPECT_FALSE(cases.empty()) << file;
  return cases;
}
