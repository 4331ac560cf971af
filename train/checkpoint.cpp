#include <capstan/train/checkpoint.h>

#include <capstan/core/state_reader.h>
#include <capstan/core/text.h>
#include <capstan/train/checkpoint_files.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>

// Saving gathers what the parts hold, as it lies in memory, under "<part>/<name>", and writes one file. Loading looks for the newest file
// that is whole, compares its parts with those that were added, and has them take theirs one by one; when one refuses, those before it get
// back what they had.

namespace capstan {

using detail::CheckpointPart;
using detail::fail;
using detail::join;
using detail::NewFile;
using detail::SavedFile;

namespace {

constexpr const char* op = "Checkpoint";
constexpr const char* generators = "generators";
constexpr std::array purposes = {std::pair{"tensors", Purpose::tensors}, std::pair{"init", Purpose::init},
                                 std::pair{"shuffle", Purpose::shuffle}, std::pair{"dropout", Purpose::dropout}};

std::string value_of(const Metadata& metadata, const char* key) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? std::string() : found->second;
}

/// Calls f(); what it throws of Capstan's says whose state it was.
template <class F>
void in_the_name_of(const std::string& part, const std::string& path, F f) {
  const auto text = [&](const Error& e) { return join("[", op, "] part '", part, "' of ", path, ": ", e.what()); };
  try {
    f();
  } catch (const ShapeError& e) {
    throw ShapeError(text(e));
  } catch (const NotFiniteError& e) {
    throw NotFiniteError(text(e));
  } catch (const ValueError& e) {
    throw ValueError(text(e));
  } catch (const IoError& e) {
    throw IoError(text(e));
  } catch (const FormatError& e) {
    throw FormatError(text(e));
  }
}

/// The text of the default generators, which every checkpoint carries.
struct DefaultGenerators {
  TensorMap state() const {
    TensorMap state;
    for (const auto& [name, purpose] : purposes) state.insert(name, detail::generator_tensor(default_generator(purpose)));
    return state;
  }
  void load_state(const TensorMap& state) {
    detail::StateReader reader(state);
    std::array<Generator, purposes.size()> all;
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = reader.read_generator(purposes[i].first);
    reader.require_fit("load_state", "the state does not fit the default generators:");
    for (std::size_t i = 0; i < all.size(); ++i) default_generator(purposes[i].second) = all[i];
  }
};
DefaultGenerators default_generators;

}  // namespace

Checkpoint::Checkpoint(std::string path, CheckpointOptions options) : path_(std::move(path)), options_(std::move(options)) {
  if (path_.empty()) fail<ValueError>(op, "a path must not be empty");
  if (path_.find('\0') != std::string::npos) fail<IoError>(op, "a path must not hold a zero byte: ", path_.c_str());
  if (options_.keep < 1 || options_.keep > 1000) fail<ValueError>(op, "keep must lie in 1 to 1000: ", options_.keep);
  for (std::string_view rest = options_.configuration; !rest.empty();) {
    const std::size_t size = detail::utf8_size(rest);
    if (size == 0) fail<ValueError>(op, "the configuration must be UTF-8: '", options_.configuration, "'");
    rest.remove_prefix(size);
  }
  add_part(detail::part_of(generators, default_generators));
  look();
  count_ = known_count_;
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
                       part.name == generators ? " (the default generators have it, which are kept without being added)" : "");
  parts_.push_back(std::move(part));
}

/// Notes the newest save on the disk.
void Checkpoint::look() {
  std::int64_t count = 0;
  std::string crc;
  for (const std::string& file : detail::saved_files(detail::where_links_lead(path_), options_.keep)) try {
      SavedFile found = detail::look_at(file);
      if (found.count <= count) continue;
      count = found.count;
      crc.swap(found.crc);
    } catch (const FormatError&) {  // no checkpoint, or broken: load() says so
      continue;
    }
  known_count_ = count;
  known_crc_.swap(crc);
}

bool Checkpoint::load() {
  const std::string base = detail::where_links_lead(path_);
  const detail::FolderLock lock(base);  // nobody changes the names meanwhile
  std::vector<std::string> passed_over, broken;
  const auto pass_over = [&](const std::string& path, const Error& e) {
    passed_over.push_back(e.what());
    broken.push_back(path);
  };
  std::vector<SavedFile> files;
  for (const std::string& path : detail::saved_files(base, options_.keep)) try {
      files.push_back(detail::look_at(path));
    } catch (const FormatError& e) {  // one that cannot be read may be whole: nothing older is taken then
      pass_over(path, e);
    }
  std::stable_sort(files.begin(), files.end(), [](const SavedFile& a, const SavedFile& b) { return a.count > b.count; });
  for (const SavedFile& file : files) {
    std::optional<TensorMap> tensors;
    try {
      tensors = detail::read_whole(file);
    } catch (const FormatError& e) {
      pass_over(file.path, e);
      continue;
    }
    std::string crc = files.front().crc;
    take(file, *std::move(tensors));
    for (const std::string& text : passed_over) std::fprintf(stderr, "%s: passed over\n", text.c_str());
    if (!passed_over.empty())
      std::fprintf(stderr, "[%s] goes on with save %lld, %s\n", op, static_cast<long long>(file.count), file.path.c_str());
    passed_over_.swap(passed_over);
    broken_.swap(broken);
    count_ = file.count;
    known_count_ = files.front().count;
    known_crc_.swap(crc);
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

/// Looks whether the tensors are those of the parts, and has each part take its own.
void Checkpoint::take(const SavedFile& file, TensorMap tensors) {
  if (const std::string saved = value_of(file.metadata, "configuration");
      !saved.empty() && !options_.configuration.empty() && saved != options_.configuration)
    fail<ValueError>(op, "the configuration must be that of the save: ", file.path, " has '", saved, "', wanted '", options_.configuration,
                     "'");
  std::string listed = value_of(file.metadata, "parts"), wrong;
  std::vector<std::string> there;
  for (std::size_t at = 0; at < listed.size();) {
    const std::size_t end = std::min(listed.find(' ', at), listed.size());
    there.push_back(listed.substr(at, end - at));
    at = end + 1;
  }
  const auto has = [&](const std::string& name) { return std::find(there.begin(), there.end(), name) != there.end(); };
  const auto index_of = [&](std::string_view name) {
    return static_cast<std::size_t>(std::find_if(parts_.begin(), parts_.end(), [&](const CheckpointPart& p) { return p.name == name; }) -
                                    parts_.begin());
  };
  for (const CheckpointPart& part : parts_)
    if (!has(part.name)) wrong += join("\n  missing: ", part.name);
  for (const std::string& name : there)
    if (index_of(name) == parts_.size()) wrong += join("\n  unexpected: ", name);
  if (!wrong.empty()) fail<ValueError>(op, "the parts must be those that were added: ", file.path, wrong);

  std::vector<TensorMap> states(parts_.size());
  for (const auto& [name, tensor] : tensors) {
    const std::size_t slash = std::min(name.find('/'), name.size()), index = index_of(std::string_view(name).substr(0, slash));
    if (index == parts_.size()) fail<FormatError>(op, "every tensor must belong to a part: ", file.path, ": '", name, "'");
    states[index].insert(name.substr(std::min(slash + 1, name.size())), tensor);
  }
  tensors = {};

  std::vector<TensorMap> before;
  before.reserve(parts_.size());
  try {
    for (std::size_t i = 0; i < parts_.size(); ++i)
      in_the_name_of(parts_[i].name, file.path, [&] {
        TensorMap kept = parts_[i].snapshot(parts_[i].object);
        parts_[i].load(parts_[i].object, states[i]);
        before.push_back(std::move(kept));
      });
  } catch (...) {
    states.clear();  // what memory there is may be needed
    while (!before.empty()) {
      const CheckpointPart& part = parts_[before.size() - 1];
      part.load(part.object, before.back());
      before.pop_back();
    }
    throw;
  }
}

/// What the parts hold, and the metadata that go with it.
TensorMap Checkpoint::live() const {
  TensorMap tensors;
  for (const CheckpointPart& part : parts_)
    in_the_name_of(part.name, path_, [&] {
      if (part.sync) part.sync(part.object);
      for (auto& [name, tensor] : part.state(part.object)) tensors.insert(name.empty() ? part.name : part.name + "/" + name, tensor);
    });
  return tensors;
}

/// Writes a file beside its path, complete; publishing it is left.
void Checkpoint::write(NewFile& file, std::int64_t count, const std::string& score, bool lower) const {
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
  detail::write_whole(file, live(), std::move(metadata));
  file.complete();
}

void Checkpoint::save() {
  const std::int64_t count = count_ + 1;
  NewFile file(op, path_, NewFile::Existing::replaced);
  write(file, count, {}, false);
  if (file.direct()) {
    file.publish();
    count_ = count;
    return;
  }
  const detail::FolderLock lock(file.target());
  const std::int64_t known = known_count_;
  const std::string crc = known_crc_;
  look();
  if (known_count_ > known || (known_count_ == known && !crc.empty() && known_crc_ != crc)) {
    const std::int64_t found = known_count_;
    known_count_ = known;
    known_crc_ = crc;
    fail<ValueError>(op, "another run must not save to the same path: ", path_, " holds save ", found,
                     ", which is not this run's (give each run a path of its own, or load() that save)");
  }
  detail::Rotation rotation(file.target(), options_.keep, broken_);
  try {
    file.publish();
  } catch (...) {  // should the file be there all the same, it is this run's
    look();
    throw;
  }
  rotation.done(broken_);
  count_ = count;
  look();
}

bool Checkpoint::save_best(double score, BestOptions options) {
  if (std::isnan(score)) return false;
  const std::string best = detail::where_links_lead(path_) + ".best";
  const auto is_better = [&] {
    if (detail::saved_files(best, 1).empty()) return true;
    Metadata metadata;
    try {
      metadata = detail::look_at(best).metadata;
    } catch (const FormatError&) {  // broken: it is no save
      return true;
    }
    const std::string saved = value_of(metadata, "score"), better = value_of(metadata, "better"),
                      wanted = options.lower ? "lower" : "higher";
    if (better != wanted)
      fail<ValueError>(op, "the better score must be on the same side as before: ", best, " says ", better, ", wanted ", wanted,
                       " (remove it to begin anew)");
    double other = 0;
    if (std::from_chars(saved.data(), saved.data() + saved.size(), other).ec != std::errc()) return true;
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
