#pragma once
#include <string>

// Private: where in the user's program an operation was called.
namespace capstan::detail {

/// " (called in train(), model.cpp:12)": the innermost function that is not Capstan's, with its line when the program was built
/// with -g; empty when it cannot be found out.
std::string caller();

}  // namespace capstan::detail
