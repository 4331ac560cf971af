#include <capstan/core/create.h>
#include <capstan/train/log.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <limits>

#include "support.h"

using namespace capstan;

TEST(CsvLog, WritesHeaderAndRows) {
  const Folder folder;
  CsvLog log(folder.file("run.csv"), {"epoch", "loss", "accuracy"});
  EXPECT_EQ(read(folder.file("run.csv")), "epoch,loss,accuracy\n");
  log.row({1, 0.25, 0.5});
  log.row(2, 0.125f, true);
  log.row(std::vector<double>{3, -0.0, 1e300});
  EXPECT_EQ(read(folder.file("run.csv")), "epoch,loss,accuracy\n1,0.25,0.5\n2,0.125,1\n3,-0,1e+300\n");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"run.csv"});
}

TEST(CsvLog, NumbersReadBackToTheSameDouble) {
  const Folder folder;
  const std::vector<double> values{0.1, 1.0 / 3, 1e-5, 5e-324, 1.7976931348623157e308, 123456789012345680.0, 0.30000000000000004};
  CsvLog log(folder.file("run.csv"), {"x"});
  for (const double v : values) log.row(v);
  const std::string text = read(folder.file("run.csv"));
  EXPECT_EQ(text, "x\n0.1\n0.3333333333333333\n1e-05\n5e-324\n1.7976931348623157e+308\n123456789012345680\n0.30000000000000004\n");
  std::size_t at = 2;
  for (const double v : values) {
    EXPECT_EQ(std::strtod(text.c_str() + at, nullptr), v);
    at = text.find('\n', at) + 1;
  }
}

TEST(CsvLog, NonFiniteNumbersStandForThemselves) {
  const Folder folder;
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::nan("");
  CsvLog log(folder.file("run.csv"), {"a", "b", "c", "d"});
  log.row(infinity, -infinity, nan, -nan);
  EXPECT_EQ(read(folder.file("run.csv")), "a,b,c,d\ninf,-inf,nan,nan\n");
}

TEST(CsvLog, QuotesNamesThatNeedIt) {
  const Folder folder;
  CsvLog log(folder.file("run.csv"), {"plain", "a,b", "say \"x\"", "two\nlines", " blank "});
  EXPECT_EQ(read(folder.file("run.csv")), "plain,\"a,b\",\"say \"\"x\"\"\",\"two\nlines\", blank \n");
}

TEST(CsvLog, RefusesAWrongNumberOfValues) {
  const Folder folder;
  const std::string path = folder.file("run.csv");
  CsvLog log(path, {"epoch", "loss"});
  EXPECT_EQ(thrown([&] { log.row(1); }), "ValueError: [CsvLog] a row needs one value per column: 1 values for 2 columns of " + path);
  EXPECT_EQ(thrown([&] {
              log.row({1, 2, 3});
            }),
            "ValueError: [CsvLog] a row needs one value per column: 3 values for 2 columns of " + path);
  EXPECT_EQ(thrown([&] { log.row(std::vector<double>{}); }),
            "ValueError: [CsvLog] a row needs one value per column: 0 values for 2 columns of " + path);
  log.row(1, 2);
  EXPECT_EQ(read(path), "epoch,loss\n1,2\n");
}

TEST(CsvLog, RefusesColumnsThatCannotBe) {
  const Folder folder;
  const std::string path = folder.file("run.csv");
  EXPECT_EQ(thrown([&] { CsvLog log(path, {}); }),
            "ValueError: [CsvLog] a log needs at least one column: none was given for " + path + " (name them, as {\"epoch\", \"loss\"})");
  EXPECT_EQ(thrown([&] {
              CsvLog log(path, std::vector<std::string>{"a", ""});
            }),
            "ValueError: [CsvLog] every column needs a name: column 1 of " + path + " has none");
  EXPECT_EQ(thrown([&] {
              CsvLog log(path, {"a", "b", "a"});
            }),
            "ValueError: [CsvLog] column names must differ: columns 0 and 2 of " + path + " are both \"a\"");
  EXPECT_TRUE(folder.names().empty());
}

TEST(CsvLog, OverwritesOnlyWhenTold) {
  const Folder folder;
  const std::string path = folder.file("run.csv");
  write(path, "precious\n");
  EXPECT_EQ(thrown([&] { CsvLog log(path, {"x"}); }),
            "IoError: [CsvLog] the file must not exist yet: " + path + " (choose another name, or allow overwriting)");
  EXPECT_EQ(read(path), "precious\n");
  CsvLog log(path, {"x"}, {.overwrite = true});
  log.row(7);
  EXPECT_EQ(read(path), "x\n7\n");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"run.csv"});
}

TEST(CsvLog, AppendsToAnEarlierRun) {
  const Folder folder;
  const std::string path = folder.file("run.csv"), link = folder.file("link.csv");
  CsvLog(path, {"epoch", "a,b"}, {.append = true}).row(1, 0.5);
  CsvLog(path, {"epoch", "a,b"}, {.append = true}).row(2, 0.25);
  EXPECT_EQ(read(path), "epoch,\"a,b\"\n1,0.5\n2,0.25\n");
  ASSERT_EQ(::symlink("run.csv", link.c_str()), 0);
  {
    CsvLog log(link, {"epoch", "a,b"}, {.append = true});
    const FullDisk full(32);  // 28 bytes are there, two rows would be 34
    log.row(3, 1);
    EXPECT_NE(thrown([&] { log.row(4, 1); }), "nothing");
  }
  EXPECT_EQ(read(path), "epoch,\"a,b\"\n1,0.5\n2,0.25\n3,1\n");
  write(folder.file("empty.csv"), "");
  CsvLog(folder.file("empty.csv"), {"x"}, {.append = true}).row(7);
  EXPECT_EQ(read(folder.file("empty.csv")), "x\n7\n");
}

TEST(CsvLog, AppendsToNothingElse) {
  const Folder folder;
  const std::string path = folder.file("run.csv");
  const auto refused = [&](const std::string& content, CsvOptions options = {.append = true}) {
    write(path, content);
    const std::string text = thrown([&] { CsvLog log(path, {"epoch", "loss"}, options); });
    EXPECT_EQ(read(path), content);
    return text;
  };
  EXPECT_EQ(refused("epoch,accuracy\n1,0.5\n"),
            "FormatError: [CsvLog] the header must be that of the rows to come: \"epoch,accuracy\", wanted \"epoch,loss\", " + path +
                ":1 (log to another file)");
  EXPECT_EQ(refused("epoch,loss\r\n1,0."),
            "FormatError: [CsvLog] the header must be that of the rows to come: \"epoch,loss\\x0d\", wanted"
            " \"epoch,loss\", " +
                path + ":1 (log to another file)");
  EXPECT_EQ(refused("epoch,loss\n", {.overwrite = true, .append = true}),
            "ValueError: [CsvLog] overwrite and append cannot both be: " + path);
}

TEST(CsvLog, CutsOffTheHalfLineThatALossOfPowerLeft) {
  const Folder folder;
  const std::string path = folder.file("run.csv");
  const std::string zeros(3, '\0');
  for (const auto& [there, kept] : std::vector<std::pair<std::string, std::string>>{{"epoch,loss\n1,0.5\n2,0.", "epoch,loss\n1,0.5\n"},
                                                                                    {"epoch,loss\n1,0.5\n" + zeros, "epoch,loss\n1,0.5\n"},
                                                                                    {"epoch,loss\n1,0.5\n", "epoch,loss\n1,0.5\n"},
                                                                                    {"epoch,loss\n1", "epoch,loss\n"},
                                                                                    {"epoch,loss", "epoch,loss\n"},
                                                                                    {"epo", "epoch,loss\n"}}) {
    write(path, there);
    CsvLog(path, {"epoch", "loss"}, {.append = true}).row(3, 1);
    EXPECT_EQ(read(path), kept + "3,1\n") << there;
  }
}

TEST(CsvLog, OverwritesWhereALinkLeadsAndKeepsTheMode) {
  const Folder folder;
  const std::string real = folder.file("real.csv"), link = folder.file("link.csv"), broken = folder.file("broken.csv");
  write(real, "old\n");
  ASSERT_EQ(::chmod(real.c_str(), 0640), 0);
  ASSERT_EQ(::symlink("real.csv", link.c_str()), 0);
  ASSERT_EQ(::symlink("not_there_yet.csv", broken.c_str()), 0);
  CsvLog(link, {"x"}, {.overwrite = true}).row(7);
  struct stat info;
  ASSERT_EQ(::lstat(link.c_str(), &info), 0);
  EXPECT_TRUE(S_ISLNK(info.st_mode));
  ASSERT_EQ(::lstat(real.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
  EXPECT_EQ(read(real), "x\n7\n");
  CsvLog(broken, {"x"}, {.overwrite = true}).row(8);
  ASSERT_EQ(::lstat(broken.c_str(), &info), 0);
  EXPECT_TRUE(S_ISLNK(info.st_mode));
  EXPECT_EQ(read(folder.file("not_there_yet.csv")), "x\n8\n");
}

TEST(CsvLog, TakesANameAsLongAsTheSystemDoes) {
  const Folder folder;
  const std::string path = folder.file(std::string(255, 'n'));
  CsvLog(path, {"x"}, {.overwrite = true}).row(7);
  EXPECT_EQ(read(path), "x\n7\n");
  EXPECT_EQ(folder.names().size(), 1u);
}

TEST(CsvLog, SaysWhyAFileCannotBeWritten) {
  const Folder folder;
  const std::string path = folder.file("no/such/run.csv");
  EXPECT_EQ(thrown([&] { CsvLog log(path, {"x"}); }),
            "IoError: [CsvLog] cannot write the file: " + path + ": " + std::strerror(ENOENT) + " (create the directory first?)");
  EXPECT_EQ(thrown([&] { CsvLog log(folder.file(""), {"x"}, {.overwrite = true}); }),
            "IoError: [CsvLog] cannot write the file: " + folder.file("") + ": " + std::strerror(EISDIR) + " (write elsewhere?)");
  if (::access("/dev/full", W_OK) == 0) {
    EXPECT_EQ(thrown([&] { CsvLog log("/dev/full", {"x"}); }), std::string("IoError: [CsvLog] cannot write the file: /dev/full: ") +
                                                                   std::strerror(ENOSPC) + " (free some space, or write elsewhere)");
  }
}

TEST(CsvLog, RefusesAZeroByteInAPath) {
  const Folder folder;
  const std::string path = folder.file("run") + std::string(1, '\0') + ".csv";
  EXPECT_EQ(thrown([&] { CsvLog(path, {"a"}); }), "IoError: [CsvLog] a path must not hold a zero byte: " + folder.file("run"));
  EXPECT_TRUE(folder.names().empty());
}

TEST(CsvLog, AFullDiskLeavesWholeLines) {
  const Folder folder;
  const std::string path = folder.file("run.csv");
  CsvLog log(path, {"epoch", "loss"});
  log.row(1, 0.5);
  {
    const FullDisk full(19);  // the header and one row are 17 bytes, one more row would be 23
    EXPECT_EQ(thrown([&] { log.row(2, 0.5); }),
              "IoError: [CsvLog] cannot write the file: " + path + ": " + std::strerror(EFBIG) + " (write elsewhere?)");
    EXPECT_EQ(read(path), "epoch,loss\n1,0.5\n");
  }
  log.row(3, 0.5);
  EXPECT_EQ(read(path), "epoch,loss\n1,0.5\n3,0.5\n");
}

TEST(CsvLog, AFailedHeaderLeavesEverythingAsItWas) {
  const Folder folder;
  write(folder.file("old.csv"), "old\n");
  {
    const FullDisk full(3);
    EXPECT_NE(thrown([&] { CsvLog log(folder.file("old.csv"), {"epoch", "loss"}, {.overwrite = true}); }), "nothing");
    EXPECT_NE(thrown([&] { CsvLog log(folder.file("new.csv"), {"epoch", "loss"}); }), "nothing");
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>{"old.csv"});
  EXPECT_EQ(read(folder.file("old.csv")), "old\n");
}

TEST(CsvLog, AKilledRunLeavesItsRows) {
  const Folder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    CsvLog log(folder.file("run.csv"), {"epoch"});
    for (int epoch = 0; epoch < 100; ++epoch) log.row(epoch);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  std::string expected = "epoch\n";
  for (int epoch = 0; epoch < 100; ++epoch) expected += std::to_string(epoch) + "\n";
  EXPECT_EQ(read(folder.file("run.csv")), expected);
}

TEST(CsvLog, Moves) {
  const Folder folder;
  CsvLog a(folder.file("a.csv"), {"x"}), b(folder.file("b.csv"), {"y", "z"});
  CsvLog c = std::move(a);
  c.row(1);
  c = std::move(b);
  c.row(2, 3);
  EXPECT_EQ(read(folder.file("a.csv")), "x\n1\n");
  EXPECT_EQ(read(folder.file("b.csv")), "y,z\n2,3\n");
  EXPECT_EQ(thrown([&] { a.row(1); }), "ValueError: [CsvLog] this log was moved to another object (write rows to that one)");
}

TEST(CsvLog, StateIsTheLengthAndCutsTheFileBack) {
  const Folder folder;
  const std::string path = folder.file("x.csv");
  TensorMap saved;
  {
    CsvLog log(path, {"epoch", "loss"});
    log.row(1, 0.5);
    saved = log.state();
    EXPECT_EQ(names(saved), "length header");
    EXPECT_EQ(values(saved["length"]), Values{17});
    log.row(2, 0.25);
    log.row(3, 0.125);
  }
  CsvLog log(path, {"epoch", "loss"}, {.append = true});
  const TensorMap longer = log.state();
  log.load_state(saved);
  EXPECT_EQ(read(path), "epoch,loss\n1,0.5\n");
  log.load_state(longer);  // nothing was written yet: what was cut comes back
  EXPECT_EQ(read(path), "epoch,loss\n1,0.5\n2,0.25\n3,0.125\n");
  log.load_state(saved);
  CsvLog moved = std::move(log);
  moved.row(2, 7);
  moved.sync();
  EXPECT_EQ(read(path), "epoch,loss\n1,0.5\n2,7\n");
  EXPECT_EQ(thrown([&] { moved.load_state(longer); }), "FormatError: [CsvLog] the file must be as long as when it was saved, or longer: " +
                                                           path + " has 21 bytes, saved 32 (open it with {.append = true})");
  EXPECT_EQ(read(path), "epoch,loss\n1,0.5\n2,7\n");
  EXPECT_EQ(thrown([&] { log.state(); }), "ValueError: [CsvLog] this log was moved to another object (write rows to that one)");
  EXPECT_EQ(thrown([&] { log.sync(); }), "ValueError: [CsvLog] this log was moved to another object (write rows to that one)");
  EXPECT_EQ(thrown([&] { log.load_state(saved); }), "ValueError: [CsvLog] this log was moved to another object (write rows to that one)");
}

TEST(CsvLog, CutsBackTwiceAndBringsAllOfItBack) {
  const Folder folder;
  CsvLog log(folder.file("x.csv"), {"x"});
  std::vector<TensorMap> states;
  for (const double x : {1, 2, 3}) {
    states.push_back(log.state());
    log.row(x);
  }
  const TensorMap last = log.state();
  log.load_state(states[2]);
  log.load_state(states[1]);
  log.load_state(states[2]);
  EXPECT_EQ(read(folder.file("x.csv")), "x\n1\n2\n");
  log.load_state(states[0]);
  log.load_state(last);
  EXPECT_EQ(read(folder.file("x.csv")), "x\n1\n2\n3\n");
}

TEST(CsvLog, AnotherFileIsNotCut) {
  const Folder folder;
  const std::string path = folder.file("x.csv"), other = folder.file("y.csv");
  CsvLog log(path, {"epoch", "loss"});
  log.row(1, 0.5);
  const TensorMap saved = log.state();
  CsvLog shorter(other, {"epoch", "loss"});
  EXPECT_EQ(thrown([&] { shorter.load_state(saved); }), "FormatError: [CsvLog] the file must be as long as when it was saved, or longer: " +
                                                            other + " has 11 bytes, saved 17 (open it with {.append = true})");
  CsvLog columns(other, {"epoch", "accuracy"}, {.overwrite = true});
  columns.row(1, 0.5);
  EXPECT_EQ(thrown([&] { columns.load_state(saved); }),
            "ValueError: [CsvLog] the columns must be those of the saved log: \"epoch,accuracy\", saved \"epoch,loss\"");
  EXPECT_EQ(read(other), "epoch,accuracy\n1,0.5\n");
  log.row(2, 0.25);
  const auto changed = [&](const std::string& content) {
    std::filesystem::resize_file(path, 0);
    write(path, content);
    const std::string text = thrown([&] { log.load_state(saved); });
    EXPECT_EQ(read(path), content);
    return text;
  };
  EXPECT_EQ(changed("epoch,hits\n1,0.5\n2,0.25\n"), "FormatError: [CsvLog] the file must begin with the header of the saved log: " + path +
                                                        " begins with \"epoch,hits\", wanted \"epoch,loss\" (log to another file)");
  EXPECT_EQ(changed("epoch,loss\n1,0.625\n2,0\n"), "FormatError: [CsvLog] the saved length must be the end of a line: byte 17 of " + path +
                                                       " is inside of one (log to another file)");
  EXPECT_EQ(changed("epoch,loss\n1,0."), "FormatError: [CsvLog] the file must be as long as when it was saved, or longer: " + path +
                                             " has 15 bytes, saved 17 (open it with {.append = true})");
  const TensorMap no_length{{"length", zeros({}, DType::i64)}, {"header", saved["header"]}};
  EXPECT_EQ(thrown([&] { log.load_state(no_length); }), "FormatError: [CsvLog] the saved length must be the end of a line: byte 0 of " +
                                                            path + " is inside of one (log to another file)");
  EXPECT_EQ(thrown([&] { log.load_state({}); }), "ValueError: [CsvLog] the state does not fit:\n  missing: length\n  missing: header");
}

TEST(CsvLog, APipeIsNotCut) {
  CsvLog log("/dev/null", {"x"}, {.overwrite = true});
  const TensorMap saved = log.state();
  log.row(1);
  log.load_state(saved);
  EXPECT_EQ(values(log.state()["length"]), Values{4});
}
