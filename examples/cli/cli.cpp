#include "../cli.h"

#include <unistd.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <system_error>
#include <utility>

namespace cli {

namespace {

using capstan::IoError;

/// The range stands in the text of the option, not in its type.
template <class Number>
CLI::Validator range(Number low, Number high) {
  return CLI::Range(low, high).description("");
}

/// CLI11 would read 010 as 8, and call 1e3 out of range.
const CLI::Validator decimal(
    [](const std::string& text) -> std::string {
      const std::string digits = text.substr(text.starts_with('+') || text.starts_with('-') ? 1 : 0);
      const bool is_plain = !digits.empty() && digits.find_first_not_of("0123456789") == std::string::npos;
      if (is_plain && (digits == "0" || !digits.starts_with('0'))) return "";
      double value = 0;
      const char* const end = text.data() + text.size();
      const bool is_number = std::from_chars(text.data(), end, value).ptr == end && value == std::floor(value) && std::abs(value) < 1e15;
      char hint[48] = "";
      if (is_number) std::snprintf(hint, sizeof hint, " (write %.0f)", value);
      return "a whole number must be given in decimals, without zeros before it: " + text + hint;
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
  std::string methods = "Methods:";
  for (const std::string& method : capstan::optim::methods()) methods += " " + method;
  app.footer(methods + "\nA wrong option of one is answered with all that it has: --optimizer \"sgd ?=1\".");
  if (plan.saves) {
    const auto save = app.add_option("--save", flags.run_file, "file to keep the run in, after each epoch and at Ctrl-C");
    app.add_flag("--resume", flags.resume, "go on from that file, if it is there")->needs(save);
  }
  if (plan.data) app.add_option("--data", flags.data, plan.data);
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

/// Makes the folder, and a file in it that is gone again: better to know now than after the work.
void prepare_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw IoError("[out] the folder must be there or be made: " + path + ": " + error.message() + " (choose one with --out)");
  std::string probe = path + "/.capstan-XXXXXX";
  const int descriptor = ::mkstemp(probe.data());
  if (descriptor < 0)
    throw IoError("[out] the folder must take files: " + path + ": " + std::generic_category().message(errno) + " (choose one with --out)");
  ::close(descriptor);
  ::unlink(probe.c_str());
}

int exit_code(bool written) {
  if (!written) std::fprintf(stderr, "[stdout] the results must be written: some were not (disk full?)\n");
  return written ? 0 : 1;
}

}  // namespace

std::string with_rate(const std::string& spec, double lr, const char* between) {
  return capstan::optim::parse_spec(spec).find("lr") ? spec : spec + between + general(lr);
}

std::string Flags::configuration() const {
  std::string text = "seed " + std::to_string(seed);
  if (optimizer) text += ", optimizer " + *optimizer;
  if (lr && !lr_is_optimizers) text += ", lr " + general(*lr);
  if (data) text += ", data " + *data;
  return text;
}

std::string general(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

std::vector<std::string> Flags::methods(std::vector<std::string> own, const char* instead) const {
  const auto meaning = [](const std::string& spec) {  // whatever the order and the blanks
    capstan::optim::Spec parts = capstan::optim::parse_spec(spec);
    std::vector<std::pair<std::string, double>> settings = {{parts.method, 0}};
    for (const auto& setting : parts.settings) settings.emplace_back(setting.name + "=" + setting.text, setting.value);
    std::sort(settings.begin() + 1, settings.end());
    return settings;
  };
  const std::string last = optimizer.value_or(instead);
  if (!last.empty() && std::none_of(own.begin(), own.end(), [&](const std::string& spec) { return meaning(spec) == meaning(last); }))
    own.push_back(last);
  return own;
}

std::string decimals(double value, int count) {
  char text[64];
  if (std::isnan(value)) return "nan";  // without the sign, which means nothing
  if (std::abs(value) < 1e9)
    std::snprintf(text, sizeof text, "%.*f", count, value + 0.0);
  else
    std::snprintf(text, sizeof text, "%.2g", value);
  return text;
}

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
    prepare_folder(flags.out);
    const int code = body(flags);
    return std::max(code, exit_code(std::fflush(stdout) == 0 && std::ferror(stdout) == 0));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

}  // namespace cli
