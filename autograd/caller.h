#pragma once
#include <cstdint>
#include <string>
#include <vector>

// Private: where in the user's program an operation was called.
namespace capstan::detail {

/// The way to here, innermost call first; empty when it cannot be found out.
std::vector<std::uintptr_t> call_stack();

/// " (called in train(), model.cpp:12)": the innermost function there that is not Capstan's. The line comes when the program was
/// built with -g. Empty when it cannot be found out.
std::string caller(const std::vector<std::uintptr_t>& stack);

}  // namespace capstan::detail
