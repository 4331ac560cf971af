// The n-th allocation fails, for every n: once, twice in a row, and from there on. After each all is as it was before the call, nothing
// is lost, and the call that finds memory gives the bits of one that always had it. This program's malloc fails when it is told to.
#include <capstan/capstan.h>
#include <capstan/core/pool.h>
#include <capstan/optim/chain.h>
#include <capstan/optim/make.h>

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <vector>

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* block);
}

namespace {

// Of the thread that runs the tests alone.
constinit thread_local bool armed = false;
constinit thread_local long asked = 0, first_failure = 0, last_failure = 0, live = 0;

bool fails() noexcept {
  if (!armed) return false;
  ++asked;
  return asked >= first_failure && asked <= last_failure;
}
void* counted(void* block) noexcept {
  live += block != nullptr;
  return block;
}

}  // namespace

extern "C" {
void* malloc(std::size_t size) { return fails() ? nullptr : counted(__libc_malloc(size)); }
void* calloc(std::size_t number, std::size_t size) { return fails() ? nullptr : counted(__libc_calloc(number, size)); }
void* realloc(void* old, std::size_t size) {
  if (fails()) return nullptr;
  if (!old) return counted(__libc_realloc(old, size));
  return __libc_realloc(old, size);
}
void* memalign(std::size_t alignment, std::size_t size) { return fails() ? nullptr : counted(__libc_memalign(alignment, size)); }
void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }
int posix_memalign(void** block, std::size_t alignment, std::size_t size) {
  void* const found = memalign(alignment, size);
  if (!found) return ENOMEM;
  *block = found;
  return 0;
}
void free(void* block) {
  live -= block != nullptr;
  __libc_free(block);
}
}

using namespace capstan;

namespace {

std::string bits(const Tensor& t) {
  return std::string(static_cast<const char*>(t.header()->data), static_cast<std::size_t>(t.numel()) * size_of(t.dtype()));
}
template <class Map>
std::string bits_of(const Map& map) {
  std::string all;
  for (const auto& [name, t] : map) all += name + ": " + bits(t) + "\n";
  return all;
}

/// For every n: a new state by make(), then body(*state) with the n-th allocation failing, which either throws and has changed nothing
/// that show(*state) shows, or passes; called once more after a throw it passes. Shown is then what shows without a failure. At the
/// end of the state all its memory is back.
template <class Make, class Body, class Show>
void expect_all_or_nothing(const std::string& what, Make make, Body body, Show show) {
  std::string before, after;
  {
    const auto state = make();
    before = show(*state);
    body(*state);
    after = show(*state);
  }
  for (const long failures : {1L, 2L, std::numeric_limits<long>::max()})
    for (long n = 1; n < 20'000; ++n) {
      empty_cache();
      const long blocks = live;
      bool passed = true;
      {
        const auto state = make();
        empty_cache();
        asked = 0;
        first_failure = n;
        last_failure = failures > 2 ? failures : n + failures - 1;
        armed = true;
        try {
          body(*state);
          armed = false;
        } catch (const std::bad_alloc&) {
          armed = false;
          passed = false;
          ASSERT_EQ(show(*state) == before, true) << what << " changed something, failure of " << n << ", " << failures;
          body(*state);
        }
        ASSERT_EQ(show(*state) == after, true) << what << " did something else, failure of " << n << ", " << failures;
      }
      empty_cache();
      ASSERT_EQ(live, blocks) << what << " lost blocks, failure of " << n << ", " << failures;
      if (passed && asked < n) break;
    }
}

/// Parameters in blocks of different sizes, so that none is found in another's place.
Parameters parameters(DType dtype = DType::f32) {
  manual_seed(3);
  return {{"a", parameter(randn({3, 5}, dtype))}, {"b", parameter(randn({10, 7}, dtype))}, {"c", parameter(randn({11, 13}, dtype))}};
}

Tensor loss_of(const Parameters& all) {
  Tensor loss = sum(square(all["a"]));
  return loss + sum(square(all["b"])) + sum(square(square(all["c"])));
}
Gradients gradients_of(const Parameters& all) {
  Tape tape;
  return tape.gradients(loss_of(all));
}

struct Net {
  Net() {
    manual_seed(5);
    model = nn::Sequential{nn::Linear(6, 20), nn::ReLU(), nn::Linear(20, 40), nn::Tanh(), nn::Linear(40, 3)};
    x = randn({9, 6});
    y = randn({9, 3});
  }
  nn::Sequential model;
  Tensor x, y;
  std::string found;
};

std::string show_net(Net& n) { return bits_of(n.model.state()) + n.found; }

}  // namespace

TEST(AllocationFails, TheProgramsMallocDoesAsItIsTold) {
  armed = true;
  asked = 0;
  first_failure = last_failure = 2;
  void* const first = std::malloc(10);
  void* const second = std::malloc(10);
  void* const third = std::malloc(10);
  armed = false;
  EXPECT_NE(first, nullptr);
  EXPECT_EQ(second, nullptr);
  EXPECT_NE(third, nullptr);
  std::free(first);
  std::free(third);
}

TEST(AllocationFails, TensorsAndMaps) {
  struct State {
    TensorMap map;
  };
  const auto make = [] {
    auto s = std::make_unique<State>();
    for (int i = 0; i < 15; ++i) s->map.insert("a name that is too long to lie in the string itself " + std::to_string(i), ones({i + 1}));
    return s;
  };
  const auto show = [](State& s) {
    std::string all = bits_of(s.map);
    for (const auto& [name, t] : s.map) all += s.map.contains(name) ? "1" : "0";
    return all;
  };
  for (int count : {1, 2, 3})
    expect_all_or_nothing(
        "TensorMap", make,
        [&](State& s) {
          TensorMap longer = s.map;
          for (int i = 0; i < count; ++i) longer.insert("another name that is as long as the others are " + std::to_string(i), zeros({40}));
          s.map = std::move(longer);
        },
        show);
  struct Two {
    TensorMap map, other;
  };
  const auto two = [&] {
    auto s = std::make_unique<Two>();
    for (int i = 0; i < 20; ++i)
      s->map.insert("one of the names that are too long for a string itself " + std::to_string(i), ones({i + 1}));
    for (int i = 0; i < 40; ++i) s->other.insert("another name that is as long as the others are " + std::to_string(i), ones({i + 1}));
    return s;
  };
  expect_all_or_nothing(
      "=", two, [](Two& s) { s.map = s.other; },
      [](Two& s) {
        std::string all = bits_of(s.map);
        for (const auto& [name, t] : s.other) all += s.map.contains(name) ? "1" : "0";
        for (const auto& [name, t] : s.map) all += s.map.contains(name) ? "1" : "0";
        return all;
      });
  expect_all_or_nothing(
      "insert", make, [&](State& s) { s.map.insert("another name that is as long as the others are", zeros({40})); }, show);
  expect_all_or_nothing(
      "clone",
      [] {
        return std::make_unique<State>(State{{{"a", ones({100})}}});
      },
      [&](State& s) {
        s.map = TensorMap{{"b", s.map["a"].clone()}, {"c", concat({s.map["a"], s.map["a"]}, 0)}};
      },
      [](State& s) { return bits_of(s.map); });
}

TEST(AllocationFails, Models) {
  const auto make = [] { return std::make_unique<Net>(); };
  expect_all_or_nothing(
      "build", make, [](Net& n) { n.found = bits_of(Net().model.parameters()); }, show_net);
  expect_all_or_nothing(
      "state", make, [](Net& n) { n.found = bits_of(n.model.state()); }, show_net);
  expect_all_or_nothing(
      "to", make, [](Net& n) { n.model.to(DType::f64); }, show_net);
  expect_all_or_nothing(
      "append", make, [](Net& n) { manual_seed(1), n.model.append(nn::Linear(3, 5)); }, show_net);
  expect_all_or_nothing(
      "load_state", make,
      [](Net& n) {
        TensorMap other;
        for (const auto& [name, t] : n.model.parameters()) other.insert(name, zeros(t.shape()));
        n.model.load_state(other);
      },
      show_net);
  expect_all_or_nothing(
      "clone", make,
      [](Net& n) {
        n.model.eval();
        n.model = n.model.clone();
      },
      show_net);
}

TEST(AllocationFails, ForwardAndBackward) {
  const auto make = [] { return std::make_unique<Net>(); };
  expect_all_or_nothing(
      "forward", make, [](Net& n) { n.found = bits(n.model(n.x)); }, show_net);
  struct Options {
    const char* name;
    TapeOptions tape;
    GradientOptions gradients;
  };
  for (const Options& o :
       {Options{"gradients", {}, {}}, Options{"kept", {}, {.keep = true}}, Options{"check_finite", {.check_finite = true}, {}},
        Options{"profile", {.profile = true}, {}}, Options{"higher order", {.higher_order = true}, {}}})
    expect_all_or_nothing(
        o.name, make,
        [&](Net& n) {
          Tape tape(o.tape);
          const Tensor loss = mse_loss(n.model(n.x), n.y);
          const Gradients g = tape.gradients(loss, o.gradients);
          std::string found;
          for (const auto& [name, w] : n.model.parameters()) found += bits(g[w]);
          n.found = std::move(found);
        },
        show_net);
}

TEST(AllocationFails, GradientsAreValues) {
  struct State {
    Parameters w = parameters();
    Gradients g = gradients_of(w), other = gradients_of(w);
    Tensor held = g[w["b"]];
  };
  const auto make = [] { return std::make_unique<State>(); };
  const auto show = [](State& s) {
    std::string all;
    for (const auto& [name, w] : s.w) all += s.g.contains(w) ? bits(s.g[w]) : "none";
    return all + std::to_string(s.g.loss());
  };
  expect_all_or_nothing(
      "+=", make, [](State& s) { s.g += s.other; }, show);
  expect_all_or_nothing(
      "*=", make, [](State& s) { s.g *= 0.5; }, show);
  expect_all_or_nothing(
      "clone", make, [](State& s) { s.g = s.other.clone(); }, show);
  expect_all_or_nothing(
      "clip_norm", make, [](State& s) { s.g = clip_norm(s.g.clone(), 0.1); }, show);
  expect_all_or_nothing(
      "clip_value", make, [](State& s) { s.g = clip_value(s.g.clone(), 0.1); }, show);
}

namespace {

/// An optimizer after some steps, and the gradients of its next one.
struct Training {
  explicit Training(const std::string& spec, int steps, DType dtype) : w(parameters(dtype)), optimizer(optim::make(spec, w)) {
    for (int i = 0; i < steps; ++i) optimizer->step(gradients_of(w));
    g = gradients_of(w);
  }
  Parameters w;
  std::unique_ptr<optim::Optimizer> optimizer;
  Gradients g;
};

std::string show_training(Training& t) { return bits_of(t.w) + bits_of(t.optimizer->state()) + std::to_string(t.optimizer->step_count()); }

}  // namespace

TEST(AllocationFails, StepsOfEveryMethod) {
  for (const std::string& method : optim::methods())
    for (const int steps : {0, 2}) {
      const std::string what = method + " after " + std::to_string(steps);
      SCOPED_TRACE(what);
      const auto make = [&] { return std::make_unique<Training>(method + " lr=0.001", steps, steps == 0 ? DType::f32 : DType::f64); };
      expect_all_or_nothing(
          what + ": step", make, [](Training& t) { t.optimizer->step(t.g); }, show_training);
      if (HasFatalFailure()) break;
    }
}

TEST(AllocationFails, WhatAnOptimizerDoesBesides) {
  for (const std::string& method : optim::methods()) {
    SCOPED_TRACE(method);
    const auto make = [&] { return std::make_unique<Training>(method + " lr=0.001", 1, DType::f32); };
    expect_all_or_nothing(
        method + ": state and load_state", make,
        [](Training& t) {
          const TensorMap state = t.optimizer->state();
          t.optimizer->load_state(state);
        },
        show_training);
    expect_all_or_nothing(
        method + ": add_parameters", make,
        [](Training& t) {
          t.optimizer->add_parameters(Parameters{{"a name that is too long to lie in the string itself", parameter(ones({2, 40}))},
                                                 {"another name that is as long as the others are", parameter(ones({3, 7}))}});
        },
        show_training);
    if (HasFatalFailure()) return;
  }
}

TEST(AllocationFails, Chains) {
  struct State {
    State()
        : w(parameters()),
          chain(w, optim::transform::chain(optim::transform::clip_by_global_norm(1.0), optim::transform::scale_by_adam({}),
                                           optim::transform::add_decayed_weights(1e-2), optim::transform::scale_by_learning_rate(0.1))) {
      g = gradients_of(w);
    }
    Parameters w;
    optim::Chain chain;
    Gradients g;
  };
  expect_all_or_nothing(
      "chain", [] { return std::make_unique<State>(); }, [](State& s) { s.chain.step(s.g); },
      [](State& s) { return bits_of(s.w) + bits_of(s.chain.state()); });
}

TEST(AllocationFails, Wrappers) {
  struct State {
    Parameters w = parameters();
    optim::SGD sgd{w, {.lr = 0.01, .momentum = 0.5}};
    optim::Inject inject{sgd, {{"momentum", optim::schedule::linear(0.5, 0.9, 900)}}};
    optim::SAM sam{inject};
    optim::Lookahead optimizer{sam, {.period = 1}};
  };
  const auto show = [](State& s) { return bits_of(s.w) + bits_of(s.optimizer.state()); };
  const auto make = [] { return std::make_unique<State>(); };
  expect_all_or_nothing(
      "wrappers", make, [](State& s) { s.optimizer.step([&] { return gradients_of(s.w); }); }, show);
  expect_all_or_nothing(
      "state and load_state", make,
      [](State& s) {
        const TensorMap state = s.optimizer.state();
        s.optimizer.load_state(state);
      },
      show);
}

TEST(AllocationFails, Averages) {
  struct State {
    Parameters w = parameters();
    optim::EMA ema{w, {.decay = 0.9}};
  };
  const auto show = [](State& s) {
    const bool swapped = s.ema.swapped();
    if (swapped) s.ema.swap();
    const std::string all = (swapped ? "swapped" : "") + bits_of(s.w) + bits_of(s.ema.state());
    if (swapped) s.ema.swap();
    return all;
  };
  const auto first = [] { return std::make_unique<State>(); };
  const auto second = [] {
    auto s = std::make_unique<State>();
    s->ema.update();
    const NoGrad pause;
    for (const auto& [name, t] : s->w) {
      Tensor w = t;
      w *= 2;
    }
    return s;
  };
  expect_all_or_nothing(
      "the first update", first, [](State& s) { s.ema.update(); }, show);
  expect_all_or_nothing(
      "the second update", second, [](State& s) { s.ema.update(); }, show);
  expect_all_or_nothing(
      "state and load_state", second,
      [](State& s) {
        const TensorMap state = s.ema.state();
        s.ema.load_state(state);
      },
      show);
  // swap() asks for nothing.
  const auto s = second();
  const std::string before = show(*s);
  asked = 0;
  first_failure = 1;
  last_failure = std::numeric_limits<long>::max();
  armed = true;
  s->ema.swap();
  armed = false;
  EXPECT_EQ(asked, 0);
  s->ema.swap();
  EXPECT_EQ(show(*s) == before, true);
}
