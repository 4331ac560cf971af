#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The reference trajectories of tests/oracles/optimizers.txt, whose head says how it is laid out.
namespace oracle {

inline constexpr std::size_t size = 6, count = 113;  // of a parameter; of the cases
using Row = std::array<double, size>;

struct Case {
  std::string name, method, preset, source, checked;
  std::vector<std::int64_t> shape;                      // of the six elements
  std::vector<std::pair<std::string, double>> options;  // in the struct's order
  std::string settings;                                 // the same as the file has them: "lr=0.1 eps=1e-06"
  bool first_step = false;                              // `g` is the gradient itself and there is one step
  Row w0{}, a{}, b{}, g{};
  std::map<int, Row> w;  // after these steps
};

/// Throws std::runtime_error, naming the line, for anything that the file's head does not allow.
std::vector<Case> parse(std::string_view text);

/// The content of tests/oracles/optimizers.txt.
std::string text();
/// Its cases; a test asserts that they can be read.
const std::vector<Case>& cases();

}  // namespace oracle
