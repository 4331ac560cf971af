#include "oracle.h"

#include <gtest/gtest.h>

#include <set>

// The reader of the reference numbers: a file that is not as its head says must fail the tests, never be half read.

namespace {

const std::string good = R"(# a comment

case sgd_one
method sgd
preset default
shape 6
options lr=0.001 momentum=0 dampening=0 nesterov=0 weight_decay=0
source somebody
checked nobody else
w0 1.0 -2.0 0.5 3.0 -0.75 1.5
a 1.0 0.5 2.0 0.125 0.0001 3.0
b 0.5 -1.0 0.25 0.3 0.0001 -2.0
w 1 1 2 3 4 5 6
w 2 1 2 3 4 5 6
w 3 1 2 3 4 5 6
w 10 1 2 3 4 5 6
w 50 1 2 3 4 5 6.5
end

case adagrad_d2l_first_step
method adagrad
preset d2l(0.1)
shape 2 3
options lr=0.1 eps=1e-06 eps_inside_root=1 initial_accumulator=0 lr_decay=0 weight_decay=0
source somebody
checked nobody else
w0 0.0 0.0 0.0 0.0 0.0 0.0
g 1.0 0.001 1e-06 -0.001 1e-09 0.0
w 1 -1 -2 -3 4 5 0.0
end
)";

std::string error_of(const std::string& text) {
  try {
    oracle::parse(text);
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "nothing";
}

/// What is said about `good` with `from`, which must be in it, replaced.
std::string error_with(const std::string& from, const std::string& to) {
  const std::size_t at = good.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return error_of(std::string(good).replace(at, from.size(), to));
}

}  // namespace

TEST(Oracle, ReadsEveryPart) {
  const std::vector<oracle::Case> cases = oracle::parse(good);
  ASSERT_EQ(cases.size(), 2u);
  const oracle::Case& c = cases[0];
  EXPECT_EQ(c.name, "sgd_one");
  EXPECT_EQ(c.method, "sgd");
  EXPECT_EQ(c.preset, "default");
  EXPECT_EQ(c.shape, (std::vector<std::int64_t>{6}));
  EXPECT_EQ(cases[1].shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(c.settings, "lr=0.001 momentum=0 dampening=0 nesterov=0 weight_decay=0");
  EXPECT_EQ(c.options.front(), (std::pair<std::string, double>("lr", 0.001)));
  EXPECT_EQ(c.source, "somebody");
  EXPECT_EQ(c.checked, "nobody else");
  EXPECT_FALSE(c.first_step);
  EXPECT_EQ(c.w0, (oracle::Row{1, -2, 0.5, 3, -0.75, 1.5}));
  EXPECT_EQ(c.a, (oracle::Row{1, 0.5, 2, 0.125, 0.0001, 3}));
  EXPECT_EQ(c.b, (oracle::Row{0.5, -1, 0.25, 0.3, 0.0001, -2}));
  EXPECT_EQ(c.w.size(), 5u);
  EXPECT_EQ(c.w.at(50), (oracle::Row{1, 2, 3, 4, 5, 6.5}));
  EXPECT_TRUE(cases[1].first_step);
  EXPECT_EQ(cases[1].g, (oracle::Row{1, 0.001, 1e-6, -0.001, 1e-9, 0}));
  EXPECT_EQ(cases[1].w.at(1), (oracle::Row{-1, -2, -3, 4, 5, 0}));
}

TEST(Oracle, RefusesEverythingElse) {
  EXPECT_EQ(error_of(""), "there is no case");
  EXPECT_EQ(error_of("# nothing but this\n"), "there is no case");
  EXPECT_EQ(error_of(good.substr(0, good.size() - 1)), "line 30: the last line must end");
  EXPECT_EQ(error_of(good.substr(0, good.find("end\n"))), "line 17: wanted end");
  EXPECT_EQ(error_of(good + good.substr(good.find("case adagrad"))), "line 41: a case must come once: adagrad_d2l_first_step");
  EXPECT_EQ(error_of(good + "case\n"), "line 31: a word is missing");
  EXPECT_EQ(error_with("sgd_one\n", "sgd_one\r\n"), "line 3: a character that is no plain one");
  EXPECT_EQ(error_with("case sgd_one", "Case sgd_one"), "line 3: wanted case");
  EXPECT_EQ(error_with("sgd_one", "sgd one"), "line 3: a word too much: one");
  EXPECT_EQ(error_with("case sgd_one", "case  sgd_one"), "line 3: a blank too much");
  EXPECT_EQ(error_with("case sgd_one", "case sgd_one "), "line 3: a blank too much");
  EXPECT_EQ(error_with("\nmethod sgd", "\n\nmethod sgd"), "line 4: a blank line inside a case");
  EXPECT_EQ(error_with("method sgd", "method adamant"), "line 4: no method: adamant");
  EXPECT_EQ(error_with("method sgd\n", ""), "line 4: wanted method");
  EXPECT_EQ(error_with("preset default", "preset torch(0.1)"), "line 5: no preset: torch(0.1)");
  EXPECT_EQ(error_with("d2l(0.1)", "jax(0.1)"), "line 22: no preset: jax(0.1)");
  EXPECT_EQ(error_with("d2l(0.1)", "d2l(0.1"), "line 22: no preset: d2l(0.1");
  EXPECT_EQ(error_with("d2l(0.1)", "d2l(x)"), "line 22: no number: x");
  EXPECT_EQ(error_with("momentum=0 dampening=0", "dampening=0 momentum=0"), "line 7: wanted momentum=NUMBER: dampening=0");
  EXPECT_EQ(error_with("momentum=0", "momentum"), "line 7: wanted momentum=NUMBER: momentum");
  EXPECT_EQ(error_with(" weight_decay=0", ""), "line 7: a word is missing");
  EXPECT_EQ(error_with("weight_decay=0\n", "weight_decay=0 more=1\n"), "line 7: a word too much: more=1");
  EXPECT_EQ(error_with("nesterov=0", "nesterov=2"), "line 7: a flag is 0 or 1: nesterov=2");
  EXPECT_EQ(error_with("lr=0.001", "lr=0,001"), "line 7: no number: 0,001");
  EXPECT_EQ(error_with("shape 6", "shape"), "line 6: a word is missing");
  EXPECT_EQ(error_with("shape 6", "shape 0"), "line 6: no size: 0");
  EXPECT_EQ(error_with("shape 6", "shape 2.5"), "line 6: no size: 2.5");
  EXPECT_EQ(error_with("shape 6", "shape 7"), "line 6: no size: 7");
  EXPECT_EQ(error_with("shape 6", "shape 3 3"), "line 6: a shape must have six elements");
  EXPECT_EQ(error_with("source somebody", "source"), "line 8: a text is missing");
  EXPECT_EQ(error_with("checked nobody else\n", ""), "line 9: wanted checked");
  EXPECT_EQ(error_with("0.125", "nan"), "line 11: no number: nan");
  EXPECT_EQ(error_with("0.125", "1e999"), "line 11: no number: 1e999");
  EXPECT_EQ(error_with("a 1.0 ", "a "), "line 11: a word is missing");
  EXPECT_EQ(error_with("a 1.0 ", "a 1.0 1.0 "), "line 11: a word too much: 3.0");
  EXPECT_EQ(error_with("w 10 ", "w 9 "), "line 16: wanted step 10");
  EXPECT_EQ(error_with("w 3 1 2 3 4 5 6\n", ""), "line 15: wanted step 3");
  EXPECT_EQ(error_with("w0 0.0", "w0 0.1"), "line 27: w0 of a first step must be 0");
  EXPECT_EQ(error_with("g 1.0", "a 1.0"), "line 28: wanted g");
  EXPECT_EQ(error_with("end\n", "end now\n"), "line 18: a word too much: now");
}

// That the files are whole: a case lost would be a test lost.
TEST(Oracle, HoldsACaseForEachOptionOfEachMethod) {
  std::map<std::string, std::map<std::string, std::set<double>>> used;
  std::set<std::string> presets;
  for (const oracle::Case& c : oracle::cases()) {
    for (const auto& [option, value] : c.options) used[c.method][option].insert(value);
    presets.insert(c.preset);
  }
  for (const auto& [method, options] : used)
    for (const auto& [option, seen] : options)
      EXPECT_GE(seen.size(), option == "lr" || (method == "lbfgs" && option.starts_with("max_")) ? 1u : 2u) << method << " " << option;
  EXPECT_EQ(presets,
            (std::set<std::string>{"-", "default", "torch(0.1)", "d2l(0.1)", "optax(0.1)", "keras(0.1)", "mlx(0.1)", "dynet(0.1)"}));
}
