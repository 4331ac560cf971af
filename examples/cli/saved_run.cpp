#include "../saved_run.h"

#include <filesystem>

// --save and --resume: a Checkpoint and a StopSignal, both only where --save is given.

namespace cli {

SavedRun::SavedRun(const Flags& flags) : path_(flags.run_file.value_or("")), resume_(flags.resume) {
  if (!flags.run_file) return;
  if (!resume_ && std::filesystem::exists(path_))
    throw capstan::IoError("[save] a run of its own needs a file of its own: " + path_ + " is there (go on by --resume, or remove it)");
  checkpoint_.emplace(path_, capstan::CheckpointOptions{.keep = 2, .configuration = flags.configuration()});
  stop_.emplace();
}

void SavedRun::begin() {
  if (!checkpoint_) return;
  if (resume_ && checkpoint_->load()) {
    std::printf("goes on from %s\n", path_.c_str());
    return;
  }
  save();
}

void SavedRun::save() {
  if (checkpoint_) checkpoint_->save();
}

bool SavedRun::interrupted() {
  if (!stop_ || !stop_->arrived()) return false;
  checkpoint_->save();
  std::printf("stopped and saved: go on by --resume --save %s\n", path_.c_str());
  return true;
}

bool SavedRun::finished(std::int64_t done, std::int64_t epochs) const {
  if (!resume_ || done < epochs) return false;
  std::printf("the run is finished: it has made %lld of %lld epochs (more by --epochs)\n", static_cast<long long>(done),
              static_cast<long long>(epochs));
  return true;
}

}  // namespace cli
