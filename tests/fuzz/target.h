#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

// Private: what each target defines in target_<name>.cpp, for libFuzzer and for replay.cpp.
extern "C" {
/// Takes an input; aborts with a line on stderr when something is wrong.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
/// Whether an input of the corpus still says something: one of an operation that has another name now does not.
int fuzz_input_is_known(const std::uint8_t* data, std::size_t size);
}

namespace fuzz {

/// What it may take beside what is mapped at the start, in bytes, while it is replayed.
extern const std::uint64_t most_memory;

/// Calls `run` with inputs that are drawn, always the same ones, so that what is new needs no file. `what` is for people.
void draw(void (*run)(const std::string& what, const std::string& bytes));

}  // namespace fuzz
