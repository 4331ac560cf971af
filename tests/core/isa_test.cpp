#include "tables.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

using namespace capstan;

namespace {

constexpr const char* isa_names[] = {"plain", "v2", "v3", "v4"};

/// What this program prints in a process of its own with CAPSTAN_ISA set to `value` (nullptr: not set).
std::string run_with(const char* value) {
  char program[4096];
  const auto length = ::readlink("/proc/self/exe", program, sizeof program - 1);
  if (length < 0) return "no /proc/self/exe";
  program[length] = 0;
  const std::string setting = value ? "CAPSTAN_ISA='" + std::string(value) + "'" : "-u CAPSTAN_ISA";
  const std::string command =
      "env " + setting + " '" + program + "' --gtest_also_run_disabled_tests --gtest_filter=Isa.DISABLED_Report 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (!pipe) return "no process";
  std::string text;
  char buffer[1024];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, n);
  const int status = ::pclose(pipe);
  const std::size_t begin = text.find("<<"), end = text.find(">>");
  if (begin == std::string::npos || end == std::string::npos || status != 0) return "status " + std::to_string(status) + ": " + text;
  return text.substr(begin + 2, end - begin - 2);
}

}  // namespace

// Not a test: what run_with() runs. Arithmetic comes first, as it does in a user's program.
TEST(Isa, DISABLED_Report) {
  const std::string error = thrown([] {
    Tensor x = ones({40});
    x += 1;
    std::printf("<<%d %s %s %g>>\n", kernels::isa_level(), kernels::table<float>().isa, kernels::table<double>().isa, x.data<float>()[39]);
  });
  if (error != "nothing") {
    const std::string again = thrown([] { kernels::isa_level(); });
    std::printf("<<%s%s>>\n", error.c_str(), again == error ? "" : ", then another");
  }
}

TEST(Isa, TheBestIsChosen) {
  const std::string best = isa_names[processor_level() - 1], report = std::to_string(processor_level()) + " " + best + " " + best + " 2";
  EXPECT_EQ(run_with(nullptr), report);
  EXPECT_EQ(run_with(""), report);
}

TEST(Isa, TheEnvironmentChooses) {
  for (int level = 1; level <= processor_level(); ++level) {
    const std::string name = isa_names[level - 1];
    EXPECT_EQ(run_with(name.c_str()), std::to_string(level) + " " + name + " " + name + " 2");
  }
}

TEST(Isa, TheEnvironmentIsRefused) {
  for (int level = processor_level() + 1; level <= 4; ++level)
    EXPECT_EQ(run_with(isa_names[level - 1]), "ValueError: [CAPSTAN_ISA] the processor must have the instruction set: asked for " +
                                                  std::string(isa_names[level - 1]) + ", it has " + isa_names[processor_level() - 1]);
  EXPECT_EQ(run_with("avx2"), "ValueError: [CAPSTAN_ISA] must be plain, v2, v3 or v4: 'avx2'");
  EXPECT_EQ(run_with("V3"), "ValueError: [CAPSTAN_ISA] must be plain, v2, v3 or v4: 'V3'");
  EXPECT_EQ(run_with(" v3"), "ValueError: [CAPSTAN_ISA] must be plain, v2, v3 or v4: ' v3'");
}
