#include <capstan/autograd/ops/embedding.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/ops/embedding_check.h>
#include <capstan/autograd/ops/index_add.h>
#include <capstan/autograd/record.h>
#include <capstan/autograd/row_places.h>
#include <capstan/core/compute.h>
#include <capstan/core/create.h>
#include <capstan/core/row_copy.h>
#include <capstan/core/text.h>
#include <capstan/core/threads.h>

#include <algorithm>
#include <cstring>
#include <utility>

// Look-ups in a table. Bags are added up where their rows lie: once forward, and once back into the rows of the gradient. Look-ups of the
// padding row are left out at the start, so that nothing behind knows of them.
namespace capstan {

using detail::fail;
using kernels::data_of;
using kernels::dispatch;

void detail::require_padding_idx(const char* op, std::int64_t padding_idx, std::int64_t rows) {
  if (padding_idx < -1 || padding_idx >= rows)
    fail<ValueError>(op, "padding_idx must lie in [0, ", rows, "), or be -1 for none: ", padding_idx);
}

const char* detail::name_of(BagMode mode) {
  switch (mode) {
    case BagMode::sum: return "sum";
    case BagMode::mean: return "mean";
    case BagMode::max: break;
  }
  return "max";
}

namespace {

constexpr std::int64_t rows_ahead = 16;  // look-ups: what comes from memory is asked for in time

void require_i64(const char* op, const char* what, const Tensor& t) {
  if (t.dtype() != DType::i64) fail<ValueError>(op, "the ", what, " must be i64: ", t.dtype(), " ", t.shape(), " (convert with to())");
}

void require_look_ups(const char* op, const Tensor& index, const Tensor& table, std::int64_t padding_idx) {
  require_i64(op, "index", index);
  if (table.dim() != 2) fail<ShapeError>(op, "the table must be [rows, size]: ", table.shape());
  detail::require_padding_idx(op, padding_idx, table.size(0));
  detail::require_inside(op, index, table.size(0));
}

/// The numbers below n of which f is true, in order; undefined when that is all of them.
template <class F>
Tensor those_of(std::int64_t n, F f) {
  std::int64_t count = 0;
  for (std::int64_t k = 0; k < n; ++k) count += f(k);
  if (count == n) return {};
  const Tensor all = empty({count}, DType::i64);
  auto* to = data_of<std::int64_t>(all);
  for (std::int64_t k = 0; k < n; ++k)
    if (f(k)) *to++ = k;
  return all;
}

Tensor without_padding(const Tensor& index, std::int64_t padding_idx) {
  if (padding_idx < 0) return {};
  return those_of(index.numel(), [row = data_of<std::int64_t>(index), padding_idx](std::int64_t k) { return row[k] != padding_idx; });
}

/// Look-ups, one bag behind the other.
struct Bags {
  Tensor index;  // i64 [n]
  Tensor ends;   // i64 [bags + 1]: bag b is the look-ups from ends[b] to before ends[b + 1]
  std::int64_t count() const { return ends.numel() - 1; }
};

/// The pointers of bags and of a table.
template <class T>
struct Walk {
  Walk(const Bags& bags, std::int64_t width)
      : index(data_of<std::int64_t>(bags.index)), ends(data_of<std::int64_t>(bags.ends)), n(bags.index.numel()), size(width) {}
  /// Calls f(k, row) for each look-up of bag b: where row[at[k]] of a table begins. Rows of later bags are asked of memory, too.
  template <class Rows, class F>
  [[gnu::always_inline]] void each(std::int64_t b, Rows* table, const std::int64_t* at, F f) const {
    constexpr auto line = static_cast<std::int64_t>(64 / sizeof(T));
    for (std::int64_t k = ends[b]; k < ends[b + 1]; ++k) {
      if (k + rows_ahead < n)
        for (std::int64_t j = 0; j < size; j += line) __builtin_prefetch(table + at[k + rows_ahead] * size + j);
      f(k, table + at[k] * size);
    }
  }
  const std::int64_t *index, *ends;
  std::int64_t n, size;
};

/// Calls f(begin, end) for parts of the bags, on several threads.
template <class F>
void in_parallel(const Bags& bags, std::int64_t size, F f) {
  const std::int64_t work = bags.index.numel() * size / std::max<std::int64_t>(bags.count(), 1) + 1;  // of a bag
  parallel_for(bags.count(), std::max<std::int64_t>((std::int64_t{1} << 14) / work, 1), f);
}

template <class T>
void sum_bags(const Walk<T>& at, const T* table, const T* v, bool mean, T* y, std::int64_t begin, std::int64_t end) {
  const auto add = kernels::table<T>().add_scaled;
  for (std::int64_t b = begin; b < end; ++b) {
    T* const to = y + b * at.size;
    std::memset(to, 0, static_cast<std::size_t>(at.size) * sizeof(T));
    at.each(b, table, at.index, [=, size = at.size](std::int64_t k, const T* row) { add(row, v ? v[k] : T(1), to, size, true); });
    const std::int64_t count = at.ends[b + 1] - at.ends[b];
    if (mean && count > 1)
      for (std::int64_t j = 0; j < at.size; ++j) to[j] /= static_cast<T>(count);
  }
}

/// The largest elements, and the rows that they are of; of an empty bag 0 and no row.
template <class T>
void largest_of_bags(const Walk<T>& at, const T* table, T* y, std::int64_t* rows, std::int64_t begin, std::int64_t end) {
  for (std::int64_t b = begin; b < end; ++b) {
    T* const to = y + b * at.size;
    std::int64_t* const of = rows + b * at.size;
    std::memset(to, 0, static_cast<std::size_t>(at.size) * sizeof(T));
    std::fill_n(of, at.size, std::int64_t{-1});
    at.each(b, table, at.index, [=, &at](std::int64_t k, const T* row) {
      const bool first = k == at.ends[b];
      for (std::int64_t j = 0; j < at.size; ++j) {
        const bool larger = first || row[j] > to[j] || (row[j] != row[j] && to[j] == to[j]);  // NaN is the largest
        to[j] = larger ? row[j] : to[j];
        of[j] = larger ? at.index[k] : of[j];
      }
    });
  }
}

/// 1, or the number of look-ups where there are more: [bags, 1].
Tensor counts_of(const Bags& bags, DType dtype) {
  const Tensor counts = empty({bags.count(), 1}, DType::i64);
  const auto* ends = data_of<std::int64_t>(bags.ends);
  for (std::int64_t b = 0; b < bags.count(); ++b) data_of<std::int64_t>(counts)[b] = std::max<std::int64_t>(ends[b + 1] - ends[b], 1);
  return counts.to(dtype);
}

/// The bag of each look-up.
Tensor bags_of(const Bags& bags) {
  const Tensor all = empty({bags.index.numel()}, DType::i64);
  const auto* ends = data_of<std::int64_t>(bags.ends);
  for (std::int64_t b = 0; b < bags.count(); ++b)
    std::fill(data_of<std::int64_t>(all) + ends[b], data_of<std::int64_t>(all) + ends[b + 1], b);
  return all;
}

/// Adds v[k] d[b] for look-up k of bag b to the gradient for the table.
void add_to_table(const Bags& bags, const Tensor& v, const Tensor& d, bool sparse, Inputs& dx) {
  const detail::RowSums to(dx, bags.index, d.dtype(), sparse || detail::few_rows(bags.index, dx.shape(0)[0]));
  dispatch(d, [&]<class T>(T*) {
    const Walk<T> at(bags, d.size(1));
    const auto add = kernels::table<T>().add_scaled;
    const T *from = data_of<T>(d), *factor = v.defined() ? data_of<T>(v) : nullptr;
    for (std::int64_t b = 0; b < bags.count(); ++b, from += at.size)
      at.each(b, data_of<T>(to.sums), data_of<std::int64_t>(to.place),
              [=, size = at.size](std::int64_t k, T* row) { add(from, factor ? factor[k] : T(1), row, size, true); });
  });
  to.add_to(dx);
}

/// The sum over j of d[b, j] table[index[k], j] for look-up k of bag b.
Tensor slopes_of_weights(const Bags& bags, const Tensor& table, const Tensor& d) {
  const Tensor slopes = empty({bags.index.numel()}, d.dtype());
  dispatch(d, [&]<class T>(T*) {
    const Walk<T> at(bags, table.size(1));
    const auto dot = kernels::table<T>().gemv;
    const T *rows = data_of<T>(table), *from = data_of<T>(d);
    in_parallel(bags, at.size, [=, to = data_of<T>(slopes)](std::int64_t begin, std::int64_t end) {
      for (std::int64_t b = begin; b < end; ++b)
        at.each(b, rows, at.index,
                [=](std::int64_t k, const T* row) { dot(1, at.size, row, at.size, from + b * at.size, to + k, nullptr, false); });
    });
  });
  return slopes;
}

Tensor sums_of(const Bags& bags, const Tensor& table, const Tensor& v, bool mean, bool sparse) {
  const Tensor y = empty({bags.count(), table.size(1)}, table.dtype());
  dispatch(table, [&]<class T>(T*) {
    in_parallel(bags, table.size(1),
                [at = Walk<T>(bags, table.size(1)), rows = data_of<T>(table), factor = v.defined() ? data_of<T>(v) : nullptr, mean,
                 to = data_of<T>(y)](std::int64_t begin, std::int64_t end) { sum_bags(at, rows, factor, mean, to, begin, end); });
  });
  const auto rule = [index = saved(bags.index), ends = saved(bags.ends), w = v.defined() ? saved_for(v, table) : Saved(),
                     v = v.defined() ? saved_for(table, v) : Saved(), mean, sparse](const Tensor& dy, Inputs& dx) {
    const Bags all{index.get(), ends.get()};
    const Tensor d = mean ? dy / counts_of(all, dy.dtype()) : dy;
    if (dx.recorded()) {
      const Tensor each = index_select(d, 0, bags_of(all));  // [n, size], for what is recorded alone
      if (dx.wants(0)) dx.add_rows(0, all.index, v.get().defined() ? each * v.get().reshape({all.index.numel(), 1}) : each);
      if (dx.count() > 1 && dx.wants(1)) dx.add(1, sum(each * index_select(w.get(), 0, all.index), 1));
      return;
    }
    if (dx.wants(0)) add_to_table(all, v.get(), d, sparse, dx);
    if (dx.count() > 1 && dx.wants(1)) dx.add(1, slopes_of_weights(all, w.get(), d));
  };
  return v.defined() ? record("embedding_bag", y, {table, v}, rule) : record("embedding_bag", y, {table}, rule);
}

Tensor largest_of(const Bags& bags, const Tensor& table, bool sparse) {
  const Tensor y = empty({bags.count(), table.size(1)}, table.dtype()), rows = empty(y.shape(), DType::i64);
  dispatch(table, [&]<class T>(T*) {
    in_parallel(bags, table.size(1),
                [at = Walk<T>(bags, table.size(1)), from = data_of<T>(table), to = data_of<T>(y), of = data_of<std::int64_t>(rows)](
                    std::int64_t begin, std::int64_t end) { largest_of_bags(at, from, to, of, begin, end); });
  });
  return record("embedding_bag", y, {table}, [rows = saved(rows), ends = saved(bags.ends), sparse](const Tensor& dy, Inputs& dx) {
    const auto* end = data_of<std::int64_t>(ends.get());
    const Tensor full = those_of(dy.size(0), [end](std::int64_t b) { return end[b] < end[b + 1]; });
    if (!full.defined()) return detail::add_gathered(dx, 0, rows.get(), dy, sparse);
    detail::add_gathered(dx, 0, index_select(rows.get(), 0, full), index_select(dy, 0, full), sparse);
  });
}

/// Leaves out the look-ups of the padding row, and their weights.
void drop_padding(Bags& bags, Tensor& v, std::int64_t padding_idx) {
  const Tensor kept = without_padding(bags.index, padding_idx);
  if (!kept.defined()) return;
  const Tensor ends = empty(bags.ends.shape(), DType::i64);
  const auto *k = data_of<std::int64_t>(kept), *const last = k + kept.numel(), *before = data_of<std::int64_t>(bags.ends);
  auto* end = data_of<std::int64_t>(ends);
  for (std::int64_t b = 0, count = 0; b < ends.numel(); ++b) {
    for (; k != last && *k < before[b]; ++k) ++count;
    end[b] = count;
  }
  bags = {index_select(bags.index, 0, kept), ends};
  if (v.defined()) v = index_select(v, 0, kept);
}

/// The operation for an index and offsets that were checked.
Tensor reduced(const Tensor& index, const Tensor& ends, const Tensor& table, const BagOptions& options) {
  kernels::require_floating("embedding_bag", table);
  require_look_ups("embedding_bag", index, table, options.padding_idx);
  Bags bags{index.reshape({index.numel()}), ends};
  Tensor v = options.per_sample_weights;
  if (v.defined()) {
    if (options.mode != BagMode::sum)
      fail<ValueError>("embedding_bag", "per_sample_weights go with mode sum: ", detail::name_of(options.mode),
                       " (multiply the rows of embedding() instead)");
    if (!(v.shape() == index.shape()))
      fail<ShapeError>("embedding_bag", "per_sample_weights must have the index's shape: ", v.shape(), " for ", index.shape());
    kernels::require_same_dtype("embedding_bag", table, v);
    v = v.reshape({v.numel()});
  }
  drop_padding(bags, v, options.padding_idx);
  if (options.mode == BagMode::max) return largest_of(bags, table, options.sparse);
  return sums_of(bags, table, v, options.mode == BagMode::mean, options.sparse);
}

}  // namespace

Tensor embedding(const Tensor& index, const Tensor& table, const LookUpOptions& options) {
  require_look_ups("embedding", index, table, options.padding_idx);
  std::int64_t sizes[Shape::max_dim + 1];
  for (int i = 0; i < index.dim(); ++i) sizes[i] = index.size(i);
  sizes[index.dim()] = table.size(1);
  const Tensor y = empty(Shape(sizes, index.dim() + 1), table.dtype()), rows = index.reshape({index.numel()});
  kernels::take_rows(table.header()->data, data_of<std::int64_t>(rows), y.header()->data, rows.numel(),
                     static_cast<std::size_t>(table.size(1)) * size_of(table.dtype()));
  return record("embedding", y, {table},
                [rows = saved(rows), padding = options.padding_idx, sparse = options.sparse](const Tensor& dy, Inputs& dx) {
                  const Tensor each = dy.reshape({rows.get().numel(), dy.size(-1)}), kept = without_padding(rows.get(), padding);
                  if (!kept.defined()) return detail::add_selected(dx, 0, rows.get(), each, sparse);
                  detail::add_selected(dx, 0, index_select(rows.get(), 0, kept), index_select(each, 0, kept), sparse);
                });
}

Tensor embedding_bag(const Tensor& index, const Tensor& table, const Tensor& offsets, const BagOptions& options) {
  require_i64("embedding_bag", "offsets", offsets);
  if (index.dim() != 1) fail<ShapeError>("embedding_bag", "beside offsets the index must be a vector: ", index.shape());
  if (offsets.dim() != 1) fail<ShapeError>("embedding_bag", "the offsets must be a vector: ", offsets.shape());
  const std::int64_t n = index.numel(), count = offsets.numel();
  const Tensor ends = empty({count + 1}, DType::i64);
  const auto* from = data_of<std::int64_t>(offsets);
  if (count == 0 && n > 0) fail<ValueError>("embedding_bag", "the offsets must begin at 0: there are none for ", n, " look-ups");
  if (count > 0 && from[0] != 0) fail<ValueError>("embedding_bag", "the offsets must begin at 0: ", from[0]);
  for (std::int64_t b = 0; b < count; ++b) {
    if (from[b] > n)
      fail<ValueError>("embedding_bag", "an offset must be at most the number of look-ups, ", n, ": ", from[b], " at element ", b, " of ",
                       offsets.shape());
    if (b > 0 && from[b] < from[b - 1])
      fail<ValueError>("embedding_bag", "the offsets must not descend: ", from[b], " after ", from[b - 1], " at element ", b, " of ",
                       offsets.shape());
  }
  std::copy_n(from, count, data_of<std::int64_t>(ends));
  data_of<std::int64_t>(ends)[count] = n;
  return reduced(index, ends, table, options);
}

Tensor embedding_bag(const Tensor& index, const Tensor& table, const BagOptions& options) {
  if (index.dim() != 2) fail<ShapeError>("embedding_bag", "without offsets the index must be [bags, n]: ", index.shape());
  const Tensor ends = empty({index.size(0) + 1}, DType::i64);
  for (std::int64_t b = 0; b < ends.numel(); ++b) data_of<std::int64_t>(ends)[b] = b * index.size(1);
  return reduced(index, ends, table, options);
}

}  // namespace capstan
