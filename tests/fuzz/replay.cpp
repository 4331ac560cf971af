// Calls the fuzz target with the files named, and with those in the folders named: what its corpus is replayed with where there is
// no libFuzzer. An input that the target does not know, as of an operation that has another name now, is a failure. Then it calls each
// operation with a few inputs that are drawn, so that a new one needs no file.
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <string>

#include "operations.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CAPSTAN_SANITIZER
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CAPSTAN_SANITIZER
#endif

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int fuzz_input_is_known(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
#ifndef CAPSTAN_SANITIZER
  // A tensor of 2^31 elements is to be refused by the system, not made: 1.5 GB beside what is mapped already, stacks of threads
  // among it. A sanitizer has a limit of its own.
  if (std::uint64_t pages = 0; std::ifstream("/proc/self/statm") >> pages) {
    const rlim_t bytes = pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) + (std::uint64_t{3} << 29);
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
    std::fprintf(stderr, "%s\n", file.c_str());  // the last line names the one that failed
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    if (!fuzz_input_is_known(data, bytes.size())) {
      std::fprintf(stderr, "names no operation of the tables: \"%s\"\n", bytes.substr(0, bytes.find('\n')).c_str());
      return 1;
    }
    LLVMFuzzerTestOneInput(data, bytes.size());
  }
  for (const fuzz::Operation& operation : fuzz::all_operations())
    for (unsigned seed = 0; seed < 20; ++seed) {
      std::mt19937 draw(seed);
      std::string bytes = operation.name + "\n";
      for (int i = 0; i < 120; ++i) bytes += static_cast<char>(draw());
      std::fprintf(stderr, "%s, input %u of those that are drawn\n", operation.name.c_str(), seed);
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    }
  std::printf("%zu files, %zu operations\n", files.size(), fuzz::all_operations().size());
  return files.empty() ? 1 : 0;
}
