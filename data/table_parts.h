#pragma once
#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// Private: what the reader of tables is made of.
namespace capstan::data {

inline bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r'; }

/// In words; null for an unusual one.
const char* delimiter_name(char delimiter);

/// Whether a decimal number that is not 0 is below 1: tells whether one out of range is too small or too large.
bool is_below_one(std::string_view number);

/// Numbers one after the other, in blocks: what is there never moves, and there is no block before there are numbers for it.
template <class T>
class Blocks {
 public:
  T* more(std::size_t count) {
    if (blocks_.empty() || room_ < count) {
      room_ = std::max(count, least);
      blocks_.push_back({std::make_unique_for_overwrite<T[]>(room_), 0});
    }
    T* at = blocks_.back().numbers.get() + blocks_.back().size;
    blocks_.back().size += count;
    size_ += count;
    room_ -= count;
    return at;
  }
  std::size_t size() const noexcept { return size_; }
  /// Each block goes when it is copied.
  void move_to(T* out) noexcept {
    for (Block& block : blocks_) {
      out = std::copy_n(block.numbers.get(), block.size, out);
      block.numbers.reset();
    }
  }

 private:
  static constexpr std::size_t least = std::size_t{1} << 16;
  struct Block {
    std::unique_ptr<T[]> numbers;
    std::size_t size;
  };
  std::vector<Block> blocks_;
  std::size_t size_ = 0, room_ = 0;
};

}  // namespace capstan::data
