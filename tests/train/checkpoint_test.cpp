// A Checkpoint's parts: what goes out comes back, all of it, or nothing changes. Its files are in checkpoint_files_test.cpp; that runs go
// on to the bit is in resume_test.cpp.
#include <capstan/core/create.h>
#include <capstan/data/batches.h>
#include <capstan/data/safetensors.h>
#include <capstan/nn/linear.h>
#include <capstan/optim/adagrad.h>
#include <capstan/optim/average.h>
#include <capstan/train/checkpoint.h>
#include <capstan/train/checkpoint_files.h>
#include <capstan/train/log.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "counter.h"
#include "support.h"

using namespace capstan;
namespace fs = std::filesystem;

namespace {

/// A part that holds one number, and refuses a negative one.
struct Strict {
  double value = 0;
  TensorMap state() const { return {{"value", full({}, value, DType::f64)}}; }
  void load_state(const TensorMap& state) {
    if (state["value"].item() < 0) throw ValueError("[Strict] a value must not be negative: " + std::to_string(state["value"].item()));
    value = state["value"].item();
  }
};

}  // namespace

TEST(Checkpoint, BringsBackWhateverHasAState) {
  const Folder folder;
  struct Run {
    nn::Linear model{3, 2};
    optim::Adagrad optimizer{model.parameters(), {.lr = 0.5}};
    optim::EMA ema{model.parameters()};
    data::Batches<> batches{zeros({6, 3}), zeros({6}), {.batch_size = 2, .shuffle = true}};
    bool flag = false;
    signed char small = 0;
    std::uint64_t large = 0;
    float narrow = 0;
    double wide = 0;
    Generator own{1, 1000, 0};
    std::string text;
    std::vector<double> curve;
    Checkpoint run;
    explicit Run(const std::string& path) : run(path) {
      run.add("model", model).add("optimizer", optimizer).add("ema", ema).add("batches", batches);
      run.add("flag", flag).add("small", small).add("large", large).add("narrow", narrow).add("wide", wide);
      run.add("own", own).add("text", text).add("curve", curve);
    }
  };
  manual_seed(3);
  Run before(folder.file("x"));
  EXPECT_FALSE(before.run.load());
  before.optimizer.step(Gradients::from({{before.model.weight, ones({2, 3})}}));
  before.ema.update();
  for (auto [x, y] : before.batches) break;
  before.flag = true;
  before.small = -128;
  before.large = ~std::uint64_t{0} - 1;
  before.narrow = 0.1f;
  before.wide = -std::numeric_limits<double>::infinity();
  before.own = {~std::uint64_t{0}, 0xffffffffu, std::uint64_t{1} << 63};
  before.text = std::string("a\0\xff", 3);
  before.curve = {1, std::nan(""), 0.1};
  default_generator().draw = 77;
  before.run.save();

  manual_seed(4);
  Run after(folder.file("x"));
  EXPECT_TRUE(after.run.load());
  EXPECT_EQ(bits(after.model.state()), bits(before.model.state()));
  EXPECT_EQ(bits(after.optimizer.state()), bits(before.optimizer.state()));
  EXPECT_EQ(bits(after.ema.state()), bits(before.ema.state()));
  EXPECT_EQ(bits(after.batches.state()), bits(before.batches.state()));
  EXPECT_TRUE(after.flag);
  EXPECT_EQ(after.small, -128);
  EXPECT_EQ(after.large, ~std::uint64_t{0} - 1);
  EXPECT_EQ(after.narrow, 0.1f);
  EXPECT_EQ(after.wide, -std::numeric_limits<double>::infinity());
  EXPECT_EQ(after.own.seed, ~std::uint64_t{0});
  EXPECT_EQ(after.own.purpose, 0xffffffffu);
  EXPECT_EQ(after.own.draw, std::uint64_t{1} << 63);
  EXPECT_EQ(after.text, before.text);
  EXPECT_EQ(after.curve.size(), 3u);
  EXPECT_EQ(std::memcmp(after.curve.data(), before.curve.data(), 3 * sizeof(double)), 0);
  EXPECT_EQ(default_generator().draw, 77u);
  EXPECT_EQ(default_generator(Purpose::init).seed, 3u);
  EXPECT_TRUE(after.run.passed_over().empty());
}

TEST(Checkpoint, IsASafetensorsFileThatSaysWhatItIs) {
  const Folder folder;
  data::Batches batches(tensor({1, 2, 3, 4}).reshape({4, 1}), tensor({0, 1, 0, 1}, DType::i64), {.batch_size = 2});
  Strict strict;
  Counter counter(folder.file("x"), {.configuration = "lr 0.1, \"crc32\":\"12345678\""});
  counter.run.add("batches", batches).add("strict", strict);
  counter.save(5);
  counter.save(6);
  Metadata metadata;
  const TensorMap tensors = load(folder.file("x"), &metadata);
  EXPECT_EQ(tensors["n"].item(), 6);
  EXPECT_EQ(names(tensors),
            "batches/epoch batches/fingerprint batches/next generators/dropout generators/init generators/shuffle generators/tensors n "
            "strict/value");
  EXPECT_EQ(metadata.at("crc32").size(), 8u);
  metadata.erase("crc32");
  EXPECT_EQ(metadata, (Metadata{{"format", "capstan checkpoint 1"},
                                {"version", "0.1.0"},
                                {"save", "2"},
                                {"configuration", "lr 0.1, \"crc32\":\"12345678\""},
                                {"parts", "generators n batches strict"},
                                {"data", "batches: f32 [4, 1] 8ba71454, i64 [4] 54853014, batch_size 2"}}));
}

TEST(Checkpoint, LoadsAllOrNothing) {
  const Folder folder;
  const std::string path = folder.file("x");
  nn::Linear model(2, 2);
  optim::Adagrad optimizer(model.parameters());
  CsvLog log(folder.file("log"), {"n"});
  std::int64_t n = 1;
  Strict strict;
  Checkpoint run(path);
  run.add("model", model).add("optimizer", optimizer).add("log", log).add("n", n).add("strict", strict);
  strict.value = -1;
  run.save();
  strict.value = 1;
  n = 2;
  log.row(5);
  manual_seed(9);
  optimizer.step(Gradients::from({{model.weight, ones({2, 2})}}));
  const std::string before = bits(model.state()) + bits(optimizer.state()) + read(folder.file("log"));
  EXPECT_EQ(thrown([&] { run.load(); }),
            "ValueError: [Checkpoint] part 'strict' of " + path + ": [Strict] a value must not be negative: -1.000000");
  EXPECT_EQ(bits(model.state()) + bits(optimizer.state()) + read(folder.file("log")), before);
  EXPECT_EQ(n, 2);
  EXPECT_EQ(strict.value, 1);
  EXPECT_EQ(default_generator().seed, 9u);
  log.row(6);
  EXPECT_EQ(read(folder.file("log")), "n\n5\n6\n");
}

TEST(Checkpoint, APartThatCannotGoBackKeepsNoOtherFromIt) {
  struct Once : Strict {
    int loads = 0;
    void load_state(const TensorMap& state) {
      if (++loads > 1) throw IoError("[Once] only once");
      Strict::load_state(state);
    }
  };
  const Folder folder;
  const std::string path = folder.file("x");
  Counter counter(path);
  Once once;
  Strict strict;
  counter.run.add("once", once).add("strict", strict);
  strict.value = -1;
  counter.save(1);
  counter.n = 2;
  EXPECT_EQ(thrown([&] { counter.run.load(); }),
            "ValueError: [Checkpoint] part 'strict' of " + path + ": [Strict] a value must not be negative: -1.000000");
  EXPECT_EQ(once.loads, 2);
  EXPECT_EQ(counter.n, 2);
}

TEST(Checkpoint, ListsPartsThatAreMissingAndThoseThatNobodyAdded) {
  const Folder folder;
  const std::string path = folder.file("x");
  Counter counter(path);
  Strict strict;
  double rate = 0;
  counter.run.add("strict", strict);
  counter.save(1);
  Checkpoint other(path);
  other.add("rate", rate).add("strict", strict);
  EXPECT_EQ(thrown([&] { other.load(); }),
            "ValueError: [Checkpoint] the parts must be those that were added: " + path + "\n  missing: rate\n  unexpected: n");
  Checkpoint wrong(path);
  wrong.add("n", rate).add("strict", strict);
  EXPECT_EQ(thrown([&] { wrong.load(); }), "ValueError: [Checkpoint] part 'n' of " + path +
                                               ": [load_state] the saved value must be of the variable's type: i64 [], wanted f64 []");
  Checkpoint crossed(path);
  Strict as_strict;
  crossed.add("n", as_strict).add("strict", rate);
  EXPECT_EQ(thrown([&] { crossed.load(); }),
            "ValueError: [Checkpoint] part 'n' of " + path + ": [tensors] there is no such name: 'value' among 1");
}

TEST(Checkpoint, AStrangersPartsAreShownAsATerminalCanShowThem) {
  const Folder folder;
  const std::string path = folder.file("x");
  const std::string start = "ValueError: [Checkpoint] the parts must be those that were added: " + path + "\n  unexpected: ";
  const auto refused = [&](const std::string& parts, const TensorMap& tensors = {}) {
    detail::NewFile file("test", path, detail::NewFile::Existing::replaced);
    detail::write_whole(file, tensors, {{"save", "1"}, {"parts", "generators n" + parts}});
    file.publish();
    Counter counter(path);
    return thrown([&] { counter.run.load(); });
  };
  EXPECT_EQ(refused(" \x1b[2J\n"), start + "\\x1b[2J\\x0a");
  EXPECT_EQ(refused(" " + std::string(200'000, 'x')), start + std::string(100, 'x') + "...");
  std::string many;
  for (int i = 0; i < 200'000; ++i) many += " x";
  const std::string text = refused(many);
  EXPECT_TRUE(text.starts_with(start + "x\n  unexpected: x\n")) << text;
  EXPECT_LT(text.size(), 11'000u);
  for (const char* name : {"m", "m/x", "n/", "\x1b"})
    EXPECT_EQ(refused("", {{"n", tensor(1)}, {name, tensor(1)}}),
              "FormatError: [Checkpoint] every tensor must belong to a part: " + path + ": '" + (*name == '\x1b' ? "\\x1b" : name) + "'");
}

TEST(Checkpoint, RefusesANumberThatTheVariableCannotHold) {
  const Folder folder;
  const std::string path = folder.file("x");
  const auto through = [&](auto saved, auto variable) {
    fs::remove(path);
    {
      Checkpoint run(path);
      run.add("v", saved);
      run.save();
    }
    Checkpoint run(path);
    run.add("v", variable);
    const std::string text = thrown([&] { run.load(); });
    const std::string start = "ValueError: [Checkpoint] part 'v' of " + path + ": [load_state] ";
    return text.starts_with(start) ? text.substr(start.size()) : text;
  };
  EXPECT_EQ(through(std::int64_t{128}, static_cast<signed char>(0)),
            "the saved number must fit the variable, which holds -128 to 127: 128");
  EXPECT_EQ(through(std::int64_t{-1}, std::uint32_t{0}), "the saved number must fit the variable, which holds 0 to 4294967295: -1");
  EXPECT_EQ(through(std::int64_t{1} << 40, 0),
            "the saved number must fit the variable, which holds -2147483648 to 2147483647: 1099511627776");
  EXPECT_EQ(through(0.1, 0.0f), "the saved number must be a float: 0.1");
  EXPECT_EQ(through(std::string("ab"), Generator{}), "the state does not fit a generator:\n  : i64 [2], wanted i64 [3]");
  EXPECT_EQ(through(1, std::string()), "the saved value must be of the variable's type: i64 [], wanted i64 [n]");
  EXPECT_EQ(through(std::numeric_limits<std::int64_t>::min(), std::int64_t{0}), "nothing");
  EXPECT_EQ(through(std::vector<double>(3), std::vector<double>(9)), "nothing");
}

TEST(Checkpoint, KnowsItsConfiguration) {
  const Folder folder;
  const std::string path = folder.file("x");
  Counter(path, {.configuration = "lr 0.1"}).save(3);
  const auto load = [&](const std::string& configuration) {
    Counter fresh(path, {.configuration = configuration});
    return thrown([&] { EXPECT_TRUE(fresh.run.load()); });
  };
  EXPECT_EQ(load("lr 0.1"), "nothing");
  EXPECT_EQ(load(""), "nothing");
  EXPECT_EQ(load("lr 0.2"),
            "ValueError: [Checkpoint] the configuration must be that of the save: " + path + " has 'lr 0.1', wanted 'lr 0.2'");
}

TEST(Checkpoint, RefusesWhatCannotBe) {
  const Folder folder;
  const std::string path = folder.file("x");
  for (const std::int64_t keep : {-1, 0, 1001})
    EXPECT_EQ(thrown([&] { Checkpoint(path, {.keep = keep}); }),
              "ValueError: [Checkpoint] keep must lie in 1 to 1000: " + std::to_string(keep));
  EXPECT_EQ(thrown([&] { Checkpoint(""); }), "ValueError: [Checkpoint] a path must not be empty");
  EXPECT_EQ(thrown([&] { Checkpoint(std::string("a\0b", 3)); }), "IoError: [Checkpoint] a path must not hold a zero byte: a");
  EXPECT_EQ(thrown([&] { Checkpoint(path, {.configuration = "\xff"}); }),
            "ValueError: [Checkpoint] the configuration must be UTF-8: '\xff'");
  Checkpoint run(path);
  int n = 0;
  for (const char* name : {"", "a/b", "a b", "__metadata__", "\xc3\xa9"})
    EXPECT_EQ(thrown([&] { run.add(name, n); }),
              std::string("ValueError: [Checkpoint] a part's name must have letters, digits, '_', '-' and '.' alone: '") + name + "'");
  run.add("n", n);
  EXPECT_EQ(thrown([&] { run.add("n", n); }), "ValueError: [Checkpoint] a part's name must come once: 'n'");
  EXPECT_EQ(thrown([&] { run.add("generators", n); }),
            "ValueError: [Checkpoint] a part's name must come once: 'generators' (the default generators have it, which are kept without "
            "being added)");
  static_assert(!Checkpointable<const int> && !Checkpointable<Tensor> && !Checkpointable<const char*>);
}

TEST(Checkpoint, SaysWhichPartCouldNotBeSaved) {
  const Folder folder;
  const std::string path = folder.file("x");
  nn::Linear model(2, 2);
  optim::EMA ema(model.parameters());
  ema.update();
  Checkpoint run(path);
  run.add("ema", ema);
  ema.swap();
  EXPECT_EQ(thrown([&] { run.save(); }),
            "ValueError: [Checkpoint] part 'ema' of " + path + ": [ema] the model holds the averages (call swap() first)");
  EXPECT_TRUE(folder.names().empty());
  ema.swap();
  run.save();
  EXPECT_EQ(folder.names(), Names{"x"});
}

TEST(Checkpoint, BringsLogsToTheDiskFirst) {
  struct Noted {
    std::string* order;
    void sync() { *order += "sync "; }
    TensorMap state() const {
      *order += "state ";
      return {};
    }
    TensorMap live_state() const {
      *order += "live ";
      return {};
    }
    void load_state(const TensorMap&) { *order += "load "; }
  };
  const Folder folder;
  std::string order;
  Noted noted{&order};
  Checkpoint run(folder.file("x"));
  run.add("noted", noted);
  run.save();
  EXPECT_EQ(order, "sync live ");
  run.load();  // a part without a tensor is there all the same
  EXPECT_EQ(order, "sync live state load ");
}
