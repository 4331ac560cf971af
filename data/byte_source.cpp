#include <capstan/data/byte_source.h>

#include <capstan/core/create.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <memory>
#include <new>

// Parts of files, what they inflate to by zlib, and the way from there into a tensor: directly, or widened a piece at a time. Called by
// the readers of safetensors, npy, npz and IDX.

namespace capstan::data {

using capstan::detail::fail;

std::size_t FilePart::read(char* to, std::size_t count) {
  count = std::min<std::uint64_t>(count, left());
  file_.read(at_, to, count);
  at_ += count;
  return count;
}

std::size_t Summed::read(char* to, std::size_t count) {
  const std::size_t got = from_.read(to, count);
  crc_ = static_cast<std::uint32_t>(::crc32_z(crc_, reinterpret_cast<const Bytef*>(to), got));
  return got;
}

Inflated::Inflated(const char* op, const std::string& source, const RegularFile& file, std::uint64_t begin, std::uint64_t end, Form form)
    : op_(op), source_(source), from_(file, begin, end), form_(form) {
  constexpr int window = 15, gzip = 16;  // as zlib wants to be told: the largest window, and which wrapper
  if (::inflateInit2(&stream_, form == Form::gzip ? window + gzip : -window) != Z_OK) throw std::bad_alloc();
}

Inflated::~Inflated() { ::inflateEnd(&stream_); }

/// Makes the rest of the piece its beginning, and reads on behind it.
void Inflated::fill() {
  if (stream_.avail_in > 0) std::memmove(piece_.data(), stream_.next_in, stream_.avail_in);
  const std::size_t got = from_.read(reinterpret_cast<char*>(piece_.data()) + stream_.avail_in, piece_.size() - stream_.avail_in);
  stream_.next_in = piece_.data();
  stream_.avail_in += static_cast<unsigned>(got);
}

void Inflated::refuse(const char* rule, const char* found) const {
  fail<FormatError>(op_, rule, ": ", source_, ", byte ", std::size_t{from_.at() - stream_.avail_in}, " of the file: ", found);
}

/// A stream is over. Only another member of gzip may follow.
void Inflated::end_stream() {
  if (stream_.avail_in < 2) fill();
  ended_ = stream_.avail_in == 0;
  if (ended_) return;
  if (form_ == Form::deflate) refuse("nothing must follow the compressed data", "another byte");
  if (stream_.avail_in < 2 || stream_.next_in[0] != 0x1f || stream_.next_in[1] != 0x8b)
    refuse("only another member may follow one of gzip", "other bytes");
  ::inflateReset(&stream_);
}

std::size_t Inflated::read(char* to, std::size_t count) {
  std::size_t done = 0;
  while (done < count && !ended_) {
    if (stream_.avail_in == 0) fill();
    const auto wanted = static_cast<unsigned>(std::min<std::size_t>(count - done, UINT_MAX));
    stream_.next_out = reinterpret_cast<unsigned char*>(to) + done;
    stream_.avail_out = wanted;
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    done += wanted - stream_.avail_out;
    if (result == Z_STREAM_END)
      end_stream();
    else if (result == Z_MEM_ERROR)
      throw std::bad_alloc();
    else if (result == Z_BUF_ERROR)  // no step further, although all that there is was given
      refuse("the compressed data must be whole", "its end");
    else if (result != Z_OK)
      refuse("the compressed data must be right", stream_.msg ? stream_.msg : "no code of zlib's");
  }
  return done;
}

bool stored_bytes(const std::uint64_t* sizes, std::size_t axes, Stored type, std::uint64_t& bytes) noexcept {
  constexpr std::uint64_t most = std::uint64_t{1} << 48;
  std::uint64_t product = 1;
  bool is_empty = false;
  for (std::size_t i = 0; i < axes; ++i) {
    if (sizes[i] == 0)
      is_empty = true;
    else if (__builtin_mul_overflow(product, sizes[i], &product) || product > most)
      return false;
  }
  bytes = is_empty ? 0 : product * size_of(type);
  return true;
}

Tensor read_numbers(const char* op, const std::string& source, ByteSource& bytes, Stored type, bool swapped, const Shape& shape) {
  constexpr std::size_t piece_bytes = std::size_t{1} << 18;
  Tensor tensor = empty(shape, dtype_of(type));
  const std::size_t step = size_of(type), wide = size_of(tensor.dtype());
  const bool native = is_native(type);
  const auto piece = native ? nullptr : std::make_unique_for_overwrite<char[]>(piece_bytes);
  char* to = static_cast<char*>(tensor.header()->data);
  std::int64_t done = 0;
  for (std::size_t left = static_cast<std::size_t>(tensor.numel()) * step; left > 0;) {
    const std::size_t size = std::min(left, piece_bytes);
    char* const from = native ? to : piece.get();
    if (const std::size_t got = bytes.read(from, size); got != size)
      fail<FormatError>(op, "the data must hold all elements: ", source, ": ", std::size_t{left - got}, " bytes are missing");
    const auto count = static_cast<std::int64_t>(size / step);
    const std::int64_t converted = widen(type, from, count, swapped, to);
    if (converted != count)
      fail<FormatError>(op,
                        type == Stored::boolean ? "a bool must be a byte 0 or 1: " : "a uint64 must be below 2^63, to become i64: ", source,
                        ", element ", done + converted);
    to += static_cast<std::size_t>(count) * wide;
    left -= size;
    done += count;
  }
  return tensor;
}

}  // namespace capstan::data
