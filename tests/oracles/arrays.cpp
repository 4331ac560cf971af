// Reads files and writes them again, for arrays.py: each line of the input is "npy FROM TO", "npz FROM TO" or "idx FROM TO" with tabs
// between, and each line of the output "done" or the error.
#include <capstan/core/error.h>
#include <capstan/data/idx.h>
#include <capstan/data/npy.h>

#include <cstdio>
#include <iostream>
#include <string>

using namespace capstan;

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const std::size_t first = line.find('\t'), second = line.rfind('\t');
    const std::string kind = line.substr(0, first), from = line.substr(first + 1, second - first - 1), to = line.substr(second + 1);
    std::string answer = "done";
    try {
      if (kind == "npz")
        data::write_npz(to, data::read_npz(from));
      else
        data::write_npy(to, kind == "npy" ? data::read_npy(from) : data::read_idx(from));
    } catch (const Error& e) {
      answer = e.what();
    }
    std::puts(answer.c_str());
  }
}
