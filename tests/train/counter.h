#pragma once
#include <capstan/train/checkpoint.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "support.h"

/// A checkpoint of one number.
struct Counter {
  explicit Counter(const std::string& path, capstan::CheckpointOptions options = {}) : run(path, std::move(options)) { run.add("n", n); }
  void save(std::int64_t value) {
    n = value;
    run.save();
  }
  /// The number that a fresh one finds; -1 for none.
  static std::int64_t at(const std::string& path) {
    Counter fresh(path);
    return fresh.run.load() ? fresh.n : -1;
  }

  capstan::Checkpoint run;
  std::int64_t n = 0;
};

using Names = std::vector<std::string>;

inline Names sorted_names(const Folder& folder) {
  Names all = folder.names();
  std::sort(all.begin(), all.end());
  return all;
}

/// What is printed on stderr meanwhile.
template <class Body>
std::string printed(Body body) {
  testing::internal::CaptureStderr();
  body();
  return testing::internal::GetCapturedStderr();
}
