#pragma once
#include <capstan/data/batches.h>
#include <capstan/data/sparse_dataset.h>

#include <memory>
#include <string>

namespace capstan::data {

/// What the label of a row may be, and what becomes of it.
enum class Labels {
  real,     // a finite number, in the dtype of the values
  binary,   // -1 or +1, which become 0 and 1 in that dtype
  classes,  // a whole number, as it is, in i64
};

struct LibsvmOptions {
  std::int64_t features = 0;     // columns; 0: as many as the largest index wants
  Labels labels = Labels::real;  // what the labels are
  int base = -1;                 // the index of the first column, 0 or 1; -1: 0 if any index is 0, else 1
  DType dtype = DType::f32;      // of the values: f32 or f64
  Tensor* query_id = nullptr;    // where the rows' qid go, i64 [rows], or come from; null: they are left out
};

/// Rows with few features each, from the text that LIBSVM, svmlight and Vowpal Wabbit's users share:
///
///     +1 3:0.5 7:1e-3 1048576:2  # label, then index:value with ascending indices
///     -1 qid:4 1:1
///
///     auto [x, y] = data::read_libsvm("train.libsvm", {.features = 1 << 20, .labels = Labels::binary});
///
/// Blanks and tabs stand between the fields, and where you like at a line's begin and end. A line ends with LF or CRLF; the last one may
/// lack its end. A row may have no features. Lines that are empty or a comment are no rows. Numbers are decimal, as in read_table(),
/// and rounded to the nearest of the dtype. A file may be compressed by gzip, whatever its name. The locale plays no part.
///
/// What is not so is refused with its file, line and column, in bytes from 1. Throws:
///   - IoError when the file cannot be read;
///   - FormatError when it holds anything else, and for an index that is below the base, above the features or not above the one before;
///   - FormatError when a row has a qid and another has none, if they are wanted;
///   - ValueError for options that cannot be;
///   - a std::bad_alloc that names the file when there is no memory for it.
/// Weakness: the rows are held twice for a moment. A line has at most 2^28 bytes, an index is at most 2^48.
/// Source: the README of LIBSVM (Chang and Lin, ACM TIST 2011), "Usage"; qid and comments by Joachims' SVM-light.
SparseDataset read_libsvm(const std::string& path, const LibsvmOptions& options = {});

/// Writes such a file, from which read_libsvm() with the same options gets the same bits. The base is 1 unless it is given as 0. Numbers
/// have the fewest digits that name them. The file comes to its path at once when it is complete, or not at all. Throws:
///   - ShapeError unless y and the query ids are vectors with an element for each row;
///   - ValueError for a label that is not as the options say, and when `features` is neither 0 nor the number of columns;
///   - IoError when the file cannot be written.
void write_libsvm(const std::string& path, const SparseDataset& data, const LibsvmOptions& options = {});

struct LibsvmFile;

/// A file of that text whose rows are read as they are needed, so that it may be larger than memory. Batches make passes over it:
///
///     data::Libsvm file("train.libsvm", {.features = 1 << 20, .labels = Labels::binary, .base = 1});
///     data::Batches batches(file, {.batch_size = 256, .shuffle_buffer = 100'000});
///     while (batches.epoch() < 3)
///       for (auto [x, y] : batches) ...
///
/// Like a Tensor it is a handle.
class Libsvm {
 public:
  /// Opens the file. Unless both `features` and `base` are given, it is read once to find them out, and looked through by that. Else the
  /// first pass finds what is wrong. Throws as read_libsvm(), and:
  ///   - ValueError when query ids are wanted.
  explicit Libsvm(const std::string& path, const LibsvmOptions& options = {});

  const std::string& path() const noexcept;
  std::int64_t features() const noexcept;
  int base() const noexcept;

 private:
  friend class Batches<Libsvm>;
  std::shared_ptr<const LibsvmFile> file_;
};

class LibsvmStream;

/// Passes over a file in batches, each a SparseDataset. What stands in data/batches.h holds here, but for this:
///   - the number of batches is not known;
///   - with `shuffle_buffer` so many rows are held, and each next one is drawn among them. Rows that are further apart than that hardly
///     change places: a file that is sorted by label wants to be shuffled itself. `shuffle` is refused;
///   - the first batch after load_state() is reached by reading the pass again up to there. The same rows come as in a run that was not
///     stopped, to the bit;
///   - begin() and the step to the next batch read, and throw what read_libsvm() throws for what they find. Such a pass has ended.
/// The memory is that of the rows held, of a batch and of the longest line.
template <>
class Batches<Libsvm> : public Passes {
 public:
  /// Throws ValueError for batch_size < 1, shuffle_buffer < 0, and shuffle.
  Batches(const Libsvm& file, const BatchOptions& options = {});
  std::int64_t size() const = delete;

  struct End {};
  class Iterator {
   public:
    SparseDataset operator*() const {
      batches_->hand_out(pass_, begin_);
      return batch_;
    }
    Iterator(const Iterator&) = delete;  // with its end the pass ends
    Iterator& operator=(const Iterator&) = delete;
    ~Iterator();
    Iterator& operator++();
    bool operator==(End) const noexcept { return !stream_; }

   private:
    friend class Batches;
    explicit Iterator(Batches* batches);
    void read();
    Batches* batches_;
    std::int64_t pass_, begin_;
    std::unique_ptr<LibsvmStream> stream_;
    SparseDataset batch_;
  };

  Iterator begin() { return Iterator(this); }
  End end() const noexcept { return {}; }

  /// "libsvm 81920 bytes 87ffa194, features 1048576, base 1, binary, f32, batch_size 256, shuffle_buffer 100000": the file's size and
  /// CRC-32, then options. Reads the file when it is asked for the first time.
  std::string fingerprint() const;
  TensorMap state() const { return Passes::state(fingerprint()); }
  void load_state(const TensorMap& state) { Passes::load_state(state, fingerprint()); }

 private:
  Libsvm file_;
  std::int64_t buffer_;
  bool drop_last_;
  mutable std::string known_;
};

}  // namespace capstan::data
