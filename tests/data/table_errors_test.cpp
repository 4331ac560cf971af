#include <capstan/core/create.h>
#include <capstan/data/table.h>
#include <sys/stat.h>

#include "support.h"

using namespace capstan;
using data::TableOptions;

namespace {

// What a table of these bytes throws, without "FormatError: [parse_table] ".
std::string refused(std::string_view text, const TableOptions& options = {}) {
  const std::string start = "FormatError: [parse_table] ", error = thrown([&] { data::parse_table(text, options, "t.csv"); });
  return error.starts_with(start) ? error.substr(start.size()) : error;
}

}  // namespace

TEST(TableErrors, NotANumber) {
  EXPECT_EQ(refused("1,2\n3,abc\n"), "a field must be a number: 'abc' at t.csv, line 2, column 2");
  EXPECT_EQ(refused("1,2\n3,4x\n"), "a field must be a number: '4x' at t.csv, line 2, column 2");
  for (const std::string field :
       {"-", "+", ".", "e5", "1e", "1e+", "--1", "+-1", "-+1", "++1", "0x10", "1_000", "1.2.3", "nancy", "infinit", "1f"})
    EXPECT_EQ(refused("1\n" + field), "a field must be a number: '" + field + "' at t.csv, line 2, column 1");
  EXPECT_EQ(refused("1,2\n3,\x7F\xE2\x80\x9C"
                    "4\n"),
            "a field must be a number: '\\x7f\\xe2\\x80\\x9c4' at t.csv, line 2, column 2");
  EXPECT_EQ(refused("1\n" + std::string(50, 'a')),
            "a field must be a number: '" + std::string(40, 'a') + "...' at t.csv, line 2, column 1");
  EXPECT_EQ(refused("1\n" + std::string(40, 'a')), "a field must be a number: '" + std::string(40, 'a') + "' at t.csv, line 2, column 1");
}

TEST(TableErrors, NotANumberWithAHint) {
  EXPECT_EQ(refused("1,x\n3,4\n"), "a field must be a number: 'x' at t.csv, line 1, column 2 (a header? set .header = true)");
  EXPECT_EQ(refused("\"a\",b\n3,4\n"), "a field must be a number: '\"a\"' at t.csv, line 1, column 1 (a header? set .header = true)");
  EXPECT_EQ(refused("1,2\n3,\"4\"\n"), "a field must be a number: '\"4\"' at t.csv, line 2, column 2 (numbers must not be quoted)");
  EXPECT_EQ(refused("1;2,5\n"),
            "a field must be a number: '2,5' at t.csv, line 1, column 2 (the delimiter is a semicolon; set .delimiter for another)");
  EXPECT_EQ(refused("1,2\n3 4\n"),
            "a field must be a number: '3 4' at t.csv, line 2, column 1 (the delimiter is a comma; set .delimiter for another)");
  EXPECT_EQ(refused("1\t2 3\n"),
            "a field must be a number: '2 3' at t.csv, line 1, column 2 (the delimiter is a tab; set .delimiter for another)");
  EXPECT_EQ(refused("1 2\n3,4\n"),
            "a field must be a number: '3,4' at t.csv, line 2, column 1 (the delimiter is blanks; set .delimiter for another)");
  EXPECT_EQ(refused("1,2\r3,4\r"), "a field must be a number: '2\\x0d3' at t.csv, line 1, column 2 (lines must end with LF or CRLF)");
  EXPECT_EQ(refused("1,2\r\r\n3,4"), "a field must be a number: '2\\x0d' at t.csv, line 1, column 2 (lines must end with LF or CRLF)");
  for (const char* text : {"1,2\r", "1,2\r\r\n", "1,2\r\r\r\r\n"})  // also where nothing follows
    EXPECT_NE(refused(text).find(" at t.csv, line 1, column 2 (lines must end with LF or CRLF)"), std::string::npos) << refused(text);
  EXPECT_EQ(refused("x\n1\ny\n", {.header = true}), "a field must be a number: 'y' at t.csv, line 3, column 1");
  EXPECT_EQ(refused("x\ny\n1\n", {.header = true}), "a field must be a number: 'y' at t.csv, line 2, column 1");
}

TEST(TableErrors, EmptyFieldsAndLines) {
  EXPECT_EQ(refused("1,,3\n"), "a field must not be empty: t.csv, line 1, column 2");
  EXPECT_EQ(refused("1,2,3,\n"), "a field must not be empty: t.csv, line 1, column 4");
  EXPECT_EQ(refused(",2\n"), "a field must not be empty: t.csv, line 1, column 1");
  EXPECT_EQ(refused("1,2\n3, \n"), "a field must not be empty: t.csv, line 2, column 2");
  EXPECT_EQ(refused("1\t2\n\t\t\n"), "a field must not be empty: t.csv, line 2, column 1");
  EXPECT_EQ(refused("1,2\n\n3,4\n"), "a line must not be empty: t.csv, line 2, column 1");
  EXPECT_EQ(refused("1,2\r\n\r\n3,4\r\n"), "a line must not be empty: t.csv, line 2, column 1");
  EXPECT_EQ(refused("1 2\n  \t \n3 4\n"), "a line must not be empty: t.csv, line 2, column 1");
  EXPECT_EQ(refused("1 2\n  \n"), "a line must not be empty: t.csv, line 2, column 1");
  EXPECT_EQ(refused("\n1,2\n"), "a line must not be empty: t.csv, line 1, column 1");
  EXPECT_EQ(refused("\n1,2\n", {.delimiter = ','}), "a line must not be empty: t.csv, line 1, column 1");
  EXPECT_EQ(refused("a,b\n\n1,2\n", {.header = true}), "a line must not be empty: t.csv, line 2, column 1");
}

TEST(TableErrors, Ragged) {
  EXPECT_EQ(refused("1,2,3\n4,5\n"), "every row must have as many fields as the first: 2 instead of 3 at t.csv, line 2, column 3");
  EXPECT_EQ(refused("1,2\n3,4,5,6\n"), "every row must have as many fields as the first: 4 instead of 2 at t.csv, line 2, column 3");
  EXPECT_EQ(refused("1,2\n3,4,\n"), "every row must have as many fields as the first: 3 instead of 2 at t.csv, line 2, column 3");
  EXPECT_EQ(refused("1 2\n 3 \n"), "every row must have as many fields as the first: 1 instead of 2 at t.csv, line 2, column 2");
  EXPECT_EQ(refused("1 2\r\n3 4 5 \r\n"), "every row must have as many fields as the first: 3 instead of 2 at t.csv, line 2, column 3");
}

TEST(TableErrors, NothingThere) {
  EXPECT_EQ(refused(""), "a table must have rows: t.csv is empty");
  EXPECT_EQ(refused("\r\n\n\n"), "a table must have rows: t.csv is empty");
  EXPECT_EQ(refused("\xEF\xBB\xBF\n"), "a table must have rows: t.csv is empty");
  EXPECT_EQ(refused("", {.header = true}), "a table must have rows: t.csv is empty");
  EXPECT_EQ(refused("a,b\r\n", {.header = true}), "a table must have rows: t.csv has a header and nothing below it");
  EXPECT_EQ(refused("   \n"), "a line must not be empty: t.csv, line 1, column 1");
}

TEST(TableErrors, NotText) {
  using namespace std::string_view_literals;
  EXPECT_EQ(refused("1,2\n3,\0004\n"sv), "a table must be text: byte 0x00 at t.csv, line 2, column 2");
  EXPECT_EQ(refused("1,2\0\n3,4\n"sv), "a table must be text: byte 0x00 at t.csv, line 1, column 2");
  EXPECT_EQ(refused("1\0,\0002\0\n\0"sv), "a table must be text: byte 0x00 at t.csv, line 1, column 1");
  EXPECT_EQ(refused("\0\0\0"sv), "a table must be text: byte 0x00 at t.csv, line 1, column 1");
  EXPECT_EQ(refused("\x1F\x8B\x08"sv), "a table must be text: byte 0x1f at t.csv, line 1, column 1");
  EXPECT_EQ(refused("1\n2\x1A"sv), "a table must be text: byte 0x1a at t.csv, line 2, column 1");
  EXPECT_EQ(refused("a\0b\n1\n"sv, {.header = true}), "a table must be text: byte 0x00 at t.csv, line 1, column 1");
  EXPECT_EQ(refused("\xFF\xFE\x31\0"sv), "a table must be ASCII or UTF-8: t.csv starts with a UTF-16 byte-order mark");
  EXPECT_EQ(refused("\xFE\xFF\0\x31"sv), "a table must be ASCII or UTF-8: t.csv starts with a UTF-16 byte-order mark");
}

TEST(TableErrors, Range) {
  EXPECT_EQ(refused("1\n1e39"), "a number must lie in the range of f32: '1e39' at t.csv, line 2, column 1 (set .dtype = DType::f64)");
  EXPECT_EQ(refused("0.000001e45"),
            "a number must lie in the range of f32: '0.000001e45' at t.csv, line 1, column 1 (set .dtype = DType::f64)");
  EXPECT_EQ(refused("1e400"), "a number must lie in the range of f32: '1e400' at t.csv, line 1, column 1");  // nor of f64
  EXPECT_EQ(refused("-1e309", {.dtype = DType::f64}), "a number must lie in the range of f64: '-1e309' at t.csv, line 1, column 1");
  EXPECT_EQ(refused("1e999999999999999999999", {.dtype = DType::f64}),
            "a number must lie in the range of f64: '1e999999999999999999999' at t.csv, line 1, column 1");
  EXPECT_EQ(refused("1" + std::string(400, '0'), {.dtype = DType::f64, .allow_non_finite = true}),
            "a number must lie in the range of f64: '1" + std::string(39, '0') + "...' at t.csv, line 1, column 1");
}

TEST(TableErrors, NonFinite) {
  for (const std::string field : {"nan", "-inf", "Infinity", "+inf", "NAN"})
    EXPECT_EQ(refused("1," + field),
              "a number must be finite: '" + field + "' at t.csv, line 1, column 2 (.allow_non_finite = true accepts it)");
}

TEST(TableErrors, NaNWithAPayload) {
  for (const std::string field : {"nan(1)", "-nan(foo_9)", "NaN()"})
    EXPECT_EQ(refused("0,0\n1," + field, {.allow_non_finite = true}),
              "a field must be a number: '" + field + "' at t.csv, line 2, column 2");
}

TEST(TableErrors, Header) {
  EXPECT_EQ(refused("a,b,c\n1,2\n", {.header = true}), "the header must name every column: 3 names for 2 columns in t.csv, line 1");
  EXPECT_EQ(refused("a\n1,2\n", {.header = true}), "the header must name every column: 1 names for 2 columns in t.csv, line 1");
  EXPECT_EQ(refused("\n1,2\n", {.header = true}), "a line must not be empty: t.csv, line 1, column 1");
  EXPECT_EQ(refused("a\rb,c\n1,2\n", {.header = true}), "lines must end with LF or CRLF: a CR stands within t.csv, line 1");
  EXPECT_EQ(refused("a\xff,b\n1,2\n", {.header = true}), "a table must be ASCII or UTF-8: byte 0xff in t.csv, line 1");
  for (const char* bad : {"\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80", "\xf0\x8f\xbf\xbf"})
    EXPECT_NE(refused(bad + std::string(",b\n1,2\n"), {.header = true}).find("a table must be ASCII or UTF-8"), std::string::npos) << bad;
  EXPECT_EQ(refused("a,\"b\n1,2\n", {.header = true}), "a quoted name must end with its quote: t.csv, line 1, column 2");
  EXPECT_EQ(refused("a,\"b\"c\n1,2\n", {.header = true}), "a quoted name must end with its quote: t.csv, line 1, column 2");
  EXPECT_EQ(refused("\"\n1\n", {.header = true}), "a quoted name must end with its quote: t.csv, line 1, column 1");
}

TEST(TableErrors, NamesAreKeptWhenReadingFails) {
  std::vector<std::string> names = {"before"};
  refused("a,b\n1,x\n", {.header = true, .names = &names});
  EXPECT_EQ(names, std::vector<std::string>{"before"});
}

TEST(TableErrors, Options) {
  const auto text = [](const TableOptions& options) { return thrown([&] { data::read_table("missing.csv", options); }); };
  for (const std::string d : {"e", "1", ".", "-", "+", "\"", "A"})
    EXPECT_EQ(text({.delimiter = d[0]}),
              "ValueError: [read_table] a delimiter must be a blank, a tab or punctuation that no number holds: '" + d + "'");
  EXPECT_EQ(text({.delimiter = '\n'}),
            "ValueError: [read_table] a delimiter must be a blank, a tab or punctuation that no number holds: '\\x0a'");
  EXPECT_EQ(text({.dtype = DType::i64}), "ValueError: [read_table] the dtype must be f32 or f64: i64 (convert with to())");
  std::vector<std::string> names;
  EXPECT_EQ(text({.names = &names}), "ValueError: [read_table] names come from a header: .header = false");
}

TEST(TableErrors, Files) {
  const auto read = [](const std::string& path) { return thrown([&] { data::read_table(path); }); };
  const Scratch file("t.csv", "1,2\n3,?\n");
  EXPECT_EQ(read(file.path()), "FormatError: [read_table] a field must be a number: '?' at " + file.path() + ", line 2, column 2");
  EXPECT_EQ(read(file.folder()), "IoError: [read_table] the file must be readable: " + file.folder() + ": Is a directory");
  EXPECT_EQ(read(file.folder() + "/none"),
            "IoError: [read_table] the file must be readable: " + file.folder() + "/none: No such file or directory");
  EXPECT_EQ(read(""), "IoError: [read_table] the file must be readable: : No such file or directory");
  EXPECT_EQ(read(file.path() + "/x"), "IoError: [read_table] the file must be readable: " + file.path() + "/x: Not a directory");
  EXPECT_EQ(read("/dev/null"), "IoError: [read_table] a file is needed: /dev/null is a device");
  EXPECT_EQ(read(std::string("a\0b", 3)), "IoError: [read_table] a path must not hold a zero byte: a");
  const Scratch empty("e.csv", "");
  EXPECT_EQ(read(empty.path()), "FormatError: [read_table] a table must have rows: " + empty.path() + " is empty");
}

TEST(TableErrors, Unreadable) {
  const Scratch file("t.csv", "1\n");
  ASSERT_EQ(::chmod(file.path().c_str(), 0), 0);
  ASSERT_EQ(::chmod(file.folder().c_str(), 0755), 0);
  const bool root = ::geteuid() == 0;  // whom no mode stops
  if (root && ::seteuid(65534) != 0) GTEST_SKIP() << "root cannot be somebody else here";
  const std::string text = thrown([&] { data::read_table(file.path()); });
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  EXPECT_EQ(text, "IoError: [read_table] the file must be readable: " + file.path() + ": Permission denied");
}

TEST(TableErrors, OtherFilesAreCalledByTheirNames) {
  using namespace std::string_literals;
  const auto read = [](const std::string& bytes) {
    const Scratch file("t.csv", bytes);
    std::string text = thrown([&] { data::read_table(file.path()); });
    if (const std::size_t at = text.find(file.path()); at != std::string::npos) text.replace(at, file.path().size(), "FILE");
    return text;
  };
  const std::string begin = "FormatError: [read_table] a table in text is needed: FILE is ";
  EXPECT_EQ(read("\x93NUMPY\1\0"s + std::string(100, ' ')), begin + "a NumPy array (read it by data::read_npy)");
  EXPECT_EQ(read("PK\x03\x04"s + std::string(100, '\0')),
            begin +
                "a zip archive, as of NumPy's savez or PyTorch's save (data::read_npz reads NumPy's; write PyTorch's state dict by"
                " safetensors.torch.save_file)");
  EXPECT_EQ(read("\x80\x04\x95\n\n"s), begin + "a Python pickle (write the tensors by safetensors)");
  EXPECT_EQ(read("\x1f\x8b\x08\0"s), begin + "compressed by gzip (unpack it first)");
  EXPECT_EQ(read("\x10\0\0\0\0\0\0\0{}              "s), begin + "a safetensors file (read it by load)");
  EXPECT_EQ(read("\0\0\x08\x01\0\0\0\x01\x05"s), begin + "an IDX file (read it by data::read_idx)");
  EXPECT_EQ(read("{\"a\": [1, 2]}\n"), begin + "a JSON text");
  // What is nothing known, or a table with a fault, is refused as ever.
  EXPECT_EQ(read("\x01\x02"), "FormatError: [read_table] a table must be text: byte 0x01 at FILE, line 1, column 1");
  EXPECT_EQ(read("1,2\n3\n"),
            "FormatError: [read_table] every row must have as many fields as the first: 1 instead of 2 at FILE, line 2, column 2");
  EXPECT_EQ(read(""), "FormatError: [read_table] a table must have rows: FILE is empty");
  // What begins as another kind and is a table is read.
  const Scratch honest("t.csv", "GGUF,b\n1,2\n");
  EXPECT_EQ(data::read_table(honest.path(), {.header = true}).shape(), Shape({1, 2}));
}
