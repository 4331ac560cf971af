#pragma once
#include <capstan/core/random.h>
#include <capstan/data/dataset.h>

#include <cstddef>

namespace capstan::data {

struct BatchOptions {
  std::int64_t batch_size = 32;    // rows
  bool shuffle = false;            // a new order for each pass
  bool drop_last = false;          // leave out a last batch of fewer rows
  Generator* generator = nullptr;  // draws the order; null: default_generator(Purpose::shuffle)
};

/// One pass over a data set in batches, each a Dataset of its rows:
///
///     for (auto [x, y] : data::Batches(training, {.batch_size = 32, .shuffle = true})) ...
///
/// Each begin() starts a pass. Without shuffling, batches are views of consecutive rows. With it they are copies of rows, in an order that
/// begin() draws anew by one draw of the generator. In each pass every row comes once (save those of a dropped last batch). Batches are
/// constants for a tape: no gradient flows into the data set.
/// The Batches, and with it the tensors, must outlive its iterators; a temporary in a range-for does.
class Batches {
 public:
  /// Throws:
  ///   - ShapeError unless x and y have as many rows, at least one;
  ///   - ValueError for batch_size < 1, and when drop_last would drop the only batch.
  Batches(const Tensor& x, const Tensor& y, const BatchOptions& options = {});
  Batches(const Dataset& dataset, const BatchOptions& options = {}) : Batches(dataset.x, dataset.y, options) {}

  /// The number of batches in a pass.
  std::int64_t size() const noexcept { return (end_ + batch_size_ - 1) / batch_size_; }

  struct End {};
  class Iterator {
   public:
    Dataset operator*() const { return batches_->batch(order_, begin_); }
    Iterator& operator++() noexcept {
      begin_ += batches_->batch_size_;
      return *this;
    }
    bool operator==(End) const noexcept { return begin_ >= batches_->end_; }

   private:
    friend class Batches;
    Iterator(const Batches* batches, Tensor order) noexcept : batches_(batches), order_(std::move(order)) {}
    const Batches* batches_;
    Tensor order_;  // row indices, i64; undefined when not shuffled
    std::int64_t begin_ = 0;
  };

  Iterator begin() const { return {this, shuffle_ ? draw_order() : Tensor()}; }
  End end() const noexcept { return {}; }

 private:
  Tensor draw_order() const;
  Dataset batch(const Tensor& order, std::int64_t begin) const;

  Tensor x_, y_;
  std::int64_t batch_size_, end_;  // a pass covers rows, or places in the order, [0, end_)
  Generator* generator_;
  bool shuffle_;
};

}  // namespace capstan::data
