// save() and load() of 256 MB beside plain write() with fsync() and read() of as many bytes: at least 0.8 times as fast. They are there
// only when --benchmark_filter names them, because they take a minute of the disk:
//
//     ./run bench --benchmark_filter=files --rounds=3
//
// The files lie in TMPDIR, else in /tmp. Both readers find the file in the system's cache and read into memory that the process has
// already: load() gets from the pool what its last result gave back.
#include <capstan/capstan.h>
#include <capstan/data/safetensors.h>

#include <filesystem>
#include <memory>

#include "bench.h"
#include "limits.h"

using namespace capstan;

namespace {

constexpr std::size_t count = 16, size = count * (std::size_t{16} << 20);

/// Gone at the program's end.
struct Files {
  std::string folder = (std::filesystem::temp_directory_path() / "capstan_bench_XXXXXX").string();
  std::string ours, plain;
  Files() {
    if (!::mkdtemp(folder.data())) throw IoError("[bench] a folder for files must be makeable: " + folder);
    ours = folder + "/ours", plain = folder + "/plain";
  }
  ~Files() { std::filesystem::remove_all(folder); }
};

void add(const char* title, const std::string& name, double bytes) {
  bench::report({.title = title, .name = name, .limit = name + "/plain", .bytes = bytes, .slowest = 1 / 0.8});
}

}  // namespace

void bench::register_files() {
  const auto files = std::make_shared<const Files>();
  const auto model = std::make_shared<TensorMap>();
  for (std::size_t i = 0; i < count; ++i) model->insert("layer" + std::to_string(i) + ".weight", randn({1024, 4096}));
  const auto bytes = std::make_shared<std::string>(size, 'x');
  save(files->ours, *model);
  limits::write_file(files->plain.c_str(), bytes->data(), size);

  bench::loop("files/save", [=] { save(files->ours, *model); });
  bench::loop("files/save/plain", [=] {
    std::filesystem::remove(files->plain);
    limits::write_file(files->plain.c_str(), bytes->data(), size);
  });
  bench::loop("files/load", [=] { benchmark::DoNotOptimize(load(files->ours)); });
  bench::loop("files/load/plain", [=] {
    limits::read_file(files->plain.c_str(), bytes->data(), size);
    benchmark::DoNotOptimize(bytes->data());
  });
  add("save() of 256 MB (write, fsync)", "files/save", size);
  add("load() of 256 MB (read)", "files/load", size);
}
