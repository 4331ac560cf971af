#pragma once
#include <capstan/autograd/tape.h>
#include <capstan/core/tensor_map.h>

#include <string>
#include <vector>

namespace capstan {

/// All operations of one name on a tape: Tape::profile().
struct OperationProfile {
  std::string op;
  std::int64_t count;
  std::int64_t bytes;        // of their results
  double forward, backward;  // seconds; forward: since the operation before, with whatever the program did in between
};

/// The rows as a table, with each one's share of the whole time.
std::string to_string(const std::vector<OperationProfile>& profile);

/// What the tape holds as a graph in the language of Graphviz (dot -Tsvg). Tensors that want a gradient are boxes, by name where
/// `names` has them. Operations tell the shape and bytes of the result and, of Tape({.profile = true}), the time of both ways.
/// Write it before gradients(), or after one that keeps the recording.
std::string to_dot(const Tape& tape, const Parameters& names = {});

}  // namespace capstan
