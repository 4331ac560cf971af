#pragma once
#include <cstddef>
#include <string>
#include <string_view>

// Private: how error texts show what stands in a file, which may come from a stranger.
namespace capstan::data {

/// Two digits.
std::string hex(char c);

/// As it may stand in an error text: printable, cut after so many bytes.
std::string shown(std::string_view text, std::size_t longest = 100);

/// The same in quotes, short.
std::string quoted(std::string_view field);

}  // namespace capstan::data
