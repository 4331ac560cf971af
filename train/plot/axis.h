#pragma once
#include <optional>
#include <string>

namespace capstan::plot {

/// One axis of a picture. A limit that is not given follows from the data.
struct Axis {
  std::string label = {};
  bool log = false;  // base 10; points <= 0 are not drawn
  std::optional<double> low = {}, high = {};
  bool whole = false;  // ticks at whole numbers alone, as for epochs, where one is in sight
};

}  // namespace capstan::plot
