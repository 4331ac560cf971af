#include "../saved_run.h"

#include <filesystem>

// --save and --resume: a Checkpoint and a StopSignal, both only where --save is given.

namespace cli {

SavedRun::SavedRun(const Flags& flags, Epochs epochs) : flags_(flags), epochs_(epochs) {
  if (!flags.run_file) return;
  const std::string& path = *flags.run_file;
  const bool there = std::filesystem::exists(path);
  if (there && !flags.resume)
    throw capstan::IoError("[save] a run of its own needs a file of its own: " + path + " is there (go on by --resume, or remove it)");
  goes_on_ = flags.resume && (there || std::filesystem::exists(path + ".1"));  // the second newest save
  std::string configuration = flags.configuration();
  if (epochs == Epochs::are_fixed) configuration += ", epochs " + std::to_string(flags.epochs);
  checkpoint_.emplace(path, capstan::CheckpointOptions{.keep = 2, .configuration = configuration});
}

void SavedRun::begin() {
  if (!checkpoint_) return;
  stop_.emplace();
  if (flags_.resume && checkpoint_->load())
    std::printf("goes on from %s\n", flags_.run_file->c_str());
  else
    save();
}

void SavedRun::save() {
  if (checkpoint_) checkpoint_->save();
}

bool SavedRun::interrupted() {
  if (!stop_ || !stop_->arrived()) return false;
  save();
  std::printf("stopped and saved: go on by --resume --save %s\n", flags_.run_file->c_str());
  return true;
}

bool SavedRun::finished(std::int64_t done) const {
  if (!flags_.resume || done < flags_.epochs) return false;
  std::printf("the run is finished: it has made %lld of %lld epochs%s\n", static_cast<long long>(done),
              static_cast<long long>(flags_.epochs), epochs_ == Epochs::may_change ? " (more by --epochs)" : "");
  return true;
}

void draw_losses(const Flags& flags, const std::string& name, const capstan::plot::LineChartOptions& options) {
  using namespace capstan;
  const Tensor rows = data::read_table(flags.path(name + ".csv"), {.header = true, .dtype = DType::f64});
  const auto column = [&](std::int64_t k) {
    const Tensor values = data::columns(rows, k, k + 1);
    return std::vector<double>(values.data<double>(), values.data<double>() + values.numel());
  };
  plot::LineChart chart(options);
  chart.add("training", column(0), column(1)).add("test", column(0), column(2));
  std::printf("wrote %s\n", flags.path(name + ".csv").c_str());
  flags.save(chart, name + ".svg");
}

}  // namespace cli
