#include "../cli.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <system_error>

namespace cli {

namespace {

using capstan::IoError;

/// The range stands in the text of the option, not in its type.
template <class Number>
CLI::Validator range(Number low, Number high) {
  return CLI::Range(low, high).description("");
}

/// CLI11 would read 010 as 8.
const CLI::Validator decimal(
    [](const std::string& text) {
      const std::size_t first = text.find_first_not_of("+-");
      const bool other = first != std::string::npos && text[first] == '0' && first + 1 < text.size();
      return other ? "a whole number in decimals is needed, without zeros before it: " + text : std::string();
    },
    "");

void add_options(CLI::App& app, Flags& flags, const Plan& plan) {
  constexpr std::int64_t million = 1'000'000;
  const std::string epochs = std::string(plan.epoch) + ", 1 to 1,000,000";
  app.add_option("--seed", flags.seed, "of all random numbers, 0 to 10^12")
      ->check(decimal)
      ->check(range<std::int64_t>(0, million * million))
      ->capture_default_str();
  app.add_option("--threads", flags.threads, "at most this many, 1 to 256 (default: one per CPU)")->check(decimal)->check(range(1, 256));
  app.add_option("--epochs", flags.epochs, epochs)->check(decimal)->check(range<std::int64_t>(1, million))->capture_default_str();
  app.add_option("--lr", flags.lr, "learning rate, instead of an lr= in --optimizer");
  app.add_option("--optimizer", flags.optimizer, "method and options, such as \"rmsprop lr=0.01 alpha=0.9\"");
  app.add_option("--out", flags.out, "folder for pictures and logs")->capture_default_str();
  if (plan.has_data) app.add_option("--data", flags.data, "the table, its folder, or \"synthetic\" (default: CAPSTAN_DATA)");
}

/// A wrong method, option or rate is bad usage, and is known before anything is computed. Of two rates neither would be the
/// obvious one.
void check_optimizer(Flags& flags) {
  const char* flag = "--optimizer";
  try {
    const std::string spec = flags.optimizer.value_or("adagrad");
    const auto optimizer = capstan::optim::make(spec, {{"x", capstan::zeros({1, 1})}});
    const std::optional<double> rate = capstan::optim::parse_spec(spec).find("lr");
    flag = "--lr";
    if (flags.lr && rate) throw CLI::ValidationError(flag, "the rate must be given once: also in --optimizer \"" + spec + "\"");
    if (flags.lr) optimizer->set_lr(*flags.lr);
    flags.lr_is_optimizers = rate.has_value();
    if (rate) {
      flags.lr = rate;
      flag = "--optimizer";
    }
    if (flags.lr == 0) throw CLI::ValidationError(flag, "the rate must be above 0, or nothing moves: lr 0");
  } catch (const capstan::Error& error) {
    throw CLI::ValidationError(flag, error.what());
  }
}

void make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw IoError("[out] the folder must be there or be made: " + path + ": " + error.message() + " (choose one with --out)");
}

int exit_code(bool written) {
  if (!written) std::fprintf(stderr, "[stdout] the results must be written: some were not (disk full?)\n");
  return written ? 0 : 1;
}

}  // namespace

int run(int argc, char** argv, const Plan& plan, int (*body)(const Flags&)) {
  Flags flags;
  flags.epochs = plan.epochs;
  CLI::App app(plan.description, argc > 0 ? std::filesystem::path(argv[0]).filename().string() : "");
  add_options(app, flags, plan);
  try {
    app.parse(argc, argv);
    const capstan::Tensor one = capstan::zeros({1}) + 1;  // a bad CAPSTAN_ISA or CAPSTAN_NUM_THREADS shows here: no fault of a flag's
    capstan::num_threads();
    check_optimizer(flags);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code != 0 ? 2 : exit_code(static_cast<bool>(std::cout.flush()));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // in step with what goes to stderr, also through a pipe
  try {
    capstan::manual_seed(static_cast<std::uint64_t>(flags.seed));
    if (flags.threads) capstan::set_num_threads(*flags.threads);
    make_folder(flags.out);
    const int code = body(flags);
    return std::max(code, exit_code(std::fflush(stdout) == 0 && std::ferror(stdout) == 0));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

}  // namespace cli
