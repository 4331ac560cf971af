#include <capstan/train/chart.h>
#include <capstan/train/target.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

using capstan::check_target;
using capstan::plot::LineChart;

TEST(Target, FindsBeforeTheWorkWhatSavingWouldFindAfterIt) {
  const Folder folder;
  const LineChart chart = LineChart().add("a", {0, 1}, {0, 1});
  ASSERT_EQ(::mkdir(folder.file("folder.svg").c_str(), 0700), 0);
  ASSERT_EQ(::symlink("loop.svg", folder.file("loop.svg").c_str()), 0);
  for (const std::string& path : {folder.file("folder.svg"), folder.file("no/loss.svg"), folder.file("loop.svg"), folder.file(""),
                                  folder.file("loss.png"), std::string("/proc/loss.svg"), std::string("/dev/null/loss.svg")}) {
    std::string late = thrown([&] { chart.save(path); });
    EXPECT_NE(late, "nothing") << path;
    late.replace(late.find("[LineChart]"), std::string("[LineChart]").size(), "[check_target]");
    EXPECT_EQ(thrown([&] { check_target(path); }), late);
  }
  EXPECT_EQ(thrown([&] { check_target(folder.file("folder.svg")); }),
            "IoError: [check_target] cannot write the file: " + folder.file("folder.svg") + ": Is a directory (write elsewhere?)");
}

TEST(Target, LeavesEverythingAsItWas) {
  const Folder folder;
  check_target(folder.file("new.svg"));
  EXPECT_TRUE(folder.names().empty());
  write(folder.file("old.svg"), "old");
  ASSERT_EQ(::chmod(folder.file("old.svg").c_str(), 0400), 0);  // which save() replaces all the same
  check_target(folder.file("old.svg"));
  EXPECT_EQ(read(folder.file("old.svg")), "old");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"old.svg"});
  check_target("/dev/null");
}

TEST(Target, OpensNoPipe) {
  const Folder folder;
  const std::string path = folder.file("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  check_target(path);  // nobody reads yet: opening it would wait
  EXPECT_TRUE(std::filesystem::is_fifo(path));
}
