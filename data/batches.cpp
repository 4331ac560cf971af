#include <capstan/data/batches.h>

#include <capstan/core/pool.h>
#include <capstan/data/gather.h>

#include <algorithm>

// Batches of a data set in order or shuffled: one permutation for each pass, and rows gathered by it.

namespace capstan::data {

using detail::fail;

Batches::Batches(const Tensor& x, const Tensor& y, const BatchOptions& options)
    : generator_(options.generator ? options.generator : &default_generator(Purpose::shuffle)), shuffle_(options.shuffle) {
  const std::int64_t rows = shared_rows("Batches", x, y);
  if (rows == 0) fail<ShapeError>("Batches", "x and y must not be empty: x ", x.shape(), ", y ", y.shape());
  if (options.batch_size < 1) fail<ValueError>("Batches", "batch_size must be 1 or more: ", options.batch_size);
  if (options.drop_last && options.batch_size > rows)
    fail<ValueError>("Batches", "drop_last must leave a batch: batch_size ", options.batch_size, ", rows ", rows);
  batch_size_ = std::min(options.batch_size, rows);
  end_ = options.drop_last ? rows - rows % batch_size_ : rows;
  x_ = x.detach();
  y_ = y.detach();
}

Tensor Batches::draw_order() const { return permutation(x_.size(0), *generator_); }

Dataset Batches::batch(const Tensor& order, std::int64_t begin) const {
  const std::int64_t end = std::min(begin + batch_size_, end_);
  if (!order.defined()) [[likely]]
    return {Tensor::adopt(capstan::detail::new_row_view(x_.header(), begin, end)),
            Tensor::adopt(capstan::detail::new_row_view(y_.header(), begin, end))};
  const std::int64_t* index = order.data<std::int64_t>() + begin;
  return {gather_rows(x_, index, end - begin), gather_rows(y_, index, end - begin)};
}

}  // namespace capstan::data
