#pragma once
#include <string>
#include <string_view>

// Private: what a file is that is not what a reader wants.
namespace capstan::data {

/// What the first bytes of a file say that it is, with what reads it: "a NumPy array (read it by data::read_npy)". Empty when they
/// say nothing.
std::string file_kind(std::string_view first_bytes);

/// The same for a reader of kinds that begin with `wanted`, as "a table": empty for these, and for an empty file.
std::string other_kind(std::string_view first_bytes, std::string_view wanted);

}  // namespace capstan::data
