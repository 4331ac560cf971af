// Calls a fuzz target with the files named, and with those in the folders named: what its corpus is replayed with where there is
// no libFuzzer. An input that the target does not know is a failure. Then it calls it with inputs that are drawn.
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "target.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CAPSTAN_SANITIZER
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CAPSTAN_SANITIZER
#endif

namespace {

std::size_t drawn = 0;

/// The last line on stderr names the input that failed.
void run(const std::string& what, const std::string& bytes) {
  std::fprintf(stderr, "%s\n", what.c_str());
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

int main(int argc, char** argv) {
#ifndef CAPSTAN_SANITIZER
  // More is to be refused by the system, not made. Stacks of threads are mapped already. A sanitizer has a limit of its own.
  if (std::uint64_t pages = 0; std::ifstream("/proc/self/statm") >> pages) {
    const rlim_t bytes = pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) + fuzz::most_memory;
    const rlimit limit = {bytes, bytes};
    setrlimit(RLIMIT_AS, &limit);
  }
#endif
  std::set<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) {
      files.insert(argv[i]);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) files.insert(entry.path());
  }
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    if (!stream) {
      std::fprintf(stderr, "cannot be read: %s\n", file.c_str());
      return 1;
    }
    if (!fuzz_input_is_known(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size())) {
      std::fprintf(stderr, "%s: names nothing that the target knows: \"%s\"\n", file.c_str(), bytes.substr(0, bytes.find('\n')).c_str());
      return 1;
    }
    run(file, bytes);
  }
  fuzz::draw([](const std::string& what, const std::string& bytes) {
    ++drawn;
    run(what, bytes);
  });
  std::printf("%zu files, %zu inputs that were drawn\n", files.size(), drawn);
  return files.empty() || drawn == 0 ? 1 : 0;
}
