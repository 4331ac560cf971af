#include <capstan/optim/methods.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "../files.h"
#include "methods.h"
#include "support.h"

// What every method does, the built-in ones and two of a user's: each test runs once for each row of the table.

namespace {

class Methods : public testing::TestWithParam<std::size_t> {
 protected:
  const Row& row() const { return rows().at(GetParam()); }
};

}  // namespace

INSTANTIATE_TEST_SUITE_P(Each, Methods, testing::Range<std::size_t>(0, rows().size()),
                         [](const auto& one) { return std::to_string(one.param) + "_" + rows().at(one.param).name; });

TEST(Methods, AllStandInTheTable) {
  std::set<std::string> names;
  for (const Row& row : rows()) names.insert(row.name);
  for (const std::string& name : built_in_methods) EXPECT_TRUE(names.count(name)) << name << " has no row in tests/optim/rows_*.cpp";
}

TEST(Methods, StandOnTheFirstPage) {
  const std::string page = read(CAPSTAN_TEST_FILES "/../docs/reference.md");
#define CAPSTAN_NAMED(M) EXPECT_NE(page.find("`" #M "`"), std::string::npos) << "docs/reference.md does not name " #M;
  CAPSTAN_METHODS(CAPSTAN_NAMED)
#undef CAPSTAN_NAMED
}

// What the kit checks; conformance_kit_test.cpp shows that it can fail.
TEST_P(Methods, Conform) {
  std::vector<Settings> sets = {row().good};
  sets.insert(sets.end(), row().all.begin(), row().all.end());
  for (const Row::Change& c : row().changes)
    if (std::find(sets.begin(), sets.end(), c.from) == sets.end()) sets.push_back(c.from);  // most options share one
  optim::expect_conformance(
      row().build.conform(sets, {.parabola = row().whole ? 1e-2 : 1e-4,  // steps by the size of w end in a wide circle
                                 .rosenbrock = row().whole ? 0.05 : 0.01,
                                 .matrices = row().matrices,
                                 .together = row().together,
                                 .most = row().most,
                                 .elsewhere = row().elsewhere}));
}

TEST_P(Methods, TellTheirNameAndOptions) {
  Tensor w = zeros(row().shape(2));
  const auto optimizer = row().build(Parameters{{"w", w}}, {});
  EXPECT_EQ(optimizer->method(), row().name);
  std::string keys;
  for (const auto& numbers : {row().options, row().shared})
    for (const std::string& number : numbers) keys += row().name + "/" + number + " ";
  EXPECT_EQ(names(optimizer->state()), keys + row().name + "/step w/step");
}

TEST_P(Methods, HaveARowForEachOption) {
  std::set<std::string> changed;
  for (const Row::Change& c : row().changes) changed.insert(c.option);
  EXPECT_EQ(changed, std::set<std::string>(row().options.begin(), row().options.end()));
  for (const Row::Change& c : row().changes) {  // and the pair differs in that option alone
    Tensor w = zeros(row().shape(2));
    const auto a = row().build(Parameters{{"w", w}}, c.from), b = row().build(Parameters{{"w", w}}, c.to);
    const TensorMap x = a->state(), y = b->state();
    for (const std::string& option : row().options) {
      const std::string key = row().name + "/" + option;
      EXPECT_EQ(x[key].item() != y[key].item(), option == c.option) << key;
    }
  }
}

TEST_P(Methods, ComeCloseToAParabolasBottom) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Shape shape = row().shape(7);
    const Tensor bottom = wobbles(shape, 50, dtype), steepness = tensor({1, 0.5, 2, 1, 0.75, 1.5, 1}, dtype).reshape(shape);
    Tensor w = parameter(zeros(shape, dtype));
    const auto optimizer = row().build(Parameters{{"w", w}}, row().good);
    for (int t = 0; t < 400; ++t) {
      Tape tape;
      optimizer->step(tape.gradients(sum(0.5 * steepness * square(w - bottom))));
    }
    const std::vector<double> end = values(w), want = values(bottom);
    for (std::size_t i = 0; i < end.size(); ++i) EXPECT_NEAR(end[i], want[i], row().reach) << name(dtype);
  }
}

TEST_P(Methods, RefuseEachBadOption) {
  ASSERT_FALSE(row().refused.empty());
  for (const Row::Refusal& r : row().refused) {
    Tensor w = zeros(row().shape(2));
    EXPECT_EQ(thrown([&] { row().build(Parameters{{"w", w}}, r.settings); }), "ValueError: [" + row().name + "] " + r.error);
  }
}

TEST_P(Methods, RefuseABadRate) {
  Tensor w = parameter(ones(row().shape(2)));
  const auto optimizer = row().build(Parameters{{"w", w}}, {{"lr", 0.25}});
  EXPECT_EQ(optimizer->lr(), 0.25);
  const std::string before = bits(optimizer->state());
  EXPECT_EQ(thrown([&] { optimizer->set_lr(-0.5); }), "ValueError: [" + row().name + "] lr must not be negative: -0.5");
  EXPECT_EQ(thrown([&] { optimizer->set_lr(NAN); }), "ValueError: [" + row().name + "] lr must be finite: nan");
  EXPECT_EQ(bits(optimizer->state()), before);
  optimizer->set_lr(0.5);
  EXPECT_EQ(optimizer->lr(), 0.5);
  optimizer->set_lr(0);               // a rate of nothing is a rate
  if (row().name == "rprop") return;  // where it is a first step size, which step_size_min bounds
  optimizer->step(Gradients::from({{w, ones(row().shape(2))}}));
  EXPECT_EQ(values(w), (std::vector<double>{1, 1}));
}
