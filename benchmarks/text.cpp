// Text into rows with few features: LIBSVM's text as a whole and as a stream, beside a loop around std::from_chars over the same bytes in
// memory; and the character 1-4-grams of words into 2^20 columns, beside a loop of MurmurHash3. They are there only when --benchmark_filter
// names them:
//
//     ./run bench --benchmark_filter=text
#include <capstan/data/feature_hasher.h>
#include <capstan/data/libsvm.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>

#include "bench.h"
#include "limits.h"

using namespace capstan;

namespace {

constexpr std::int64_t features = 1'000'000;

/// 40 features in each row by Zipf's law, every second one with the value 1.
std::string libsvm_text(int rows) {
  std::mt19937_64 bits(1);
  const auto uniform = [&] { return static_cast<double>(bits() >> 11) * 0x1p-53; };
  std::string text;
  for (int r = 0; r < rows; ++r) {
    std::vector<std::int64_t> index;
    while (index.size() < 40) {
      const auto rank = static_cast<std::uint64_t>(std::pow(static_cast<double>(features), uniform()));
      const auto i = static_cast<std::int64_t>(rank * 0x9e3779b97f4a7c15U % static_cast<std::uint64_t>(features)) + 1;
      if (std::find(index.begin(), index.end(), i) == index.end()) index.push_back(i);
    }
    std::sort(index.begin(), index.end());
    text += bits() % 2 == 0 ? "1" : "-1";
    for (std::size_t k = 0; k < index.size(); ++k) {
      char digits[32];
      const float value = k % 2 == 0 ? 1.0f : static_cast<float>(std::round(uniform() * 2e4)) * 1e-4f + 1e-4f;
      text += " " + std::to_string(index[k]) + ":" + std::string(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    }
    text += "\n";
  }
  return text;
}

std::vector<std::string> some_words(int count) {
  std::mt19937_64 bits(2);
  std::vector<std::string> words;
  for (int i = 0; i < count; ++i) {
    std::string word;
    for (std::uint64_t k = 4 + bits() % 10; k > 0; --k)
      if (bits() % 12 == 0)
        word += std::string("\xc3") + static_cast<char>(0xa0 + bits() % 30);
      else
        word += static_cast<char>('a' + std::min(bits() % 26, bits() % 26));
    words.push_back(word);
  }
  return words;
}

/// Gone at the program's end.
struct TextOnDisk {
  std::string text = libsvm_text(20'000), path = (std::filesystem::temp_directory_path() / "capstan_bench_XXXXXX").string();
  TextOnDisk() {
    if (const int file = ::mkstemp(path.data()); file >= 0) ::close(file);
    std::ofstream(path, std::ios::binary) << text;
  }
  ~TextOnDisk() { std::filesystem::remove(path); }
};

}  // namespace

void bench::register_text() {
  const auto file = std::make_shared<const TextOnDisk>();
  const data::LibsvmOptions options{.features = features, .labels = data::Labels::binary, .base = 1};
  bench::loop("text/libsvm/hand",
              [=] { benchmark::DoNotOptimize(limits::libsvm_rows(file->text.data(), file->text.data() + file->text.size())); });
  bench::loop("text/libsvm/read", [=] { benchmark::DoNotOptimize(data::read_libsvm(file->path, options)); });
  bench::loop("text/libsvm/stream", [=] {
    for (auto [x, y] : data::Batches(data::Libsvm(file->path, options), {.batch_size = 256})) benchmark::DoNotOptimize(x.nnz());
  });
  const double bytes = static_cast<double>(file->text.size());
  bench::report({.title = "read_libsvm(), 40 features a row",
                 .name = "text/libsvm/read",
                 .limit = "text/libsvm/hand",
                 .bytes = bytes,
                 .slowest = 1.6});
  bench::report(
      {.title = "Libsvm in batches of 256", .name = "text/libsvm/stream", .limit = "text/libsvm/hand", .bytes = bytes, .slowest = 1.6});

  const auto words = std::make_shared<const std::vector<std::string>>(some_words(50'000));
  bench::loop("text/hash/hand", [=] { benchmark::DoNotOptimize(limits::hash_words(words->data(), words->size())); });
  bench::loop("text/hash/ours", [=] {
    const data::FeatureHasher hasher;
    benchmark::DoNotOptimize(hasher.transform(*words, {.analyzer = data::Analyzer::char_wb, .shortest = 1, .longest = 4}));
  });
  bench::report({.title = "50000 words into character 1-4-grams", .name = "text/hash/ours", .limit = "text/hash/hand", .slowest = 1.5});
}
