#pragma once
#include <capstan/train/checkpoint.h>
#include <capstan/train/stop_signal.h>

#include <optional>
#include <string>

#include "cli.h"

namespace cli {

/// Whether --resume may come with another --epochs: not where the run is another one then from its first step on.
enum class Epochs { may_change, are_fixed };

/// What --save PATH and --resume do. Everything that the run depends on is added; then begin() loads it, when --resume says so.
/// Without --save nothing is saved, and Ctrl-C ends the program as ever.
class SavedRun {
 public:
  /// To be made before anything is written. Throws IoError when it would write over the file of another run.
  explicit SavedRun(const Flags& flags, Epochs epochs = Epochs::may_change);

  /// How a log is opened: behind the rows of the run that goes on, or written anew.
  capstan::CsvOptions log_options() const { return {.overwrite = !goes_on_, .append = goes_on_}; }

  template <class Part>
  SavedRun& add(const std::string& name, Part& part) {
    if (checkpoint_) checkpoint_->add(name, part);
    return *this;
  }

  /// With --resume goes on from the file, if it is there. Else saves at once: a log's first row never stands before a checkpoint.
  /// Before it Ctrl-C and SIGTERM end the program: there is nothing to save.
  void begin();
  /// Saves; to be called once in each epoch.
  void save();
  /// Whether Ctrl-C or SIGTERM has arrived, between two steps; then all is saved and the program is to return exit_code().
  bool interrupted();
  int exit_code() const { return stop_->exit_code(); }
  /// Whether begin() found a run with nothing left to do after so many epochs; it says so.
  bool finished(std::int64_t done) const;

 private:
  const Flags& flags_;
  Epochs epochs_;
  bool goes_on_ = false;
  std::optional<capstan::Checkpoint> checkpoint_;
  std::optional<capstan::StopSignal> stop_;
};

/// Draws the losses of all epochs as the log NAME.csv has them, also those before a resume, as NAME.svg.
void draw_losses(const Flags& flags, const std::string& name, const capstan::plot::LineChartOptions& options);

}  // namespace cli
