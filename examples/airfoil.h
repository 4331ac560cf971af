#pragma once
#include <capstan/capstan.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli.h"
#include "saved_run.h"

// What the example needs beside its lesson: NASA's airfoil self-noise, or a table of the same shape, as the chapter uses it, and the
// record of a run.
namespace airfoil {

using namespace capstan;

constexpr std::int64_t table_rows = 1503, table_columns = 6, used_rows = 1500;

/// y = x w + noise: five standard normal features, w = (-0.6, -0.4, -0.5, 0.2, -0.3), noise of standard deviation 0.92.
inline Tensor synthetic_table() {
  Generator g{.seed = 12, .purpose = 7};
  const Tensor x = randn({table_rows, 5}, DType::f32, g), w = tensor({-0.6, -0.4, -0.5, 0.2, -0.3});
  const Tensor y = matmul(x, w) + 0.92 * randn({table_rows}, DType::f32, g);
  Tensor table = empty({table_rows, table_columns});
  for (std::int64_t i = 0; i < table_rows; ++i) {
    for (std::int64_t j = 0; j < 5; ++j) table.data<float>()[i * table_columns + j] = x.data<float>()[i * 5 + j];
    table.data<float>()[i * table_columns + 5] = y.data<float>()[i];
  }
  return table;
}

/// Where the table lies: what --data says, else the folder of CAPSTAN_DATA, else where `./run data airfoil` puts it, else here; it
/// need not be there.
inline std::filesystem::path path_of(const std::optional<std::string>& data) {
  const char* variable = std::getenv("CAPSTAN_DATA");
  const char* fetched = std::filesystem::exists("build/data/airfoil_self_noise.dat") ? "build/data" : ".";
  std::filesystem::path path = data.value_or(variable && *variable ? variable : fetched);
  if (std::filesystem::is_directory(path)) path /= "airfoil_self_noise.dat";
  return path;
}

inline constexpr const char* how_to_get_it = R"(
The table is NASA's airfoil self-noise (Brooks, Pope and Marcolini, 1989), 1,503 rows of six numbers between tabs. It is not
shipped. `./run data airfoil` fetches it to where this program looks. Or download airfoil_self_noise.dat from the UCI Machine
Learning Repository, https://archive.ics.uci.edu/dataset/291 (SHA-1 76e5be1548fd8222e5074cf0faae75edff8cf93f, lines end with
CRLF), and name the file or its folder:
  --data FILE        or        CAPSTAN_DATA=FOLDER
Without it, --data synthetic trains on a linear function with noise, of the same shape.)";

/// Throws IoError, with where the table is to be had, when it is not at `path`.
inline void require_there(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) throw IoError("[airfoil] the table must be there: not at '" + path.string() + "'\n" + how_to_get_it);
}

/// Every column standardised over all 1,503 rows, the first 1,500 of them.
inline data::Dataset examples_of(Tensor table, const std::string& source) {
  if (table.shape() != Shape{table_rows, table_columns})
    throw FormatError("[airfoil] the table must be [1503, 6]: " + to_string(table.shape()) + " in " + source);
  table = data::Standardizer::fit(table).apply(table).rows(0, used_rows);
  return {data::columns(table, 0, 5), data::columns(table, 5, 6)};
}

inline data::Dataset read_examples(const std::filesystem::path& path) {
  return examples_of(data::read_table(path.string(), {.delimiter = '\t'}), path.string());
}

/// The loss over all examples after every 200 of them; the clock stands still meanwhile.
class Record {
 public:
  /// All of it, for a run that is to go on.
  void add_to(cli::SavedRun& saved) {
    saved.add("epochs", epochs).add("losses", losses).add("steps", steps).add("seen", seen_).add("seconds", seconds_);
  }
  template <class Loss>
  void batch(std::int64_t size, Loss loss) {
    seen_ += size;
    ++steps;
    if (seen_ % 200 == 0) look(loss);
  }
  /// After the last batch, which no 200 may end with.
  template <class Loss>
  void end(Loss loss) {
    if (seen_ % 200 != 0) look(loss);
  }
  /// Work that the clock does not count.
  template <class Work>
  void apart(Work work) {
    seconds_ += std::chrono::duration<double>(Clock::now() - start_).count();
    work();
    start_ = Clock::now();
  }
  /// "sgd diverged at step 3", or nothing.
  std::string divergence(const std::string& name) const { return diverged ? name + " diverged at step " + std::to_string(steps + 1) : ""; }
  void print(const std::string& name) const {
    const double passes = static_cast<double>(seen_) / used_rows;
    if (diverged)
      std::printf("%s\n", divergence(name).c_str());
    else
      std::printf("loss: %s, %.6f sec/epoch\n", cli::decimals(losses.back(), 3).c_str(), seconds_ / passes);
  }

  std::vector<double> epochs, losses;
  std::int64_t steps = 0;
  bool diverged = false;  // in the step after these

 private:
  using Clock = std::chrono::steady_clock;

  template <class Loss>
  void look(Loss loss) {
    apart([&] {
      epochs.push_back(static_cast<double>(seen_) / used_rows);
      losses.push_back(loss().item());
    });
  }

  Clock::time_point start_ = Clock::now();
  double seconds_ = 0;
  std::int64_t seen_ = 0;
};

}  // namespace airfoil
