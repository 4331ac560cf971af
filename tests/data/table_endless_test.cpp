// Files and pipes that no memory holds: the first byte that cannot be in a table ends the reading.
#include <capstan/data/table.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <new>

#include "../child.h"
#include "support.h"

using namespace capstan;
using data::TableOptions;

namespace {

/// A file of these bytes with a hole behind them, a terabyte in all.
class Sparse : public Scratch {
 public:
  explicit Sparse(std::string_view bytes) : Scratch("t.csv", bytes) { EXPECT_EQ(::truncate(path().c_str(), off_t{1} << 40), 0); }
};

/// A pipe into which a child writes `first` and then `again` for ever.
class Endless : public Scratch {
 public:
  Endless(const std::string& first, std::string again) : Scratch("pipe") {
    EXPECT_EQ(::mkfifo(path().c_str(), 0600), 0);
    while (again.size() < 1 << 16) again += again;
    child_ = ::fork();
    if (child_ != 0) return;
    ::alarm(120);
    const int pipe = ::open(path().c_str(), O_WRONLY);
    for (const std::string* s = &first; ::write(pipe, s->data(), s->size()) >= 0; s = &again) continue;
    ::_exit(0);
  }
  ~Endless() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }

 private:
  pid_t child_;
};

std::string refused(const Scratch& file, const TableOptions& options = {}) {
  const std::string start = "FormatError: [read_table] ", error = thrown([&] { data::read_table(file.path(), options); });
  const std::size_t at = error.find(file.path());
  return error.starts_with(start) && at != std::string::npos
             ? error.substr(start.size(), at - start.size()) + "t.csv" + error.substr(at + file.path().size())
             : error;
}

}  // namespace

TEST(TableEndless, AHoleIsNoText) {
  EXPECT_EQ(refused(Sparse("")), "a table must be text: byte 0x00 at t.csv, line 1, column 1");
  EXPECT_EQ(refused(Sparse(""), {.header = true}), "a table must be text: byte 0x00 at t.csv, line 1, column 1");
  EXPECT_EQ(refused(Sparse("1,2\n3,4\n")), "a table must be text: byte 0x00 at t.csv, line 3, column 1");
  EXPECT_EQ(refused(Sparse("1,2\n3,4")), "a table must be text: byte 0x00 at t.csv, line 2, column 2");
  EXPECT_EQ(refused(Sparse("a,b,c\n1,"), {.header = true}), "a table must be text: byte 0x00 at t.csv, line 2, column 2");
  EXPECT_EQ(refused(Sparse("1,2\nx,4\n")), "a field must be a number: 'x' at t.csv, line 2, column 1");
  EXPECT_EQ(refused(Sparse("1,2\n\n")), "a line must not be empty: t.csv, line 2, column 1");
}

TEST(TableEndless, APipeIsReadNoFurtherThanItsFirstFault) {
  std::signal(SIGPIPE, SIG_DFL);
  EXPECT_EQ(refused(Endless("", std::string(1, '\0'))), "a table must be text: byte 0x00 at t.csv, line 1, column 1");
  EXPECT_EQ(refused(Endless("", "y\n")), "a field must be a number: 'y' at t.csv, line 1, column 1 (a header? set .header = true)");
  EXPECT_EQ(refused(Endless("1,2\n3", "x")), "a field must be a number: '3" + std::string(39, 'x') + "...' at t.csv, line 2, column 1");
  EXPECT_EQ(refused(Endless("1 2\n3 4\n", "5 6 7\n")),
            "every row must have as many fields as the first: 3 instead of 2 at t.csv, line 3, column 3");
  EXPECT_EQ(refused(Endless("1\n", "\n2\n")), "a line must not be empty: t.csv, line 2, column 1");
  EXPECT_EQ(refused(Endless("1:2", ":3")).substr(0, 35), "a field must be a number: '1:2:3:3:");
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which map more than any limit leaves
TEST(TableEndless, WithoutMemoryTheFileIsNamed) {
  for (const bool rows : {true, false})
    for (const DType dtype : {DType::f32, DType::f64}) {
      const Endless pipe(rows ? "" : "1", rows ? "1.5\n" : ",1.5");
      EXPECT_EQ(in_a_child([&] {
                  std::size_t pages = 0;
                  std::ifstream("/proc/self/statm") >> pages;
                  const rlim_t most = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + (std::size_t{24} << 20);
                  const rlimit limit = {most, most};
                  ::setrlimit(RLIMIT_AS, &limit);
                  try {
                    data::read_table(pipe.path(), {.dtype = dtype});
                  } catch (const std::bad_alloc& e) {
                    return e.what() == "[read_table] the system must have room for the file's content: " + pipe.path() +
                                           " (read a part of it at a time)"
                               ? 0
                               : 1;
                  }
                  return 2;
                }),
                "exit 0");
    }
}
#endif

// Where pieces end must not matter: each byte of a pipe as it comes gives what the whole text gives.
TEST(TableEndless, PiecesGiveWhatTheWholeGives) {
  for (const std::string text : {"a,\"b\"\"c\"\r\n1,2\r\n3,4", "\xEF\xBB\xBFx;y\n1;2\n3;4\n\n\r\n", "x\n1\r\n\n", "x\n1\ny\n",
                                 "x,y\n1,2\n3\n", "\xFF\xFE\n1\n", "a\n1\r2\n", "a,b\n", "\r\n\n", "a\n\n1\n", "a\n1\x01\n"}) {
    const Scratch pipe("pipe");
    ASSERT_EQ(::mkfifo(pipe.path().c_str(), 0600), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::signal(SIGPIPE, SIG_IGN);  // a fault ends the reading
      const int out = ::open(pipe.path().c_str(), O_WRONLY);
      for (const char c : text) {
        if (::write(out, &c, 1) < 0) break;
        ::usleep(500);
      }
      ::_exit(0);
    }
    std::vector<std::string> names, other_names;
    Tensor table, other;
    const std::string got = thrown([&] { table = data::read_table(pipe.path(), {.header = true, .names = &names}); });
    std::string expected = thrown([&] { other = data::parse_table(text, {.header = true, .names = &other_names}, pipe.path()); });
    if (const std::size_t at = expected.find("[parse_table]"); at != std::string::npos) expected.replace(at, 13, "[read_table]");
    EXPECT_EQ(got, expected);
    EXPECT_EQ(names, other_names);
    EXPECT_EQ(table.defined(), other.defined());
    EXPECT_TRUE(!table.defined() || !other.defined() || same_bits(table, other));
    ::waitpid(child, nullptr, 0);
  }
}
