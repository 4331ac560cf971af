#include <capstan/core/threads.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "methods.h"
#include "sinners.h"
#include "support.h"

// The kit itself: a method that breaks one promise is caught by that promise's name, and its honest twin passes.
using namespace sinners;

namespace {

using optim::Conformance;
using optim::Property;

std::set<std::string> failed(const Conformance& report) {
  std::set<std::string> names;
  for (const Property& p : report.properties)
    if (p.outcome == Property::Outcome::failed) names.insert(p.name);
  return names;
}

std::string message(const Conformance& report, const std::string& property) {
  for (const Property& p : report.properties)
    if (p.name == property) return p.message;
  return "no such property";
}

template <Sin sin>
void expect_caught(const std::string& property, const std::string& words, const std::set<std::string>& also = {}) {
  const Conformance report = optim::conformance<Sinner<sin>>();
  std::set<std::string> all = also;
  all.insert(property);
  EXPECT_EQ(failed(report), all) << report.text();
  EXPECT_FALSE(report);
  EXPECT_EQ(message(report, property).substr(0, words.size()), words);
}

const std::string given = "lr 0.05, momentum 0.5, boost 0, weight_decay 0.01";

}  // namespace

TEST(Kit, PassesAnHonestMethod) {
  const Conformance report = optim::conformance<Sinner<Sin::none>>();
  EXPECT_TRUE(report);
  EXPECT_EQ(report.text(), R"(sinner two fresh runs agree to the bit: held
sinner tells its name and options: held
sinner converges on a parabola: held
sinner converges on Rosenbrock's valley: held
sinner every option changes the trajectory: held
sinner leaves the gradient alone: held
sinner moves by row-sparse gradients as by dense ones: held
sinner rests at zero gradient: held
sinner leaves a parameter without gradient alone: held
sinner starts a later parameter afresh: held
sinner moves a group by its own options: held
sinner goes on after a load to the bit: held
sinner f32 follows f64: held
sinner f64 is more exact than f32: held
sinner composes with clipping and decay: held
sinner keeps parameters finite: held
sinner refuses what is not finite: held
sinner refuses bad options: held
sinner gives the same bits for any number of threads: held
sinner moves each element by itself: not claimed (the method is no Elementwise))");
}

TEST(Kit, CatchesEachSinByTheNameOfTheProperty) {
  expect_caught<Sin::misnamed>("tells its name and options", "it is called saint and not sinner",
                               {"starts a later parameter afresh", "refuses bad options"});
  expect_caught<Sin::ascends>("converges on a parabola", "f32, at the best of eight rates ", {"converges on Rosenbrock's valley"});
  expect_caught<Sin::stuck>("converges on Rosenbrock's valley",
                            "f32, at the best of eight rates 1 of the first loss is left after 5000 steps, lr 0.05, ");
  expect_caught<Sin::deaf>("every option changes the trajectory", "no value of boost moves a f32 parameter elsewhere by more than 0");
  expect_caught<Sin::writes_gradient>("leaves the gradient alone", "a f32 gradient was changed, " + given);
  expect_caught<Sin::only_rows>("moves by row-sparse gradients as by dense ones",
                                "step 1 along 2 of 40 rows is another one than with zeros in all others, in f32, " + given);
  expect_caught<Sin::restless>("rests at zero gradient", "three gradients of 0 move a f32 parameter, lr 0.05, ");
  expect_caught<Sin::moves_idle>("leaves a parameter without gradient alone", "it was moved, " + given,
                                 {"moves a group by its own options"});
  expect_caught<Sin::one_count_for_all>("starts a later parameter afresh",
                                        "added after four steps, it moves otherwise than in an optimizer of its own, " + given,
                                        {"moves a group by its own options"});
  expect_caught<Sin::one_group_for_all>(
      "moves a group by its own options",
      "a group of lr 0.35, momentum 0.5, boost 0, weight_decay 0.01 in " + given + " moves otherwise than an optimizer with its options");
  expect_caught<Sin::forgetful>("goes on after a load to the bit",
                                "step 1 is another one after 0 steps in f32 with " + given + ", loaded into " + given);
  expect_caught<Sin::rough_in_f32>("f32 follows f64", "after ten steps they differ by ");
  expect_caught<Sin::rough_in_f64>("f64 is more exact than f32", "an f64 element jumps by ");
  expect_caught<Sin::rounds_its_rate>("f64 is more exact than f32", "an f64 element jumps by ");
  Sinner<Sin::remembers>::remembered = 0;  // it fades: the sin is of the first runs
  expect_caught<Sin::remembers>("two fresh runs agree to the bit", "the second run in f32 ends elsewhere than the first, " + given);
  expect_caught<Sin::half_decay>("composes with clipping and decay", "weight decay in f32 is ");
  EXPECT_EQ(failed(optim::conformance<Sinner<Sin::half_decay>>({.weight_decay = 0})),  // then with a decay of the kit's own
            std::set<std::string>{"composes with clipping and decay"});
  expect_caught<Sin::overflows>(
      "keeps parameters finite",
      "step 2, with gradients of 3.4028234663852886e+38 in one element, makes a f32 parameter infinite or NaN, " + given);
  expect_caught<Sin::takes_nan>("refuses what is not finite", "a loss of inf is taken, " + given);
  expect_caught<Sin::takes_all_options>("refuses bad options", "lr nan in a state is taken, " + given);
  expect_caught<Sin::counts_threads>("gives the same bits for any number of threads",
                                     "2 threads move 262400 elements otherwise than one, " + given);

  const Conformance minding = optim::conformance<Sinner<Sin::minds_others>>();  // which several properties see
  EXPECT_EQ(message(minding, "two fresh runs agree to the bit"),
            "beside another optimizer a run in f32 ends elsewhere than alone, " + given);

  const Conformance fading = optim::conformance<Fading>({}, {}, {.most = 1000});  // on one thread, or it were a race
  EXPECT_TRUE(failed(fading).contains("moves each element by itself")) << fading.text();
  EXPECT_EQ(message(fading, "moves each element by itself"), "15 elements in f32 move otherwise together than apart, lr 0.1");
}

TEST(Kit, PutsToTheProofThatARuleRests) {
  const char* const rows = "moves by row-sparse gradients as by dense ones";
  const auto step = [](int t) {
    return "step " + std::to_string(t) + " along 2 of 40 rows is another one than with zeros in all others, in f32, lr 0.05, momentum 0.5";
  };
  const Conformance by_momentum = optim::conformance<Drifter<false>>(), uphill = optim::conformance<Drifter<true>>();
  EXPECT_EQ(failed(by_momentum), std::set<std::string>{rows}) << by_momentum.text();
  EXPECT_EQ(message(by_momentum, rows), step(2));
  EXPECT_TRUE(failed(uphill).contains(rows)) << uphill.text();
  EXPECT_EQ(message(uphill, rows), step(1));
}

TEST(Kit, SaysWhatAMethodDoesNotClaim) {
  const Conformance report = optim::conformance<Blend>({.from = 0.5}, {{.from = 0.25, .two = true}});
  EXPECT_TRUE(report) << report.text();
  EXPECT_TRUE(report.text().find("blend rests at zero gradient: not claimed (rests() says so for each set)\n") != std::string::npos);
  EXPECT_EQ(failed(optim::conformance<Blend>({.from = 0.5}, {{.from = 0, .two = true}})), std::set<std::string>{});  // claimed, and held
}

// Nothing is passed over in silence.
TEST(Kit, SaysWhatWasLeftOut) {
  const auto expect_line = [](const Conformance& report, const std::string& line) {
    EXPECT_TRUE(report) << report.text();
    EXPECT_NE(("\n" + report.text() + "\n").find("\n" + report.method + " " + line + "\n"), std::string::npos) << line << "\n"
                                                                                                               << report.text();
  };
  const Conformance small = optim::conformance<Signum>({}, {}, {.most = 1000, .elsewhere = {"lr", "momentum"}});
  expect_line(small, "every option changes the trajectory: held (left out: lr, momentum, of which step(gradients) has no use)");
  expect_line(small, "composes with clipping and decay: held (left out: weight decay, for which there is no option)");
  expect_line(
      small, "gives the same bits for any number of threads: held (left out: more than 1000 elements, the most that a parameter may have)");
  expect_line(small, "rests at zero gradient: held");
  expect_line(optim::conformance<Blend>({.from = 0.5}, {{.from = 0, .two = true}}),
              "rests at zero gradient: held (left out: 1 of 2 sets, for which rests() says that it does not)");

  const Conformance own = optim::conformance<Hermit>(), either = optim::conformance<Hermit>({.own = false}, {{.own = true}});
  expect_line(own,
              "composes with clipping and decay: held (left out: weight decay, for which decay() says that the method has its own way)");
  expect_line(either,
              "composes with clipping and decay: held (left out: weight decay in 1 of 2 sets, for which decay() says that the method has "
              "its own way)");
  expect_line(own, "moves a group by its own options: not claimed (the method has no group())");
  expect_line(own, "refuses bad options: held (left out: group(), which the method does not have)");
  expect_line(optim::conformance<Hermit>({.own = false}), "composes with clipping and decay: held");
}

TEST(Kit, AsksForEverySetAndEachOption) {
  // Dampening has no say without momentum, nor can nesterov be set.
  const optim::SGDOptions plain{.lr = 0.1}, momentum{.lr = 0.1, .momentum = 0.5};
  EXPECT_EQ(message(optim::conformance<optim::SGD>(plain), "every option changes the trajectory"),
            "no value of dampening moves a f32 parameter elsewhere by more than 0");
  EXPECT_TRUE(optim::conformance<optim::SGD>(plain, {momentum}));
  EXPECT_EQ(thrown([&] { (void)optim::conformance<optim::SGD>(plain, {{.lr = -1}}); }), "ValueError: [sgd] lr must not be negative: -1");
  EXPECT_EQ(failed(optim::conformance<optim::SGD>(momentum, {}, {.parabola = -1, .rosenbrock = -1})),
            (std::set<std::string>{"converges on a parabola", "converges on Rosenbrock's valley"}));
}

TEST(Kit, RestoresTheNumberOfThreads) {
  const int before = num_threads();
  set_num_threads(5);
  EXPECT_TRUE(optim::conformance<optim::SGD>({.lr = 0.1, .momentum = 0.5}));
  EXPECT_EQ(num_threads(), 5);
  set_num_threads(before);
}
