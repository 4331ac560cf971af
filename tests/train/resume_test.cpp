// A run that was saved after k of n steps, loaded elsewhere and finished ends as the undisturbed one, to the bit: parameters, states,
// draws, rates and log lines. "Elsewhere" is fresh objects after another seed and other draws, or a process of its own.
#include <algorithm>
#include <set>

#include "../child.h"
#include "program.h"

namespace {

std::vector<Recipe> recipes() {
  std::vector<Recipe> all;
  for (const std::string& method : optim::methods()) all.push_back({method, ""});
  for (const char* method : {"sgd momentum=0.9", "adam", "adagrad"})
    for (const char* around : {"inject", "lookahead", "sam", "inject in lookahead", "sam in lookahead", "plateau"})
      all.push_back({method, around});
  all.push_back({"chain", "accumulation"});
  all.push_back({"chain", "accumulation in lookahead"});
  all.push_back({"lbfgs", "closure"});
  return all;
}

}  // namespace

TEST_F(Resume, EveryOptimizerAndWrapperFromAnywhere) {
  // 200 cases: each setup comes, and each place with some of them; the rest is
  // drawn, always the same.
  const std::vector<Recipe> all = recipes();
  ASSERT_GE(all.size(), 40u);
  Generator draws{1, 4242, 0};
  const auto draw = [&](std::int64_t n) { return static_cast<std::int64_t>(draws.uniform() * static_cast<double>(n)); };
  std::set<std::int64_t> places;
  for (std::size_t i = 0; i < 200; ++i) {
    Case c{all[i % all.size()], draw(2) == 1, draw(2) == 1, 1 + static_cast<int>(draw(2))};
    if (c.setup.around == "closure") c.dropout = false;  // it must compute the same function each time
    const std::int64_t k = static_cast<std::int64_t>(i / 7) % (steps_in_all + 1);
    const bool after_epoch = k > 0 && k % batches_in_pass == 0 && draw(2) == 1;
    places.insert(k);
    std::vector<std::pair<std::int64_t, bool>> stops = {{k, after_epoch}};
    if (i % 5 == 0) stops.push_back({std::min(steps_in_all, k + draw(4)), false});
    ASSERT_EQ(resumed(c, stops), undisturbed(c)) << c.text() << ", after " << k << (after_epoch ? " and the epoch" : "") << ", case " << i;
  }
  EXPECT_EQ(places.size(), static_cast<std::size_t>(steps_in_all) + 1);
}

TEST_F(Resume, InProcessesOfTheirOwn) {
  for (const Case& c :
       {usual, Case{{"sgd momentum=0.9", "sam in lookahead"}, true, true, 2}, Case{{"chain", "accumulation"}, true, false, 2}}) {
    const Folder folder;
    const std::string want = undisturbed(c);
    for (std::int64_t k = 0; k < steps_in_all; k += 2)  // each process makes two steps
      EXPECT_EQ(in_a_child([&] {
                  return thrown([&] {
                           if (k == 0) {
                             manual_seed(5);
                           } else {
                             disturb();
                           }
                           Program run(c, folder);
                           if (run.load() != (k > 0)) throw ValueError("there is no save");
                           run.train(k + 2);
                           if (k + 2 > steps_in_all) write(folder.file("all"), run.all(folder));
                         }) != "nothing";
                }),
                "exit 0");
    EXPECT_EQ(read(folder.file("all")), want) << c.text();
  }
}

TEST_F(Resume, WithAnotherNumberOfThreads) {
  Case two = usual;
  two.threads = 2;
  const Folder folder;
  manual_seed(5);
  Program(usual, folder).train(4);
  disturb();
  Program run(two, folder);
  ASSERT_TRUE(run.load());
  run.train();
  EXPECT_EQ(run.all(folder), undisturbed(usual));
}
