#pragma once
#include <capstan/core/random.h>
#include <capstan/core/tensor_map.h>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace capstan {

struct CheckpointOptions {
  std::int64_t keep = 1;           // how many saves are kept: PATH, PATH.1, ..., the newest first
  std::string configuration = {};  // a text that is the same for runs that may go on with each other's saves; empty: not looked at
};

struct BestOptions {
  bool lower = false;  // lower scores are better, as of a loss
};

namespace detail {

class NewFile;
struct SavedFile;

/// A part of a checkpoint, whatever its type. What a pointer to a function is null for, the part does not have.
struct CheckpointPart {
  std::string name;
  void* object;
  TensorMap (*state)(void*);  // without copies, where the type can do that
  TensorMap (*snapshot)(void*);
  void (*load)(void*, const TensorMap&);
  void (*sync)(void*);
  std::string (*fingerprint)(void*);
};

template <class T>
concept HasState = requires(T& part, const TensorMap& state) {
  { part.state() } -> std::convertible_to<TensorMap>;
  part.load_state(state);
};

// What numbers, texts and generators are in a state: one tensor, without a name.
TensorMap state_of(const Generator& value);
TensorMap state_of(const std::string& value);
TensorMap state_of(const std::vector<double>& values);
TensorMap state_of_number(double value);
TensorMap state_of_number(std::int64_t value);
TensorMap state_of_number(bool value);
void load_into(Generator& value, const TensorMap& state);
void load_into(std::string& value, const TensorMap& state);
void load_into(std::vector<double>& values, const TensorMap& state);
double load_double(const TensorMap& state);
float load_float(const TensorMap& state);
std::int64_t load_integer(const TensorMap& state, std::int64_t low, std::int64_t high);
bool load_bool(const TensorMap& state);

/// What a number of a program is kept as: bool, i64 or f64. The bits of what has 64 and no sign.
template <class T>
using Kept = std::conditional_t<std::is_same_v<T, bool>, bool, std::conditional_t<std::is_floating_point_v<T>, double, std::int64_t>>;
template <class T>
requires std::is_arithmetic_v<T> TensorMap state_of(const T& value) {
  static_assert(sizeof(T) <= 8, "a number has at most 64 bits");
  return state_of_number(static_cast<Kept<T>>(value));
}
template <class T>
requires std::is_arithmetic_v<T>
void load_into(T& value, const TensorMap& state) {
  if constexpr (std::is_same_v<T, bool>)
    value = load_bool(state);
  else if constexpr (std::is_same_v<T, float>)
    value = load_float(state);
  else if constexpr (std::is_floating_point_v<T>)
    value = load_double(state);
  else if constexpr (sizeof(T) == 8)
    value = static_cast<T>(load_integer(state, INT64_MIN, INT64_MAX));
  else
    value = static_cast<T>(load_integer(state, T(-1) < T(0) ? -(std::int64_t{1} << (8 * sizeof(T) - 1)) : 0,
                                        (std::int64_t{1} << (8 * sizeof(T) - (T(-1) < T(0) ? 1 : 0))) - 1));
}

template <class T>
CheckpointPart part_of(std::string name, T& object) {
  CheckpointPart part{std::move(name), &object, nullptr, nullptr, nullptr, nullptr, nullptr};
  if constexpr (HasState<T>) {
    part.snapshot = [](void* p) -> TensorMap { return static_cast<T*>(p)->state(); };
    part.state = part.snapshot;
    if constexpr (requires { object.live_state(); }) part.state = [](void* p) -> TensorMap { return static_cast<T*>(p)->live_state(); };
    part.load = [](void* p, const TensorMap& state) { static_cast<T*>(p)->load_state(state); };
    if constexpr (requires { object.sync(); }) part.sync = [](void* p) { static_cast<T*>(p)->sync(); };
    if constexpr (requires { std::string(object.fingerprint()); })
      part.fingerprint = [](void* p) -> std::string { return static_cast<T*>(p)->fingerprint(); };
  } else {
    part.state = part.snapshot = [](void* p) { return state_of(*static_cast<const T*>(p)); };
    part.load = [](void* p, const TensorMap& state) { load_into(*static_cast<T*>(p), state); };
  }
  return part;
}

}  // namespace detail

/// Whatever a Checkpoint can keep: what has state() and load_state(), numbers, a Generator, a std::string, a std::vector<double>.
template <class T>
concept Checkpointable = !std::is_const_v<T> && (detail::HasState<T> || std::is_arithmetic_v<T> || std::is_same_v<T, Generator> ||
                                                 std::is_same_v<T, std::string> || std::is_same_v<T, std::vector<double>>);

/// A run that survives: its parts in one file, from which another process goes on to the same bits.
///
///     Checkpoint run("digits.ckpt", {.keep = 2});
///     run.add("model", model).add("optimizer", optimizer).add("batches", batches).add("log", log);
///     run.load();   // false when there is none
///     while (batches.epoch() < 30) {
///       for (auto [x, y] : batches) ...
///       run.save();
///       run.save_best(accuracy);
///     }
///
/// Add everything that the next step depends on: model, optimizer or the outermost wrapper around it, Batches, EMA, Plateau, logs. Add
/// counters and generators of your own. The default generators are always kept. A save inside of a pass goes on at the next batch.
/// Save in the loop over the training batches itself. Within a loop inside of that, as over a validation set, no program can go on.
///
/// The files are PATH, the newest, then PATH.1, PATH.2 ..., and PATH.best. Each is a safetensors file (docs/FORMAT.md) that is complete
/// and on the disk before it has its name. A save that fails leaves all as it was. A part's tensors are written from where they
/// are, without a copy. A part is kept by its address: it must live as long as the Checkpoint is used, and must not be moved.
/// Weakness: a load reads the file into memory, and holds copies of the parts until all have taken theirs. A part that cannot be given
/// back what it had, for want of any memory, keeps what the file has: the next load() takes all.
class Checkpoint {
 public:
  /// Looks which saves are there; nothing is written before save(). Throws:
  ///   - ValueError unless 1 <= keep <= 1000, for a configuration that is no UTF-8, and when a newer Capstan has saved to this path;
  ///   - IoError when a file that is there cannot be read.
  explicit Checkpoint(std::string path, CheckpointOptions options = {});
  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;
  ~Checkpoint();

  /// Adds a part under a name. Throws:
  ///   - ValueError for a name that was added before, is "generators", or has other characters than letters, digits, '_', '-' and '.'.
  template <Checkpointable T>
  Checkpoint& add(const std::string& name, T& part) {
    add_part(detail::part_of(name, part));
    return *this;
  }

  /// Takes the newest save that is whole: all parts, or none of them. False when there is none. A file that is broken is passed over,
  /// and named on stderr and in passed_over(). Throws, and leaves every part as it was then:
  ///   - FormatError when there are files and none of them is whole;
  ///   - IoError when one of them cannot be read: it may be the newest;
  ///   - ValueError for another configuration, for a newer Capstan's save, and listing parts that the file lacks, or that nobody has added;
  ///   - what a part's load_state() throws, with the part and the file before it.
  bool load();
  /// The same with PATH.best. What load() or save() knew of the newest save stays.
  bool load_best();
  /// Why load() passed over files, one line each, newest first; empty when it took the newest.
  const std::vector<std::string>& passed_over() const noexcept { return passed_over_; }

  /// Writes all parts to PATH. What was there becomes PATH.1, and so on, up to `keep` files. Logs are brought to the disk first. Throws:
  ///   - ValueError when somebody else, or a newer Capstan, has saved to this path since this object last looked;
  ///   - IoError when the file cannot be written, naming it and the system's reason;
  ///   - what a part's state() throws.
  void save();
  /// Writes all parts to PATH.best, unless a save is there with as good a score, also one of an earlier run. NaN is never better. Whether
  /// it has written. Throws as save() does, and:
  ///   - ValueError when the file there says that its score is better in the other direction.
  bool save_best(double score, BestOptions options = {});

 private:
  /// The save with the highest number.
  struct Newest {
    std::int64_t count = 0;
    std::string crc;
  };
  void add_part(detail::CheckpointPart part);
  Newest look() const;
  void take(const detail::SavedFile& file, TensorMap tensors);
  std::string write(detail::NewFile& file, std::int64_t count, const std::string& score, bool lower) const;

  std::string path_;
  CheckpointOptions options_;
  std::vector<detail::CheckpointPart> parts_;
  std::vector<std::string> passed_over_;
  std::vector<std::string> broken_;  // paths of files that load() found broken
  std::int64_t count_ = 0;           // of the newest save that this run has made or taken
  Newest known_;                     // on the disk, when this object last looked
  std::string tried_;                // the CRC of the last save that this run has brought to its path, or failed to
};

}  // namespace capstan
