// Parses bytes as a table: the first one chooses the options, the others are the text. What may come of it is a FormatError that names the
// text, or a table. That one is written as text again, its numbers by the shortest digits and its names in quotes: the same must come back.
#include <capstan/core/error.h>
#include <capstan/data/table.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
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

constexpr std::array delimiters = {'\0', ',', ' ', '\t', ';', '|', '\0', ','};

[[noreturn]] void fail(const char* what, const std::string& detail) {
  std::fprintf(stderr, "fuzz: table: %s: %s\n", what, detail.c_str());
  std::abort();
}

struct Content {
  Tensor table;
  std::vector<std::string> names;
};

std::optional<Content> parse(std::string_view text, data::TableOptions options) {
  const std::vector<char> exact(text.begin(), text.end());  // so that a sanitizer sees a read behind the end
  try {
    Content content;
    if (options.header) options.names = &content.names;
    content.table = data::parse_table({exact.data(), exact.size()}, options, "TEXT");
    return content;
  } catch (const FormatError& e) {
    const std::string error = e.what();
    if (!error.starts_with("[parse_table] ") || error.find("TEXT") == std::string::npos)
      fail("an error must name operation and text", error);
    if (error.size() > 500 || !std::all_of(error.begin(), error.end(), [](char c) { return c >= ' ' && c <= '~'; }))
      fail("an error must be a short line", error);
    return std::nullopt;
  } catch (const std::exception& e) {
    fail("something else was thrown", e.what());
  }
}

template <class T>
std::string written(const Content& content) {
  std::string text;
  for (std::size_t i = 0; i < content.names.size(); ++i) {
    text += i == 0 ? "\"" : ",\"";
    for (const char c : content.names[i]) text += c == '"' ? "\"\"" : std::string(1, c);
    text += '"';
  }
  if (!content.names.empty()) text += '\n';
  const std::int64_t columns = content.table.size(1);
  for (std::int64_t i = 0; i < content.table.numel(); ++i) {
    char digits[64];
    text.append(digits, std::to_chars(digits, digits + sizeof digits, content.table.data<T>()[i]).ptr);
    text += (i + 1) % columns == 0 ? '\n' : ',';
  }
  return text;
}

template <class T>
bool same(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
  const auto is_same = [](T x, T y) { return std::isnan(x) ? std::isnan(y) : x == y && std::signbit(x) == std::signbit(y); };
  return std::equal(a.data<T>(), a.data<T>() + a.numel(), b.data<T>(), is_same);
}

template <class T>
void check(const Content& content, bool header) {
  const std::string text = written<T>(content);
  const std::optional<Content> again =
      parse(text, {.delimiter = ',', .header = header, .dtype = content.table.dtype(), .allow_non_finite = true});
  if (!again) fail("what was written is refused", text);
  if (!same<T>(again->table, content.table) || again->names != content.names) fail("what was written holds something else", text);
}

}  // namespace

const std::uint64_t fuzz::most_memory = std::uint64_t{256} << 20;

void fuzz::draw(void (*run)(const std::string& what, const std::string& bytes)) {
  constexpr std::array<const char*, 24> pieces = {"\n",  "\n", "\r\n", "\r",     ",",      ",",   ";",   "\t",
                                                  " ",   "\"", "\"\"", "-",      "+",      "e",   ".",   "1",
                                                  "2.5", "0",  "-0",   "1e-999", "3.4e38", "nan", "inf", "x\xc3\xa9"};
  for (unsigned seed = 0; seed < 3000; ++seed) {
    std::mt19937 next(seed);
    const std::size_t columns = 1 + next() % 3, rows = next() % 4;
    const char* const between = std::array<const char*, 4>{",", ";", "\t", " "}[next() % 4];
    std::string text;
    for (std::size_t i = 0; i < rows * columns; ++i) text += std::to_string(next() % 1000) + ((i + 1) % columns == 0 ? "\n" : between);
    for (unsigned i = next() % 4; i > 0; --i) text.insert(next() % (text.size() + 1), pieces[next() % pieces.size()]);
    run("drawn input " + std::to_string(seed), static_cast<char>(next()) + text);
  }
}

int fuzz_input_is_known(const std::uint8_t*, std::size_t size) { return size > 0; }

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;  // as libFuzzer's first one
  const bool header = (data[0] & 8) != 0, f64 = (data[0] & 16) != 0, non_finite = (data[0] & 32) != 0;
  const std::optional<Content> content = parse(
      {reinterpret_cast<const char*>(data) + 1, size - 1},
      {.delimiter = delimiters[data[0] & 7], .header = header, .dtype = f64 ? DType::f64 : DType::f32, .allow_non_finite = non_finite});
  if (!content) return 0;
  if (f64)
    check<double>(*content, header);
  else
    check<float>(*content, header);
  return 0;
}
