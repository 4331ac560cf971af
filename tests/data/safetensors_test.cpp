#include "safetensors.h"

#include <capstan/core/create.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <limits>

using namespace capstan;

namespace {

TensorMap some_tensors() {
  TensorMap tensors;
  tensors.insert("weight", tensor({{1, 2, 3}, {-4, 0.5, std::numeric_limits<double>::infinity()}}));
  tensors.insert("mask", tensor({1, 0, 1}, DType::boolean));
  tensors.insert("big", tensor({1e300, -0.0}, DType::f64));
  tensors.insert("index", tensor({7, -9}, DType::i64));
  tensors.insert("scalar", tensor(2.5));
  tensors.insert("empty", empty({3, 0, 2}));
  tensors.insert("a", tensor({8}, DType::i64));
  return tensors;
}

void expect_same(const TensorMap& a, const TensorMap& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, t] : a) {
    ASSERT_TRUE(b.contains(name)) << name;
    EXPECT_EQ(b[name].shape(), t.shape()) << name;
    ASSERT_EQ(b[name].dtype(), t.dtype()) << name;
    EXPECT_TRUE(same_bits(b[name], t)) << name;
  }
}

}  // namespace

TEST(Safetensors, ComesBackAsItWas) {
  const Scratch file;
  const TensorMap tensors = some_tensors();
  const Metadata metadata = {{"format", "pt"}, {"", "\"\\\n\x01 \xc3\xa9"}};
  save(file.path(), tensors, metadata);
  Metadata back = {{"old", "gone"}};
  expect_same(tensors, load(file.path(), &back));
  EXPECT_EQ(back, metadata);
}

TEST(Safetensors, WritesTheseBytes) {
  const Scratch file;
  TensorMap tensors;
  tensors.insert("b", tensor({1.5}));
  tensors.insert("m", tensor({1}, DType::boolean));
  tensors.insert("a\"", tensor({{2, 3}}, DType::i64));
  tensors.insert("d", tensor(0.5, DType::f64));
  tensors.insert("a", tensor({0.25}));
  save(file.path(), tensors, {{"z", "1"}, {"k", "\t"}});
  const std::string json =
      R"({"__metadata__":{"k":"\t","z":"1"},"a\"":{"dtype":"I64","shape":[1,2],"data_offsets":[0,16]},)"
      R"("d":{"dtype":"F64","shape":[],"data_offsets":[16,24]},"a":{"dtype":"F32","shape":[1],"data_offsets":[24,28]},)"
      R"("b":{"dtype":"F32","shape":[1],"data_offsets":[28,32]},"m":{"dtype":"BOOL","shape":[1],"data_offsets":[32,33]}})";
  std::string header = json;
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const std::string data("\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0\0\0\xe0\x3f\0\0\x80\x3e\0\0\xc0\x3f\1", 33);
  EXPECT_EQ(read(file.path()), safetensors_bytes(header, data));
}

TEST(Safetensors, SameTensorsGiveSameBytesInAnyOrder) {
  const Scratch file, other;
  const TensorMap tensors = some_tensors();
  TensorMap reversed;
  for (auto it = tensors.end(); it != tensors.begin();) {
    --it;
    reversed.insert(it->name, it->tensor);
  }
  save(file.path(), tensors);
  save(other.path(), reversed);
  EXPECT_EQ(read(file.path()), read(other.path()));
  save(file.path(), load(file.path()));  // over the file that was just read
  EXPECT_EQ(read(file.path()), read(other.path()));
}

TEST(Safetensors, WhatHasAStateIsSavedWithoutACopyWhereItCanBe) {
  struct Snapshots {
    TensorMap tensors = some_tensors();
    int copies = 0;
    TensorMap state() {
      ++copies;
      return tensors.clone();
    }
  };
  struct Live : Snapshots {
    TensorMap live_state() { return tensors; }
  };
  const Scratch file, snapshot, live;
  Snapshots has_state;
  Live has_both;
  save(file.path(), some_tensors());
  save(snapshot.path(), has_state);
  save(live.path(), has_both);
  EXPECT_EQ(has_state.copies, 1);
  EXPECT_EQ(has_both.copies, 0);
  EXPECT_EQ(read(snapshot.path()), read(file.path()));
  EXPECT_EQ(read(live.path()), read(file.path()));
}

TEST(Safetensors, NothingIsAFileToo) {
  const Scratch file;
  save(file.path(), TensorMap());
  EXPECT_EQ(read(file.path()), safetensors_bytes("{}      "));
  EXPECT_EQ(load(file.path()).size(), 0u);
}

TEST(Safetensors, WidensExactly) {
  const auto one = [](const std::string& type, const std::string& bytes, std::int64_t count) {
    const Scratch file("file", safetensors_bytes(R"({"x":{"dtype":")" + type + R"(","shape":[)" + std::to_string(count) +
                                                     R"(],"data_offsets":[0,)" + std::to_string(bytes.size()) + "]}}",
                                                 bytes));
    return load(file.path())["x"];
  };
  using namespace std::string_literals;
  // IEEE 754 halves: 1, -2, the largest, the smallest normal one, the smallest of all, -0, infinity.
  const Tensor half = one("F16", "\x00\x3c\x00\xc0\xff\x7b\x00\x04\x01\x00\x00\x80\x00\x7c"s, 7);
  EXPECT_EQ(half.dtype(), DType::f32);
  EXPECT_EQ(values(half), (Values{1, -2, 65504, 0x1p-14, 0x1p-24, 0, INFINITY}));
  EXPECT_TRUE(std::signbit(half.data<float>()[5]));
  EXPECT_TRUE(std::isnan(values(one("F16", "\x01\x7e"s, 1))[0]));
  EXPECT_EQ(values(one("BF16", "\x80\x3f\x49\xc0"s, 2)), (Values{1, -3.140625}));
  EXPECT_EQ(values(one("I8", "\x80\x7f"s, 2)), (Values{-128, 127}));
  EXPECT_EQ(values(one("U8", "\x80\xff"s, 2)), (Values{128, 255}));
  EXPECT_EQ(values(one("I16", "\x00\x80"s, 1)), (Values{-32768}));
  EXPECT_EQ(values(one("U16", "\x00\x80"s, 1)), (Values{32768}));
  EXPECT_EQ(values(one("I32", "\x00\x00\x00\x80"s, 1)), (Values{-2147483648.0}));
  EXPECT_EQ(values(one("U32", "\x00\x00\x00\x80"s, 1)), (Values{2147483648.0}));
  const Tensor u64 = one("U64", "\xff\xff\xff\xff\xff\xff\xff\x7f\x01\0\0\0\0\0\0\0"s, 2);
  EXPECT_EQ(u64.dtype(), DType::i64);
  EXPECT_EQ(u64.data<std::int64_t>()[0], std::numeric_limits<std::int64_t>::max());
  const Tensor exact = one("I64", "\x01\0\0\0\0\0\x20\0"s, 1);
  EXPECT_EQ(exact.data<std::int64_t>()[0], (std::int64_t{1} << 53) + 1);
}

TEST(Safetensors, WidensMoreThanOnePiece) {
  constexpr std::int64_t n = 300'001;
  std::string bytes;
  for (std::int64_t i = 0; i < n; ++i) bytes += {static_cast<char>(i & 255), static_cast<char>(i >> 8 & 255)};
  const Scratch file("file", safetensors_bytes(R"({"x":{"dtype":"U16","shape":[300001],"data_offsets":[0,600002]}})", bytes));
  const Tensor x = load(file.path())["x"];
  for (std::int64_t i = 0; i < n; ++i) ASSERT_EQ(x.data<std::int64_t>()[i], i & 65535);
}

TEST(Safetensors, TensorsMayStandInAnyOrderAndEmptyOnesAnywhere) {
  const Scratch file(
      "file", safetensors_bytes(
                  R"({ "x" : {"shape":[1],"data_offsets":[4,8],"dtype":"F32"} ,"e":{"dtype":"F32","shape":[0],"data_offsets":[4,4]},)"
                  R"("y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"last":{"dtype":"I64","shape":[2,0],"data_offsets":[8,8]}}   )",
                  std::string("\0\0\x80\x3f\0\0\0\x40", 8)));
  const TensorMap tensors = load(file.path());
  EXPECT_EQ(tensors.begin()->name, "x");
  EXPECT_EQ(values(tensors["x"]), (Values{2}));
  EXPECT_EQ(values(tensors["y"]), (Values{1}));
  EXPECT_EQ(tensors["last"].shape(), (Shape{2, 0}));
}

TEST(Safetensors, EscapesOfNames) {
  const Scratch file(
      "file", safetensors_bytes(
                  R"({"\u0041\/\ud83d\ude00\u00e9\u20ac\ud800\udc00\udbff\udfff":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})"));
  EXPECT_EQ(load(file.path()).begin()->name, "A/\xf0\x9f\x98\x80\xc3\xa9\xe2\x82\xac\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
}

TEST(Safetensors, NamesMayBeAnyText) {
  const Scratch file;
  TensorMap tensors;
  int i = 0;
  for (const std::string& name :
       {std::string(), std::string("a\0b", 3), std::string("\x1b\x7f"), std::string("\xf4\x8f\xbf\xbf"), std::string("/\\\"{}:,")})
    tensors.insert(name, full({1}, ++i));
  save(file.path(), tensors, {{std::string("\0", 1), std::string("\0", 1)}});
  Metadata metadata;
  expect_same(tensors, load(file.path(), &metadata));
  EXPECT_EQ(metadata, (Metadata{{std::string("\0", 1), std::string("\0", 1)}}));
}

TEST(Safetensors, FiveThousandTensorsTakeNoTimeAndEightTimesAsManyNoSquare) {
  const Scratch file;
  const auto seconds_to_load = [&](int count) {
    TensorMap tensors;
    for (int i = 0; i < count; ++i) tensors.insert("layer." + std::to_string(i * std::int64_t{7919} % count) + ".weight", full({3}, i));
    save(file.path(), tensors);
    double best = 1e9;
    for (int trial = 0; trial < 3; ++trial) {
      const std::clock_t start = std::clock();
      const TensorMap loaded = load(file.path());
      best = std::min(best, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
      if (trial == 0) expect_same(tensors, loaded);
    }
    return best;
  };
  const double few = seconds_to_load(5000), many = seconds_to_load(40'000);
  EXPECT_LT(few, 1);
  EXPECT_LT(many / few, 30);  // 9.8 as n log n, 64 as a square
}

TEST(Safetensors, RefusesToWrite) {
  const Scratch file("file", "old");
  const TensorMap one({{"x", zeros({1})}});
  EXPECT_EQ(thrown([&] {
              save(file.path(), TensorMap({{"__metadata__", zeros({1})}}));
            }),
            "ValueError: [save] a tensor must have another name: '__metadata__' is the metadata's");
  EXPECT_EQ(thrown([&] {
              save(file.path(), TensorMap({{"a\xff", zeros({1})}}));
            }),
            "ValueError: [save] a tensor's name must be UTF-8: 'a' goes on with another byte");
  EXPECT_EQ(thrown([&] {
              save(file.path(), one, {{"k", "\xc3"}});
            }),
            "ValueError: [save] metadata must be UTF-8: '' goes on with another byte");
  EXPECT_EQ(thrown([&] {
              save(file.path(), one, {{"k\x80", ""}});
            }),
            "ValueError: [save] a name of metadata must be UTF-8: 'k' goes on with another byte");
  EXPECT_EQ(thrown([&] {
              save(file.path(), one, {{"k", std::string(100'000'001, 'x')}});
            }),
            "ValueError: [save] names and metadata must take at most 100000000 bytes: 100000080");
  EXPECT_EQ(
      thrown([&] { save(file.folder() + "/no/file", one); }),
      "IoError: [save] cannot write the file: " + file.folder() + "/no/file: No such file or directory (create the directory first?)");
  EXPECT_EQ(read(file.path()), "old");
}
