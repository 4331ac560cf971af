// What other frameworks have lost when a run was resumed, each by itself.
#include <capstan/optim/sgd.h>

#include <algorithm>
#include <filesystem>

#include "program.h"

namespace schedule = optim::schedule;
using ResumeLost = Resume;

TEST_F(ResumeLost, InTheMiddleOfAPassNoBatchComesTwiceOrNever) {
  const std::string want = undisturbed(usual);
  for (std::int64_t k = 0; k <= steps_in_all; ++k) EXPECT_EQ(resumed(usual, {{k, false}}), want) << k;
  EXPECT_EQ(resumed(usual, {{1, false}, {1, false}, {2, false}, {3, true}, {6, false}, {6, false}}), want);
}

TEST_F(ResumeLost, ALaterEpochHasAnOrderOfItsOwn) {
  const data::Dataset set{arange(30, DType::f64).reshape({30, 1}), arange(30, DType::i64)};
  const Folder folder;
  const auto pass = [](data::Batches<>& batches) {
    std::string labels;
    for (auto [x, y] : batches) labels += to_string(y) + "\n";
    return labels;
  };
  std::string first, second;
  {
    manual_seed(1);
    data::Batches batches(set, {.batch_size = 7, .shuffle = true});
    Checkpoint run(folder.file("x"));
    run.add("batches", batches);
    first = pass(batches);
    run.save();
    second = pass(batches);
  }
  manual_seed(1);  // the same program begins in the same way
  data::Batches batches(set, {.batch_size = 7, .shuffle = true});
  Checkpoint run(folder.file("x"));
  run.add("batches", batches);
  ASSERT_TRUE(run.load());
  const std::string resumed = pass(batches);
  EXPECT_EQ(resumed, second);
  EXPECT_NE(resumed, first);
}

TEST_F(ResumeLost, RandomNumbersComeBackByEveryWayOfSaving) {
  const Folder folder;
  manual_seed(6);
  double value = 1;
  Checkpoint run(folder.file("x"), {.keep = 2});
  run.add("value", value);
  randn({3});
  run.save();
  ASSERT_TRUE(run.save_best(1));
  const auto draw = [] {
    return bits(randn({4})) + bits(permutation(9)) + bits(bernoulli(full({9}, 0.5), default_generator(Purpose::dropout))) +
           bits(uniform({2}, 0, 1, DType::f32, default_generator(Purpose::init)));
  };
  const std::string want = draw();
  for (const char* way : {"load", "load_best", "PATH.1"}) {
    disturb();
    if (std::string(way) == "PATH.1") {
      ASSERT_TRUE(run.load());
      run.save();
      std::filesystem::remove(folder.file("x"));
    }
    disturb();
    ASSERT_TRUE(std::string(way) == "load_best" ? run.load_best() : run.load());
    EXPECT_EQ(draw(), want) << way;
  }
}

TEST_F(ResumeLost, AnotherModelTrainedInBetweenMovesNothing) {
  const std::string want = undisturbed(usual);
  const Folder folder, other_folder;
  manual_seed(5);
  {
    Program run(usual, folder);
    run.train(4);
  }
  Program other({{"sgd", ""}, true, true, 1}, other_folder);
  other.train();
  Program run(usual, folder);
  ASSERT_TRUE(run.load());
  run.train();
  EXPECT_EQ(run.all(folder), want);
}

TEST_F(ResumeLost, ARateIsThatOfItsStepAndNotRebuilt) {
  const auto rates = [](std::int64_t stop) {
    const Folder folder;
    std::vector<double> all;
    const auto live = [&](std::int64_t from, std::int64_t to) {
      const Tensor w = parameter(ones({2}));
      optim::SGD sgd(Parameters{{"w", w}}, {.lr = 9});
      optim::Inject optimizer(sgd, {{"lr", schedule::cosine(0.1, 8)}});
      Checkpoint run(folder.file("x"), {.configuration = "8 steps"});
      run.add("optimizer", optimizer);
      EXPECT_EQ(run.load(), from > 0);
      for (std::int64_t t = from; t < to; ++t) {
        optimizer.step(Gradients::from({{w, ones({2})}}));
        all.push_back(sgd.lr());
      }
      run.save();
    };
    if (stop > 0) live(0, stop);
    live(stop, 8);
    double other = 0;
    Checkpoint longer(folder.file("x"), {.configuration = "16 steps"});
    longer.add("optimizer", other);
    EXPECT_EQ(thrown([&] { longer.load(); }),
              "ValueError: [Checkpoint] the configuration must be that of the "
              "save: " +
                  folder.file("x") + " has '8 steps', wanted '16 steps'");
    return all;
  };
  const std::vector<double> want = rates(0);
  EXPECT_EQ(want.front(), 0.1);
  for (std::int64_t stop = 1; stop < 8; ++stop) EXPECT_EQ(rates(stop), want) << stop;
}

TEST_F(ResumeLost, PatienceAndTheBestAreNotForgotten) {
  const std::vector<double> results = {3, 2, 2.5, 2.4, 2.3, 2.2, 1, 1.5};
  const auto live = [&](std::size_t stop) {
    const Folder folder;
    std::string text;
    for (std::size_t from = 0; from < results.size();) {
      const std::size_t to = from == 0 && stop > 0 ? stop : results.size();
      double result = 0;
      optim::Plateau plateau({.lr = 1, .factor = 0.5, .patience = 2});
      Checkpoint run(folder.file("x"));
      run.add("plateau", plateau).add("result", result);
      EXPECT_EQ(run.load(), from > 0);
      for (; from < to; ++from) {
        result = results[from];
        text += std::to_string(plateau.next(result)) + " ";
        if (run.save_best(result, {.lower = true})) text += "best ";
        run.save();
      }
    }
    double best = 0;
    optim::Plateau plateau;
    Checkpoint run(folder.file("x"));
    run.add("plateau", plateau).add("result", best);
    EXPECT_TRUE(run.load_best());
    EXPECT_EQ(best, 1);
    return text;
  };
  const std::string want = live(0);
  EXPECT_NE(want.find("0.5"), want.npos);
  for (std::size_t stop = 1; stop < results.size(); ++stop) EXPECT_EQ(live(stop), want) << stop;
}

TEST_F(ResumeLost, ASaveInsideOfTheLoopHoldsTheStepJustMade) {
  const Folder folder;
  manual_seed(5);
  Program run(usual, folder);
  run.train(5);
  Program again(usual, folder);
  ASSERT_TRUE(again.load());
  EXPECT_EQ(again.steps(), 5);
  EXPECT_EQ(bits(again.net().state()), bits(run.net().state()));
  EXPECT_EQ(bits(again.ema().state()), bits(run.ema().state()));
}

TEST_F(ResumeLost, AveragesKeepTheirCountAndAreNotSavedSwapped) {
  const Folder folder;
  manual_seed(5);
  Program run(usual, folder);
  run.train(4);
  run.ema().swap();
  const std::string before = read(folder.file("ckpt"));
  EXPECT_EQ(thrown([&] { run.save(); }),
            "ValueError: [Checkpoint] part 'ema' of " + folder.file("ckpt") + ": [ema] the model holds the averages (call swap() first)");
  EXPECT_EQ(read(folder.file("ckpt")), before);
  run.ema().swap();
  run.save();
  Program again(usual, folder);
  ASSERT_TRUE(again.load());
  EXPECT_EQ(again.ema().count(), 4);
}

TEST_F(ResumeLost, BuffersComeBack) {
  const Folder folder;
  manual_seed(5);
  Program run(usual, folder);
  run.train(4);
  Program again(usual, folder);
  ASSERT_TRUE(again.load());
  EXPECT_EQ(again.net().seen.item(), 4);
}

TEST_F(ResumeLost, ACurveIsDrawnOnce) {
  const Folder folder;
  manual_seed(5);
  {
    Program run(usual, folder);
    run.train(3, true);
    run.train(5);  // rows after the last save, which are lost with the process
  }
  std::filesystem::remove(folder.file("ckpt"));  // so that the one of step 3 is the newest
  Program run(usual, folder);
  ASSERT_TRUE(run.load());
  EXPECT_EQ(run.steps(), 3);
  run.train();
  const std::string log = read(folder.file("log.csv"));
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1 + steps_in_all);
  EXPECT_EQ(run.all(folder), undisturbed(usual));
}
