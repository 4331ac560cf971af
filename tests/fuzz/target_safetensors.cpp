// Reads bytes as a safetensors file. What may come of it is a FormatError, in one printable line that names the file, or tensors and
// metadata. These are written and read again: the same must come back, and the same bytes when it is written once more. The file may
// promise what it likes: no block of memory above 32 MB is to be had, and no std::bad_alloc is taken as an answer.
#include <capstan/core/text.h>
#include <capstan/data/safetensors_file.h>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <random>

#include "target.h"

using namespace capstan;

extern "C" {
// What the sanitizers' own runtimes ask for.
const char* __asan_default_options() { return "max_allocation_size_mb=32"; }
const char* __tsan_default_options() { return "max_allocation_size_mb=32"; }
}

namespace {

[[noreturn]] void fail(const char* what, const std::string& detail) {
  std::fprintf(stderr, "fuzz: safetensors: %s: %s\n", what, detail.c_str());
  std::abort();
}

/// A file without a folder.
class File {
 public:
  explicit File(std::string_view bytes) : number_(::memfd_create("safetensors", MFD_CLOEXEC)) {
    if (number_ < 0 || ::write(number_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) fail("no file", "in memory");
  }
  ~File() { ::close(number_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(number_); }

 private:
  int number_;
};

struct Content {
  TensorMap tensors;
  Metadata metadata;
};

std::optional<Content> read(std::string_view bytes) {
  const File file(bytes);
  try {
    Content content;
    content.tensors = load(file.path(), &content.metadata);
    return content;
  } catch (const FormatError& e) {
    const std::string text = e.what();
    if (!text.starts_with("[load] ") || text.find(file.path()) == std::string::npos) fail("an error must name operation and file", text);
    if (text.size() > 1200 || !std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }))
      fail("an error must be a short line", text);
    return std::nullopt;
  } catch (const std::exception& e) {
    fail("something else was thrown", e.what());
  }
}

std::string written(const Content& content) {
  std::string bytes = data::make_safetensors_header("save", content.tensors, content.metadata);
  for (const TensorMap::Entry* entry : data::in_file_order(content.tensors)) bytes += data::bytes_of(entry->tensor);
  return bytes;
}

/// The content as one text, which does not depend on the tensors' order.
std::string in_words(const Content& content) {
  Metadata lines;
  for (const auto& [name, t] : content.tensors)
    lines[name] = std::string(capstan::name(t.dtype())) + to_string(t.shape()) + std::string(data::bytes_of(t));
  std::string words;
  const auto append = [&](const std::string& text) { words += std::to_string(text.size()) + ":" + text; };
  for (const Metadata* map : std::initializer_list<const Metadata*>{&lines, &content.metadata})
    for (const auto& [name, text] : *map) append(name), append(text);
  return words;
}

std::string with_length(const std::string& json, const std::string& data) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(json.size() >> 8 * i & 255);
  return bytes + json + data;
}

}  // namespace

const std::uint64_t fuzz::most_memory = std::uint64_t{256} << 20;

// Valid files of a few tensors, most of them with something changed afterwards.
void fuzz::draw(void (*run)(const std::string& what, const std::string& bytes)) {
  constexpr std::array<std::pair<const char*, std::size_t>, 6> types = {
      {{"F32", 4}, {"I64", 8}, {"BOOL", 1}, {"F16", 2}, {"U8", 1}, {"BF16", 2}}};
  constexpr std::array<const char*, 16> pieces = {
      "{",  "}",   "[", "]",           ",", ":", "\"", "\\u0061", "\\ud83d\\ude00", "\xc3\xa9", "0", "18446744073709551615",
      "-1", "1.0", " ", "__metadata__"};
  for (unsigned seed = 0; seed < 3000; ++seed) {
    std::mt19937 next(seed);
    std::string json = next() % 2 ? R"({"__metadata__":{"k":"v"})" : R"({"__metadata__":{})", data;
    for (unsigned i = next() % 4; i > 0; --i) {
      const auto [type, size] = types[next() % types.size()];
      const std::size_t rows = next() % 3, columns = next() % 4, begin = data.size();
      for (std::size_t k = 0; k < rows * columns * size; ++k) data += static_cast<char>(*type == 'B' ? next() % 2 : next());
      json += ",\"" + std::string(1, static_cast<char>('a' + next() % 6)) + R"(":{"dtype":")" + type + R"(","shape":[)" +
              std::to_string(rows) + "," + std::to_string(columns) + R"(],"data_offsets":[)" + std::to_string(begin) + "," +
              std::to_string(data.size()) + "]}";
    }
    json += "}";
    for (unsigned i = next() % 4; i > 0; --i) {
      const std::size_t at = next() % json.size(), count = next() % 3;
      switch (next() % 4) {
        case 0: json[at] = static_cast<char>(json[at] ^ 1 << next() % 8); break;
        case 1: json.replace(at, count, pieces[next() % pieces.size()]); break;
        case 2: json.insert(next() % json.size(), json.substr(at, next() % 40)); break;
        default: json[at] = static_cast<char>('0' + next() % 10);
      }
    }
    if (next() % 8 == 0) data.resize(data.size() + next() % 3);
    run("drawn input " + std::to_string(seed), with_length(json, data));
  }
}

int fuzz_input_is_known(const std::uint8_t*, std::size_t) { return 1; }

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::optional<Content> content = read({reinterpret_cast<const char*>(data), size});
  if (!content) return 0;
  const std::string bytes = written(*content);
  const std::optional<Content> again = read(bytes);
  if (!again) fail("what was written is refused", bytes);
  if (in_words(*again) != in_words(*content)) fail("what was written holds something else", bytes);
  if (written(*again) != bytes) fail("the same content is written in two ways", bytes);
  return 0;
}
