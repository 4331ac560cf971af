#include "failure.h"

// Tensors, models and tapes when there is no memory.

namespace {

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

std::string show_net(Net& n) { return bits(n.model.state()) + n.found; }

}  // namespace

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
    std::string all = bits(s.map);
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
        std::string all = bits(s.map);
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
      [](State& s) { return bits(s.map); });
}

TEST(AllocationFails, Models) {
  const auto make = [] { return std::make_unique<Net>(); };
  expect_all_or_nothing(
      "build", make, [](Net& n) { n.found = bits(Net().model.parameters()); }, show_net);
  expect_all_or_nothing(
      "state", make, [](Net& n) { n.found = bits(n.model.state()); }, show_net);
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
