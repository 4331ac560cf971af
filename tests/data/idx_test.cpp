#include "arrays.h"

// IDX files, as they are and compressed, and each way in which they may be wrong, with the whole text.

using namespace capstan;
using data::read_idx;

namespace {

using namespace std::string_literals;

Tensor read_bytes(const std::string& bytes) {
  const Scratch file("file", bytes);
  return read_idx(file.path());
}

const std::string good = idx_bytes(8, {2, 3}, "\0\1\2\x7f\x80\xff"s);

struct Refused {
  std::string bytes;
  const char* text;  // behind "FormatError: [read_idx] "
};

std::string with_byte(std::string bytes, std::size_t at, char byte) {
  bytes[at] = byte;
  return bytes;
}

// clang-format off
const Refused cases[] = {
    {"", "an IDX file is needed: FILE is empty"},
    {"\0"s, "an IDX file is needed: FILE does not begin with two zero bytes"},
    {"\0\0"s, "the header must be whole: FILE ends within it"},
    {"\0\0\x08\x01\0\0\0"s, "the header must be whole: FILE ends within it"},
    {idx_bytes(7, {1}, "1"), "the type must be one of IDX's, 8 9 11 12 13 14: FILE, byte 2: 7"},
    {idx_bytes(10, {1}, "1"), "the type must be one of IDX's, 8 9 11 12 13 14: FILE, byte 2: 10"},
    {idx_bytes(255, {1}, "1"), "the type must be one of IDX's, 8 9 11 12 13 14: FILE, byte 2: 255"},
    {idx_bytes(8, {}, "1"), "a file here has one to six axes: FILE, byte 3: 0"},
    {idx_bytes(8, {1, 1, 1, 1, 1, 1, 1}, "1"), "a file here has one to six axes: FILE, byte 3: 7"},
    {idx_bytes(8, {4294967295, 4294967295, 4294967295}, "1"), "a tensor must have at most 2^48 elements: FILE has more"},
    {idx_bytes(8, {0, 4294967295, 4294967295}, ""), "a tensor must have at most 2^48 elements: FILE has more"},
    {idx_bytes(8, {2}, "1"), "the file must end with its last element: FILE: [2] takes 2 bytes behind the header, there are 1"},
    {idx_bytes(8, {2}, "123"), "the file must end with its last element: FILE: [2] takes 2 bytes behind the header, there are 3"},
    {idx_bytes(14, {2}, "1234567"), "the file must end with its last element: FILE: [2] takes 16 bytes behind the header, there are 7"},
    {idx_bytes(8, {0}, "1"), "the file must end with its last element: FILE: [0] takes 0 bytes behind the header, there are 1"},
    // Compressed.
    {gzip("\1\2\3\4"), "an IDX file is needed: FILE does not hold two zero bytes at its beginning, once unpacked"},
    {gzip("\0\0\x08"s), "the header must be whole: FILE ends within it"},
    {gzip(""), "the header must be whole: FILE ends within it"},
    {gzip(idx_bytes(8, {4}, "123")), "the data must hold all elements: FILE: 1 bytes are missing"},
    {gzip(idx_bytes(8, {2}, "123")), "the file must end with its last element: FILE inflates to more than [2] takes"},
    {gzip(idx_bytes(8, {2}, "12")) + gzip("3"), "the file must end with its last element: FILE inflates to more than [2] takes"},
    {gzip(idx_bytes(8, {1000000}, "1")), "the file must be able to hold its elements: FILE: [1000000] takes 1000000 bytes, and 29 never inflate to as many"},
    {gzip(good) + "\0"s, "only another member may follow one of gzip: FILE, byte 35 of the file: other bytes"},
    {gzip(good) + "\x1f"s, "only another member may follow one of gzip: FILE, byte 35 of the file: other bytes"},
    {gzip(good) + "garbage", "only another member may follow one of gzip: FILE, byte 35 of the file: other bytes"},
    {gzip(good) + "\x1f\x8b\x08"s, "the compressed data must be whole: FILE, byte 38 of the file: its end"},
    {gzip(good).substr(0, 2), "the compressed data must be whole: FILE, byte 2 of the file: its end"},
    {gzip(good).substr(0, 34), "the compressed data must be whole: FILE, byte 34 of the file: its end"},
    {with_byte(gzip(good), 2, 7), "the compressed data must be right: FILE, byte 4 of the file: unknown compression method"},
    {with_byte(gzip(good), 10, 7), "the compressed data must be right: FILE, byte 11 of the file: invalid block type"},
    {with_byte(gzip(good), 28, 1), "the compressed data must be right: FILE, byte 31 of the file: incorrect data check"},
    {with_byte(gzip(good), 32, 1), "the compressed data must be right: FILE, byte 35 of the file: incorrect length check"},
};
// clang-format on

}  // namespace

TEST(Idx, SixTypes) {
  const auto is = [](const std::string& bytes, DType dtype, const Values& wanted) {
    for (const std::string& file : {bytes, gzip(bytes)}) {
      const Tensor x = read_bytes(file);
      EXPECT_EQ(x.dtype(), dtype);
      EXPECT_EQ(values(x), wanted);
    }
  };
  is(idx_bytes(8, {2}, "\x80\xff"s), DType::i64, {128, 255});
  is(idx_bytes(9, {2}, "\x80\xff"s), DType::i64, {-128, -1});
  is(idx_bytes(11, {2}, "\x80\0\x01\x02"s), DType::i64, {-32768, 258});
  is(idx_bytes(12, {2}, "\x80\0\0\0\0\x01\x02\x03"s), DType::i64, {-2147483648.0, 66051});
  is(idx_bytes(13, {2}, "\x3f\xc0\0\0\xc0\x40\0\0"s), DType::f32, {1.5, -3});
  is(idx_bytes(14, {1}, "\x3f\xf8\0\0\0\0\0\x01"s), DType::f64, {1.5 + 0x1p-52});
}

TEST(Idx, WhatPythonWrote) {
  for (const std::string name : {"u1", "i1", "i2", "i4", "f4", "f8"})
    for (const std::string how : {"", ".gz", "_members.gz"}) {
      const Tensor x = read_idx(std::string(CAPSTAN_TEST_FILES) + "/fuzz/corpus/idx/" + name + how);
      EXPECT_EQ(x.shape(), (Shape{2, 3})) << name << how;
      EXPECT_EQ(values(x), (name == "u1" ? Values{0, 1, 2, 3, 4, 5} : Values{-3, -2, -1, 0, 1, 2})) << name << how;
    }
}

TEST(Idx, OfTheReference) {
  const std::string path = std::string(CAPSTAN_TEST_FILES) + "/fuzz/corpus/idx/u1.gz";
  const Tensor images = data::read_idx(path);  // bytes become i64
  const Tensor x = images.to(DType::f32);
  EXPECT_EQ(images.dtype(), DType::i64);
  EXPECT_EQ(values(x), (Values{0, 1, 2, 3, 4, 5}));
}

TEST(Idx, AxesOfEverySize) {
  EXPECT_EQ(read_bytes(good).shape(), (Shape{2, 3}));
  EXPECT_EQ(values(read_bytes(good)), (Values{0, 1, 2, 127, 128, 255}));
  EXPECT_EQ(read_bytes(idx_bytes(8, {0}, "")).shape(), Shape{0});
  EXPECT_EQ(read_bytes(gzip(idx_bytes(8, {3, 0, 7}, ""))).shape(), (Shape{3, 0, 7}));
  EXPECT_EQ(read_bytes(idx_bytes(8, {1, 2, 1, 2, 1, 1}, "1234")).shape(), (Shape{1, 2, 1, 2, 1, 1}));
}

TEST(Idx, SeveralMembersOfGzip) {
  for (std::size_t cut = 0; cut <= good.size(); ++cut)
    EXPECT_EQ(values(read_bytes(gzip(good.substr(0, cut)) + gzip("") + gzip(good.substr(cut)))), values(read_bytes(good))) << cut;
  // A member that begins anywhere in the piece that is read at once, at its end too.
  std::string long_one;
  for (int i = 0; i < 70'000; ++i) long_one += static_cast<char>(i * 7919 >> 3);
  const std::string whole = idx_bytes(8, {70'000}, long_one);
  const Tensor wanted = read_bytes(whole);
  for (std::size_t cut = 32'600; cut < 32'780; cut += 1)
    EXPECT_TRUE(same_bits(read_bytes(gzip(whole.substr(0, cut)) + gzip(whole.substr(cut))), wanted)) << cut;
}

TEST(Idx, FourMegabytesOfZerosInFourKilobytesAreHonest) {
  const std::string bytes = gzip(idx_bytes(8, {4'000'000}, std::string(4'000'000, '\0')));
  EXPECT_LT(bytes.size(), 4096U);
  EXPECT_EQ(read_bytes(bytes).numel(), 4'000'000);
}

TEST(IdxRefused, EachFileWithItsText) {
  for (const Refused& c : cases) EXPECT_EQ(idx_throws(c.bytes), std::string("FormatError: [read_idx] ") + c.text) << c.text;
}

TEST(IdxRefused, OtherFilesAreCalledByTheirNames) {
  const std::string begin = "FormatError: [read_idx] an IDX file is needed: FILE is ";
  EXPECT_EQ(idx_throws("\x93NUMPY\1"), begin + "a NumPy array (read it by data::read_npy)");
  EXPECT_EQ(idx_throws("\x80\x02}"),
            begin + "a Python pickle, as of PyTorch's older save (write the state dict by safetensors.torch.save_file)");
  EXPECT_EQ(idx_throws("a,b\n1,2\n"), begin + "a table in text (read it by data::read_table)");
}

TEST(IdxRefused, WhatIsNoFile) {
  EXPECT_EQ(thrown([] { read_idx("/nowhere/x"); }), "IoError: [read_idx] the file must be readable: /nowhere/x: No such file or directory");
  EXPECT_EQ(thrown([] { read_idx("/dev"); }), "IoError: [read_idx] a file is needed: /dev is a directory");
}

TEST(IdxRefused, EveryCutAndNoFlippedBitDoesHarm) {
  // Plain: the elements' own 48 bits, and the type's lowest one, which takes unsigned bytes for signed ones.
  EXPECT_EQ(cut_and_flip(good, "read_idx", read_idx), 48U + 1);
  // Compressed: what tells nothing about the content stands in the member's header, but for the reserved flags.
  const std::size_t taken = cut_and_flip(gzip(good), "read_idx", read_idx);
  EXPECT_GE(taken, 8U * 6);          // time, system and level
  EXPECT_LE(taken, 8U * 6 + 8 + 3);  // "is text", padding after the last block
}
