#include <capstan/core/text.h>
#include <capstan/data/file_kind.h>
#include <capstan/data/libsvm_text.h>
#include <capstan/data/quoted.h>
#include <capstan/data/table_parts.h>

#include <algorithm>

// Cuts a file into lines. What is read lies in one buffer, which grows only for a line that does not fit. A line without an end is looked
// through as it comes, so that a file that is no text is not waited for.

namespace capstan::data {

using capstan::detail::fail;

namespace {

constexpr std::size_t first_room = std::size_t{1} << 18, longest_line = std::size_t{1} << 28;

}  // namespace

Lines::Lines(const char* op, const RegularFile& file) : op_(op), file_(file), room_(first_room) {
  const std::string first = file.first_bytes();
  if (first.starts_with("\x1f\x8b")) {
    bytes_ = std::make_unique<Inflated>(op, file.path(), file, 0, file.size(), Inflated::Form::gzip);
  } else {
    if (const std::string kind = other_kind(first, "a table"); !kind.empty())
      fail<FormatError>(op, "a text of LIBSVM's is needed: ", file.path(), " is ", kind);
    bytes_ = std::make_unique<FilePart>(file, 0, file.size());
  }
  buffer_ = std::make_unique_for_overwrite<char[]>(room_ + 1);
}

const char* Lines::next() {
  for (std::size_t looked = 0;;) {
    char* const line = buffer_.get() + begin_;
    const std::size_t there = end_ - begin_;
    if (const void* found = std::memchr(line + looked, '\n', there - looked)) {
      begin_ += static_cast<std::size_t>(static_cast<const char*>(found) - line) + 1;
      ++number_;
      return line;
    }
    looked = there;
    if (ended_ || !fill(looked)) {
      if (begin_ == end_) return nullptr;
      buffer_[end_] = '\n';
      ++number_;
      return buffer_.get() + std::exchange(begin_, end_);
    }
  }
}

/// Reads on behind a line that has begun with so many bytes; false when there is no more to wait for.
bool Lines::fill(std::size_t begun) {
  if (begun == room_) {
    if (room_ >= longest_line)
      fail<FormatError>(op_, "a line must have at most ", longest_line, " bytes: ", file_.path(), ", line ", number_ + 1);
    auto larger = std::make_unique_for_overwrite<char[]>(2 * room_ + 1);
    std::memcpy(larger.get(), buffer_.get() + begin_, begun);
    buffer_ = std::move(larger);
    room_ *= 2;
  } else {
    std::memmove(buffer_.get(), buffer_.get() + begin_, begun);
  }
  char* const to = buffer_.get() + begun;
  const std::size_t got = bytes_->read(to, room_ - begun);
  begin_ = 0;
  end_ = begun + got;
  ended_ = got < room_ - begun;
  if (got == 0) return false;
  if (begun == 0 || std::memchr(to, '\n', got)) return true;
  return std::none_of(to, to + got, is_control);
}

}  // namespace capstan::data
