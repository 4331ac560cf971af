#include "support.h"

#include <capstan/core/tensor_map.h>
#include <capstan/core/text.h>

#include "../colliding.h"

using namespace capstan;

TEST(TensorMap, KeepsTheOrderOfInsertion) {
  TensorMap map;
  EXPECT_TRUE(map.empty());
  map.insert("z", tensor(1));
  map.insert("a", tensor(2));
  map.insert("", tensor(3));
  EXPECT_EQ(map.size(), 3u);
  EXPECT_EQ(map["a"].item(), 2);
  EXPECT_EQ(map[""].item(), 3);
  EXPECT_TRUE(map.contains("z"));
  EXPECT_FALSE(map.contains("b"));
  EXPECT_EQ(map.find("z")->item(), 1);
  EXPECT_EQ(map.find("b"), nullptr);
  EXPECT_EQ(map.at(1).name, "a");
  std::string order;
  for (const auto& [key, value] : map) order += key + "=" + to_string(value) + " ";
  EXPECT_EQ(order, "z=1.0 a=2.0 =3.0 ");
}

TEST(TensorMap, IsMadeOfListsAndVectors) {
  const Tensor w = ones({2});
  const TensorMap list = {{"weight", w}, {"bias", zeros({1})}};
  EXPECT_EQ(list.at(0).name, "weight");
  EXPECT_EQ(list["weight"].data<float>(), w.data<float>());  // shared, not copied
  const Parameters numbered(std::vector<Tensor>{w, w, tensor(3)});
  EXPECT_EQ(numbered.size(), 3u);
  EXPECT_EQ(numbered["2"].item(), 3);
  TensorMap copy = list;
  copy.insert("more", w);
  EXPECT_EQ(list.size(), 2u);
  const TensorMap moved = std::move(copy);
  EXPECT_EQ(moved.size(), 3u);
}

// More than 16 names are found by a table.
TEST(TensorMap, FindsEachOfManyNames) {
  for (const int count : {15, 16, 17, 18, 33, 1000}) {
    TensorMap map;
    for (int i = 0; i < count; ++i) map.insert("layer" + std::to_string(i) + ".weight", tensor(i));
    EXPECT_EQ(thrown([&] { map.insert("layer0.weight", tensor(1)); }), "ValueError: [tensors] a name must come once: 'layer0.weight'");
    const TensorMap copy = map, moved = std::move(map);
    map = TensorMap{{"other", tensor(1)}};
    for (const TensorMap& m : {copy, moved, copy.clone()}) {
      ASSERT_EQ(m.size(), static_cast<std::size_t>(count));
      for (int i = 0; i < count; ++i) ASSERT_EQ(m["layer" + std::to_string(i) + ".weight"].item(), i);
      EXPECT_FALSE(m.contains("layer" + std::to_string(count) + ".weight"));
      EXPECT_FALSE(m.contains("other"));
    }
    EXPECT_TRUE(map.contains("other"));
  }
}

// A file's names may be chosen to collide: 20,000 names would be 200 million comparisons then.
TEST(TensorMap, NamesThatCollideInAKnownHashTakeNoMoreTime) {
  const std::vector<std::string> hostile = colliding_names(20'000);
  if (std::hash<std::string>()(hostile[0]) != std::hash<std::string>()(hostile[1])) GTEST_SKIP() << "another standard library's hash";
  const Tensor t = tensor(1);
  const auto seconds = [&](const auto& name) {
    return processor_seconds([&] {
      TensorMap map;
      for (std::size_t i = 0; i < hostile.size(); ++i) map.insert(name(i), t);
      for (std::size_t i = 0; i < hostile.size(); ++i) ASSERT_TRUE(map.contains(name(i)));
    });
  };
  EXPECT_LT(seconds([&](std::size_t i) { return hostile[i]; }), 20 * seconds([](std::size_t i) { return "layer" + std::to_string(i); }));
}

TEST(TensorMap, CloneIsDeep) {
  Tensor w = ones({2});
  const Parameters live = {{"w", w}};
  const TensorMap map = {{"w", w}}, copy = map.clone(), of_live = live.clone();
  w *= 3;
  EXPECT_EQ(map["w"].data<float>()[0], 3);
  EXPECT_EQ(copy["w"].data<float>()[0], 1);
  EXPECT_EQ(of_live["w"].data<float>()[0], 1);
  EXPECT_EQ(copy.size(), 1u);
}

// A saved state is not what an optimizer takes.
static_assert(!std::is_convertible_v<TensorMap, Parameters> && !std::is_constructible_v<Parameters, TensorMap>);
static_assert(!std::is_convertible_v<Parameters, TensorMap> && !std::is_constructible_v<TensorMap, Parameters>);
static_assert(!std::is_assignable_v<Tensor, Tensor>);  // map["w"] = t would change nothing
static_assert(std::is_assignable_v<Tensor&, Tensor>);

TEST(TensorMap, RefusesAndStaysAsItWas) {
  TensorMap map = {{"weight", ones({2})}, {"bias", ones({1})}};
  EXPECT_EQ(thrown([&] { map.insert("bias", zeros({1})); }), "ValueError: [tensors] a name must come once: 'bias'");
  EXPECT_EQ(thrown([&] { map.insert("new", Tensor()); }), "ValueError: [tensors] a tensor must be defined: 'new'");
  EXPECT_EQ(thrown([] { TensorMap{{"a", ones({1})}, {"a", ones({1})}}; }), "ValueError: [tensors] a name must come once: 'a'");
  EXPECT_EQ(thrown([] { TensorMap(std::vector<Tensor>{ones({1}), Tensor()}); }), "ValueError: [tensors] a tensor must be defined: '1'");
  EXPECT_EQ(thrown([&] { map["wieght"]; }), "ValueError: [tensors] there is no such name: 'wieght' (did you mean 'weight'?)");
  EXPECT_EQ(thrown([&] { map["encoder.0"]; }), "ValueError: [tensors] there is no such name: 'encoder.0' among 2");
  EXPECT_EQ(thrown([] { TensorMap()["a"]; }), "ValueError: [tensors] there is no such name: 'a' among 0");
  EXPECT_EQ(thrown([&] { map.at(2); }), "ValueError: [tensors] there is no such index: 2 among 2");
  EXPECT_EQ(map.size(), 2u);
  EXPECT_EQ(map["bias"].item(), 1);
}

TEST(Text, JoinsValuesOfAllKinds) {
  EXPECT_EQ(
      detail::join("a", std::string("b"), std::string_view("c"), 1, std::int64_t{-2}, std::size_t{3}, 4u, DType::i64, Shape{5, 6}, 0.1),
      "abc1-234i64[5, 6]0.1");
  EXPECT_EQ(detail::text(1e-5), "1e-05");
  EXPECT_EQ(detail::text(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(detail::text(-1.7976931348623157e308), "-1.7976931348623157e+308");
  EXPECT_EQ(detail::text(-2.2250738585072014e-308), "-2.2250738585072014e-308");
  EXPECT_EQ(thrown([] { detail::fail<ShapeError>("op", "rule: ", 7); }), "ShapeError: [op] rule: 7");
}

TEST(Text, NearestForDidYouMean) {
  const std::vector<std::string> names = {"momentum", "lr", "weight_decay"};
  EXPECT_EQ(detail::nearest("momentun", names), "momentum");
  EXPECT_EQ(detail::nearest("momentum", names), "momentum");
  EXPECT_EQ(detail::nearest("mometum", names), "momentum");
  EXPECT_EQ(detail::nearest("weightdecay", names), "weight_decay");
  EXPECT_EQ(detail::nearest("rl", names), "lr");
  EXPECT_EQ(detail::nearest("", names), "lr");
  EXPECT_EQ(detail::nearest("learning_rate", names), "");
  EXPECT_EQ(detail::nearest("momentum", {}), "");
  EXPECT_EQ(detail::nearest("bias", {"bios", "bia"}), "bios");  // the first of equals
}

TEST(Text, PatternsMatchWithStars) {
  const auto yes = [](const char* pattern, const char* text) { EXPECT_TRUE(detail::matches(pattern, text)) << pattern << " " << text; };
  const auto no = [](const char* pattern, const char* text) { EXPECT_FALSE(detail::matches(pattern, text)) << pattern << " " << text; };
  yes("", "");
  yes("*", "");
  yes("**", "anything");
  yes("*.bias", "0.bias");
  yes("*.bias", ".bias");
  yes("*.bias", "a.bias.bias");
  yes("0.*", "0.weight");
  yes("a*b*c", "aXbYbZc");
  yes("*ab", "aab");
  yes("*aab*", "aaaab");
  yes("exact", "exact");
  no("", "a");
  no("*.bias", "bias");
  no("*.bias", "0.bias2");
  no("exact", "exactly");
  no("exact", "exac");
  no("a*b", "acbd");
  no("?", "a");
  no("A", "a");
}

TEST(TensorMap, ANameOfAFileDoesNotSteerTheTerminal) {
  const TensorMap map = {{"w", ones({1})}};
  EXPECT_EQ(thrown([&] { map[std::string("\0\x1b[2J\x7f\t\n\xc3\xa9", 10)]; }),
            "ValueError: [tensors] there is no such name: '\\x00\\x1b[2J\\x7f\t\n\xc3\xa9' among 1");
}
