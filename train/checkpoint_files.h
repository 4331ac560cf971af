#pragma once
#include <capstan/core/error.h>
#include <capstan/core/file.h>
#include <capstan/data/safetensors.h>

#include <optional>
#include <string>
#include <vector>

// Private: the files of a Checkpoint, as docs/FORMAT.md describes them. What one says of itself, whether it is whole, and how a new one
// takes its place among the others.
namespace capstan::detail {

/// What a file says of itself.
struct SavedFile {
  /// The value in the metadata; empty when there is none.
  const std::string& value(const char* name) const;

  std::string path;
  Metadata metadata;   // of the names in docs/FORMAT.md
  std::int64_t count;  // which save of the run it is
  std::string crc;     // of the whole file: eight digits
};

/// What read() gives of a file; nothing, and why, when it throws FormatError: a file that is broken is no save. One that cannot be read may
/// well be whole, and its IoError goes on.
template <class F>
auto unless_broken(F read, std::string* why = nullptr) -> std::optional<decltype(read())> {
  try {
    return read();
  } catch (const FormatError& e) {
    if (why) *why = e.what();
    return std::nullopt;
  }
}

/// Where a path leads that is a link; else the path.
std::string where_links_lead(const std::string& path);
/// Those of PATH, PATH.1, ... that are there: up to `keep`, and on as long as there are more.
std::vector<std::string> saved_files(const std::string& base, std::int64_t keep);
/// Reads what the file says of itself, and that alone. Throws IoError or FormatError when it is no checkpoint.
SavedFile look_at(const std::string& path);
/// Reads all of it. Throws IoError or FormatError also when its CRC is another one.
TensorMap read_whole(const SavedFile& file);
/// Writes tensors and metadata with their CRC, and returns that.
std::string write_whole(NewFile& file, const TensorMap& tensors, Metadata metadata);

/// Keeps others of this host, who save to the same folder, waiting for as long as the names of files are changed. Where a folder cannot be
/// locked, nobody waits.
class FolderLock {
 public:
  explicit FolderLock(const std::string& path);
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  /// Gives it back also where a child of a fork() still has the descriptor.
  ~FolderLock();

 private:
  Descriptor folder_;
};

/// Makes room for a new PATH: PATH gets the second name PATH.1, PATH.1 becomes PATH.2, and so on, up to `keep` files. The first that is
/// broken gives way, else the oldest: those in `broken`, and those that do not say what they are. All goes back in the destructor, unless
/// done() was called. Throws IoError.
class Rotation {
 public:
  Rotation(const std::string& base, std::int64_t keep, const std::vector<std::string>& broken);
  Rotation(const Rotation&) = delete;
  Rotation& operator=(const Rotation&) = delete;
  ~Rotation();
  /// Removes what gave way; those of `broken` that are no longer there are taken off the list.
  void done(std::vector<std::string>& broken) noexcept;

 private:
  struct Change {
    std::string from, to;
  };
  void change(std::string from, std::string to);
  void undo() noexcept;

  std::vector<Change> changes_;
  std::string base_;
  std::string link_, spare_;  // the second name of PATH; what gave way is called so meanwhile
};

}  // namespace capstan::detail
