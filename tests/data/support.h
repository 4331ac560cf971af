#pragma once
#include <capstan/core/error.h>
#include <capstan/core/tensor.h>

#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "../common.h"

/// A file with the given bytes (or only a free path, or a folder) that is gone at the end of the scope.
class Scratch {
 public:
  explicit Scratch(const std::string& name = "file") {
    char folder[] = "/tmp/capstan_test_XXXXXX";
    folder_ = ::mkdtemp(folder);
    path_ = folder_ + "/" + name;
  }
  Scratch(const std::string& name, std::string_view bytes) : Scratch(name) {
    std::FILE* file = std::fopen(path_.c_str(), "wb");
    EXPECT_EQ(std::fwrite(bytes.data(), 1, bytes.size(), file), bytes.size());
    EXPECT_EQ(std::fclose(file), 0);
  }
  ~Scratch() {
    ::unlink(path_.c_str());
    ::rmdir(folder_.c_str());
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::string& path() const { return path_; }
  const std::string& folder() const { return folder_; }

 private:
  std::string folder_, path_;
};
