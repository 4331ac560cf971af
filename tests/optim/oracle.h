#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The reference trajectories of tests/oracles/optimizers.txt, whose head says how it is laid out, and those of the methods of
/// optim/contrib, which stand at the end of tests/oracles/contrib/<method>.py.
namespace oracle {

inline constexpr std::size_t size = 6;  // of a parameter
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

/// The cases of all files.
const std::vector<Case>& cases();

}  // namespace oracle
