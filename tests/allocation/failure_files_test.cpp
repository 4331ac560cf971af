#include <capstan/data/safetensors.h>
#include <capstan/train/log.h>

#include "../files.h"
#include "failure.h"

// Files when there is no memory: what was there stays whole, nothing is left beside it, and what was loaded into is as before.

namespace {

struct Files {
  Files() {
    tensors.insert("a name that is too long to lie in the string itself", full(Shape{40, 3}, 1));
    tensors.insert("mask", full(Shape{5}, 1, DType::boolean));
  }
  std::string path() const { return folder.file("a file whose name is also longer than a short string.safetensors"); }

  Folder folder;
  TensorMap tensors;
  TensorMap loaded;
  Metadata metadata;
};

std::string show_files(Files& s) {
  std::string all = bits(s.loaded);
  for (const auto& [key, value] : s.metadata) all += key + "=" + value + "\n";
  std::vector<std::string> names = s.folder.names();
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) all += name + ":" + read(s.folder.file(name)) + "\n";
  return all;
}

const Metadata metadata = {{"a key of metadata that is longer than a short string", "and its value, which is longer than one too"},
                           {"another one that is longer than a short string", "and its value, which is longer than one too"}};

}  // namespace

TEST(AllocationFails, Save) {
  for (const bool is_there : {false, true})
    expect_all_or_nothing(
        "save",
        [&] {
          auto s = std::make_unique<Files>();
          if (is_there) write(s->path(), "old");
          return s;
        },
        [&](Files& s) { save(s.path(), s.tensors, metadata); }, show_files);
}

TEST(AllocationFails, Load) {
  expect_all_or_nothing(
      "load",
      [] {
        auto s = std::make_unique<Files>();
        save(s->path(), s->tensors, metadata);
        s->metadata = {{"an old one", "stays"}};
        return s;
      },
      [](Files& s) { s.loaded = load(s.path(), &s.metadata); }, show_files);
}

TEST(AllocationFails, Log) {
  expect_all_or_nothing(
      "CsvLog", [] { return std::make_unique<Files>(); },
      [](Files& s) {
        CsvLog(s.path(), {"a column whose name is longer than a short string", "loss"}, {.overwrite = true}).row(1, 0.5);
      },
      show_files);
}
