#pragma once
#include <capstan/capstan.h>
#include <capstan/optim/make.h>
#include <capstan/train/target.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// What the examples share: their flags, where their files go, and their exit codes: 0 done, 1 failed, 2 bad usage. That a method
// diverges is an outcome and no failure: what there is up to there is drawn, the last line says that it did, and the code is 0.
namespace cli {

struct Flags {
  std::int64_t seed = 0;
  std::int64_t epochs = 1;
  std::optional<int> threads;
  std::optional<double> lr;  // of --lr, or of an lr= in --optimizer: never of both
  std::optional<std::string> optimizer;
  bool lr_is_optimizers = false;  // lr stands in --optimizer, and is not meant for the method that it is compared with
  std::string out = "build/out";
  std::optional<std::string> data;      // only in programs with a Plan::data
  std::optional<std::string> run_file;  // of --save, only in programs with .saves, as the next
  bool resume = false;

  /// The optimizer of --optimizer, else the program's own Method; at the rate that the command line gives, if any.
  template <class Method, class Options>
  std::unique_ptr<capstan::optim::Optimizer> make_optimizer(const capstan::Parameters& parameters, const Options& options) const {
    auto made = optimizer ? capstan::optim::make(*optimizer, parameters) : std::make_unique<Method>(parameters, options);
    if (lr) made->set_lr(*lr);
    return made;
  }

  /// The rate of --lr alone: for a method that is compared with the one of --optimizer.
  std::optional<double> others_lr() const { return lr_is_optimizers ? std::nullopt : lr; }
  /// What compare() is to try: those of the program, and that of --optimizer, or `instead`, unless it is one of them already.
  std::vector<std::string> methods(std::vector<std::string> own, const char* instead = "") const;
  /// At which rates: that of --lr, or else the program's.
  std::vector<double> rates(std::vector<double> own) const { return others_lr() ? std::vector{*others_lr()} : std::move(own); }

  /// What a saved run must have been made with to go on: all but --epochs, --threads and where files lie.
  std::string configuration() const;
  /// The path of a file in the folder of --out.
  std::string path(const std::string& name) const { return out + "/" + name; }
  /// Throws, before the work, unless files of these names can be written there.
  void check_targets(const std::vector<std::string>& names) const {
    for (const std::string& name : names) capstan::check_target(path(name));
  }
  /// Saves a picture there and says so.
  template <class Picture>
  void save(const Picture& picture, const std::string& name) const {
    picture.save(path(name));
    std::printf("wrote %s\n", path(name).c_str());
  }
};

/// "adagrad, lr 0.1"; a spec with an lr of its own has said it already.
std::string with_rate(const std::string& spec, double lr, const char* between = ", lr ");

/// "-2.382563"; from 10^9 on, where that would be a row of digits, "-1.4e+16". "0.000" and not "-0.000" for what is 0.
std::string decimals(double value, int count);
/// "0.1", "1e-09": six significant digits at most.
std::string general(double value);

struct Plan {
  const char* description;
  std::int64_t epochs;                         // the default of --epochs
  const char* epoch = "passes over the data";  // what it counts
  const char* data = nullptr;                  // what --data names; null: there is no such flag
  bool saves = false;                          // takes --save and --resume
};

/// Parses the command line, seeds, makes the folder of --out and calls body, whose exit code it returns. Whatever body
/// throws becomes one line on stderr and exit code 1.
int run(int argc, char** argv, const Plan& plan, int (*body)(const Flags&));

}  // namespace cli
