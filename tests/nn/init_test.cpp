#include <cmath>
#include <limits>

#include "support.h"

using namespace capstan;

// Initialisers: where their numbers lie, and what they refuse.

namespace {

struct Moments {
  double mean = 0, stddev = 0, largest = 0;
};
Moments moments(const Tensor& t) {
  Moments m;
  for (const double x : values(t)) {
    m.mean += x;
    m.stddev += x * x;
    m.largest = std::max(m.largest, std::abs(x));
  }
  const double n = static_cast<double>(t.numel());
  m.mean /= n;
  m.stddev = std::sqrt(m.stddev / n - m.mean * m.mean);
  return m;
}

/// Uniform on +-bound: nothing outside, something close to the edge, the moments of such a law.
void expect_uniform(const Tensor& t, double bound) {
  const Moments m = moments(t);
  const double n = static_cast<double>(t.numel());
  EXPECT_LE(m.largest, bound);
  EXPECT_GT(m.largest, bound * (1 - 20 / n));
  EXPECT_NEAR(m.mean / bound, 0, 4 / std::sqrt(n));
  EXPECT_NEAR(m.stddev / (bound / std::sqrt(3.0)), 1, 4 / std::sqrt(n));
}

void expect_normal(const Tensor& t, double stddev) {
  const Moments m = moments(t);
  const double n = static_cast<double>(t.numel());
  EXPECT_NEAR(m.mean / stddev, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(m.stddev / stddev, 1, 5 / std::sqrt(n));
  EXPECT_GT(m.largest, 3.5 * stddev);  // no uniform law
  double fourth = 0;
  for (const double x : values(t)) fourth += std::pow(x / stddev, 4);
  EXPECT_NEAR(fourth / n, 3, 50 / std::sqrt(n));
}

constexpr double nowhere = std::numeric_limits<double>::quiet_NaN(), endless = std::numeric_limits<double>::infinity();

}  // namespace

TEST(Init, LawsHaveTheirFormulas) {
  manual_seed(3);
  for (const DType dtype : {DType::f32, DType::f64}) {
    Tensor t = empty({200, 300}, dtype);  // out 200, in 300
    nn::init::xavier_uniform(t);
    expect_uniform(t, std::sqrt(6.0 / 500));
    nn::init::xavier_uniform(t, 2.5);
    expect_uniform(t, 2.5 * std::sqrt(6.0 / 500));
    nn::init::xavier_normal(t);
    expect_normal(t, std::sqrt(2.0 / 500));
    nn::init::xavier_normal(t, 0.5);
    expect_normal(t, 0.5 * std::sqrt(2.0 / 500));
    nn::init::kaiming_uniform(t);
    expect_uniform(t, std::sqrt(2.0) * std::sqrt(3.0 / 300));
    nn::init::kaiming_uniform(t, 1, nn::init::Fan::out);
    expect_uniform(t, std::sqrt(3.0 / 200));
    nn::init::kaiming_normal(t);
    expect_normal(t, std::sqrt(2.0 / 300));
    nn::init::kaiming_normal(t, nn::init::gain(nn::init::Gain::tanh), nn::init::Fan::out);
    expect_normal(t, 5.0 / 3 / std::sqrt(200.0));
    nn::init::uniform(t, -0.5, 0.5);
    expect_uniform(t, 0.5);
    nn::init::normal(t, 0, 3);
    expect_normal(t, 3);
    nn::init::normal(t, 7, 0.01);
    EXPECT_NEAR(moments(t).mean, 7, 1e-3);
    EXPECT_EQ(t.dtype(), dtype);
  }
}

TEST(Init, CountsFurtherAxesIntoBothFans) {
  manual_seed(3);
  Tensor t = empty({20, 30, 4, 5});  // fan_in 600, fan_out 400
  nn::init::kaiming_uniform(t, 1);
  expect_uniform(t, std::sqrt(3.0 / 600));
  nn::init::kaiming_normal(t, 1, nn::init::Fan::out);
  expect_normal(t, 1 / std::sqrt(400.0));
  nn::init::xavier_uniform(t);
  expect_uniform(t, std::sqrt(6.0 / 1000));
}

TEST(Init, GainsKeepTheVariance) {
  EXPECT_EQ(nn::init::gain(nn::init::Gain::linear), 1);
  EXPECT_EQ(nn::init::gain(nn::init::Gain::relu), std::sqrt(2.0));
  EXPECT_EQ(nn::init::gain(nn::init::Gain::tanh), 5.0 / 3);
}

TEST(Init, Constants) {
  Tensor t = ones({2, 2}), wide = ones({3}, DType::f64);
  nn::init::zeros(t);
  EXPECT_EQ(values(t), (Values{0, 0, 0, 0}));
  nn::init::constant(t, -1.5);
  EXPECT_EQ(values(t), (Values{-1.5, -1.5, -1.5, -1.5}));
  nn::init::constant(wide, 0.1);
  EXPECT_EQ(values(wide), (Values{0.1, 0.1, 0.1}));
  nn::init::uniform(t, 2, 2);
  EXPECT_EQ(values(t), (Values{2, 2, 2, 2}));
  nn::init::normal(t, 2, 0);
  EXPECT_EQ(values(t), (Values{2, 2, 2, 2}));
  Tensor none = empty({0});
  nn::init::zeros(none);
  nn::init::uniform(none, 0, 1);
}

TEST(Init, FillsInPlaceAndUnderATape) {
  nn::Linear layer(3, 2);
  const Tensor before = layer.weight;
  const std::uint32_t version = layer.weight.version();
  Tape tape;
  nn::init::constant(layer.weight, 2);
  nn::init::zeros(layer.bias);
  EXPECT_TRUE(same(layer.weight, before));
  EXPECT_EQ(layer.weight.version(), version + 1);
  EXPECT_TRUE(layer.weight.requires_grad());
  EXPECT_EQ(tape.size(), 0u);
  EXPECT_EQ(values(layer(tensor({1, 2, 3}))), (Values{12, 12}));
}

TEST(Init, DrawsFromItsOwnStream) {
  const auto drawn = [](std::uint64_t seed) {
    manual_seed(seed);
    Tensor t = empty({4, 5});
    nn::init::kaiming_normal(t);
    return bits(t);
  };
  EXPECT_EQ(drawn(1), drawn(1));
  EXPECT_NE(drawn(1), drawn(2));
  manual_seed(1);
  Tensor a = empty({4, 5}), b = empty({4, 5});
  nn::init::normal(a, 0, 1);
  nn::init::normal(b, 0, 1);
  EXPECT_NE(bits(a), bits(b));
  EXPECT_EQ(default_generator(Purpose::init).draw, 2u);
  EXPECT_EQ(default_generator(Purpose::tensors).draw, 0u);
}

TEST(Init, RefusesAFanThatThereIsNot) {
  using Fill = void (*)(Tensor&);
  const std::pair<const char*, Fill> all[] = {{"xavier_uniform", [](Tensor& t) { nn::init::xavier_uniform(t); }},
                                              {"xavier_normal", [](Tensor& t) { nn::init::xavier_normal(t); }},
                                              {"kaiming_uniform", [](Tensor& t) { nn::init::kaiming_uniform(t); }},
                                              {"kaiming_normal", [](Tensor& t) { nn::init::kaiming_normal(t); }}};
  for (const auto& [name, fill] : all) {
    const std::string head = std::string("ShapeError: [") + name + "] ";
    Tensor scalar = ones({}), vector = ones({3}), empty_out = ones({0, 3}), empty_kernel = ones({2, 3, 0});
    EXPECT_EQ(thrown([&, f = fill] { f(scalar); }), head + "a fan needs two axes, [out, in]: []");
    EXPECT_EQ(thrown([&, f = fill] { f(vector); }), head + "a fan needs two axes, [out, in]: [3]");
    EXPECT_EQ(thrown([&, f = fill] { f(empty_out); }), head + "a fan must not be empty: [0, 3]");
    EXPECT_EQ(thrown([&, f = fill] { f(empty_kernel); }), head + "a fan must not be empty: [2, 3, 0]");
    EXPECT_EQ(values(vector), (Values{1, 1, 1}));
  }
}

TEST(Init, RefusesABadArgument) {
  Tensor t = ones({2, 2});
  const auto gain = [&](auto fill) { return thrown([&] { fill(t, -1.0); }) + " / " + thrown([&] { fill(t, nowhere); }); };
  const auto both = [](const std::string& op) {
    const std::string text = "ValueError: [" + op + "] the gain must be finite and not negative: ";
    return text + "-1 / " + text + "nan";
  };
  EXPECT_EQ(gain([](Tensor& x, double g) { nn::init::xavier_uniform(x, g); }), both("xavier_uniform"));
  EXPECT_EQ(gain([](Tensor& x, double g) { nn::init::xavier_normal(x, g); }), both("xavier_normal"));
  EXPECT_EQ(gain([](Tensor& x, double g) { nn::init::kaiming_uniform(x, g); }), both("kaiming_uniform"));
  EXPECT_EQ(gain([](Tensor& x, double g) { nn::init::kaiming_normal(x, g); }), both("kaiming_normal"));
  EXPECT_EQ(thrown([&] { nn::init::kaiming_normal(t, endless); }),
            "ValueError: [kaiming_normal] the gain must be finite and not negative: inf");
  EXPECT_EQ(thrown([&] { nn::init::constant(t, nowhere); }), "ValueError: [constant] the value must be finite: nan");
  EXPECT_EQ(thrown([&] { nn::init::constant(t, -endless); }), "ValueError: [constant] the value must be finite: -inf");
  EXPECT_EQ(thrown([&] { nn::init::uniform(t, 1, 0); }), "ValueError: [uniform] low <= high and high - low must be finite: 1, 0");
  EXPECT_EQ(thrown([&] { nn::init::uniform(t, 0, endless); }), "ValueError: [uniform] low <= high and high - low must be finite: 0, inf");
  EXPECT_EQ(thrown([&] { nn::init::normal(t, 0, -1); }), "ValueError: [normal] mean and stddev >= 0 must be finite: 0, -1");
  EXPECT_EQ(values(t), (Values{1, 1, 1, 1}));
}

TEST(Init, RefusesWhatHoldsNoRealNumbers) {
  Tensor labels = ones({2, 2}, DType::i64), mask = ones({2, 2}, DType::boolean), none;
  EXPECT_EQ(thrown([&] { nn::init::zeros(labels); }), "ValueError: [constant] an initialiser fills f32 or f64: i64");
  EXPECT_EQ(thrown([&] { nn::init::constant(mask, 0); }), "ValueError: [constant] an initialiser fills f32 or f64: boolean");
  EXPECT_EQ(thrown([&] { nn::init::xavier_uniform(labels); }), "ValueError: [uniform] random numbers are f32 or f64: i64");
  EXPECT_EQ(thrown([&] { nn::init::kaiming_normal(mask); }), "ValueError: [normal] random numbers are f32 or f64: boolean");
  EXPECT_EQ(values(labels), (Values{1, 1, 1, 1}));
  EXPECT_EQ(thrown([&] { nn::init::zeros(none); }),
            "ValueError: [tensor] the tensor is undefined: it was default-constructed or moved from");
}
