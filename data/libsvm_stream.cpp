#include <capstan/core/create.h>
#include <capstan/core/text.h>
#include <capstan/data/gather.h>
#include <capstan/data/libsvm_text.h>

#include <zlib.h>

#include <algorithm>
#include <new>
#include <vector>

// A file of LIBSVM's text as a stream: what is found out at first, the rows of a pass, and batches of them.

namespace capstan::data {

using capstan::detail::fail;
using capstan::detail::join;

namespace {

constexpr const char* stream_op = "Libsvm";

template <class T>
void look_through(LibsvmFile& of) {
  LibsvmRows<T> rows(stream_op, of.file, of.options);
  while (rows.next()) continue;
  rows.require_rows();
  of.options.base = static_cast<int>(rows.base());
  if (of.options.features == 0) of.options.features = rows.largest() < 0 ? 0 : rows.largest() + 1 - rows.base();
}

/// Numbers in [0, 1), made by the thousand.
class Uniform {
 public:
  explicit Uniform(const Generator& from) : generator_(from) {}
  /// One of 0 .. count - 1.
  std::size_t below(std::size_t count) {
    if (at_ == block) {
      numbers_ = uniform({block}, 0, 1, DType::f64, generator_);
      at_ = 0;
    }
    const double u = numbers_.data<double>()[at_++];
    return std::min(static_cast<std::size_t>(u * static_cast<double>(count)), count - 1);
  }

 private:
  static constexpr std::int64_t block = 1024;
  Generator generator_;
  Tensor numbers_;
  std::int64_t at_ = block;
};

/// Rows one behind the other.
template <class T>
struct Gathered {
  std::vector<double> labels;
  std::vector<std::int64_t> crow{0}, col;
  std::vector<T> values;

  void add(double label, const std::int64_t* index, const T* numbers, std::size_t count) {
    labels.push_back(label);
    col.insert(col.end(), index, index + count);
    values.insert(values.end(), numbers, numbers + count);
    crow.push_back(static_cast<std::int64_t>(col.size()));
  }
};

template <class T>
class RowStream final : public LibsvmStream {
 public:
  RowStream(const std::shared_ptr<const LibsvmFile>& of, std::int64_t buffer, const Generator& order)
      : of_(of), rows_("Batches", of->file, of->options), buffer_(static_cast<std::size_t>(buffer)), draws_(order) {}

  SparseDataset batch(std::int64_t count) override {
    Gathered<T> all;
    const std::int64_t got =
        take(count, [&](double label, const std::int64_t* index, const T* values, std::size_t n) { all.add(label, index, values, n); });
    for (std::int64_t& i : all.col) i -= of_->options.base;
    return {CsrMatrix::known(tensor(all.crow), tensor(all.col), tensor(all.values), got, of_->options.features),
            label_tensor(all.labels, of_->options)};
  }
  std::int64_t skip(std::int64_t count) override {
    return take(count, [](double, const std::int64_t*, const T*, std::size_t) {});
  }

 private:
  struct Held {
    double label;
    std::vector<std::int64_t> index;
    std::vector<T> values;
  };

  template <class Sink>
  std::int64_t take(std::int64_t count, Sink sink) {
    std::int64_t got = 0;
    while (held_.size() < buffer_ && next()) hold(held_.emplace_back());
    for (; got < count; ++got) {
      if (buffer_ == 0) {
        if (!next()) break;
        sink(rows_.label, rows_.index.get(), rows_.values.get(), rows_.size);
        continue;
      }
      if (held_.empty()) break;
      Held& drawn = held_[draws_.below(held_.size())];
      sink(drawn.label, drawn.index.data(), drawn.values.data(), drawn.index.size());
      if (next()) {
        hold(drawn);
      } else {
        std::swap(drawn, held_.back());
        held_.pop_back();
      }
    }
    return got;
  }

  bool next() {
    more_ = more_ && rows_.next();
    if (!more_) rows_.require_rows();
    return more_;
  }
  void hold(Held& row) const {
    row.label = rows_.label;
    row.index.assign(rows_.index.get(), rows_.index.get() + rows_.size);
    row.values.assign(rows_.values.get(), rows_.values.get() + rows_.size);
  }

  std::shared_ptr<const LibsvmFile> of_;
  LibsvmRows<T> rows_;
  std::size_t buffer_;
  Uniform draws_;
  std::vector<Held> held_;
  bool more_ = true;
};

}  // namespace

Libsvm::Libsvm(const std::string& path, const LibsvmOptions& options) {
  check_options(stream_op, options);
  if (options.query_id) fail<ValueError>(stream_op, "query ids are for read_libsvm: .query_id is set");
  const auto file = std::make_shared<LibsvmFile>(stream_op, path, options);
  if (options.features == 0 || options.base < 0) {
    if (options.dtype == DType::f32)
      look_through<float>(*file);
    else
      look_through<double>(*file);
  }
  file_ = file;
}

const std::string& Libsvm::path() const noexcept { return file_->file.path(); }
std::int64_t Libsvm::features() const noexcept { return file_->options.features; }
int Libsvm::base() const noexcept { return file_->options.base; }

std::unique_ptr<LibsvmStream> LibsvmStream::make(const std::shared_ptr<const LibsvmFile>& file, std::int64_t buffer,
                                                 const Generator& order) {
  if (file->options.dtype == DType::f32) return std::make_unique<RowStream<float>>(file, buffer, order);
  return std::make_unique<RowStream<double>>(file, buffer, order);
}

Batches<Libsvm>::Batches(const Libsvm& file, const BatchOptions& options)
    : Passes(unknown, {.batch_size = options.batch_size, .shuffle = options.shuffle_buffer > 0, .generator = options.generator}),
      file_(file),
      buffer_(options.shuffle_buffer),
      drop_last_(options.drop_last) {
  if (options.shuffle) fail<ValueError>("Batches", "a stream is shuffled among the rows that it holds: .shuffle (set .shuffle_buffer)");
  if (buffer_ < 0) fail<ValueError>("Batches", "shuffle_buffer must be 0 or more: ", buffer_);
}

std::string Batches<Libsvm>::fingerprint() const {
  const RegularFile& file = file_.file_->file;
  if (known_.empty()) {
    constexpr std::size_t piece_bytes = std::size_t{1} << 18;
    const auto piece = std::make_unique_for_overwrite<char[]>(piece_bytes);
    FilePart part(file, 0, file.size());
    Summed bytes(part);
    while (bytes.read(piece.get(), piece_bytes) == piece_bytes) continue;
    known_ = join("libsvm ", std::size_t{file.size()}, " bytes ", eight_digits(bytes.crc()));
  }
  const LibsvmOptions& o = file_.file_->options;
  constexpr const char* kinds[] = {"real", "binary", "classes"};
  return join(known_, ", features ", o.features, ", base ", o.base, ", ", kinds[static_cast<int>(o.labels)], ", ", o.dtype, ", batch_size ",
              batch_size_, drop_last_ ? ", drop_last" : "", buffer_ > 0 ? join(", shuffle_buffer ", buffer_) : "");
}

Batches<Libsvm>::Iterator::Iterator(Batches* batches) : batches_(batches) {
  const Start start = batches->start();
  pass_ = start.pass;
  begin_ = start.row;
  try {
    stream_ = LibsvmStream::make(batches->file_.file_, batches->buffer_, start.rows);
    if (const std::int64_t there = stream_->skip(begin_); there < begin_ - batches->batch_size_ + 1)
      fail<ValueError>("Batches", "the saved place must lie in the file: row ", begin_, " of ", there, " in ", batches->file_.path());
    read();
  } catch (...) {
    batches_->leave(pass_);
    throw;
  }
}

Batches<Libsvm>::Iterator::~Iterator() { batches_->leave(pass_); }

Batches<Libsvm>::Iterator& Batches<Libsvm>::Iterator::operator++() {
  begin_ += batches_->batch_size_;
  read();
  return *this;
}

/// The batch that begins at begin_, or the pass' end.
void Batches<Libsvm>::Iterator::read() {
  batch_ = stream_->batch(batches_->batch_size_);
  const std::int64_t rows = batch_.x.rows();
  if (rows > 0 && (rows == batches_->batch_size_ || !batches_->drop_last_)) return;
  batches_->end_pass(pass_);
  stream_.reset();
  batch_ = {};
}

}  // namespace capstan::data
