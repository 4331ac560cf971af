#pragma once
#include <capstan/core/random.h>
#include <capstan/core/tensor_map.h>
#include <capstan/data/dataset.h>

#include <cstddef>
#include <string>
#include <type_traits>

namespace capstan::data {

struct BatchOptions {
  std::int64_t batch_size = 32;     // rows
  bool shuffle = false;             // a new order for each pass
  bool drop_last = false;           // leave out a last batch of fewer rows
  Generator* generator = nullptr;   // draws the order; null: default_generator(Purpose::shuffle)
  std::int64_t shuffle_buffer = 0;  // of a stream, as of Libsvm: rows that are held, among which the next one is drawn; 0: in order
};

/// What Batches must know of a kind of rows. A Dataset's is below; one for another kind specialises this with the same functions.
template <class Source>
struct BatchSource;

template <>
struct BatchSource<Dataset> {
  /// What the Batches keep: handles that no tape follows. Throws what the constructor of Batches says.
  static Dataset keep(const Dataset& source);
  static std::int64_t rows(const Dataset& source);
  /// Rows [begin, end), and those at index[0], ..., index[count - 1].
  static Dataset slice(const Dataset& source, std::int64_t begin, std::int64_t end);
  static Dataset gather(const Dataset& source, const std::int64_t* index, std::int64_t count);
  /// Short, and another one for other data: "f32 [1437, 64] 8a3b09c1, i64 [1437] 21f0d6e5", with the CRC-32 of the bytes.
  static std::string fingerprint(const Dataset& source);
  /// Changes whenever the data are changed in place by an operation.
  static std::uint64_t version(const Dataset& source);
};

/// What all Batches share, whatever their rows: how a pass is cut into batches, its order, and the place in it.
class Passes {
 public:
  /// The number of batches in a pass.
  std::int64_t size() const noexcept { return (end_ + batch_size_ - 1) / batch_size_; }
  /// How many passes have come to their end. It counts when the last batch has been worked on; a pass that is left by `break` or an
  /// exception never counts.
  std::int64_t epoch() const noexcept { return epoch_; }

 protected:
  /// For a source without a known number of rows `rows` is `unknown`. Then every pass has more batches, until its iterator ends it.
  Passes(std::int64_t rows, const BatchOptions& options);
  static constexpr std::int64_t unknown = std::int64_t{1} << 62;

  /// Begins a pass, or goes on with the loaded one: its order and its first batch.
  struct Start {
    Tensor order;  // row indices, i64; undefined when not shuffled, and for an unknown number of rows
    std::int64_t pass, row;
    Generator rows;  // for an unknown number: draws each next row. A draw of the generator of this Batches is its seed
  };
  Start start();
  std::int64_t end_of(std::int64_t begin) const noexcept { return end_ - begin < batch_size_ ? end_ : begin + batch_size_; }
  /// The pass hands out the batch that begins there; has come to its end. Those of an older pass are not noted.
  void hand_out(std::int64_t pass, std::int64_t begin) noexcept {
    if (pass == pass_) [[likely]]
      next_ = begin + batch_size_;
  }
  void end_pass(std::int64_t pass) noexcept;
  void leave(std::int64_t pass) noexcept {
    if (pass == pass_) next_ = none;
  }

  std::string options() const;
  TensorMap state(const std::string& fingerprint) const;
  void load_state(const TensorMap& state, const std::string& fingerprint);

  std::int64_t rows_, batch_size_, end_;  // a pass covers rows, or places in the order, [0, end_)
  bool shuffle_;

 private:
  Generator* generator_;
  std::int64_t epoch_ = 0;
  std::int64_t pass_ = 0;        // how often begin() was called: which iterator's steps count
  std::int64_t next_ = none;     // the first row, or place in the order, not yet handed out in the pass under way
  bool loaded_ = false;          // the next begin() goes on with the loaded pass
  Generator order_ = {0, 0, 0};  // from which the order of the pass under way was drawn
  static constexpr std::int64_t none = -1;
};

/// Passes over a data set in batches, each a Dataset of its rows:
///
///     data::Batches batches(training, {.batch_size = 32, .shuffle = true});
///     while (batches.epoch() < 10)
///       for (auto [x, y] : batches) ...
///
/// Each begin() starts a pass, which ends where its iterator does. Without shuffling, batches are views of consecutive rows. With it they
/// are copies of rows, in an order that begin() draws anew by one draw of the generator. In each pass every row comes once (save those of a
/// dropped last batch). Batches are constants for a tape: no gradient flows into the data set. The Batches, and with it the tensors, must
/// outlive its iterators; a temporary in a range-for does.
///
/// Its place is its state, which a Checkpoint keeps. A run that is resumed in the middle of a pass goes on at the next batch, in the same
/// order. Only the first begin() after load_state() goes on; a `break` ends a pass.
/// The kind of the rows is deduced from what is given: a Batches<> has those of a Dataset.
template <class Source = Dataset>
class Batches : public Passes {
  using Kind = BatchSource<Source>;

 public:
  /// Throws:
  ///   - ShapeError unless x and y have as many rows, at least one;
  ///   - ValueError for batch_size < 1, and when drop_last would drop the only batch.
  Batches(const Source& source, const BatchOptions& options = {}) : Passes(Kind::rows(source), options), source_(Kind::keep(source)) {}
  Batches(const Tensor& x, const Tensor& y, const BatchOptions& options = {}) requires(std::is_same_v<Source, Dataset>)
      : Batches(Source{x, y}, options) {}

  struct End {};
  class Iterator {
   public:
    Source operator*() const {
      batches_->hand_out(pass_, begin_);
      return batches_->batch(order_, begin_);
    }
    Iterator(const Iterator&) = delete;  // with its end the pass ends
    Iterator& operator=(const Iterator&) = delete;
    ~Iterator() { batches_->leave(pass_); }
    Iterator& operator++() noexcept {
      begin_ += batches_->batch_size_;
      if (begin_ >= batches_->end_) batches_->end_pass(pass_);
      return *this;
    }
    bool operator==(End) const noexcept { return begin_ >= batches_->end_; }

   private:
    friend class Batches;
    Iterator(Batches* batches, Start start) noexcept
        : batches_(batches), order_(std::move(start.order)), pass_(start.pass), begin_(start.row) {}
    Batches* batches_;
    Tensor order_;
    std::int64_t pass_, begin_;
  };

  Iterator begin() { return {this, start()}; }
  End end() const noexcept { return {}; }

  /// The data's and the options', in words: "f32 [1437, 64] 8a3b09c1, i64 [1437] 21f0d6e5, batch_size 32, shuffle". The numbers are
  /// CRC-32 of the elements. Reads all of the data when it is asked for the first time, and after the data were changed in place.
  std::string fingerprint() const {
    if (const std::uint64_t version = Kind::version(source_); known_.empty() || version != version_) {
      known_ = Kind::fingerprint(source_);
      version_ = version;
    }
    return known_ + options();
  }
  /// The place:
  ///   - "fingerprint" (i64, the bytes of that text);
  ///   - "epoch" (i64), "next" (i64): the next batch of the pass under way, and -1 between two passes;
  ///   - with shuffle "order" and "generator" (i64: seed, purpose, draw): where the order of this pass came from, and what is drawn from
  ///   next.
  TensorMap state() const { return Passes::state(fingerprint()); }
  /// Takes it back, the generator's place too. Throws, and changes nothing then:
  ///   - ValueError with both fingerprints for another data set, or other options;
  ///   - ValueError listing every mismatch (missing, unexpected, shape, dtype, a place that is not there).
  void load_state(const TensorMap& state) { Passes::load_state(state, fingerprint()); }

 private:
  Source batch(const Tensor& order, std::int64_t begin) const {
    const std::int64_t end = end_of(begin);
    if (!order.defined()) [[likely]]
      return Kind::slice(source_, begin, end);
    return Kind::gather(source_, order.template data<std::int64_t>() + begin, end - begin);
  }

  Source source_;
  mutable std::string known_;  // the data's part of the fingerprint, once it was asked for
  mutable std::uint64_t version_ = 0;
};

}  // namespace capstan::data
