// A Checkpoint's files: their names, which one is taken, the best one, and several runs at one path.
#include <capstan/core/create.h>
#include <capstan/data/safetensors.h>
#include <capstan/train/checkpoint.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <limits>

#include "../child.h"
#include "counter.h"
#include "support.h"

using namespace capstan;
namespace fs = std::filesystem;

TEST(CheckpointFiles, KeepsAsManyAsItIsTold) {
  const Folder folder;
  Counter counter(folder.file("x"), {.keep = 3});
  const std::vector<Names> want = {{"x"}, {"x", "x.1"}, {"x", "x.1", "x.2"}, {"x", "x.1", "x.2"}, {"x", "x.1", "x.2"}};
  for (std::int64_t i = 0; i < 5; ++i) {
    counter.save(i);
    EXPECT_EQ(sorted_names(folder), want[static_cast<std::size_t>(i)]);
    EXPECT_EQ(load(folder.file("x"))["n"].item(), i);
    for (std::int64_t k = 1; k <= std::min<std::int64_t>(i, 2); ++k)
      EXPECT_EQ(load(folder.file("x." + std::to_string(k)))["n"].item(), i - k);
  }
  Counter one(folder.file("x"));  // keeps one: the others stay as they are
  ASSERT_TRUE(one.run.load());
  one.save(9);
  EXPECT_EQ(load(folder.file("x.1"))["n"].item(), 3);
  EXPECT_EQ(Counter::at(folder.file("x")), 9);
}

TEST(CheckpointFiles, TheNewestIsToldByItsNumberAlone) {
  const Folder folder;
  Counter counter(folder.file("x"), {.keep = 3});
  for (std::int64_t i = 0; i < 3; ++i) counter.save(i);
  fs::rename(folder.file("x"), folder.file("y"));
  fs::rename(folder.file("x.2"), folder.file("x"));
  fs::rename(folder.file("y"), folder.file("x.2"));
  const timeval times[2] = {{2000000000, 0}, {2000000000, 0}}, old[2] = {{0, 0}, {0, 0}};
  ASSERT_EQ(::utimes(folder.file("x").c_str(), times) + ::utimes(folder.file("x.2").c_str(), old), 0);
  EXPECT_EQ(Counter::at(folder.file("x")), 2);
}

TEST(CheckpointFiles, PassesOverWhatIsBrokenAndSaysSo) {
  const Folder folder;
  const std::string path = folder.file("x");
  Counter counter(path, {.keep = 3});
  for (std::int64_t i = 0; i < 3; ++i) counter.save(i);
  std::string bytes = read(path);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write(path, bytes);
  write(path + ".1", "torn");
  const std::string crc = load(path).size() == 5 ? "" : "?";
  Counter fresh(path, {.keep = 3});
  const std::string text = printed([&] { EXPECT_TRUE(fresh.run.load()); });
  EXPECT_EQ(fresh.n, 0);
  ASSERT_EQ(fresh.run.passed_over().size(), 2u);
  EXPECT_EQ(fresh.run.passed_over()[0], "[Checkpoint] a safetensors file is needed: " + path + ".1 has 4 bytes");
  EXPECT_TRUE(fresh.run.passed_over()[1].starts_with("[Checkpoint] the file must be whole: " + path + ": its CRC-32 is "));
  EXPECT_TRUE(fresh.run.passed_over()[1].ends_with("' (was it changed?)"));
  EXPECT_EQ(text, fresh.run.passed_over()[0] + ": passed over\n" + fresh.run.passed_over()[1] + ": passed over\n" +
                      "[Checkpoint] goes on with save 1, " + path + ".2\n");
  fresh.save(7);  // broken ones give way; what is whole stays
  EXPECT_EQ(load(path)["n"].item(), 7);
  EXPECT_EQ(read(path + ".1"), "torn");
  EXPECT_EQ(load(path + ".2")["n"].item(), 0);
  fresh.save(8);
  EXPECT_EQ(load(path)["n"].item(), 8);
  EXPECT_EQ(load(path + ".1")["n"].item(), 7);
  EXPECT_EQ(load(path + ".2")["n"].item(), 0);
  EXPECT_EQ(printed([&] { EXPECT_EQ(Counter::at(path), 8); }), "");
  EXPECT_EQ(sorted_names(folder), (Names{"x", "x.1", "x.2"}));
}

namespace {

/// The CRC-32 of zlib, as eight digits.
std::string crc32_of(const std::string& bytes) {
  std::uint32_t crc = ~0u;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
  }
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08x", ~crc);
  return digits;
}

}  // namespace

// An older Capstan does not go on with an older save beside it, and does not put its own in the place of it.
TEST(CheckpointFiles, RefuseThePathOfANewerCapstan) {
  const Folder folder;
  const std::string path = folder.file("x");
  Counter older(path, {.keep = 2});
  older.save(1);
  older.save(2);
  older.run.save_best(0.5);
  std::string newer = read(path);
  newer.replace(newer.find("capstan checkpoint 1"), 20, "capstan checkpoint 2");
  const std::size_t at = newer.find("\"crc32\":\"") + 9;
  newer.replace(at, 8, "00000000");
  const std::string zeros = newer;
  newer.replace(at, 8, crc32_of(newer));
  const auto refused = [](const std::string& file) {
    return "ValueError: [Checkpoint] the format must be one that is known: " + file +
           " has 'capstan checkpoint 2', of version 0.1.0, wanted 'capstan checkpoint 1' (a newer Capstan may read it)";
  };
  for (const char* end : {"", ".1", ".best"}) {
    const std::string file = path + end, old = read(file);
    write(file, newer);
    if (end != std::string(".best")) {
      EXPECT_EQ(thrown([&] { Counter(path, {.keep = 2}); }), refused(file));
      EXPECT_EQ(thrown([&] { older.run.load(); }), refused(file));
      EXPECT_EQ(thrown([&] { older.save(3); }), refused(file));
    } else {
      EXPECT_EQ(thrown([&] { older.run.load_best(); }), refused(file));
      EXPECT_EQ(thrown([&] { older.run.save_best(0.75); }), refused(file));
    }
    EXPECT_EQ(read(file), newer);
    write(file, old);
  }
  EXPECT_EQ(sorted_names(folder), (Names{"x", "x.1", "x.best"}));
  write(path, zeros);  // one that is not whole is broken, whatever its number
  EXPECT_EQ(printed([&] { EXPECT_EQ(Counter::at(path), 1); }).substr(0, 57),
            "[Checkpoint] the format must be one that is known: " + path.substr(0, 6));
}

TEST(CheckpointFiles, NeverBeginsAnewWhenEverySaveIsBroken) {
  const Folder folder;
  const std::string path = folder.file("x");
  write(path, "torn");
  Counter counter(path);
  counter.n = 4;
  EXPECT_EQ(thrown([&] { counter.run.load(); }),
            "FormatError: [Checkpoint] one of the files must be whole: " + path +
                " (to begin anew, move them away):\n  [Checkpoint] a safetensors file is needed: " + path + " has 4 bytes");
  save(path, TensorMap{{"n", tensor(1)}});
  EXPECT_EQ(thrown([&] { counter.run.load(); }), "FormatError: [Checkpoint] one of the files must be whole: " + path +
                                                     " (to begin anew, move them away):\n  [Checkpoint] the file must be a checkpoint: " +
                                                     path + " is a safetensors file of another kind (capstan::load() reads it)");
  save(path, TensorMap{{"n", tensor(1)}}, {{"format", "capstan checkpoint 2"}, {"version", "9.1"}});
  EXPECT_EQ(thrown([&] { counter.run.load(); }),
            "FormatError: [Checkpoint] one of the files must be whole: " + path +
                " (to begin anew, move them away):\n  [Checkpoint] the format must be one that is known: " + path +
                " has 'capstan checkpoint 2', of version 9.1, wanted 'capstan checkpoint 1' (a newer Capstan may read it)");
  for (const char* number : {"2.0", "-1", "9007199254740992", "9223372036854775807"}) {
    save(path, TensorMap{{"n", tensor(1)}}, {{"format", "capstan checkpoint 1"}, {"save", number}});
    EXPECT_EQ(thrown([&] { counter.run.load(); }),
              "FormatError: [Checkpoint] one of the files must be whole: " + path +
                  " (to begin anew, move them away):\n  [Checkpoint] the number of the save must be whole, and below 2^53: " + path +
                  " has '" + number + "'");
  }
  EXPECT_EQ(counter.n, 4);
}

TEST(CheckpointFiles, RefusesEveryFlippedBitAndEveryCut) {
  const Folder folder;
  const std::string path = folder.file("x");
  Counter(path).save(5);
  const std::string good = read(path);
  Counter fresh(path);
  const auto refused = [&] {
    try {
      return !fresh.run.load() || fresh.n != 0;
    } catch (const FormatError&) {
      return fresh.n == 0;
    }
  };
  const int file = ::open(path.c_str(), O_RDWR);
  for (std::size_t i = 0; i < 8 * good.size(); ++i) {
    const auto at = static_cast<off_t>(i / 8);
    const char byte = good[i / 8], flipped = static_cast<char>(byte ^ 1 << i % 8);
    ASSERT_EQ(::pwrite(file, &flipped, 1, at), 1);
    ASSERT_TRUE(refused()) << "bit " << i << " of " << 8 * good.size();
    ASSERT_EQ(::pwrite(file, &byte, 1, at), 1);
  }
  EXPECT_TRUE(fresh.run.load());
  EXPECT_EQ(std::exchange(fresh.n, 0), 5);
  ASSERT_EQ(::pwrite(file, "", 1, std::ssize(good)), 1);
  ASSERT_TRUE(refused());
  for (auto size = std::ssize(good); size-- > 0;) {
    ASSERT_EQ(::ftruncate(file, size), 0);
    ASSERT_TRUE(refused()) << size;
  }
  ::close(file);
}

TEST(CheckpointFiles, TheBestIsOnlyReplacedByABetterOne) {
  const Folder folder;
  const std::string path = folder.file("x");
  {
    Counter counter(path);
    EXPECT_FALSE(counter.run.load_best());
    counter.n = 1;
    EXPECT_TRUE(counter.run.save_best(0.5));
    counter.n = 2;
    for (const double score : {0.5, 0.25, std::nan(""), -std::numeric_limits<double>::infinity()})
      EXPECT_FALSE(counter.run.save_best(score));
    counter.n = 3;
    EXPECT_TRUE(counter.run.save_best(0.75));
    counter.save(4);
  }
  EXPECT_EQ(sorted_names(folder), (Names{"x", "x.best"}));
  Counter resumed(path);
  ASSERT_TRUE(resumed.run.load());
  EXPECT_EQ(resumed.n, 4);
  EXPECT_FALSE(resumed.run.save_best(0.7));
  EXPECT_EQ(thrown([&] { resumed.run.save_best(0.1, {.lower = true}); }),
            "ValueError: [Checkpoint] the better score must be on the same side as before: " + path +
                ".best says 'higher', wanted 'lower' (remove it to begin anew)");
  ASSERT_TRUE(resumed.run.load_best());
  EXPECT_EQ(resumed.n, 3);
  resumed.save(5);  // goes on from the newest, not from the best
  Metadata metadata;
  load(path, &metadata);
  EXPECT_EQ(metadata.at("save"), "2");
  fs::copy(path, path + ".best", fs::copy_options::overwrite_existing);  // a save that has no score is no worse one
  EXPECT_EQ(thrown([&] { resumed.run.save_best(9); }), "ValueError: [Checkpoint] the better score must be on the same side as before: " +
                                                           path + ".best says '', wanted 'higher' (remove it to begin anew)");
  for (const char* score : {"much", "0.9 or so", "1e999", "nan"}) {  // nothing is worse
    save(path + ".best", TensorMap{}, {{"format", "capstan checkpoint 1"}, {"save", "1"}, {"better", "higher"}, {"score", score}});
    EXPECT_TRUE(resumed.run.save_best(-9)) << score;
  }
  write(path + ".best", "torn");
  EXPECT_TRUE(resumed.run.save_best(0.1));  // a broken one is no save
  load(path + ".best", &metadata);
  EXPECT_EQ(metadata.at("score"), "0.1");
  EXPECT_EQ(metadata.at("better"), "higher");
}

TEST(CheckpointFiles, LowerScoresMayBeBetter) {
  const Folder folder;
  Counter counter(folder.file("x"));
  for (const auto& [score, better] : {std::pair{2.0, true}, {2.5, false}, {std::nan(""), false}, {1e-300, true}, {0.0, true}, {0.0, false}})
    EXPECT_EQ(counter.run.save_best(score, {.lower = true}), better) << score;
}

TEST(CheckpointFiles, AnotherRunOnTheSamePathIsRefused) {
  const Folder folder;
  const std::string path = folder.file("x");
  Counter mine(path), other(path);
  other.save(5);
  const auto text = [&](int n) {
    return "ValueError: [Checkpoint] another run must not save to the same path: " + path + " holds save " + std::to_string(n) +
           ", which is not this run's (give each run a path of its own, or load() that save)";
  };
  EXPECT_EQ(thrown([&] { mine.save(1); }), text(1));
  EXPECT_EQ(Counter::at(path), 5);
  ASSERT_TRUE(mine.run.load());
  mine.save(6);
  EXPECT_EQ(thrown([&] { other.save(7); }), text(2));
  mine.save(8);
  EXPECT_EQ(Counter::at(path), 8);
  EXPECT_EQ(folder.names(), Names{"x"});
  fs::remove(path);  // by hand: then there is nothing that could be lost
  mine.save(9);
  EXPECT_EQ(Counter::at(path), 9);
  fs::remove(path);
  Counter same(path);  // comes to the number that is known, with another file
  for (const int n : {1, 2, 3, 4}) same.save(n);
  EXPECT_EQ(thrown([&] { mine.save(10); }), text(4));
  EXPECT_EQ(Counter::at(path), 4);
}

TEST(CheckpointFiles, ManyProcessesOnOnePathLeaveOneWholeSave) {
  const Folder folder;
  const std::string path = folder.file("x");
  std::vector<pid_t> all;
  for (int i = 0; i < 6; ++i) {
    all.push_back(::fork());
    if (all.back() != 0) continue;
    ::alarm(120);
    const std::string text = thrown([&] {
      Counter counter(path, {.keep = 3});
      for (int k = 0; k < 20; ++k) {
        try {
          counter.save(100 * i + k);
        } catch (const ValueError& e) {
          if (!std::strstr(e.what(), "another run must not save")) throw;
          counter.run.load();
        }
        counter.run.save_best(i * k);
      }
    });
    EXPECT_EQ(text, "nothing");
    ::_exit(text != "nothing");
  }
  for (const pid_t child : all) {
    int status = 1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(sorted_names(folder), (Names{"x", "x.1", "x.2", "x.best"}));
  Counter fresh(path, {.keep = 3});
  EXPECT_EQ(printed([&] { EXPECT_TRUE(fresh.run.load()); }), "");
  EXPECT_TRUE(fresh.run.load_best());
  Metadata metadata;
  load(path + ".best", &metadata);
  EXPECT_EQ(metadata.at("score"), "95");
}

TEST(CheckpointFiles, LinksAndModesStay) {
  const Folder folder;
  const std::string link = folder.file("link"), path = folder.file("far/x");
  fs::create_directory(folder.file("far"));
  ASSERT_EQ(::symlink("far/x", link.c_str()), 0);
  Counter counter(link, {.keep = 2});
  counter.save(1);
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  counter.save(2);
  counter.run.save_best(1);
  EXPECT_TRUE(fs::is_symlink(link));
  struct stat info;
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
  EXPECT_EQ(sorted_names(folder), (Names{"far", "link"}));
  EXPECT_TRUE(fs::exists(path + ".1") && fs::exists(path + ".best"));
  Counter fresh(link, {.keep = 2});
  ASSERT_TRUE(fresh.run.load());  // over the file just loaded
  EXPECT_EQ(fresh.n, 2);
  fresh.save(3);
  EXPECT_EQ(Counter::at(link), 3);
}
