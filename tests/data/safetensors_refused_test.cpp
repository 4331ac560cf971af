#include <capstan/core/create.h>
#include <sys/stat.h>

#include "safetensors.h"

// Files that are not as the format says, each with the whole text of its error; then every cut and every flipped bit of a good one.

using namespace capstan;

namespace {

struct Refused {
  std::string json;
  const char* text;  // behind "FormatError: [load] "
  std::string data = "1234";
};

/// A tensor "x" of one f32 with one part in another way.
std::string x(const std::string& dtype = R"("dtype":"F32")", const std::string& shape = R"("shape":[1])",
              const std::string& offsets = R"("data_offsets":[0,4])") {
  return R"({"x":{)" + dtype + "," + shape + "," + offsets + "}}";
}

// clang-format off
const Refused cases[] = {
    // The object and its end.
    {R"({"x")", "the header must have a ':' here: FILE, byte 12: the end of the header"},
    {R"({)", "the header must have a '\"' here: FILE, byte 9: the end of the header"},
    {R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})", "the header must have a '}' here: FILE, byte 61: the end of the header"},
    {x() + "\n", "the header must end after its object, but for spaces: FILE, byte 62: byte 0x0a"},
    {x() + "  {}", "the header must end after its object, but for spaces: FILE, byte 64: '{'"},
    {x() + std::string(3, '\0'), "the header must end after its object, but for spaces: FILE, byte 62: byte 0x00"},
    {R"({,})", "the header must have a '\"' here: FILE, byte 9: ','"},
    {R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},})", "the header must have a '\"' here: FILE, byte 62: '}'"},
    {R"({"x":[]})", "the header must have a '{' here: FILE, byte 13: '['"},
    {R"({"x":null})", "the header must have a '{' here: FILE, byte 13: 'n'"},
    {R"({'x':{}})", "the header must have a '\"' here: FILE, byte 9: '''"},
    // Texts.
    {"{\"x\n\":{}}", "a control character must be escaped: FILE, byte 11: byte 0x0a"},
    {"{\"x\xff\":{}}", "the header must be UTF-8: FILE, byte 11: byte 0xff"},
    {"{\"\xed\xa0\x80\":{}}", "the header must be UTF-8: FILE, byte 10: byte 0xed"},
    {"{\"\xc0\x80\":{}}", "the header must be UTF-8: FILE, byte 10: byte 0xc0"},
    {R"({"\ud800":{}})", "surrogates must come in pairs: FILE, byte 10: \\ud800"},
    {R"({"\ud800\u0041":{}})", "surrogates must come in pairs: FILE, byte 10: \\ud800"},
    {R"({"\udc00":{}})", "surrogates must come in pairs: FILE, byte 10: \\udc00"},
    {R"({"\u12g4":{}})", "\\u must be followed by four hexadecimal digits: FILE, byte 12: '1'"},
    {R"({"\u-123":{}})", "\\u must be followed by four hexadecimal digits: FILE, byte 12: '-'"},
    {R"({"\u12)", "\\u must be followed by four hexadecimal digits: FILE, byte 12: '1'"},
    {R"({"\x41":{}})", "an escape must be one of JSON's: \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u: FILE, byte 11: 'x'"},
    {R"({"x)", "a text must end in a quote: FILE, byte 11: the end of the header"},
    {"{\"x\\", "an escape must be one of JSON's: \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u: FILE, byte 12: the end of the header"},
    // Keys.
    {R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "a name must come once: FILE, byte 62: \"x\" again"},
    {R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\u0078":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "a name must come once: FILE, byte 62: \"x\" again"},
    {x(R"("dtype":"F32","dtype":"F32")"), "a name must come once: FILE, byte 28: \"dtype\" again"},
    {x(R"("dtype":"F32","dt\u0079pe":"F32")"), "a name must come once: FILE, byte 28: \"dtype\" again"},
    {R"({"__metadata__":{},"__metadata__":{}})", "a name must come once: FILE, byte 27: \"__metadata__\" again", ""},
    {R"({"__metadata__":{"a":"","\u0061":""}})", "a name must come once: FILE, byte 32: \"a\" again", ""},
    {x(R"("dtype":"F32","extra":1)"), "a tensor must have dtype, shape and data_offsets and nothing else: FILE, byte 28: \"extra\""},
    {R"({"x":{"dtype":"F32","shape":[1]}})", "a tensor must have dtype, shape and data_offsets: FILE, byte 13: 'x' has no data_offsets"},
    {R"({"x":{}})", "the header must have a '\"' here: FILE, byte 14: '}'"},
    {R"({"__metadata__":{"a":1}})", "the header must have a '\"' here: FILE, byte 29: '1'", ""},
    {R"({"__metadata__":{"a":null}})", "the header must have a '\"' here: FILE, byte 29: 'n'", ""},
    {R"({"__metadata__":"a"})", "the header must have a '{' here: FILE, byte 24: '\"'", ""},
    // Numbers.
    {x(R"("dtype":"F32")", R"("shape":[1.0])"), "a whole number of plain digits, at most 2^64 - 1, must stand here: FILE, byte 37: 1.0"},
    {x(R"("dtype":"F32")", R"("shape":[1e0])"), "a whole number of plain digits, at most 2^64 - 1, must stand here: FILE, byte 37: 1e0"},
    {x(R"("dtype":"F32")", R"("shape":[-1])"), "a whole number of plain digits, at most 2^64 - 1, must stand here: FILE, byte 37: -1"},
    {x(R"("dtype":"F32")", R"("shape":[-0])"), "a whole number of plain digits, at most 2^64 - 1, must stand here: FILE, byte 37: -0"},
    {x(R"("dtype":"F32")", R"("shape":[+1])"), "a whole number of plain digits, at most 2^64 - 1, must stand here: FILE, byte 37: +1"},
    {x(R"("dtype":"F32")", R"("shape":[01])"), "a whole number of plain digits, at most 2^64 - 1, must stand here: FILE, byte 37: 01"},
    {x(R"("dtype":"F32")", R"("shape":[true])"), "a whole number of plain digits, at most 2^64 - 1, must stand here: FILE, byte 37: true"},
    {x(R"("dtype":"F32")", R"("shape":["1"])"), "a whole number of plain digits, at most 2^64 - 1, must stand here: FILE, byte 37: '\"'"},
    {x(R"("dtype":"F32")", R"("shape":[18446744073709551616])"), "a whole number of plain digits, at most 2^64 - 1, must stand here: FILE, byte 37: 18446744073709551616"},
    {x(R"("dtype":"F32")", R"("shape":[9223372036854775808])"), "a size must be below 2^63: FILE, byte 37: 9223372036854775808"},
    {x(R"("dtype":"F32")", R"("shape":1)"), "the header must have a '[' here: FILE, byte 36: '1'"},
    {x(R"("dtype":"F32")", R"("shape":[1,])"), "a whole number of plain digits, at most 2^64 - 1, must stand here: FILE, byte 39: ']'"},
    {x(R"("dtype":"F32")", R"("shape":[[1]])"), "a whole number of plain digits, at most 2^64 - 1, must stand here: FILE, byte 37: '['"},
    {x(R"("dtype":"F32")", R"("shape":[1,1,1,1,1,1,1])"), "a tensor here has at most six axes: FILE, byte 49: 'x' has more"},
    {x(R"("dtype":"F32")", R"("shape":[1])", R"("data_offsets":[0])"), "the header must have a ',' here: FILE, byte 57: ']'"},
    {x(R"("dtype":"F32")", R"("shape":[1])", R"("data_offsets":[0,4,4])"), "the header must have a ']' here: FILE, byte 59: ','"},
    // Types and sizes.
    {x(R"("dtype":"F8_E4M3")"), "the dtype must be one that a tensor here can hold: FILE: 'x' is F8_E4M3 (F64 F32 F16 BF16 I64 I32 I16 I8 U64 U32 U16 U8 BOOL are read)"},
    {x(R"("dtype":"f32")"), "the dtype must be one that a tensor here can hold: FILE: 'x' is f32 (F64 F32 F16 BF16 I64 I32 I16 I8 U64 U32 U16 U8 BOOL are read)"},
    {x(R"("dtype":1)"), "the header must have a '\"' here: FILE, byte 22: '1'"},
    {x(R"("dtype":"F32")", R"("shape":[4294967296,4294967296,4294967296])"), "a tensor must have at most 2^48 elements: FILE: 'x' has more"},
    {x(R"("dtype":"F32")", R"("shape":[0,4294967296,4294967296])", R"("data_offsets":[0,0])"), "a tensor must have at most 2^48 elements: FILE: 'x' has more"},
    {x(R"("dtype":"F32")", R"("shape":[281474976710657])"), "a tensor must have at most 2^48 elements: FILE: 'x' has more"},
    {x(R"("dtype":"F32")", R"("shape":[2])"), "data_offsets must fit dtype and shape: FILE: 'x' [2] in F32 takes 8 bytes, not 4"},
    {x(R"("dtype":"F64")"), "data_offsets must fit dtype and shape: FILE: 'x' [1] in F64 takes 8 bytes, not 4"},
    {x(R"("dtype":"F32")", R"("shape":[0])"), "data_offsets must fit dtype and shape: FILE: 'x' [0] in F32 takes 0 bytes, not 4"},
    // Offsets.
    {x(R"("dtype":"F32")", R"("shape":[1])", R"("data_offsets":[4,8])"), "data_offsets must lie in the file: FILE: 'x' at [4, 8) of 4 bytes"},
    {x(R"("dtype":"F32")", R"("shape":[1])", R"("data_offsets":[4,0])"), "data_offsets must lie in the file: FILE: 'x' at [4, 0) of 4 bytes"},
    {x(R"("dtype":"F32")", R"("shape":[1])", R"("data_offsets":[18446744073709551612,0])"), "data_offsets must lie in the file: FILE: 'x' at [18446744073709551612, 0) of 4 bytes"},
    {x(), "each byte must belong to a tensor: FILE: the last 1 do not", "12345"},
    {R"({})", "each byte must belong to a tensor: FILE: the last 4 do not"},
    {x(R"("dtype":"F32")", R"("shape":[1])", R"("data_offsets":[1,5])"), "each byte must belong to a tensor: FILE: those from 0 to 1, before 'x', do not", "12345"},
    {R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "tensors must not share bytes: FILE: 'y' begins at 0, where another is up to 4"},
    {R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"y":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}})", "tensors must not share bytes: FILE: 'y' begins at 3, where another is up to 4", "1234567"},
    {R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"y":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}})", "tensors must not share bytes: FILE: 'y' begins at 2, where another is up to 4"},
    {x(R"("dtype":"F32")", R"("shape":[0])", R"("data_offsets":[9007199254740993,9007199254740993])"), "data_offsets must lie in the file: FILE: 'x' at [9007199254740993, 9007199254740993) of 4 bytes"},
    {x(R"("dtype":"F32")", R"("shape":[1 1])"), "the header must have a ']' here: FILE, byte 39: '1'"},
    {x(R"("dtype":"F32")", R"("shape":[0x1])"), "the header must have a ']' here: FILE, byte 38: 'x'"},
    {x(R"("dtype":"F32")", R"("shape":[NaN])"), "a whole number of plain digits, at most 2^64 - 1, must stand here: FILE, byte 37: NaN"},
    {"{\"x\xf4\x90\x80\x80\":{}}", "the header must be UTF-8: FILE, byte 11: byte 0xf4"},
    {"{\"x\xf0\x8f\xbf\xbf\":{}}", "the header must be UTF-8: FILE, byte 11: byte 0xf0"},
    {"{\"x\xe2\x82", "the header must be UTF-8: FILE, byte 11: byte 0xe2"},
    {R"({"__metadata__":{},"__metadat\u0061__":{}})", "a name must come once: FILE, byte 27: \"__metadata__\" again", ""},
    {R"({"x":)" + std::string(100'000, '{'), "the header must have a '\"' here: FILE, byte 14: '{'"},
    {R"({"x":{"dtype":)" + std::string(100'000, '['), "the header must have a '\"' here: FILE, byte 22: '['"},
    // What a stranger writes comes to the terminal printable, whole and short.
    {R"({"a\u0000\u001b[2J":{"dtype":"F9\n","shape":[1],"data_offsets":[0,4]}})", "the dtype must be one that a tensor here can hold: FILE: 'a\\x00\\x1b[2J' is F9\\x0a (F64 F32 F16 BF16 I64 I32 I16 I8 U64 U32 U16 U8 BOOL are read)"},
    {R"({"a\u0000":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "data_offsets must fit dtype and shape: FILE: 'a\\x00' [2] in F32 takes 8 bytes, not 4"},
    {R"({"\n":{"dtype":"F32","dtype\u0000":1}})", "a tensor must have dtype, shape and data_offsets and nothing else: FILE, byte 29: \"dtype\\x00\""},
    // Elements.
    {R"({"x":{"dtype":"BOOL","shape":[4],"data_offsets":[0,4]}})", "a bool must be a byte 0 or 1: FILE: 'x', element 2", std::string("\0\1\2\1", 4)},
    {R"({"x":{"dtype":"U64","shape":[2],"data_offsets":[0,16]}})", "a uint64 must be below 2^63, to become i64: FILE: 'x', element 1", std::string("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x80", 16)},
};
// clang-format on

}  // namespace

TEST(SafetensorsRefused, EachFileWithItsText) {
  for (const Refused& c : cases)
    EXPECT_EQ(load_throws(safetensors_bytes(c.json, c.data)), std::string("FormatError: [load] ") + c.text) << c.json;
}

TEST(SafetensorsRefused, LengthsThatCannotBe) {
  using namespace std::string_literals;
  EXPECT_EQ(load_throws(""), "FormatError: [load] a safetensors file is needed: FILE is empty");
  EXPECT_EQ(load_throws("\1\2\3"), "FormatError: [load] a safetensors file is needed: FILE has 3 bytes");
  EXPECT_EQ(load_throws("\x03\0\0\0\0\0\0\0{}"s),
            "FormatError: [load] the header must lie in the file, and have at most 100000000 bytes: FILE: it says 3, the file has 10"
            " (is it cut, or no safetensors file?)");
  EXPECT_EQ(
      load_throws("\x01\xe1\xf5\x05\0\0\0\0{}"s),
      "FormatError: [load] the header must lie in the file, and have at most 100000000 bytes: FILE: it says 100000001, the file has 10"
      " (is it cut, or no safetensors file?)");
  EXPECT_EQ(load_throws("\xff\xff\xff\xff\xff\xff\xff\xff{}"s),
            "FormatError: [load] the header must lie in the file, and have at most 100000000 bytes: FILE: it says 18446744073709551615,"
            " the file has 10 (is it cut, or no safetensors file?)");
  EXPECT_EQ(load_throws("\0\0\0\0\0\0\0\0"s), "FormatError: [load] the header must begin with '{': FILE, byte 8: the end of the header");
  EXPECT_EQ(load_throws("\x04\0\0\0\0\0\0\0 {} "s), "FormatError: [load] the header must begin with '{': FILE, byte 8: byte 0x20");
}

TEST(SafetensorsRefused, LongNamesAreCutInTheText) {
  EXPECT_EQ(load_throws(safetensors_bytes("{\"" + std::string(1'000'000, 'n') + R"(":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})")),
            "FormatError: [load] data_offsets must lie in the file: FILE: '" + std::string(100, 'n') + "...' at [0, 4) of 0 bytes");
}

TEST(SafetensorsRefused, HeadersOfMoreThanTheFormatAllows) {
  const auto header = [](std::size_t size) { return safetensors_bytes("{}" + std::string(size - 2, ' ')); };
  EXPECT_EQ(load_throws(header(100'000'000)), "nothing");
  EXPECT_EQ(load_throws(header(100'000'001)),
            "FormatError: [load] the header must lie in the file, and have at most 100000000 bytes: FILE: it says 100000001, the file has"
            " 100000009 (is it cut, or no safetensors file?)");
}

TEST(SafetensorsRefused, APipeIsNotWaitedFor) {
  const Scratch file;
  ASSERT_EQ(::mkfifo(file.path().c_str(), 0600), 0);
  EXPECT_EQ(thrown([&] { load(file.path()); }), "IoError: [load] a file is needed: " + file.path() + " is a device or a pipe");
}

TEST(SafetensorsRefused, OtherFilesAreCalledByTheirNames) {
  using namespace std::string_literals;
  const auto told = [](const std::string& bytes) { return load_throws(bytes + std::string(100, '\1')); };
  const std::string begin = "FormatError: [load] a safetensors file is needed: FILE is ";
  EXPECT_EQ(told("\x93NUMPY"), begin + "a NumPy array (read it by data::read_npy)");
  EXPECT_EQ(told("PK\x03\x04"),
            begin +
                "a zip archive, as of NumPy's savez or PyTorch's save (data::read_npz reads NumPy's; write PyTorch's state dict by"
                " safetensors.torch.save_file)");
  EXPECT_EQ(told("\x1f\x8b"), begin + "compressed by gzip (unpack it first)");
  EXPECT_EQ(told("\x80\x02"), begin + "a Python pickle, as of PyTorch's older save (write the state dict by safetensors.torch.save_file)");
  EXPECT_EQ(told("\x80\x04"), begin + "a Python pickle (write the tensors by safetensors)");
  EXPECT_EQ(told("\0\0\x08\x03"s), begin + "an IDX file (read it by data::read_idx)");
  EXPECT_EQ(load_throws("a,b,c\n1,2,3\n4,5,6\n"), begin + "a table in text (read it by data::read_table)");
  EXPECT_EQ(told("version https://git-lfs.github.com/spec/v1\n"), begin + "a Git LFS pointer (fetch the file itself by git lfs pull)");
  EXPECT_EQ(told("<!DOCTYPE html>"), begin + "a web page (the download went wrong)");
}

TEST(SafetensorsRefused, WhatIsNoFile) {
  const Scratch file;
  EXPECT_EQ(thrown([&] { load(file.path()); }),
            "IoError: [load] the file must be readable: " + file.path() + ": No such file or directory");
  EXPECT_EQ(thrown([&] { load(file.folder()); }), "IoError: [load] a file is needed: " + file.folder() + " is a directory");
  EXPECT_EQ(thrown([&] { load("/dev/zero"); }), "IoError: [load] a file is needed: /dev/zero is a device or a pipe");
  EXPECT_EQ(thrown([&] { load(std::string("a\0b", 3)); }), "IoError: [load] a path must not hold a zero byte: a");
}

TEST(SafetensorsRefused, EveryCutAndNoFlippedBitDoesHarm) {
  const Scratch file;
  TensorMap tensors;
  tensors.insert("layer.weight", tensor({{1, 2}, {3, 4}}));
  tensors.insert("mask", tensor({1, 0, 1}, DType::boolean));
  tensors.insert("step", tensor({7}, DType::i64));
  save(file.path(), tensors, {{"epoch", "3"}});
  const std::string good = read(file.path());
  const TensorMap kept = load(file.path());
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_EQ(load_throws(good.substr(0, size)).substr(0, 19), "FormatError: [load]") << size;

  // Each bit says something: a file that is read all the same holds something else.
  std::size_t refused = 0;
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
    const std::string text = load_throws(bytes);
    if (text == "nothing") {
      const Scratch flipped("file", bytes);
      Metadata metadata;
      const TensorMap tensors_then = load(flipped.path(), &metadata);
      EXPECT_TRUE(bits(tensors_then) != bits(kept) || metadata != (Metadata{{"epoch", "3"}})) << bit;
      continue;
    }
    EXPECT_EQ(text.substr(0, 19), "FormatError: [load]") << bit << ": " << text;
    ++refused;
  }
  EXPECT_GT(refused, 8 * good.size() / 2);  // those in numbers and names are honest files
  // What was asked for is left alone.
  Metadata metadata = {{"old", "kept"}};
  const Scratch bad("file", good.substr(0, good.size() - 1));
  EXPECT_NE(thrown([&] { load(bad.path(), &metadata); }), "nothing");
  EXPECT_EQ(metadata, (Metadata{{"old", "kept"}}));
}
