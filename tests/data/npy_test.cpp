#include <fcntl.h>
#include <sys/stat.h>

#include <cmath>

#include "arrays.h"

// .npy files: those that NumPy wrote (tests/fuzz/corpus, by tests/oracles/arrays.py --write), what is written, and each way in which a file
// may be wrong, with the whole text.

using namespace capstan;
using data::read_npy;
using data::write_npy;

namespace {

std::string numpy_file(const std::string& name) { return std::string(CAPSTAN_TEST_FILES) + "/fuzz/corpus/npy/" + name; }

/// What stands in those files: the index minus 3, without a sign the index, or whether it is even.
Values counted(char kind, std::int64_t count) {
  Values v;
  for (std::int64_t i = 0; i < count; ++i)
    v.push_back(kind == 'b' ? static_cast<double>(i % 2 == 0) : static_cast<double>(i - (kind == 'u' ? 0 : 3)));
  return v;
}

DType dtype_of_name(const std::string& name) {
  return name == "f8" ? DType::f64 : name[0] == 'f' ? DType::f32 : name[0] == 'b' ? DType::boolean : DType::i64;
}

struct Refused {
  std::string literal;
  const char* text;  // behind "FormatError: [read_npy] "
  std::string data = "1234";
};

// clang-format off
const Refused cases[] = {
    // The literal.
    {"", "the header must have { here: FILE, byte 10: its end"},
    {"[]", "the header must have { here: FILE, byte 10: ["},
    {"{", "a text in quotes must stand here: FILE, byte 11: its end"},
    {"{}", "the header must have descr, fortran_order and shape: FILE has no descr"},
    {"{'descr': '<f4'}", "the header must have descr, fortran_order and shape: FILE has no fortran_order"},
    {"{'descr': '<f4', 'fortran_order': False}", "the header must have descr, fortran_order and shape: FILE has no shape"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), ", "a text in quotes must stand here: FILE, byte 66: its end"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)", "the header must have } here: FILE, byte 64: its end"},
    {"{'descr': '<f4' 'fortran_order': False, 'shape': (1,), }", "the header must have } here: FILE, byte 26: '"},
    {"{'descr': '<f4',, 'fortran_order': False, 'shape': (1,), }", "a text in quotes must stand here: FILE, byte 26: ,"},
    {"{'descr' '<f4', 'fortran_order': False, 'shape': (1,), }", "the header must have : here: FILE, byte 19: '"},
    {"{descr: '<f4', 'fortran_order': False, 'shape': (1,), }", "a text in quotes must stand here: FILE, byte 11: d"},
    {"{'descr\": '<f4', 'fortran_order': False, 'shape': (1,), }", "the header must have descr, fortran_order and shape and nothing else: FILE, byte 11: 'descr\": '"},
    {"{'descr", "a text must end in its quote: FILE, byte 17: its end"},
    {"{'de\\x73cr': '<f4', 'fortran_order': False, 'shape': (1,), }", "a text must be printable ASCII without escapes: FILE, byte 14: \\"},
    {"{'descr\xe9': '<f4', 'fortran_order': False, 'shape': (1,), }", "a text must be printable ASCII without escapes: FILE, byte 17: byte 0xe9"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'descr': '<f4'}", "a key must come once: FILE, byte 66: 'descr' again"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), \"shape\": (1,)}", "a key must come once: FILE, byte 66: 'shape' again"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", "the header must have descr, fortran_order and shape and nothing else: FILE, byte 66: 'x'"},
    {literal() + "{}", "the header must end after its literal, but for blanks: FILE, byte 68: {"},
    {literal() + std::string(1, '\0'), "the header must end after its literal, but for blanks: FILE, byte 68: byte 0x00"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'descr': __import__('os')}", "a key must come once: FILE, byte 66: 'descr' again"},
    // The dtype.
    {literal("'<c8'"), "the dtype must be one that a tensor here can hold: FILE has '<c8' (f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1 are read, after < or >; f4 is float32)"},
    {literal("'<f16'"), "the dtype must be one that a tensor here can hold: FILE has '<f16' (f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1 are read, after < or >; f4 is float32)"},
    {literal("'|f4'"), "the dtype must be one that a tensor here can hold: FILE has '|f4' (f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1 are read, after < or >; f4 is float32)"},
    {literal("'f4'"), "the dtype must be one that a tensor here can hold: FILE has 'f4' (f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1 are read, after < or >; f4 is float32)"},
    {literal("'=f4'"), "the dtype must be one that a tensor here can hold: FILE has '=f4' (f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1 are read, after < or >; f4 is float32)"},
    {literal("'~f4'"), "the dtype must be one that a tensor here can hold: FILE has '~f4' (f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1 are read, after < or >; f4 is float32)"},
    {literal("'<M8[ns]'"), "the dtype must be one that a tensor here can hold: FILE has '<M8[ns]' (f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1 are read, after < or >; f4 is float32)"},
    {literal("''"), "the dtype must be one that a tensor here can hold: FILE has '' (f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1 are read, after < or >; f4 is float32)"},
    {literal("'|O'"), "the dtype must be one that a tensor here can hold: FILE has '|O', Python's objects, which are pickled (f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1 are read, after < or >; f4 is float32)"},
    {literal("[('a', '<f4')]"), "the dtype must be one that a tensor here can hold: FILE has a dtype of several fields (f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1 are read, after < or >; f4 is float32)"},
    {literal("1"), "a text in quotes must stand here: FILE, byte 20: 1"},
    // The order.
    {literal("'<f4'", "(1,)", "false"), "fortran_order must be True or False: FILE, byte 44: f"},
    {literal("'<f4'", "(1,)", "0"), "fortran_order must be True or False: FILE, byte 44: 0"},
    {literal("'<f4'", "(1,)", "Falsely"), "the header must have } here: FILE, byte 49: l"},
    // The shape.
    {literal("'<f4'", "1"), "the header must have ( here: FILE, byte 60: 1"},
    {literal("'<f4'", "[1]"), "the header must have ( here: FILE, byte 60: ["},
    {literal("'<f4'", "(1)"), "a shape must be a tuple: FILE, byte 62: no comma, as in (3,)"},
    {literal("'<f4'", "(,)"), "a size must be plain digits, below 2^63: FILE, byte 61: ,"},
    {literal("'<f4'", "(1,,)"), "a size must be plain digits, below 2^63: FILE, byte 63: ,"},
    {literal("'<f4'", "(1 1)"), "the header must have ) here: FILE, byte 63: 1"},
    {literal("'<f4'", "(-1,)"), "a size must be plain digits, below 2^63: FILE, byte 61: -"},
    {literal("'<f4'", "(1.0,)"), "the header must have ) here: FILE, byte 62: ."},
    {literal("'<f4'", "(True,)"), "a size must be plain digits, below 2^63: FILE, byte 61: T"},
    {literal("'<f4'", "(01,)"), "a size must be plain digits, below 2^63: FILE, byte 61: 01"},
    {literal("'<f4'", "(1_0,)"), "the header must have ) here: FILE, byte 62: _"},
    {literal("'<f4'", "(9223372036854775808,)"), "a size must be plain digits, below 2^63: FILE, byte 61: 9223372036854775808"},
    {literal("'<f4'", "(" + std::string(200, '9') + ",)"), "a size must be plain digits, below 2^63: FILE, byte 61: 9999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999..."},
    {literal("'" + std::string(200, 'x') + "'"), "the dtype must be one that a tensor here can hold: FILE has 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...' (f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1 are read, after < or >; f4 is float32)"},
    {literal("'<f4'", "(1, 1, 1, 1, 1, 1, 1)"), "a tensor here has at most six axes: FILE, byte 79: one more"},
    {literal("'<f4'", "((1,),)"), "a size must be plain digits, below 2^63: FILE, byte 61: ("},
    {literal("'<f4'", "(4294967296, 4294967296, 4294967296)"), "a tensor must have at most 2^48 elements: FILE has more"},
    {literal("'<f4'", "(0, 4294967296, 4294967296)"), "a tensor must have at most 2^48 elements: FILE has more"},
    // The size.
    {literal("'<f4'", "(2,)"), "the file must end with its last element: FILE: [2] takes 8 bytes behind the header, there are 4"},
    {literal("'<f4'", "(281474976710656,)"), "the file must end with its last element: FILE: [281474976710656] takes 1125899906842624 bytes behind the header, there are 4"},
    {literal(), "the file must end with its last element: FILE: [1] takes 4 bytes behind the header, there are 5", "12345"},
    {literal("'<f4'", "(0,)"), "the file must end with its last element: FILE: [0] takes 0 bytes behind the header, there are 4"},
    // The elements.
    {literal("'|b1'", "(4,)"), "a bool must be a byte 0 or 1: FILE, element 2", std::string("\0\1\2\1", 4)},
    {literal("'<u8'", "(2,)"), "a uint64 must be below 2^63, to become i64: FILE, element 1", std::string("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x80", 16)},
    {literal("'>u8'", "(2,)"), "a uint64 must be below 2^63, to become i64: FILE, element 1", std::string("\0\0\0\0\0\0\0\x80\x80\0\0\0\0\0\0\0", 16)},
};
// clang-format on

}  // namespace

TEST(Npy, WhatNumPyWrote) {
  for (const std::string name : {"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"}) {
    const Tensor x = read_npy(numpy_file(name + ".npy")), y = read_npy(numpy_file(name + "_big_fortran.npy"));
    EXPECT_EQ(x.dtype(), dtype_of_name(name)) << name;
    EXPECT_EQ(y.dtype(), dtype_of_name(name)) << name;
    EXPECT_EQ(x.shape(), (Shape{2, 3})) << name;
    EXPECT_EQ(y.shape(), (Shape{2, 3, 2})) << name;
    EXPECT_EQ(values(x), counted(name[0], 6)) << name;
    EXPECT_EQ(values(y), counted(name[0], 12)) << name;
  }
  const Tensor scalar = read_npy(numpy_file("0d.npy")), none = read_npy(numpy_file("empty.npy")), six = read_npy(numpy_file("6d.npy"));
  EXPECT_EQ(scalar.shape(), Shape{});
  EXPECT_EQ(values(scalar), Values{-3});
  EXPECT_EQ(none.shape(), (Shape{3, 0, 2}));
  EXPECT_EQ(six.shape(), (Shape{1, 2, 1, 3, 2, 2}));
  EXPECT_EQ(values(six), counted('f', 24));
}

TEST(Npy, WritesWhatNumPyWrites) {
  const Scratch file;
  for (const char* name : {"f4.npy", "f8.npy", "i8.npy", "b1.npy"}) {
    write_npy(file.path(), read_npy(numpy_file(name)));
    EXPECT_EQ(read(file.path()), read(numpy_file(name))) << name;
  }
}

TEST(Npy, WritesThisHeader) {
  const Scratch file;
  const auto header = [&](const Tensor& x) {
    write_npy(file.path(), x);
    return read(file.path());
  };
  const auto padded = [](std::string s, std::size_t size) {
    s.resize(size - 1, ' ');
    return s + "\n";
  };
  using namespace std::string_literals;
  const std::string begin = "\x93NUMPY\1\0\x76\0"s;
  EXPECT_EQ(header(tensor(2.5)), padded(begin + "{'descr': '<f4', 'fortran_order': False, 'shape': (), }", 128) + "\0\0\x20\x40"s);
  EXPECT_EQ(header(empty({0, 3}, DType::f64)), padded(begin + "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 3), }", 128));
  EXPECT_EQ(header(tensor({1}, DType::boolean)), padded(begin + "{'descr': '|b1', 'fortran_order': False, 'shape': (1,), }", 128) + "\1");
}

TEST(Npy, ComesBackAsItWas) {
  const Scratch file;
  for (const Tensor& x : {tensor({{1, -0.0, 3}, {INFINITY, 5, NAN}}), tensor({{{{{{1, 2}}}}}}, DType::f64), tensor({1, 0}, DType::boolean),
                          tensor({7, -9}, DType::i64), empty({2, 0}), tensor(-1, DType::i64), arange(0, 300'001, 1)}) {
    write_npy(file.path(), x);
    EXPECT_TRUE(same_bits(read_npy(file.path()), x));
  }
}

TEST(Npy, WidensMoreThanOnePieceInBothOrders) {
  constexpr std::int64_t rows = 601, columns = 499;
  std::string bytes;
  for (std::int64_t i = 0; i < rows * columns; ++i) bytes += {static_cast<char>(i >> 8 & 255), static_cast<char>(i & 255)};
  const Scratch file("file", npy_bytes(literal("'>u2'", "(601, 499)", "True"), bytes));
  const Tensor x = read_npy(file.path());
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) ASSERT_EQ(x.data<std::int64_t>()[i * columns + j], (i + j * rows) & 65535);
}

TEST(Npy, OtherWaysToWriteTheHeader) {
  const auto shape = [](const std::string& bytes) {
    const Scratch file("file", bytes);
    return read_npy(file.path()).shape();
  };
  EXPECT_EQ(shape(npy_bytes("{\"shape\":(1,),\"descr\":\"<f4\",\"fortran_order\":True}", "1234")), Shape{1});
  EXPECT_EQ(shape(npy_bytes(" \n{ 'shape' : ( 2 , 2 , ) , 'descr' : '|i1' , 'fortran_order' : False }  ", "1234")), (Shape{2, 2}));
  EXPECT_EQ(shape(npy_bytes(literal("'<i1'", "(2L, 2L)"), "1234", 1)), (Shape{2, 2}));  // Python 2
  EXPECT_EQ(shape(npy_bytes(literal("'<i1'", "(2L, 2L)"), "1234", 2)), (Shape{2, 2}));
  EXPECT_EQ(npy_throws(npy_bytes(literal("'<i1'", "(2L, 2L)"), "1234", 3)),
            "FormatError: [read_npy] the header must have ) here: FILE, byte 64: L");
}

TEST(NpyRefused, EachFileWithItsText) {
  for (const Refused& c : cases)
    EXPECT_EQ(npy_throws(npy_bytes(c.literal, c.data)), std::string("FormatError: [read_npy] ") + c.text) << c.literal;
}

TEST(NpyRefused, WhatComesBeforeTheHeader) {
  using namespace std::string_literals;
  EXPECT_EQ(npy_throws("\x93NUMPY"), "FormatError: [read_npy] the header must be whole: FILE ends within it");
  EXPECT_EQ(npy_throws("\x93NUMPY\1\0\x10"s), "FormatError: [read_npy] the header must be whole: FILE ends within it");
  EXPECT_EQ(npy_throws("\x93NUMPY\1\0\x10\0{}"s), "FormatError: [read_npy] the header must be whole: FILE ends within it");
  EXPECT_EQ(npy_throws("\x93NUMPY\4\0\2\0{}"s), "FormatError: [read_npy] the format must be 1.0, 2.0 or 3.0: FILE has 4.0");
  EXPECT_EQ(npy_throws("\x93NUMPY\1\1\2\0{}"s), "FormatError: [read_npy] the format must be 1.0, 2.0 or 3.0: FILE has 1.1");
  EXPECT_EQ(npy_throws("\x93NUMPY\0\xff\2\0{}"s), "FormatError: [read_npy] the format must be 1.0, 2.0 or 3.0: FILE has 0.255");
  EXPECT_EQ(npy_throws("\x93NUMPY\2\0\xff\xff\xff\xff{}"s),
            "FormatError: [read_npy] the header must have at most 10000 bytes: FILE says 4294967295");
  EXPECT_EQ(npy_throws("\x93NUMPY\1\0\x11\x27{}"s), "FormatError: [read_npy] the header must have at most 10000 bytes: FILE says 10001");
}

TEST(NpyRefused, OtherFilesAreCalledByTheirNames) {
  using namespace std::string_literals;
  const auto told = [](const std::string& bytes) { return npy_throws(bytes + std::string(100, '\1')); };
  const std::string begin = "FormatError: [read_npy] a NumPy array is needed: FILE ";
  EXPECT_EQ(npy_throws(""), begin + "is empty");
  EXPECT_EQ(npy_throws("\1\2\3"), begin + "does not begin with NumPy's magic word");
  EXPECT_EQ(told("PK\x03\x04"), begin +
                                    "is a zip archive, as of NumPy's savez or PyTorch's save (data::read_npz reads NumPy's; write PyTorch's"
                                    " state dict by safetensors.torch.save_file)");
  EXPECT_EQ(told("\x1f\x8b"), begin + "is compressed by gzip (unpack it first)");
  EXPECT_EQ(told("\x80\x04"), begin + "is a Python pickle (write the tensors by safetensors)");
  EXPECT_EQ(npy_throws("\x02\0\0\0\0\0\0\0{}"s), begin + "is a safetensors file (read it by load)");
  EXPECT_EQ(npy_throws("a,b\n1,2\n"), begin + "is a table in text (read it by data::read_table)");
  EXPECT_EQ(told("\0\0\x08\x03"s), begin + "is an IDX file (read it by data::read_idx)");
}

TEST(NpyRefused, WhatIsNoFile) {
  const Scratch file;
  EXPECT_EQ(thrown([&] { read_npy(file.path()); }),
            "IoError: [read_npy] the file must be readable: " + file.path() + ": No such file or directory");
  EXPECT_EQ(thrown([&] { read_npy(file.folder()); }), "IoError: [read_npy] a file is needed: " + file.folder() + " is a directory");
  EXPECT_EQ(thrown([&] { read_npy("/dev/zero"); }), "IoError: [read_npy] a file is needed: /dev/zero is a device or a pipe");
  EXPECT_EQ(thrown([&] { read_npy(std::string("a\0b", 3)); }), "IoError: [read_npy] a path must not hold a zero byte: a");
  ASSERT_EQ(::mkfifo(file.path().c_str(), 0600), 0);  // nobody writes to it, and it is not waited for
  EXPECT_EQ(thrown([&] { read_npy(file.path()); }), "IoError: [read_npy] a file is needed: " + file.path() + " is a device or a pipe");
}

TEST(NpyRefused, ToWrite) {
  const Scratch file("file", "old");
  EXPECT_EQ(thrown([&] { write_npy(file.path(), Tensor()); }),
            "ValueError: [write_npy] the tensor must be defined: " + file.path() + " would hold nothing");
  EXPECT_EQ(thrown([&] { write_npy(file.folder() + "/no/x.npy", zeros({1})); }),
            "IoError: [write_npy] cannot write the file: " + file.folder() +
                "/no/x.npy: No such file or directory (create the directory first?)");
  EXPECT_EQ(read(file.path()), "old");
}

TEST(NpyRefused, EveryCutAndNoFlippedBitDoesHarm) {
  const std::string good = read(numpy_file("i2_big_fortran.npy"));
  const std::size_t taken = cut_and_flip(good, "read_npy", read_npy);
  EXPECT_GE(taken, 8U * 24);               // those of the elements are honest files
  EXPECT_LT(taken, 8U * 24 + 8 * 60 + 8);  // and those that make a blank another one, or the dtype another of its size
}
