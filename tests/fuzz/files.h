#pragma once
#include <capstan/core/error.h>
#include <capstan/data/npy.h>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "target.h"

// What the targets that read arrays share: files without a folder, what a reader may answer, and drawn changes of a good file.
namespace fuzz {

[[noreturn]] inline void fail(const char* what, const std::string& detail) {
  std::fprintf(stderr, "fuzz: %s: %s\n", what, detail.c_str());
  std::abort();
}

class File {
 public:
  explicit File(std::string_view bytes = {}) : number_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    if (number_ < 0 || ::write(number_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) fail("no file", "in memory");
    if (::lseek(number_, 0, SEEK_SET) != 0) fail("no place", "in the file");  // a writer goes on from there
  }
  ~File() { ::close(number_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(number_); }
  std::string bytes() const {
    std::string all(static_cast<std::size_t>(::lseek(number_, 0, SEEK_END)), '\0');
    if (::pread(number_, all.data(), all.size(), 0) != static_cast<ssize_t>(all.size())) fail("no bytes", "in the file");
    return all;
  }

 private:
  int number_;
};

/// Names, dtypes, shapes and bits.
inline std::string in_words(const capstan::TensorMap& tensors) {
  std::string words;
  for (const auto& [name, t] : tensors)
    words += name + '\n' + capstan::name(t.dtype()) + to_string(t.shape()) +
             std::string(static_cast<const char*>(t.header()->data), static_cast<std::size_t>(t.numel()) * size_of(t.dtype())) + '\n';
  return words;
}

/// What a reader gives for the bytes of a file. It may refuse them by a FormatError in one short printable line that names the file.
template <class Read>
std::optional<capstan::TensorMap> read(std::string_view bytes, const char* op, Read read_file) {
  const File file(bytes);
  try {
    return read_file(file.path());
  } catch (const capstan::FormatError& e) {
    const std::string text = e.what();
    if (!text.starts_with(std::string("[") + op + "] ") || text.find(file.path()) == std::string::npos)
      fail("an error must name operation and file", text);
    if (text.size() > 1200 || !std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }))
      fail("an error must be a short line", text);
    return std::nullopt;
  } catch (const std::exception& e) {
    fail("something else was thrown", e.what());
  }
}

/// What is read is written by write_npz and read again: the same, and the same bytes when it is written once more.
template <class Read>
void try_reader(const std::uint8_t* data, std::size_t size, const char* op, Read read_file) {
  const auto content = read({reinterpret_cast<const char*>(data), size}, op, read_file);
  if (!content) return;
  const auto written = [](const capstan::TensorMap& tensors) {
    const File file;
    capstan::data::write_npz(file.path(), tensors);
    return file.bytes();
  };
  const std::string bytes = written(*content);
  const auto again = read(bytes, "read_npz", capstan::data::read_npz);
  if (!again) fail("what was written is refused", bytes);
  if (in_words(*again) != in_words(*content)) fail("what was written holds something else", bytes);
  if (written(*again) != bytes) fail("the same content is written in two ways", bytes);
}

/// Calls `run` with the bytes as they are, then with some of them changed, left out, or taken twice.
inline void draw_changes(const std::string& good, unsigned count, void (*run)(const std::string& what, const std::string& bytes)) {
  run("the drawn file itself", good);
  for (unsigned seed = 0; seed < count; ++seed) {
    std::mt19937 next(seed);
    std::string bytes = good;
    for (unsigned i = 1 + next() % 3; i > 0; --i) {
      const std::size_t at = next() % bytes.size(), length = next() % 8;
      switch (next() % 5) {
        case 0: bytes[at] = static_cast<char>(next()); break;
        case 1: bytes[at] = static_cast<char>(bytes[at] ^ 1 << next() % 8); break;
        case 2: bytes.erase(at, 1 + length % (bytes.size() - at)); break;
        case 3: bytes.insert(next() % bytes.size(), bytes.substr(at, length)); break;
        default: bytes[at] = static_cast<char>("\0\xff\x7f\x80"[next() % 4]);
      }
      if (bytes.empty()) bytes = good;
    }
    run("drawn input " + std::to_string(seed), bytes);
  }
}

}  // namespace fuzz

extern "C" {
// What the sanitizers' own runtimes ask for: no file of a few kilobytes is worth more, and std::bad_alloc is no answer.
const char* __asan_default_options() { return "max_allocation_size_mb=32"; }
const char* __tsan_default_options() { return "max_allocation_size_mb=32"; }
}

const std::uint64_t fuzz::most_memory = std::uint64_t{256} << 20;

int fuzz_input_is_known(const std::uint8_t*, std::size_t) { return 1; }
