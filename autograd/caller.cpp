#include <capstan/autograd/caller.h>

#ifdef CAPSTAN_BACKTRACE
#include <capstan/core/text.h>

#include <backtrace.h>
#include <cxxabi.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#endif

// Where in the user's program an operation was called, for check_finite: the stack is kept as addresses, and turned into a file and
// a line only when an error text needs it.

namespace capstan::detail {

#ifdef CAPSTAN_BACKTRACE

namespace {

void ignore(void*, const char*, int) {}

constexpr std::size_t deepest = 48;  // calls; Capstan's own are few

backtrace_state* symbols() {
  static backtrace_state* const state = backtrace_create_state(nullptr, 1, ignore, nullptr);
  return state;
}

struct Found {
  backtrace_state* state;
  std::string text;
};

/// "ns::f" of "_ZN2ns1fEv".
std::string readable(const char* symbol) {
  int status = 0;
  char* const plain = abi::__cxa_demangle(symbol, nullptr, nullptr, &status);
  std::string name = status == 0 && plain ? plain : symbol;
  std::free(plain);
  const std::string unnamed = "(anonymous namespace)";
  const std::size_t last = name.rfind(unnamed), end = name.find('(', last == std::string::npos ? 0 : last + unnamed.size());
  if (end != std::string::npos) name.resize(end);
  return name + "()";
}

/// Stops at the first frame that is neither Capstan's nor inlined from its headers.
int visit(void* data, std::uintptr_t address, const char* file, int line, const char*) {
  auto& found = *static_cast<Found*>(data);
  std::string symbol;
  backtrace_syminfo(
      found.state, address,
      [](void* to, std::uintptr_t, const char* name, std::uintptr_t, std::uintptr_t) {
        if (name) *static_cast<std::string*>(to) = name;
      },
      ignore, &symbol);
  if (symbol.empty() || symbol.rfind("_ZN7capstan", 0) == 0 || symbol.rfind("_ZNK7capstan", 0) == 0) return 0;
  if (file && std::strstr(file, "include/capstan/")) return 0;
  found.text = " (called in " + readable(symbol.c_str());
  found.text += file ? join(", ", std::filesystem::path(file).filename().string(), ":", line, ")") : ", build with -g for the line)";
  return 1;
}

}  // namespace

std::vector<std::uintptr_t> call_stack() {
  std::vector<std::uintptr_t> all;
  const auto keep = [](void* to, std::uintptr_t address) {
    auto& stack = *static_cast<std::vector<std::uintptr_t>*>(to);
    stack.push_back(address);
    return stack.size() < deepest ? 0 : 1;
  };
  if (symbols()) backtrace_simple(symbols(), 1, keep, ignore, &all);
  return all;
}

std::string caller(const std::vector<std::uintptr_t>& stack) {
  Found found{symbols(), {}};
  for (const std::uintptr_t address : stack)
    if (found.text.empty()) backtrace_pcinfo(symbols(), address, visit, ignore, &found);
  return found.text;
}

#else

std::vector<std::uintptr_t> call_stack() { return {}; }
std::string caller(const std::vector<std::uintptr_t>&) { return {}; }

#endif

}  // namespace capstan::detail
