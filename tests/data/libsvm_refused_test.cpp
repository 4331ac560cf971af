// Each way in which LIBSVM's text may be wrong, with the whole error.
#include <capstan/data/libsvm.h>

#include <chrono>

#include "arrays.h"

using namespace capstan;
using data::Labels;
using data::LibsvmOptions;

namespace {

using namespace std::string_literals;

std::string libsvm_throws(const std::string& bytes, const LibsvmOptions& options = {}) {
  return refusal(bytes, [&](const std::string& path) { data::read_libsvm(path, options); });
}
/// The same by a stream, which must say the same: the first time that it reads, or in its first pass.
std::string stream_throws(const std::string& bytes, LibsvmOptions options) {
  std::string text = refusal(bytes, [&](const std::string& path) {
    for (auto [x, y] : data::Batches(data::Libsvm(path, options), {.batch_size = 1})) continue;
  });
  for (const std::string op : {"[Libsvm]", "[Batches]"})
    if (const std::size_t at = text.find(op); at != std::string::npos) text.replace(at, op.size(), "[read_libsvm]");
  return text;
}

struct Case {
  std::string bytes;
  const char* text;  // behind "FormatError: [read_libsvm] "
  LibsvmOptions options = {};
};

// clang-format off
const Case cases[] = {
    {"", "a file must have rows: FILE is empty"},
    {"\n# nothing\n \t\r\n", "a file must have rows: FILE has none"},
    // Labels.
    {"1:5\n", "a row must begin with its label: '1:5' at FILE, line 1, column 1"},
    {"1 1:2\n  2:3\n", "a row must begin with its label: '2:3' at FILE, line 2, column 3"},
    {"qid:1 1:2\n", "a row must begin with its label: 'qid:1' at FILE, line 1, column 1"},
    {"spam 1:5\n", "a label must be a number: 'spam' at FILE, line 1, column 1"},
    {"0x10 1:5\n", "a label must be a number: '0x10' at FILE, line 1, column 1"},
    {"+ 1:5\n", "a label must be a number: '+' at FILE, line 1, column 1"},
    {"+-1 1:5\n", "a label must be a number: '+-1' at FILE, line 1, column 1"},
    {"--1\n", "a label must be a number: '--1' at FILE, line 1, column 1"},
    {"1,2 1:5\n", "a row must have one label: '1,2' at FILE, line 1, column 1"},
    {"1 2 1:5\n", "a feature must be index:value: '2' at FILE, line 1, column 3"},
    {"nan 1:5\n", "a label must be finite: 'nan' at FILE, line 1, column 1"},
    {"-inf\n", "a label must be finite: '-inf' at FILE, line 1, column 1"},
    {"nan(1)\n", "a label must be a number: 'nan(1)' at FILE, line 1, column 1"},
    {"1e999\n", "a label must lie in the range of f32: '1e999' at FILE, line 1, column 1"},
    {"1e39\n", "a label must lie in the range of f32: '1e39' at FILE, line 1, column 1 (set .dtype = DType::f64)"},
    {"1\n0 1:5\n", "a label must be -1 or +1: '0' at FILE, line 2, column 1 (.labels = Labels::real takes 0 and 1)", {.labels = Labels::binary}},
    {"2\n", "a label must be -1 or +1: '2' at FILE, line 1, column 1", {.labels = Labels::binary}},
    {"1.5\n", "a class must be a whole number of at most 2^53: '1.5' at FILE, line 1, column 1", {.labels = Labels::classes}},
    {"-9007199254740994\n", "a class must be a whole number of at most 2^53: '-9007199254740994' at FILE, line 1, column 1", {.labels = Labels::classes}},
    // Indices.
    {"1 0:5\n", "an index must be 1 or more: '0:5' at FILE, line 1, column 3 (set .base = 0)", {.base = 1}},
    {"1 -1:5\n", "an index must not be negative: '-1:5' at FILE, line 1, column 3"},
    {"1 +1:5\n", "an index must have digits alone: '+1:5' at FILE, line 1, column 3"},
    {"1 1.0:5\n", "an index must have digits alone: '1.0:5' at FILE, line 1, column 3"},
    {"1 x:5\n", "an index must have digits alone: 'x:5' at FILE, line 1, column 3"},
    {"1 0x1:5\n", "an index must have digits alone: '0x1:5' at FILE, line 1, column 3"},
    {"1 281474976710657:5\n", "an index must be at most 2^48: '281474976710657:5' at FILE, line 1, column 3"},
    {"1 18446744073709551617:5\n", "an index must be at most 2^48: '18446744073709551617:5' at FILE, line 1, column 3"},
    {"1 1:1 11:5\n", "an index must be at most 10, the last of the features: '11:5' at FILE, line 1, column 7", {.features = 10, .base = 1}},
    {"1 1:1 10:5\n", "an index must be at most 9, the last of the features: '10:5' at FILE, line 1, column 7", {.features = 10, .base = 0}},
    {"1 11:5\n", "an index must be at most 10, the last of the features: '11:5' at FILE, line 1, column 3", {.features = 10}},
    {"1 0:1 10:5\n", "an index must be at most 9, the last of the features: '10:5' at FILE, line 1, column 7", {.features = 10}},
    {"1 10:5\n2 10:6\n3 0:1\n", "an index must be at most 9, the last of the features: '10:5' at FILE, line 1, column 3, where the index 0 of line 3 makes 0 the base", {.features = 10}},
    {"1 2:1 1:5\n", "the indices of a row must ascend, each once: '1:5' at FILE, line 1, column 7"},
    {"1 2:1 2:5\n", "the indices of a row must ascend, each once: '2:5' at FILE, line 1, column 7"},
    {"1 2:1 0:5\n", "the indices of a row must ascend, each once: '0:5' at FILE, line 1, column 7"},
    {"1 0:1 0:5\n", "the indices of a row must ascend, each once: '0:5' at FILE, line 1, column 7"},
    {"1 00000000000000000002:1 0000000000000000002:5\n", "the indices of a row must ascend, each once: '0000000000000000002:5' at FILE, line 1, column 26"},
    // Values.
    {"1 1:\n", "a feature must be index:value: '1:' at FILE, line 1, column 3"},
    {"1 :5\n", "a feature must be index:value: ':5' at FILE, line 1, column 3"},
    {"1 :5\n", "a feature must be index:value: ':5' at FILE, line 1, column 3", {.base = 0}},
    {"1 1 :2\n", "a feature must be index:value: '1' at FILE, line 1, column 3"},
    {"1 1: 2\n", "a feature must be index:value: '1:' at FILE, line 1, column 3"},
    {"1 :\n", "a feature must be index:value: ':' at FILE, line 1, column 3"},
    {"1 1:2:3\n", "a value must be a number: '1:2:3' at FILE, line 1, column 3"},
    {"1 1:0x10\n", "a value must be a number: '1:0x10' at FILE, line 1, column 3"},
    {"1 1:0,5\n", "a value must be a number: '1:0,5' at FILE, line 1, column 3"},
    {"1 1:2,2:3\n", "a value must be a number: '1:2,2:3' at FILE, line 1, column 3"},
    {"1 1:.\n", "a value must be a number: '1:.' at FILE, line 1, column 3"},
    {"1 1:1e\n", "a value must be a number: '1:1e' at FILE, line 1, column 3"},
    {"1 1:+-1\n", "a value must be a number: '1:+-1' at FILE, line 1, column 3"},
    {"1 1:1f\n", "a value must be a number: '1:1f' at FILE, line 1, column 3"},
    {"1 1:nan\n", "a value must be finite: '1:nan' at FILE, line 1, column 3"},
    {"1 1:-inf\n", "a value must be finite: '1:-inf' at FILE, line 1, column 3"},
    {"1 1:INFINITY\n", "a value must be finite: '1:INFINITY' at FILE, line 1, column 3"},
    {"1 1:1e999\n", "a value must lie in the range of f32: '1:1e999' at FILE, line 1, column 3"},
    {"1 1:-1e999\n", "a value must lie in the range of f64: '1:-1e999' at FILE, line 1, column 3", {.dtype = DType::f64}},
    {"1 1:4e38\n", "a value must lie in the range of f32: '1:4e38' at FILE, line 1, column 3 (set .dtype = DType::f64)"},
    // Queries.
    {"1 qid:x 1:5\n", "a qid must be a whole number of 64 bits: 'qid:x' at FILE, line 1, column 3"},
    {"1 qid: 1:5\n", "a qid must be a whole number of 64 bits: 'qid:' at FILE, line 1, column 3"},
    {"1 qid:9223372036854775808\n", "a qid must be a whole number of 64 bits: 'qid:9223372036854775808' at FILE, line 1, column 3"},
    {"1 1:5 qid:3\n", "a qid must stand once, behind the label: 'qid:3' at FILE, line 1, column 7"},
    {"1 qid:3 qid:3\n", "a qid must stand once, behind the label: 'qid:3' at FILE, line 1, column 9"},
    {"1 q\n", "a feature must be index:value: 'q' at FILE, line 1, column 3"},
    // Bytes.
    {"\0"s, "a text of LIBSVM's must be ASCII: byte 0x00 at FILE, line 1, column 1"},
    {"1 1:2\n1 1:\0002\n"s, "a text of LIBSVM's must be ASCII: byte 0x00 at FILE, line 2, column 5"},
    {"1 1:2 \0\n"s, "a text of LIBSVM's must be ASCII: byte 0x00 at FILE, line 1, column 7"},
    {"1 1:2 # a\0\n"s, "a text of LIBSVM's must be ASCII: byte 0x00 at FILE, line 1, column 10"},
    {"1 1:2\0"s, "a text of LIBSVM's must be ASCII: byte 0x00 at FILE, line 1, column 6"},
    {"1 1:2\v\n", "a text of LIBSVM's must be ASCII: byte 0x0b at FILE, line 1, column 6"},
    {"1 1:\xc2\xb2\n", "a text of LIBSVM's must be ASCII: byte 0xc2 at FILE, line 1, column 5"},
    {"1 1:2\x7f\n", "a text of LIBSVM's must be ASCII: byte 0x7f at FILE, line 1, column 6"},
    {"\xef\xbb\xbf" "1 1:5\n", "a text of LIBSVM's must be ASCII: byte 0xef at FILE, line 1, column 1 (a byte-order mark: save the file without one)"},
    {"\xff\xfe" "1\0"s, "a text of LIBSVM's must be ASCII: byte 0xff at FILE, line 1, column 1 (a byte-order mark: save the file without one)"},
    {"1\n\xef\xbb\xbf" "1 1:5\n", "a text of LIBSVM's must be ASCII: byte 0xef at FILE, line 2, column 1"},
    {"1 1:2\r2 1:3\n", "lines must end with LF or CRLF: a CR at FILE, line 1, column 6"},
    {"1 1:2 # a\rb\n", "lines must end with LF or CRLF: a CR at FILE, line 1, column 10"},
    {"\r\r\n", "lines must end with LF or CRLF: a CR at FILE, line 1, column 1"},
    {"1 1:2 2:3x y\n", "a value must be a number: '2:3x' at FILE, line 1, column 7"},
    {"1 " + std::string(60, '7') + ":1\n", "an index must be at most 2^48: '7777777777777777777777777777777777777777...' at FILE, line 1, column 3"},
    // Compressed.
    {gzip("1 1:2\n1 2:1 1:5\n"), "the indices of a row must ascend, each once: '1:5' at FILE, line 2, column 7"},
    {gzip("1 1:2\n").substr(0, 20), "the compressed data must be whole: FILE, byte 20 of the file: its end"},
    {gzip(""), "a file must have rows: FILE is empty"},
};
// clang-format on

}  // namespace

TEST(LibsvmRefused, EachTextWithItsError) {
  for (const Case& c : cases) {
    const std::string wanted = std::string("FormatError: [read_libsvm] ") + c.text;
    EXPECT_EQ(libsvm_throws(c.bytes, c.options), wanted);
    EXPECT_EQ(stream_throws(c.bytes, c.options), wanted) << "by a stream";
  }
}

TEST(LibsvmRefused, AStreamThatNeedNotLookFindsItInItsPass) {
  const Scratch file("file", "1 1:2\n1 1:x\n");
  const data::Libsvm stream(file.path(), {.features = 3, .base = 1});
  std::int64_t seen = 0;
  data::Batches batches(stream, {.batch_size = 1});
  EXPECT_EQ(thrown([&] {
              for (auto [x, y] : batches) seen += x.rows();
            }),
            "FormatError: [Batches] a value must be a number: '1:x' at " + file.path() + ", line 2, column 3");
  EXPECT_EQ(seen, 0 + 1);
  EXPECT_EQ(batches.epoch(), 0);
  EXPECT_EQ(values(batches.state()["next"]), Values{-1});
}

TEST(LibsvmRefused, QueriesThatAreWanted) {
  Tensor query = tensor({7});
  EXPECT_EQ(libsvm_throws("1 qid:1 1:2\n2\n", {.query_id = &query}),
            "FormatError: [read_libsvm] every row must have a qid where they are wanted: FILE, line 2 has none");
  EXPECT_EQ(values(query), Values{7});
}

TEST(LibsvmRefused, Options) {
  const auto text = [](const LibsvmOptions& options) {
    const std::string read = thrown([&] { data::read_libsvm("missing", options); });
    EXPECT_EQ(thrown([&] { data::Libsvm stream("missing", options); }).substr(20), read.substr(25));
    return read;
  };
  EXPECT_EQ(text({.features = -1}), "ValueError: [read_libsvm] features must lie in [0, 2^48]: -1");
  EXPECT_EQ(text({.features = (std::int64_t{1} << 48) + 1}), "ValueError: [read_libsvm] features must lie in [0, 2^48]: 281474976710657");
  EXPECT_EQ(text({.base = 2}), "ValueError: [read_libsvm] base must be 0, 1, or -1 for either: 2");
  EXPECT_EQ(text({.base = -2}), "ValueError: [read_libsvm] base must be 0, 1, or -1 for either: -2");
  EXPECT_EQ(text({.dtype = DType::i64}), "ValueError: [read_libsvm] the dtype must be f32 or f64: i64");
  Tensor query;
  EXPECT_EQ(thrown([&] { data::Libsvm stream("missing", {.query_id = &query}); }),
            "ValueError: [Libsvm] query ids are for read_libsvm: .query_id is set");
}

TEST(LibsvmRefused, Files) {
  EXPECT_EQ(thrown([] { data::read_libsvm("/nowhere/x"); }),
            "IoError: [read_libsvm] the file must be readable: /nowhere/x: No such file or directory");
  EXPECT_EQ(thrown([] { data::Libsvm stream("/dev"); }), "IoError: [Libsvm] a file is needed: /dev is a directory");
  EXPECT_EQ(libsvm_throws("\x93NUMPY\1"),
            "FormatError: [read_libsvm] a text of LIBSVM's is needed: FILE is a NumPy array (read it by data::read_npy)");
}

TEST(LibsvmRefused, EveryCutAndFlippedBit) {
  const std::string good = "+1 1:0.5 3:-2e-3 # c\n-1 qid:2 2:1\r\n";
  const int file = ::memfd_create("file", MFD_CLOEXEC);
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  int bad = 0;
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
    ASSERT_EQ(::pwrite(file, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    const std::string text = refusal_of(path, [](const std::string& p) { data::read_libsvm(p); });
    bad += text != "nothing";
    EXPECT_TRUE(text == "nothing" || text.starts_with("FormatError: [read_libsvm] ")) << text;
  }
  EXPECT_GT(bad, 100);
  ::close(file);
}

// The time of ten times as much text is ten times as long, whatever it is.
TEST(LibsvmRefused, HugeLinesAndNumbersTakeLinearTime) {
  const auto seconds = [](const std::string& bytes) {
    const Scratch file("file", bytes);
    const auto begin = std::chrono::steady_clock::now();
    thrown([&] { data::read_libsvm(file.path()); });
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  const std::size_t size = 10'000'000;
  std::string row = "1";
  for (int i = 1; row.size() < size; ++i) row += " " + std::to_string(i) + ":1";
  for (const std::string& bytes :
       {row, "1 1:" + std::string(size, '7'), "1 1:0." + std::string(size, '0') + "1", "1 1:1e" + std::string(size, '9'),
        "1 1:" + std::string(size, '0') + "1.5", "1 " + std::string(size, '0') + "1:1", std::string(size, '1'),
        "1" + std::string(size, ' '), "1 # " + std::string(size, '#'), std::string(size, 'x'), "1 1:1 " + std::string(size, ':'),
        std::string(size, '\n'), "1 1:1e-" + std::string(size, '9')})
    EXPECT_LT(seconds(bytes), 2) << bytes.substr(0, 20);
}

TEST(LibsvmRefused, ALineWithoutEndIsNotWaitedFor) {
  const auto hole = [](const std::string& begin) {
    const Scratch file("file", begin);
    EXPECT_EQ(::truncate(file.path().c_str(), off_t{1} << 40), 0);
    return refusal_of(file.path(), [](const std::string& path) { data::read_libsvm(path); });
  };
  const std::string text = "FormatError: [read_libsvm] a text of LIBSVM's must be ASCII: byte 0x00 at FILE, line ";
  EXPECT_EQ(hole(""), text + "1, column 1");
  EXPECT_EQ(hole("1 1:2"), text + "1, column 6");
  EXPECT_EQ(hole("1 1:2\n2 1:3\n"), text + "3, column 1");
  EXPECT_EQ(hole("1 1:2\n2 1:3 # "), text + "2, column 9");
  EXPECT_EQ(hole("1" + std::string(1 << 20, ' ')), text + "1, column 1048578");
}
