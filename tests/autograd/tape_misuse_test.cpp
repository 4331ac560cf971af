// A tape used against its rules: each a clear error, after which the next tape works.
#include <memory>
#include <new>
#include <thread>

#include "support.h"

using namespace capstan;

namespace {

/// Runs the body on a thread of its own, to its end.
template <class Body>
void elsewhere(Body body) {
  std::thread thread(body);
  thread.join();
}

void expect_all_well() {
  const Tensor w = p({2, 3});
  Tape tape;
  EXPECT_EQ(tape.size(), 0u);
  EXPECT_EQ(values(tape.gradients(sum(w * w))[w]), (Values{4, 6}));
}

/// How an input is refused that another tape recorded.
std::string foreign(const char* op, int input, const char* shape) {
  return std::string("ValueError: [") + op + "] input " + std::to_string(input) +
         " was recorded on a tape that has ended or runs on another thread: " + shape + " (take its value as a constant with detach())";
}

}  // namespace

TEST(TapeMisuse, ATensorOfAnEndedTapeAsInput) {
  const Tensor w = p({2, 3}), v = p({{1}, {2}});
  const Tensor y = [&] {
    Tape tape;
    return w * w;
  }();
  EXPECT_EQ(values(y + 1), (Values{5, 10}));  // plain arithmetic needs no tape
  Tape tape;
  EXPECT_EQ(thrown([&] { (void)(v * y); }), foreign("*", 1, "[2]"));
  EXPECT_EQ(thrown([&] { (void)exp(y); }), foreign("exp", 0, "[2]"));
  EXPECT_EQ(thrown([&] { (void)sum(y); }), foreign("sum", 0, "[2]"));
  const Tensor row = v.reshape({1, 2});
  EXPECT_EQ(thrown([&] { (void)linear(y, row, y.rows(0, 1)); }), foreign("rows", 0, "[2]"));
  EXPECT_EQ(tape.size(), 1u);  // the reshape
  EXPECT_EQ(values(tape.gradients(sum(v * y.detach()))[v]), (Values{13, 13}));
}

namespace {
constexpr const char* kEnded = "ValueError: [gradients] the loss was recorded on a tape that has ended, or is another thread's";
constexpr const char* kRunning = "ValueError: [gradients] the loss was recorded on another tape, which still runs (ask that one)";
}  // namespace

TEST(TapeMisuse, ATensorOfAnEndedTapeAsLoss) {
  const Tensor w = p({2, 3});
  const Tensor y = [&] {
    Tape tape;
    return sum(w * w);
  }();
  Tape tape;
  EXPECT_EQ(thrown([&] { (void)tape.gradients(y); }), kEnded);
  EXPECT_EQ(values(tape.gradients(sum(w))[w]), (Values{1, 1}));
}

TEST(TapeMisuse, ATensorOfTheInnerTapeOnTheOuterOne) {
  const Tensor w = p({2, 3});
  Tape outer;
  Tensor y;
  {
    Tape inner;
    y = w * w;
    EXPECT_EQ(thrown([&] { (void)outer.gradients(sum(y)); }), kRunning);
  }
  EXPECT_EQ(thrown([&] { (void)(w + y); }), foreign("+", 1, "[2]"));
  const Tensor z = sum(w * 2);
  {
    Tape inner;
    EXPECT_EQ(thrown([&] { (void)inner.gradients(z); }), kRunning);
  }
  EXPECT_EQ(values(outer.gradients(z)[w]), (Values{2, 2}));
}

TEST(TapeMisuse, ATensorOfAnotherThreadsTape) {
  const Tensor w = p({2, 3});
  Tape tape;
  const Tensor y = w * w, loss = sum(y);
  elsewhere([&] {
    Tape other;
    EXPECT_EQ(thrown([&] { (void)(w * y); }), foreign("*", 1, "[2]"));
    EXPECT_EQ(thrown([&] { (void)other.gradients(loss); }), kEnded);
    EXPECT_EQ(values(other.gradients(sum(w * y.detach()))[w]), (Values{4, 9}));
  });
  EXPECT_EQ(values(tape.gradients(loss)[w]), (Values{4, 6}));
}

TEST(TapeMisuse, ATapeOfAnotherThread) {
  const Tensor w = p({2, 3});
  Tape tape;
  const Tensor y = w * w, loss = sum(y);
  elsewhere([&] {
    const std::string text = "] a tape must be used on the thread that began it";
    EXPECT_EQ(thrown([&] { (void)tape.gradients(loss); }), "ValueError: [gradients" + text);
    EXPECT_EQ(thrown([&] { (void)tape.gradient(loss, w); }), "ValueError: [gradients" + text);
    EXPECT_EQ(thrown([&] { (void)tape.gradient(loss, y); }), "ValueError: [gradients" + text);
    EXPECT_EQ(thrown([&] { tape.watch(w); }), "ValueError: [watch" + text);
    const Tensor z = w * 2;  // a tape records its own thread only
    EXPECT_EQ(tape.size(), 2u);
  });
  EXPECT_EQ(values(tape.gradients(loss)[w]), (Values{4, 6}));
}

TEST(TapeMisuse, EndedOnAnotherThread) {
  // Begun on a thread that ends before us, so that only that thread is left with a tape that nobody can end.
  alignas(Tape) static unsigned char place[sizeof(Tape)];
  elsewhere([] {
    Tape* tape = ::new (place) Tape;
    elsewhere([tape] { EXPECT_EQ(thrown([&] { tape->~Tape(); }), "ValueError: [Tape] a tape must end on the thread that began it"); });
  });
  expect_all_well();
}

TEST(TapeMisuse, EndedOutOfOrder) {
  const Tensor w = p({2, 3});
  auto* first = new Tape;
  const Tensor one = sum(w * 2);
  auto* second = new Tape;
  const Tensor two = sum(w * 3);
  auto* third = new Tape;
  const std::string text = "ValueError: [Tape] tapes must end in the reverse order of their beginning: an inner one is still there";
  EXPECT_EQ(thrown([&] { delete second; }), text);
  const Tensor three = sum(w * 4);  // the innermost goes on
  EXPECT_EQ(thrown([&] { (void)(w * two); }), foreign("*", 1, "[]"));
  EXPECT_EQ(values(third->gradients(three)[w]), (Values{4, 4}));
  EXPECT_EQ(thrown([&] { delete third; }), "nothing");
  EXPECT_EQ(values(first->gradients(sum(w) + one)[w]), (Values{3, 3}));  // the outermost has resumed
  EXPECT_EQ(thrown([&] { delete first; }), "nothing");
  const Tensor plain = w * 2;
  expect_all_well();
}

TEST(TapeMisuse, EndedOutOfOrderFromTheOutside) {
  const Tensor w = p({2, 3});
  auto* outer = new Tape;
  auto* inner = new Tape;
  EXPECT_EQ(thrown([&] { delete outer; }),
            "ValueError: [Tape] tapes must end in the reverse order of their beginning: an inner one is still there");
  EXPECT_EQ(values(inner->gradients(sum(w * 4))[w]), (Values{4, 4}));
  delete inner;
  expect_all_well();
}

TEST(TapeMisuse, EndedOutOfOrderWhileAnExceptionFliesSaysNothing) {
  auto* outer = new Tape;
  auto* inner = new Tape;
  try {
    struct End {
      Tape* tape;
      ~End() { delete tape; }  // throwing here would end the program
    } const end{outer};
    throw 1;
  } catch (int) {
  }
  delete inner;
  expect_all_well();
}

TEST(TapeMisuse, EndedInsideANoGrad) {
  const Tensor w = p({2, 3});
  auto* tape = new Tape;
  const Tensor loss = sum(w * 4);
  {
    const NoGrad pause;
    delete tape;
  }
  const Tensor y = w * 2;  // no tape runs
  expect_all_well();
  Tape next;
  EXPECT_EQ(values(next.gradients(sum(w * y))[w]), (Values{4, 6}));
}

TEST(TapeMisuse, NoGradEndedOutOfOrder) {
  const Tensor w = p({2, 3});
  auto* outer = new Tape;
  auto* pause = new NoGrad;
  auto* inner = new Tape;
  const Tensor loss = sum(w * 4);
  delete pause;  // the outer one records again
  EXPECT_EQ(thrown([&] { delete outer; }),
            "ValueError: [Tape] tapes must end in the reverse order of their beginning: an inner one is still there");
  const Tensor y = w * 2;  // no tape records
  EXPECT_EQ(values(inner->gradients(loss)[w]), (Values{4, 4}));
  delete inner;
  expect_all_well();
}

TEST(TapeMisuse, ASpentTapeDoesNotRecordAgainWhenAnInnerOneEndsOutOfOrder) {
  Tensor w = p({2, 3});
  auto* outer = new Tape;
  const Tensor loss = sum(w * w);
  auto* middle = new Tape;
  auto* pause = new NoGrad;
  auto* inner = new Tape;
  (void)outer->gradients(loss);
  delete pause;  // the middle one records again
  EXPECT_NE(thrown([&] { delete middle; }), "nothing");
  w += 1;  // nobody does
  EXPECT_EQ(outer->size(), 0u);
  delete inner;
  delete outer;
  expect_all_well();
}

TEST(TapeMisuse, AnExceptionLeavesTheTapeInOrder) {
  const Tensor w = p({2, 3});
  try {
    Tape outer;
    const Tensor y = w * w;
    Tape inner;
    const Tensor z = w * y;
    throw 1;
  } catch (int) {
  }
  expect_all_well();
}

TEST(TapeMisuse, AnExceptionInAGradientRule) {
  const Tensor w = p({2, 3});
  struct Trouble {};
  for (const bool keep : {false, true}) {
    Tape tape;
    const Tensor y = w * w;
    const Tensor z = record("trouble", y.clone(), {y}, [](const Tensor&, Inputs&) { throw Trouble(); });
    const Tensor loss = sum(z * y + w);
    EXPECT_THROW((void)tape.gradients(loss, {.keep = keep}), Trouble);
    if (keep) {  // it is
      EXPECT_EQ(tape.size(), 5u);
      EXPECT_EQ(values(tape.gradients(sum(y), {.keep = true})[w]), (Values{4, 6}));
      EXPECT_THROW((void)tape.gradients(loss), Trouble);
    }
    EXPECT_EQ(tape.size(), 0u);
    EXPECT_EQ(
        thrown([&] { (void)tape.gradients(loss); }),
        "ValueError: [gradients] the recording is spent: gradients() was called before (keep it with gradients(loss, {.keep = true}))");
    EXPECT_EQ(values(w + 1), (Values{3, 4}));  // which is not recorded
    Tape inner;                                // recording on this thread works
    EXPECT_EQ(values(inner.gradients(sum(w * w))[w]), (Values{4, 6}));
  }
  expect_all_well();
}

TEST(TapeMisuse, AHookThatUsesItsOwnTape) {
  const Tensor a = p({1, 2}), b = p({1, 1});
  for (const bool keep : {false, true}) {
    Tape tape;
    const Tensor h = a * 3.0, y = sum(h * h) + sum(a * 100.0), z = sum(h * b);
    std::vector<std::string> refused;
    const auto uses = [&](const Tensor&) {
      refused = {thrown([&] { (void)tape.gradients(z, {.keep = true}); }), thrown([&] { (void)tape.gradient(z, a); }),
                 thrown([&] { tape.hook(a, [](const Tensor&) {}); })};
      expect_all_well();  // on a tape of its own it may
    };
    const std::string rule = "a hook must not use the tape whose gradients() calls it (compute on another Tape)";
    const std::vector<std::string> texts = {"ValueError: [gradients] " + rule, "ValueError: [gradients] " + rule,
                                            "ValueError: [hook] " + rule};
    tape.hook(h, uses);
    tape.hook(b, uses);
    EXPECT_EQ(values(tape.gradients(y, {.keep = true})[a]), (Values{118, 136}));
    EXPECT_EQ(refused, texts);
    refused.clear();
    EXPECT_EQ(values(tape.gradients(z, {.keep = keep})[a]), (Values{3, 3}));
    EXPECT_EQ(refused, texts);
  }
}

// A hook's own tape is done when the rule that called it goes on.
TEST(TapeMisuse, AnErrorAfterAHooksOwnTapeNamesItsOperation) {
  const Tensor a = p({1, 2}), k = parameter(d({3, 4}));
  Tape tape;
  const Tensor h = a * k, y = sum(h * 2.0);
  tape.hook(h, [](const Tensor&) { expect_all_well(); });
  {
    const NoGrad change;
    const_cast<Tensor&>(k).assign(d({5, 6}));
  }
  EXPECT_EQ(
      thrown([&] { (void)tape.gradients(y); }),
      "ValueError: [*] a tensor that the gradient needs was changed in place: [2], version 0 when recorded, now 1 (change a clone(), or "
      "call gradients() first)");
}

TEST(TapeMisuse, OneThreadsMisuseIsNotAnothers) {
  const Tensor w = p({2, 3});
  Tape tape;
  const Tensor loss = sum(w * w);
  elsewhere([&] { expect_all_well(); });
  EXPECT_EQ(values(tape.gradients(loss)[w]), (Values{4, 6}));
}
