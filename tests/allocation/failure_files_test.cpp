#include <capstan/data/idx.h>
#include <capstan/data/npy.h>
#include <capstan/data/safetensors.h>
#include <capstan/data/table.h>
#include <capstan/train/checkpoint.h>
#include <capstan/train/log.h>

#include "../files.h"
#include "failure.h"

// Files when there is no memory: what was there stays whole, nothing is left beside it, and what was loaded into is as before.

extern "C" int fsync(int) { return 0; }  // thousands of saves wait for no disk

namespace {

struct Files {
  Files() {
    tensors.insert("a name that is too long to lie in the string itself", full(Shape{40, 3}, 1));
    tensors.insert("mask", full(Shape{5}, 1, DType::boolean));
  }
  std::string path() const { return folder.file("a file whose name is also longer than a short string.safetensors"); }

  Folder folder;
  TensorMap tensors;
  TensorMap loaded;
  Metadata metadata;
};

std::string show_files(Files& s) {
  std::string all = bits(s.loaded);
  for (const auto& [key, value] : s.metadata) all += key + "=" + value + "\n";
  std::vector<std::string> names = s.folder.names();
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) all += name + ":" + read(s.folder.file(name)) + "\n";
  return all;
}

const Metadata metadata = {{"a key of metadata that is longer than a short string", "and its value, which is longer than one too"},
                           {"another one that is longer than a short string", "and its value, which is longer than one too"}};

}  // namespace

TEST(AllocationFails, Save) {
  for (const bool is_there : {false, true})
    expect_all_or_nothing(
        "save",
        [&] {
          auto s = std::make_unique<Files>();
          if (is_there) write(s->path(), "old");
          return s;
        },
        [&](Files& s) { save(s.path(), s.tensors, metadata); }, show_files);
}

TEST(AllocationFails, Load) {
  expect_all_or_nothing(
      "load",
      [] {
        auto s = std::make_unique<Files>();
        save(s->path(), s->tensors, metadata);
        s->metadata = {{"an old one", "stays"}};
        return s;
      },
      [](Files& s) { s.loaded = load(s.path(), &s.metadata); }, show_files);
}

TEST(AllocationFails, Log) {
  expect_all_or_nothing(
      "CsvLog", [] { return std::make_unique<Files>(); },
      [](Files& s) {
        CsvLog(s.path(), {"a column whose name is longer than a short string", "loss"}, {.overwrite = true}).row(1, 0.5);
      },
      show_files);
}

namespace {

/// A run with parts of several kinds, and a log that went on behind what was saved.
struct Run {
  explicit Run(const Files& files) : log(files.folder.file("log.csv"), {"n"}), checkpoint(files.folder.file("run.ckpt"), {.keep = 2}) {
    checkpoint.add("model", model).add("optimizer", optimizer).add("ema", ema).add("batches", batches).add("log", log);
    checkpoint.add("n", n).add("text", text).add("curve", curve);
    train();
    checkpoint.save();
    checkpoint.save();
    train();
  }
  void train() {
    for (auto [x, y] : batches) {
      Tape tape;
      Tensor loss = mse_loss(model(x), y);
      optimizer.step(tape.gradients(loss));
      ema.update();
      curve.push_back(static_cast<double>(++n));
      log.row(n);
    }
  }
  std::string shown() {
    return bits(model.state()) + bits(optimizer.state()) + bits(ema.state()) + bits(batches.state()) + std::to_string(n) + text +
           std::to_string(curve.size());
  }

  nn::Linear model{3, 2};
  optim::Adagrad optimizer{model.parameters()};
  optim::EMA ema{model.parameters()};
  data::Batches<> batches{ones({6, 3}), zeros({6, 2}), {.batch_size = 2, .shuffle = true}};
  CsvLog log;
  std::int64_t n = 0;
  std::string text = "a text that is too long to lie in the string itself";
  std::vector<double> curve;
  Checkpoint checkpoint;
};

struct RunAndFiles : Files {
  RunAndFiles() : run((manual_seed(3), *this)) {}
  Run run;
};

std::unique_ptr<RunAndFiles> make_run() { return std::make_unique<RunAndFiles>(); }
std::string show_run(RunAndFiles& s) { return s.run.shown() + show_files(s); }

}  // namespace

// Also after a save that came to its path before memory ran out, the next one knows it for its own.
TEST(AllocationFails, CheckpointSave) {
  expect_all_or_nothing(
      "Checkpoint::save", make_run, [](RunAndFiles& s) { s.run.checkpoint.save(); }, show_run);
}

// Parts that have taken theirs already need memory to go back.
TEST(AllocationFails, CheckpointLoad) {
  expect_all_or_nothing("Checkpoint::load", make_run, [](RunAndFiles& s) { EXPECT_TRUE(s.run.checkpoint.load()); }, show_run, {1});
}

TEST(AllocationFails, CheckpointIsOpened) {
  expect_all_or_nothing("Checkpoint", make_run,
                        [](RunAndFiles& s) { Checkpoint(s.folder.file("run.ckpt"), {.keep = 2}).add("n", s.run.n); }, show_run, {1});
}

TEST(AllocationFails, CheckpointSaveBest) {
  for (const double best : {0.0, 1.0, 3.0})
    expect_all_or_nothing(
        "save_best() after " + std::to_string(best),
        [best] {
          auto s = make_run();
          if (best > 0) s->run.checkpoint.save_best(best);
          return s;
        },
        [](RunAndFiles& s) { s.run.checkpoint.save_best(2); }, show_run, {1, all_further});
}

TEST(AllocationFails, CheckpointLoadsAnOlderSave) {
  testing::internal::CaptureStderr();
  expect_all_or_nothing(
      "load() of PATH.1",
      [] {
        auto s = make_run();
        std::string bytes = read(s->folder.file("run.ckpt"));
        bytes.back() = static_cast<char>(bytes.back() ^ 1);
        write(s->folder.file("run.ckpt"), bytes);
        return s;
      },
      [](RunAndFiles& s) { EXPECT_TRUE(s.run.checkpoint.load()); }, show_run, {1});
  EXPECT_NE(testing::internal::GetCapturedStderr().find("passed over"), std::string::npos);
}

TEST(AllocationFails, LogThatGoesOn) {
  expect_all_or_nothing(
      "append",
      [] {
        auto s = std::make_unique<Files>();
        write(s->path(), "step,loss\n1,0.5\n2,0.2");
        return s;
      },
      [](Files& s) {
        CsvLog log(s.path(), {"step", "loss"}, {.append = true});
      },
      show_files);
}

TEST(AllocationFails, Arrays) {
  for (const bool is_there : {false, true}) {
    const auto make = [&] {
      auto s = std::make_unique<Files>();
      if (is_there) write(s->path(), "old");
      return s;
    };
    expect_all_or_nothing(
        "write_npy", make, [](Files& s) { data::write_npy(s.path(), s.tensors["mask"]); }, show_files);
    expect_all_or_nothing(
        "write_npz", make, [](Files& s) { data::write_npz(s.path(), s.tensors); }, show_files);
  }
  const auto reads = [](const std::string& what, const std::string& bytes, TensorMap (*reader)(const std::string&)) {
    expect_all_or_nothing(
        what,
        [&] {
          auto s = std::make_unique<Files>();
          s->loaded = {{"an old one", ones({3})}};
          write(s->path(), bytes);
          return s;
        },
        [&](Files& s) { s.loaded = reader(s.path()); }, show_files);
  };
  const std::string corpus = CAPSTAN_TEST_FILES "/fuzz/corpus/";
  for (const char* name : {"stored.npz", "deflated.npz", "piped_and_deflated.npz"})
    reads(name, read(corpus + "npz/" + name), data::read_npz);
  for (const char* name : {"f4.npy", "f2_big_fortran.npy", "6d.npy"})
    reads(name, read(corpus + "npy/" + name), [](const std::string& path) { return TensorMap{{"x", data::read_npy(path)}}; });
  for (const char* name : {"f8", "i2", "f4.gz", "u1_members.gz"})
    reads(name, read(corpus + "idx/" + name), [](const std::string& path) { return TensorMap{{"x", data::read_idx(path)}}; });
  reads("read_table", "1,2.5\n3,4\n", [](const std::string& path) { return TensorMap{{"x", data::read_table(path)}}; });
}
