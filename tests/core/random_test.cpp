#include "tables.h"

#include <capstan/core/random.h>
#include <capstan/core/threads.h>

#include <array>
#include <cmath>
#include <map>

using namespace capstan;

namespace {

// Philox4x32-10 once more, from the paper's formulas (Salmon et al., SC 2011, section 3.3) and word by word.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> c, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t left = c[0] * std::uint64_t{0xD2511F53}, right = c[2] * std::uint64_t{0xCD9E8D57};
    const std::uint32_t high0 = static_cast<std::uint32_t>(left >> 32), low0 = static_cast<std::uint32_t>(left);
    const std::uint32_t high1 = static_cast<std::uint32_t>(right >> 32), low1 = static_cast<std::uint32_t>(right);
    c = {high1 ^ c[1] ^ key[0], low1, high0 ^ c[3] ^ key[1], low0};
    key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
  }
  return c;
}

// Word w of block `block` of a draw.
std::uint32_t word(const Generator& g, std::uint64_t block, std::size_t w) {
  return philox({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32) ^ g.purpose << 24,
                 static_cast<std::uint32_t>(g.draw), static_cast<std::uint32_t>(g.draw >> 32) ^ (g.purpose & 0xFFFFFF00)},
                {static_cast<std::uint32_t>(g.seed), static_cast<std::uint32_t>(g.seed >> 32)})[w];
}

// Element i of an f64: 16 blocks give 16 numbers of their words 0 and 1, then 16 of their words 2 and 3.
std::uint64_t long_word(const Generator& g, std::uint64_t i) {
  const std::uint64_t block = i / 32 * 16 + i % 16;
  const std::size_t w = i / 16 % 2 * 2;
  return std::uint64_t{word(g, block, w)} << 32 | word(g, block, w + 1);
}
double expected_f64(const Generator& g, std::uint64_t i) { return std::ldexp(static_cast<double>(long_word(g, i) >> 11), -53); }
// Element i of an f32: 16 numbers of word 0, then of word 1, ...
double expected_f32(const Generator& g, std::uint64_t i) { return std::ldexp(word(g, i / 64 * 16 + i % 16, i / 16 % 4), -32); }

}  // namespace

// The known answers that come with Random123, the authors' own library.
TEST(Random, PhiloxGivesTheKnownAnswers) {
  using Words = std::array<std::uint32_t, 4>;
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
  Generator g;
  const Tensor first = uniform({17}, 0, 1, DType::f64, g);
  EXPECT_EQ(first.data<double>()[0], std::ldexp(0x6627e8d5e169c58d >> 11, -53));
  EXPECT_EQ(first.data<double>()[16], std::ldexp(0xbc57ac4c9b00dbd8 >> 11, -53));
  EXPECT_EQ(Generator{}.uniform(), first.data<double>()[0]);
}

TEST(Random, KeysAndCountersReachTheirWords) {
  const std::uint64_t words[] = {0, 1, 0xFFFFFFFF, 0x100000000, 0x299f31d0a4093822, ~std::uint64_t{0}};
  for (const std::uint64_t seed : words)
    for (const std::uint64_t draw : words)
      for (const std::uint32_t purpose : {0u, 1u, 3u, 255u, 256u, 257u, ~0u}) {
        Generator g{seed, purpose, draw};
        const Generator start = g;
        EXPECT_EQ(g.uniform(), expected_f64(start, 0));
        EXPECT_EQ(g.draw, draw + 1);
        const Tensor x = uniform({37}, 0, 1, DType::f64, g), y = uniform({70}, -1, 1, DType::f32, g);
        const Generator second{seed, purpose, draw + 1}, third{seed, purpose, draw + 2};
        for (std::uint64_t i = 0; i < 37; ++i) EXPECT_EQ(x.data<double>()[i], expected_f64(second, i));
        for (std::uint64_t i = 0; i < 70; ++i) {
          const float last = std::nextafterf(1, 0), expected = static_cast<float>(2 * expected_f32(third, i) - 1);
          EXPECT_EQ(y.data<float>()[i], std::min(expected, last));
        }
        EXPECT_EQ(g.draw, draw + 3);
      }
}

TEST(Random, TheSameKeyGivesTheSameNumbers) {
  Generator a{7, 2, 5}, b{7, 2, 5};
  for (const DType dtype : {DType::f32, DType::f64}) {
    EXPECT_TRUE(same_bits(uniform({11}, -1, 1, dtype, a), uniform({11}, -1, 1, dtype, b)));
    EXPECT_TRUE(same_bits(normal({11}, 1, 2, dtype, a), normal({11}, 1, 2, dtype, b)));
  }
  EXPECT_TRUE(same_bits(permutation(20, a), permutation(20, b)));
  EXPECT_EQ(a.draw, 10u);
  EXPECT_EQ(b.draw, 10u);
  // A shorter tensor is the beginning of a longer one.
  EXPECT_TRUE(same_bits(randn({5}, DType::f32, a), randn({8}, DType::f32, b).rows(0, 5)));
}

TEST(Random, SeedsPurposesAndDrawsDiffer) {
  std::map<double, int> first;
  for (std::uint64_t seed = 0; seed < 20; ++seed)
    for (const std::uint32_t purpose : {0u, 1u, 2u, 3u, 4u, 255u, 256u, 512u})
      for (std::uint64_t draw = 0; draw < 20; ++draw) ++first[Generator{seed, purpose, draw}.uniform()];
  EXPECT_EQ(first.size(), 20u * 8 * 20);
}

TEST(Random, ManualSeedResetsEveryDefaultGenerator) {
  const auto draw_all = [] {
    std::vector<Tensor> all = {uniform({3}), randn({3}), permutation(9)};
    for (const Purpose p : {Purpose::tensors, Purpose::init, Purpose::shuffle, Purpose::dropout})
      all.push_back(tensor(default_generator(p).uniform(), DType::f64));
    return all;
  };
  manual_seed(42);
  for (const Purpose p : {Purpose::tensors, Purpose::init, Purpose::shuffle, Purpose::dropout}) {
    EXPECT_EQ(default_generator(p).seed, 42u);
    EXPECT_EQ(default_generator(p).draw, 0u);
    EXPECT_EQ(default_generator(p).purpose, static_cast<std::uint32_t>(p));
  }
  const auto a = draw_all(), b = draw_all();
  manual_seed(42);
  const auto c = draw_all();
  manual_seed(43);
  const auto d = draw_all();
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_FALSE(same_bits(a[i], b[i])) << i;
    EXPECT_TRUE(same_bits(a[i], c[i])) << i;
    EXPECT_FALSE(same_bits(a[i], d[i])) << i;
  }
  manual_seed(0);
}

TEST(Random, ThreadsDoNotMatter) {
  const int before = num_threads();
  const auto draw = [] {
    Generator g{1, 2, 3};
    return std::array{uniform({300001}, 0, 1, DType::f32, g), normal({300001}, 0, 1, DType::f64, g), permutation(300001, g)};
  };
  set_num_threads(1);
  const auto one = draw();
  set_num_threads(4);
  const auto four = draw();
  set_num_threads(before);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(same_bits(one[i], four[i])) << i;
}

// Where few numbers lie between the limits, rounding would reach them all the time.
TEST(Random, UniformNeverLeavesItsRange) {
  const double ranges[][2] = {{1, 1 + 0x1p-22}, {1, 1 + 0x1p-23},    {0.7, 0.7 + 1e-7},    {-1 - 0x1p-22, -1}, {0, 0x1p-148},
                              {0.1, 0.3},       {-0.7, -0.7 + 3e-7}, {16777215, 16777217}, {1e38, 3e38},       {-3.4e38, 3.4e38}};
  for (const auto& [low, high] : ranges) {
    Generator g{5, 0, 0};
    const Values x = values(uniform({20000}, low, high, DType::f32, g)), y = values(uniform({1000}, low, high, DType::f64, g));
    for (const double v : x) ASSERT_TRUE(low <= v && v < high) << low << " <= " << v << " < " << high;
    for (const double v : y) ASSERT_TRUE(low <= v && v < high) << low << " <= " << v << " < " << high;
  }
  Generator g;
  EXPECT_EQ(values(uniform({3}, 2, 2, DType::f32, g)), (Values{2, 2, 2}));
  EXPECT_EQ(uniform({}, 0.7, 0.7, DType::f32, g).data<float>()[0], 0.7f);
  EXPECT_EQ(uniform({}, 0.7, 0.7, DType::f64, g).item(), 0.7);
}

// Of each pair of 16 numbers the first is the cosine's and the second the sine's.
TEST(Random, NormalIsBoxMullersFormula) {
  const double turn = 2 * std::acos(-1);
  const Generator start{14, 1, 9};
  Generator g = start;
  const Tensor x = normal({1001}, 3, 2, DType::f64, g);
  for (std::uint64_t i = 0; i < 1001; ++i) {
    const std::uint64_t block = i / 32 * 16 + i % 16;
    const double u = std::ldexp(static_cast<double>((std::uint64_t{word(start, block, 0)} << 32 | word(start, block, 1)) >> 11), -53);
    const double v = std::ldexp(static_cast<double>((std::uint64_t{word(start, block, 2)} << 32 | word(start, block, 3)) >> 11), -53);
    const double r = std::sqrt(-2 * std::log1p(-u));
    ASSERT_NEAR(x.data<double>()[i], 3 + 2 * r * (i / 16 % 2 ? std::sin(turn * v) : std::cos(turn * v)), 1e-14) << i;
  }
  const Generator second = g;
  const Tensor y = normal({1001}, 3, 2, DType::f32, g);
  for (std::uint64_t i = 0; i < 1001; ++i) {
    const std::uint64_t block = i / 64 * 16 + i % 16;
    const std::size_t w = i / 32 % 2 * 2;
    const double u = std::ldexp(word(second, block, w) + 0.5, -32), v = std::ldexp(word(second, block, w + 1), -32);
    const double r = std::sqrt(-2 * std::log(u));
    ASSERT_NEAR(y.data<float>()[i], 3 + 2 * r * (i / 16 % 2 ? std::sin(turn * v) : std::cos(turn * v)), 2e-6) << i;
  }
}

// The extreme words give the largest and the smallest numbers that there are.
TEST(Random, TheFarthestNormalNumbers) {
  for_each_table([&]<class T>(const kernels::Table<T>& table) {
    kernels::Stream s{{12, 0}, {0, 0, 0, 0}};
    std::vector<T> y(1 << 21);
    table.random_normal(s, 0, y.data(), static_cast<std::int64_t>(y.size()), T(0), T(1));
    const auto [low, high] = std::minmax_element(y.begin(), y.end());
    // Of 2^21 numbers the largest is below 4.4 once in 10^5 and above 6.8 once in 10^5.
    EXPECT_GT(*high, T(4.4));
    EXPECT_LT(*high, T(6.8));
    EXPECT_LT(*low, T(-4.4));
    EXPECT_GT(*low, T(-6.8));
  });
}

TEST(Random, EveryInstructionSetGivesTheSameBits) {
  const kernels::Stream s{{7, 8}, {0, 5u << 24, 11, 12}};
  std::vector<std::uint64_t> hashes;
  std::size_t k = 0;
  for_each_table([&]<class T>(const kernels::Table<T>& table) {
    for (const std::int64_t group : {std::int64_t{0}, (std::int64_t{1} << 28) - 1}) {  // where the block's index leaves 32 bits
      std::vector<std::uint32_t> bits(64 + 2 * 4 * 333);
      std::uint32_t words[4][16];
      table.random_words(s, group, words);
      std::memcpy(bits.data(), words, sizeof words);
      Guarded<T> u(333), v(333);
      table.random_uniform(s, group, u.data(), 333, -2, 5, T(-2), T(3));
      table.random_normal(s, group, v.data(), 333, T(1), T(2));
      ASSERT_TRUE(u.untouched() && v.untouched());
      std::memcpy(bits.data() + 64, u.data(), 333 * sizeof(T));
      std::memcpy(bits.data() + 64 + 333 * sizeof(T) / 4, v.data(), 333 * sizeof(T));
      std::uint64_t hash = 1469598103934665603u;
      for (const std::uint32_t b : bits) hash = (hash ^ b) * 1099511628211u;
      const std::size_t first = k++ % 4;  // f32 and f64, two groups each, of the first instruction set
      if (hashes.size() <= first)
        hashes.push_back(hash);
      else
        EXPECT_EQ(hash, hashes[first]) << group;
    }
  });
}

// Fisher & Yates from the end, with numbers that are multiplied into their range.
TEST(Random, APermutationIsItsSwaps) {
  for (const std::int64_t n : {1, 2, 3, 32, 33, 34, 65, 1000}) {
    Generator g{15, 2, 4};
    const Generator start = g;
    std::vector<double> expected;
    for (std::int64_t i = 0; i < n; ++i) expected.push_back(static_cast<double>(i));
    for (std::int64_t i = n - 1; i > 0; --i) {
      const auto wide =
          static_cast<unsigned __int128>(long_word(start, static_cast<std::uint64_t>(n - 1 - i))) * static_cast<unsigned>(i + 1);
      std::swap(expected[static_cast<std::size_t>(i)], expected[static_cast<std::size_t>(wide >> 64)]);
    }
    EXPECT_EQ(values(permutation(n, g)), expected) << n;
    EXPECT_EQ(g.draw, 5u);
  }
}

TEST(Random, RefusesAndDrawsNothing) {
  Generator g;
  const auto text = [](const char* values) {
    return "ValueError: [uniform] low <= high and high - low must be finite: " + std::string(values);
  };
  EXPECT_EQ(thrown([&] { uniform({2}, 1, 0, DType::f32, g); }), text("1, 0"));
  EXPECT_EQ(thrown([&] { uniform({2}, NAN, 0, DType::f32, g); }), text("nan, 0"));
  EXPECT_EQ(thrown([&] { uniform({2}, 0, INFINITY, DType::f32, g); }), text("0, inf"));
  EXPECT_EQ(thrown([&] { uniform({2}, INFINITY, INFINITY, DType::f32, g); }), text("inf, inf"));
  EXPECT_EQ(thrown([&] { uniform({2}, -1e308, 1e308, DType::f64, g); }), text("-1e+308, 1e+308"));
  EXPECT_EQ(thrown([&] { uniform({2}, 0, 1, DType::i64, g); }), "ValueError: [uniform] random numbers are f32 or f64: i64");
  EXPECT_EQ(thrown([&] { normal({2}, 0, -1, DType::f32, g); }), "ValueError: [normal] mean and stddev >= 0 must be finite: 0, -1");
  EXPECT_EQ(thrown([&] { normal({2}, NAN, 1, DType::f32, g); }), "ValueError: [normal] mean and stddev >= 0 must be finite: nan, 1");
  EXPECT_EQ(thrown([&] { normal({2}, 0, INFINITY, DType::f32, g); }), "ValueError: [normal] mean and stddev >= 0 must be finite: 0, inf");
  EXPECT_EQ(thrown([&] { randn({2}, DType::boolean, g); }), "ValueError: [normal] random numbers are f32 or f64: boolean");
  EXPECT_EQ(thrown([&] { permutation(-1, g); }), "ValueError: [permutation] n must not be negative: -1");
  EXPECT_EQ(g.draw, 0u);
}
