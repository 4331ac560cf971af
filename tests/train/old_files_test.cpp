// The checkpoints that version 0.1 wrote, in tests/train/files: every later version loads them. They are never written again.
#include <capstan/core/create.h>
#include <capstan/data/batches.h>
#include <capstan/nn/linear.h>
#include <capstan/optim/adagrad.h>
#include <capstan/optim/average.h>
#include <capstan/optim/lookahead.h>
#include <capstan/optim/schedule.h>
#include <capstan/train/checkpoint.h>
#include <capstan/train/log.h>

#include "support.h"

using namespace capstan;

namespace {

/// A part of every kind that there was.
struct Everything {
  explicit Everything(const std::string& path, const std::string& table)
      : log(table, {"epoch"}, {.append = true}), run(path, {.keep = 2, .configuration = "a small run"}) {
    run.add("model", model).add("optimizer", lookahead).add("ema", ema).add("plateau", plateau).add("batches", batches);
    run.add("flag", flag).add("count", count).add("rate", rate).add("own", own).add("text", text).add("curve", curve).add("log", log);
  }

  nn::Linear model{2, 2};
  optim::Adagrad adagrad{model.parameters(), {.lr = 0.5}};
  optim::Lookahead lookahead{adagrad};
  optim::EMA ema{model.parameters(), {.decay = 0.5}};
  optim::Plateau plateau{{.lr = 0.25}};
  data::Batches<> batches{arange(6, DType::f64).reshape({6, 1}), arange(6, DType::i64), {.batch_size = 2, .shuffle = true}};
  bool flag = false;
  std::int64_t count = 0;
  double rate = 0;
  Generator own{0, 100, 0};
  std::string text;
  std::vector<double> curve;
  CsvLog log;
  Checkpoint run;
};

}  // namespace

TEST(OldFiles, OfVersion01Load) {
  const Folder folder;  // a load locks the folder, and may save
  for (const char* name : {"0.1.ckpt", "0.1.ckpt.1", "0.1.ckpt.best"})
    std::filesystem::copy_file(std::string(CAPSTAN_TEST_FILES "/train/files/") + name, folder.file(name));
  manual_seed(50);
  write(folder.file("log.csv"), "epoch\n1\n2\n3\n");
  Everything run(folder.file("0.1.ckpt"), folder.file("log.csv"));
  ASSERT_TRUE(run.run.load());
  EXPECT_TRUE(run.run.passed_over().empty());
  EXPECT_EQ(values(run.model.weight), (Values{-0.5, 0.5, 1.5, 2.5}));
  EXPECT_EQ(values(run.model.bias), (Values{0.25, -0.25}));
  const TensorMap optimizer = run.lookahead.state();
  EXPECT_EQ(values(optimizer["weight/sum"]), (Values{1, 1, 1, 1}));
  EXPECT_EQ(values(optimizer["lookahead/slow/weight"]), (Values{0, 1, 2, 3}));
  EXPECT_EQ(optimizer["lookahead/step"].item(), 1);
  EXPECT_EQ(optimizer["adagrad/lr"].item(), 0.5);
  EXPECT_EQ(values(run.ema.state()["ema/average/weight"]), (Values{-0.5, 0.5, 1.5, 2.5}));
  EXPECT_EQ(run.plateau.state()["best"].item(), 3);
  EXPECT_EQ(run.batches.epoch(), 1);
  std::string labels;
  for (auto [x, y] : run.batches)
    for (const double label : values(y)) labels += std::to_string(static_cast<int>(label));
  EXPECT_EQ(labels, "2450");
  EXPECT_TRUE(run.flag);
  EXPECT_EQ(run.count, -7);
  EXPECT_EQ(run.rate, 0.1);
  EXPECT_EQ(run.own.seed, 11u);
  EXPECT_EQ(run.own.draw, 13u);
  EXPECT_EQ(run.text, "saved by 0.1");
  EXPECT_EQ(run.curve, (std::vector<double>{2, 1, 0.5}));
  EXPECT_EQ(read(folder.file("log.csv")), "epoch\n1\n2\n");
  EXPECT_EQ(default_generator().seed, 20u);
  EXPECT_EQ(default_generator().draw, 4u);

  ASSERT_TRUE(run.run.load_best());
  EXPECT_EQ(run.text, "the best");
  EXPECT_FALSE(run.run.save_best(0.75));
  std::filesystem::remove(folder.file("0.1.ckpt"));
  ASSERT_TRUE(run.run.load());
  EXPECT_EQ(run.text, "the one before");
}
