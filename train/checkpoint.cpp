#include <capstan/train/checkpoint.h>

#include <capstan/core/text.h>
#include <capstan/data/quoted.h>
#include <capstan/train/checkpoint_files.h>
#include <capstan/train/checkpoint_parts.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>

// Saving writes what the parts hold, as it lies in memory, to one file. Loading looks for the newest file that is whole, and has the parts
// take theirs from it. What parts and files are is in checkpoint_parts.cpp and checkpoint_files.cpp.

namespace capstan {

using detail::CheckpointPart;
using detail::fail;
using detail::join;
using detail::NewFile;
using detail::SavedFile;

namespace {
constexpr const char* op = "Checkpoint";
}

Checkpoint::Checkpoint(std::string path, CheckpointOptions options) : path_(std::move(path)), options_(std::move(options)) {
  if (path_.empty()) fail<ValueError>(op, "a path must not be empty");
  if (path_.find('\0') != std::string::npos) fail<IoError>(op, "a path must not hold a zero byte: ", path_.c_str());
  if (options_.keep < 1 || options_.keep > 1000) fail<ValueError>(op, "keep must lie in 1 to 1000: ", options_.keep);
  for (std::string_view rest = options_.configuration; !rest.empty();) {
    const std::size_t size = detail::utf8_size(rest);
    if (size == 0) fail<ValueError>(op, "the configuration must be UTF-8: '", options_.configuration, "'");
    rest.remove_prefix(size);
  }
  parts_.push_back(detail::default_generators());
  known_ = look();
  count_ = known_.count;
}

Checkpoint::~Checkpoint() = default;

void Checkpoint::add_part(CheckpointPart part) {
  const auto is_fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  };
  if (part.name.empty() || !std::all_of(part.name.begin(), part.name.end(), is_fine) || part.name == "__metadata__")
    fail<ValueError>(op, "a part's name must have letters, digits, '_', '-' and '.' alone: '", part.name, "'");
  for (const CheckpointPart& other : parts_)
    if (other.name == part.name)
      fail<ValueError>(op, "a part's name must come once: '", part.name, "'",
                       part.name == parts_.front().name ? " (the default generators have it, which are kept without being added)" : "");
  parts_.push_back(std::move(part));
}

/// The newest save on the disk.
Checkpoint::Newest Checkpoint::look() const {
  Newest newest;
  for (const std::string& path : detail::saved_files(detail::where_links_lead(path_), options_.keep))
    if (auto file = detail::unless_broken([&] { return detail::look_at(path); }); file && file->count > newest.count)
      newest = {file->count, std::move(file->crc)};
  return newest;
}

bool Checkpoint::load() {
  const std::string base = detail::where_links_lead(path_);
  const detail::FolderLock lock(base);  // nobody changes the names meanwhile
  std::vector<std::string> passed_over, broken;
  const auto unless_broken = [&](const std::string& path, auto read) {
    std::string why;
    auto content = detail::unless_broken(read, &why);
    if (!content) {
      passed_over.push_back(why);
      broken.push_back(path);
    }
    return content;
  };
  std::vector<SavedFile> files;
  for (const std::string& path : detail::saved_files(base, options_.keep))
    if (auto file = unless_broken(path, [&] { return detail::look_at(path); })) files.push_back(*std::move(file));
  std::stable_sort(files.begin(), files.end(), [](const SavedFile& a, const SavedFile& b) { return a.count > b.count; });
  for (const SavedFile& file : files) {
    std::optional<TensorMap> tensors = unless_broken(file.path, [&] { return detail::read_whole(file); });
    if (!tensors) continue;
    Newest newest{files.front().count, files.front().crc};
    take(file, *std::move(tensors));
    for (const std::string& text : passed_over) std::fprintf(stderr, "%s: passed over\n", text.c_str());
    if (!passed_over.empty())
      std::fprintf(stderr, "[%s] goes on with save %lld, %s\n", op, static_cast<long long>(file.count), file.path.c_str());
    passed_over_.swap(passed_over);
    broken_.swap(broken);
    count_ = file.count;
    known_ = std::move(newest);
    return true;
  }
  if (passed_over.empty()) return false;
  std::string list;
  for (const std::string& text : passed_over) list += "\n  " + text;
  fail<FormatError>(op, "one of the files must be whole: ", path_, " (to begin anew, move them away):", list);
}

bool Checkpoint::load_best() {
  const std::string path = detail::where_links_lead(path_) + ".best";
  const detail::FolderLock lock(path);
  if (detail::saved_files(path, 1).empty()) return false;
  const SavedFile file = detail::look_at(path);
  take(file, detail::read_whole(file));
  return true;
}

void Checkpoint::take(const SavedFile& file, TensorMap tensors) {
  const std::string &saved = file.value("configuration"), &wanted = options_.configuration;
  if (!saved.empty() && !wanted.empty() && saved != wanted)
    fail<ValueError>(op, "the configuration must be that of the save: ", file.path, " has '", saved, "', wanted '", wanted, "'");
  detail::load_parts(parts_, file, std::move(tensors));
}

/// Writes a file beside its path, complete; publishing it is left. Returns its CRC.
std::string Checkpoint::write(NewFile& file, std::int64_t count, const std::string& score, bool lower) const {
  Metadata metadata;
  metadata["save"] = std::to_string(count);
  if (!options_.configuration.empty()) metadata["configuration"] = options_.configuration;
  std::string parts, data;
  for (const CheckpointPart& part : parts_) {
    parts += (parts.empty() ? "" : " ") + part.name;
    if (part.fingerprint) data += join(data.empty() ? "" : "; ", part.name, ": ", part.fingerprint(part.object));
  }
  metadata["parts"] = parts;
  if (!data.empty()) metadata["data"] = data;
  if (!score.empty()) {
    metadata["score"] = score;
    metadata["better"] = lower ? "lower" : "higher";
  }
  std::string crc = detail::write_whole(file, detail::live_state(parts_, path_), std::move(metadata));
  file.complete();
  return crc;
}

void Checkpoint::save() {
  Newest mine{count_ + 1, {}};
  NewFile file(op, path_, NewFile::Existing::replaced);
  mine.crc = write(file, mine.count, {}, false);
  if (file.direct()) {
    file.publish();
    count_ = mine.count;
    return;
  }
  const detail::FolderLock lock(file.target());
  Newest found = look();
  if (found.count > 0 && found.count >= known_.count && found.crc != known_.crc && found.crc != tried_)
    fail<ValueError>(op, "another run must not save to the same path: ", path_, " holds save ", found.count,
                     ", which is not this run's (give each run a path of its own, or load() that save)");
  detail::Rotation rotation(file.target(), options_.keep, broken_);
  known_ = std::move(found);
  tried_ = mine.crc;
  file.publish();
  rotation.done(broken_);
  count_ = mine.count;
  if (mine.count >= known_.count) known_ = std::move(mine);
}

bool Checkpoint::save_best(double score, BestOptions options) {
  if (std::isnan(score)) return false;
  const std::string best = detail::where_links_lead(path_) + ".best";
  const auto is_better = [&] {
    if (detail::saved_files(best, 1).empty()) return true;
    const auto there = detail::unless_broken([&] { return detail::look_at(best); });
    if (!there) return true;
    const std::string &saved = there->value("score"), &better = there->value("better"), wanted = options.lower ? "lower" : "higher";
    if (better != wanted)
      fail<ValueError>(op, "the better score must be on the same side as before: ", best, " says '", data::shown(better), "', wanted '",
                       wanted, "' (remove it to begin anew)");
    double other = 0;
    const char* const end = saved.data() + saved.size();
    if (const auto read = std::from_chars(saved.data(), end, other); read.ec != std::errc() || read.ptr != end || std::isnan(other))
      return true;  // none that any other could be compared with
    return options.lower ? score < other : score > other;
  };
  if (!is_better()) return false;
  NewFile file(op, best, NewFile::Existing::replaced);
  write(file, count_, detail::text(score), options.lower);
  const detail::FolderLock lock(best);
  if (!is_better()) return false;  // somebody was faster
  file.publish();
  return true;
}

}  // namespace capstan
