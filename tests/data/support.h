#pragma once
#include <capstan/core/error.h>
#include <capstan/core/tensor.h>

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

/// What `body` throws, as "Kind: text"; "nothing" when it throws nothing.
template <class Body>
std::string thrown(Body body) {
  using namespace capstan;
  try {
    body();
  } catch (const ShapeError& e) {
    return std::string("ShapeError: ") + e.what();
  } catch (const ValueError& e) {
    return std::string("ValueError: ") + e.what();
  } catch (const IoError& e) {
    return std::string("IoError: ") + e.what();
  } catch (const FormatError& e) {
    return std::string("FormatError: ") + e.what();
  }
  return "nothing";
}

/// The elements as doubles, row-major.
inline std::vector<double> values(const capstan::Tensor& t) {
  const capstan::Tensor wide = t.to(capstan::DType::f64);
  return {wide.data<double>(), wide.data<double>() + wide.numel()};
}

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
