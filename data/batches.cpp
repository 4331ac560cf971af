#include <capstan/data/batches.h>

#include <capstan/core/pool.h>
#include <capstan/core/state_reader.h>
#include <capstan/data/gather.h>

#include <zlib.h>

#include <algorithm>

// Passes in order or shuffled: one permutation for each, and rows gathered by it. The place in a pass is noted as batches are handed out;
// load_state() puts it back, and draws the order of the pass once more.

namespace capstan::data {

using capstan::detail::fail;
using capstan::detail::join;
using capstan::detail::StateReader;

std::string eight_digits(std::uint32_t number) {
  std::string digits(8, '0');
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, number >>= 4) *digit = "0123456789abcdef"[number & 15];
  return digits;
}

std::string fingerprint_of(const Tensor& t) {
  const auto* bytes = static_cast<const Bytef*>(t.header()->data);
  const auto crc = static_cast<std::uint32_t>(::crc32_z(0, bytes, static_cast<std::size_t>(t.numel()) * size_of(t.dtype())));
  return join(t.dtype(), " ", t.shape(), " ", eight_digits(crc));
}

Dataset BatchSource<Dataset>::keep(const Dataset& source) { return {source.x.detach(), source.y.detach()}; }

std::int64_t BatchSource<Dataset>::rows(const Dataset& source) {
  const std::int64_t rows = shared_rows("Batches", source.x, source.y);
  if (rows == 0) fail<ShapeError>("Batches", "x and y must not be empty: x ", source.x.shape(), ", y ", source.y.shape());
  return rows;
}

Dataset BatchSource<Dataset>::slice(const Dataset& source, std::int64_t begin, std::int64_t end) {
  return {Tensor::adopt(capstan::detail::new_row_view(source.x.header(), begin, end)),
          Tensor::adopt(capstan::detail::new_row_view(source.y.header(), begin, end))};
}

Dataset BatchSource<Dataset>::gather(const Dataset& source, const std::int64_t* index, std::int64_t count) {
  return {gather_rows(source.x, index, count), gather_rows(source.y, index, count)};
}

std::string BatchSource<Dataset>::fingerprint(const Dataset& source) {
  return join(fingerprint_of(source.x), ", ", fingerprint_of(source.y));
}

std::uint64_t BatchSource<Dataset>::version(const Dataset& source) { return std::uint64_t{source.x.version()} << 32 | source.y.version(); }

Passes::Passes(std::int64_t rows, const BatchOptions& options)
    : rows_(rows), shuffle_(options.shuffle), generator_(options.generator ? options.generator : &default_generator(Purpose::shuffle)) {
  if (options.batch_size < 1) fail<ValueError>("Batches", "batch_size must be 1 or more: ", options.batch_size);
  if (rows < unknown && options.shuffle_buffer != 0)
    fail<ValueError>("Batches", "shuffle_buffer is for what is read as a stream: ", options.shuffle_buffer, " (set .shuffle)");
  if (options.drop_last && options.batch_size > rows)
    fail<ValueError>("Batches", "drop_last must leave a batch: batch_size ", options.batch_size, ", rows ", rows);
  batch_size_ = std::min(options.batch_size, rows);
  end_ = options.drop_last ? rows - rows % batch_size_ : rows;
}

Passes::Start Passes::start() {
  const Generator from = loaded_ ? order_ : *generator_;
  Generator again = from;
  Generator& draws = loaded_ ? again : *generator_;
  Tensor order;
  Generator rows;
  if (shuffle_ && rows_ < unknown)
    order = permutation(rows_, draws);
  else if (shuffle_)
    rows = {static_cast<std::uint64_t>(draws.uniform() * 0x1p53), from.purpose, 0};
  order_ = from;
  if (!std::exchange(loaded_, false)) next_ = 0;
  const Start start{std::move(order), ++pass_, next_, rows};
  if (next_ >= end_) end_pass(pass_);  // all of its batches were handed out before it was saved
  return start;
}

void Passes::end_pass(std::int64_t pass) noexcept {
  if (pass != pass_ || next_ == none) return;
  ++epoch_;
  next_ = none;
}

std::string Passes::options() const {
  return join(", batch_size ", batch_size_, end_ < rows_ ? ", drop_last" : "", shuffle_ ? ", shuffle" : "");
}

TensorMap Passes::state(const std::string& fingerprint) const {
  TensorMap state{{"fingerprint", capstan::detail::text_tensor(fingerprint)},
                  {"epoch", capstan::detail::count(epoch_)},
                  {"next", capstan::detail::count(next_ == none ? none : (next_ + batch_size_ - 1) / batch_size_)}};
  if (shuffle_) {
    state.insert("order", capstan::detail::generator_tensor(order_));
    state.insert("generator", capstan::detail::generator_tensor(*generator_));
  }
  return state;
}

void Passes::load_state(const TensorMap& state, const std::string& fingerprint) {
  StateReader reader(state);
  const std::string saved = reader.read_text("fingerprint");
  if (reader.fits() && saved != fingerprint)
    fail<ValueError>("Batches", "the data and the options must be those of the saved state: ", fingerprint, ", saved ", saved);
  const std::int64_t epoch = reader.read_count("epoch"), next = reader.read_integer("next");
  if (next < none || next > size()) reader.complain("next: there is no such batch: ", next, " of ", size());
  Generator order = order_, generator = *generator_;
  if (shuffle_) {
    order = reader.read_generator("order");
    generator = reader.read_generator("generator");
    for (const auto& [name, g] : {std::pair{"order", order}, {"generator", generator}})
      if (reader.fits() && g.purpose != generator_->purpose && (g.purpose != 0 || next != none))
        reader.complain(name, ": purpose ", g.purpose, ", wanted ", generator_->purpose);
  }
  reader.require_fit("Batches", "the state does not fit:");
  epoch_ = epoch;
  next_ = next == none ? none : next * batch_size_;
  loaded_ = next != none;
  order_ = order;
  *generator_ = generator;
  ++pass_;  // what an iterator does from now on is not noted
}

}  // namespace capstan::data
