#include "arrays.h"

// Archives that are not as they should be, each with the whole text of its error; then every cut and every flipped bit of a good one.

using namespace capstan;

namespace {

using namespace std::string_literals;

const std::string one = npy_bytes(literal(), "1234");  // 72 bytes
const Member x{.name = "x.npy", .content = one}, y{.name = "y.npy", .content = one};
const std::size_t size_of_x = x.header().size();

struct Refused {
  std::string bytes;
  std::string text;  // behind "FormatError: [read_npz] "
};

/// An archive of x whose end says other numbers.
std::string with_end(std::uint64_t count, std::int64_t size, std::int64_t at) {
  const auto [bytes, directory] = zip_parts({x});
  return bytes + directory +
         zip_end(count, static_cast<std::uint64_t>(static_cast<std::int64_t>(directory.size()) + size),
                 static_cast<std::uint64_t>(static_cast<std::int64_t>(bytes.size()) + at));
}

/// One with a ZIP64 end whose numbers are these instead of the right ones.
std::string with_end64(std::uint64_t record, std::uint64_t place, std::uint64_t disks, std::uint64_t here = 1) {
  const auto [bytes, directory] = zip_parts({x});
  return bytes + directory + "PK\6\6" + little(record, 8) + little(45, 2) + little(45, 2) + little(0, 8) + little(here, 8) + little(1, 8) +
         little(directory.size(), 8) + little(bytes.size(), 8) + "PK\6\7" + little(0, 4) + little(place, 8) + little(disks, 4) +
         zip_end(0xffff, 0xffffffff, 0xffffffff);
}

/// One whose end says that it is on several disks.
std::string on_disk(std::size_t field) {
  std::string bytes = zip_bytes({x});
  bytes[bytes.size() - 22 + field] = '\2';
  return bytes;
}

/// x and a gap, or y at another place.
std::string with_gap(const std::string& gap) {
  const std::string bytes = x.header() + gap + y.header(), directory = x.entry(0) + y.entry(size_of_x + gap.size());
  return bytes + directory + zip_end(2, directory.size(), bytes.size());
}

Member described(const std::string& descriptor) { return {.name = "x.npy", .content = one, .flags = 8, .descriptor = descriptor}; }

std::string place(std::size_t n) { return std::to_string(n); }

std::vector<Refused> cases() {
  const std::string zeros = npy_bytes(literal("'<f4'", "(1000,)"), std::string(4'000, '\0'));
  const std::string bomb = npy_bytes(literal(), "1234") + std::string(1'000'000, '\0');
  const std::string crc = little(x.crc, 4), size = little(one.size(), 4);
  const std::uint64_t max = 0xffffffff;
  std::vector<Refused> list = {
      // The end.
      {"", "a NumPy archive (.npz) is needed: FILE is empty"},
      {"abc", "a NumPy archive (.npz) is needed: FILE is no zip archive"},
      {"PK\3\4", "the archive must end in its directory: FILE has none (is it cut?)"},
      {zip_end(0xffff, 0, 0), "the directory must hold its entries: FILE: 0 bytes are said to be 65535 entries"},  // no room for a locator
      {zip_bytes({x}) + "\0"s, "the archive must end in its directory: FILE has none (is it cut?)"},
      {on_disk(4), "the archive must be one file: FILE is one of several"},
      {on_disk(6), "the archive must be one file: FILE is one of several"},
      {on_disk(8), "the archive must be one file: FILE is one of several"},
      {with_end(1, -1, 0),
       "the directory must end where the archive's end begins: FILE: it is said to have 50 bytes from 107 on, the end begins at 158"},
      {with_end(1, 0, 1),
       "the directory must end where the archive's end begins: FILE: it is said to have 51 bytes from 108 on, the end begins at 158"},
      {with_end(1, 0, 1000),
       "the directory must end where the archive's end begins: FILE: it is said to have 51 bytes from 1107 on, the end begins at 158"},
      {"JUNK" + zip_bytes({x}),
       "the directory must end where the archive's end begins: FILE: it is said to have 51 bytes from 107 on, the end begins at 162"},
      {with_end(2, 0, 0), "the directory must hold its entries: FILE: 51 bytes are said to be 2 entries"},
      {with_end(0, 0, 0), "the directory must end with its last entry: FILE: 51 bytes follow"},
      {with_end(1, 1, -1), "the directory must hold its entries: FILE: entry 0 of 1 is none"},
      {with_end(0xffff, 0, 0), "the directory must hold its entries: FILE: 51 bytes are said to be 65535 entries"},
      // ZIP64's.
      {with_end64(44, 1000, 1), "the ZIP64 end must lie before its locator: FILE says byte 1000"},
      {with_end64(44, 159, 1), "the ZIP64 end must lie before its locator: FILE says byte 159"},
      {with_end64(44, 157, 1), "the ZIP64 end must lie before its locator: FILE has none at byte 157"},
      {with_end64(45, 158, 1), "the ZIP64 end must lie before its locator: FILE has none at byte 158"},
      {with_end64(44, 0xffffffffffffffff, 1), "the ZIP64 end must lie before its locator: FILE says byte 18446744073709551615"},
      {with_end64(44, 158, 2), "the archive must be one file: FILE is one of several"},
      {with_end64(44, 158, 1, 2), "the archive must be one file: FILE is one of several"},
      // The directory.
      {zip_bytes({{.name = "x.npy", .content = one, .disk = 1}}), "the archive must be one file: FILE, 'x.npy' is on another one"},
      {zip_bytes({{.name = "x.npy", .content = one, .flags = 1}}), "a member must not be encrypted: FILE, 'x.npy' is"},
      {zip_bytes({{.name = "x.npy", .content = one, .flags = 1 << 13}}), "a member must not be encrypted: FILE, 'x.npy' is"},
      {zip_bytes({{.name = "x.npy", .content = one, .method = 12}}),
       "a member must be stored or deflated: FILE, 'x.npy' has the method 12"},
      {zip_bytes({{.name = "x.npy", .content = one, .size = 73}}),
       "a stored member must take as many bytes as it has: FILE, 'x.npy': 72 and 73"},
      {zip_bytes({{.name = "x.npy", .content = one, .size = max, .packed_size = max}}),
       "sizes of 2^32 - 1 must stand in a ZIP64 field: FILE, 'x.npy' has none"},
      {zip_bytes({{.name = "x.npy",
                   .content = one,
                   .size = max,
                   .packed_size = max,
                   .entry_extra = little(1, 2) + little(8, 2) + little(72, 8)}}),
       "sizes of 2^32 - 1 must stand in a ZIP64 field: FILE, 'x.npy' has none"},
      {zip_bytes({{.name = "x.npy", .content = one, .size = max, .entry_extra = little(1, 2) + little(9, 2) + little(72, 8)}}),
       "sizes of 2^32 - 1 must stand in a ZIP64 field: FILE, 'x.npy' has none"},
      {zip_bytes({x, x}), "a member must come once: FILE, 'x.npy' again"},
      // Names.
      {zip_bytes({{.name = "\xc3\xa9.npy", .content = one}}),
       "a name must be ASCII, or UTF-8 and marked as such, without zero bytes: FILE, entry 0"},
      {zip_bytes({x, {.name = "\xff.npy", .content = one, .flags = 1 << 11}}),
       "a name must be ASCII, or UTF-8 and marked as such, without zero bytes: FILE, entry 1"},
      {zip_bytes({{.name = "x\0.npy"s, .content = one}}),
       "a name must be ASCII, or UTF-8 and marked as such, without zero bytes: FILE, entry 0"},
      {zip_bytes({{.name = "x.txt", .content = one}}), "a member must be an array, named .npy: FILE, 'x.txt' is not"},
      {zip_bytes({{.name = "\x1b[2J\n" + std::string(200, 'x'), .content = one}}),
       "a member must be an array, named .npy: FILE, '\\x1b[2J\\x0a" + std::string(95, 'x') + "...' is not"},
      {zip_bytes({{.name = "folder/", .content = ""}}), "a member must be an array, named .npy: FILE, 'folder/' is not"},
      {zip_bytes({{.name = "archive/data.pkl", .content = "\x80\x02"}}),
       "a member must be an array, named .npy: FILE, 'archive/data.pkl' is PyTorch's (write the state dict by "
       "safetensors.torch.save_file)"},
      // The member's own header.
      {zip_bytes({{.name = "x.npy", .content = one, .at = 1}}), "a member must begin with its header: FILE, 'x.npy', byte 1"},
      {zip_bytes({{.name = "x.npy", .content = one, .at = 100}}), "a member must lie before the directory: FILE, 'x.npy' does not"},
      {zip_bytes({{.name = "x.npy", .content = one, .at = 1000}}), "a member must lie before the directory: FILE, 'x.npy' does not"},
      {zip_bytes({{.name = "x.npy", .content = one, .size = 73, .packed_size = 73}}),
       "a member must lie before the directory: FILE, 'x.npy' does not"},
      {zip_bytes({{.name = "x.npy", .content = one, .size = 0xfffffffe, .packed_size = 0xfffffffe}}),
       "a member must lie before the directory: FILE, 'x.npy' does not"},
      // Bytes.
      {with_gap("?"), "each byte must belong to a member: FILE: those from 107 to 108 do not"},
      {x.header() + "?" + x.entry(0) + zip_end(1, 51, 108), "each byte must belong to a member: FILE: those from 107 to 108 do not"},
      {x.header() + x.header() + x.entry(size_of_x) + zip_end(1, 51, 214),
       "each byte must belong to a member: FILE: those from 0 to 107 do not"},
      {zip_bytes({x, {.name = "y.npy", .content = one, .header_name = "x.npy", .at = 0}}),
       "a member's header must say what the directory says: FILE, 'y.npy'"},
      // A data descriptor.
      {zip_bytes({described("")}), "a data descriptor must follow the bytes and say what the directory says: FILE, 'x.npy', byte 107"},
      {zip_bytes({described(crc + size + size + "?")}),
       "a data descriptor must follow the bytes and say what the directory says: FILE, 'x.npy', byte 107"},
      {zip_bytes({described(little(x.crc ^ 1, 4) + size + size)}),
       "a data descriptor must follow the bytes and say what the directory says: FILE, 'x.npy', byte 107"},
      {zip_bytes({described("PK\7\11" + crc + size + size)}),
       "a data descriptor must follow the bytes and say what the directory says: FILE, 'x.npy', byte 107"},
      {zip_bytes({described(crc + size + little(71, 4))}),
       "a data descriptor must follow the bytes and say what the directory says: FILE, 'x.npy', byte 107"},
      {zip_bytes({described(crc + little(71, 4) + size)}),
       "a data descriptor must follow the bytes and say what the directory says: FILE, 'x.npy', byte 107"},
      // The content.
      {zip_bytes({{.name = "x.npy", .content = one, .crc = 1}}),
       "the checksum must be that of the content: FILE, 'x.npy': " + place(x.crc) + ", the directory says 1"},
      {zip_bytes({{.name = "x.npy", .content = "none"}}), "the header must be whole: FILE, 'x.npy' ends within it"},
      {zip_bytes({{.name = "x.npy", .content = "no array is here"}}),
       "an array must begin with NumPy's magic word: FILE, 'x.npy' does not"},
      {zip_bytes({{.name = "x.npy", .content = one + "5"}}),
       "the file must end with its last element: FILE, 'x.npy': [1] takes 4 bytes behind the header, there are 5"},
      {zip_bytes({{.name = "x.npy", .content = npy_bytes(literal("'|O'"), "1234")}}),
       "the dtype must be one that a tensor here can hold: FILE, 'x.npy' has '|O', Python's objects, which are pickled (f2 f4 f8 i1 i2 i4 "
       "i8 u1 u2 u4 u8 b1 are read, after < or >; f4 is float32)"},
      {zip_bytes({{.name = "x.npy", .content = npy_bytes("{}", "")}}),
       "the header must have descr, fortran_order and shape: FILE, 'x.npy' has no descr"},
      // What is deflated.
      {zip_bytes({{.name = "x.npy", .content = bomb, .deflated = true}}),
       "the file must end with its last element: FILE, 'x.npy': [1] takes 4 bytes behind the header, there are 1000004"},
      {zip_bytes({{.name = "x.npy", .content = bomb, .deflated = true, .size = one.size()}}),
       "a member must have its size: FILE, 'x.npy' inflates to more than 72 bytes"},
      {zip_bytes({{.name = "x.npy", .content = zeros, .deflated = true, .size = 1'000'000'000}}),
       "a member must be able to have its size: FILE, 'x.npy': " + place(packed(zeros, false).size()) +
           " bytes never inflate to 1000000000"},
      {zip_bytes({{.name = "x.npy", .content = zeros.substr(0, 4'000), .deflated = true, .size = zeros.size()}}),
       "the data must hold all elements: FILE, 'x.npy': 71 bytes are missing"},
      {zip_bytes({{.name = "x.npy", .content = zeros, .deflated = true, .crc = 7}}),
       "the checksum must be that of the content: FILE, 'x.npy': 1593784408, the directory says 7"},
      {zip_bytes({{.name = "x.npy", .content = one, .deflated = true, .bytes = packed(one, false) + "?"}}),
       "nothing must follow the compressed data: FILE, 'x.npy', byte " + place(35 + packed(one, false).size()) +
           " of the file: another byte"},
      {zip_bytes({{.name = "x.npy", .content = one, .deflated = true, .bytes = packed(one, false).substr(0, 60)}}),
       "the compressed data must be whole: FILE, 'x.npy', byte 95 of the file: its end"},
      {zip_bytes({{.name = "x.npy", .content = one, .deflated = true, .bytes = "\7" + std::string(70, '?')}}),
       "the compressed data must be right: FILE, 'x.npy', byte 36 of the file: invalid block type"},
  };
  // Whatever the header says otherwise.
  for (const Member& m :
       {Member{.name = "x.npy", .content = one, .header_name = "y.npy"}, Member{.name = "x.npy", .content = one, .header_flags = 1},
        Member{.name = "x.npy", .content = one, .header_flags = 8}, Member{.name = "x.npy", .content = one, .flags = 8, .header_flags = 0},
        Member{.name = "x.npy", .content = one, .header_method = 8}, Member{.name = "x.npy", .content = one, .header_method = 12},
        Member{.name = "x.npy", .content = one, .header_crc = 1}, Member{.name = "x.npy", .content = one, .header_size = 1},
        Member{.name = "x.npy", .content = one, .header_packed_size = 1},
        Member{.name = "x.npy", .content = one, .header_size = max, .header_packed_size = max},
        Member{.name = "x.npy", .content = one, .header_size = max, .header_extra = little(1, 2) + little(8, 2) + little(71, 8)}})
    list.push_back({zip_bytes({m}), "a member's header must say what the directory says: FILE, 'x.npy'"});
  return list;
}

}  // namespace

TEST(NpzRefused, EachFileWithItsText) {
  for (const Refused& c : cases()) EXPECT_EQ(npz_throws(c.bytes), "FormatError: [read_npz] " + c.text);
}

TEST(NpzRefused, MembersThatShareBytes) {
  // y is the content of x: its header is part of what x stores.
  const std::string inner = y.header();
  const Member outer{.name = "x.npy", .content = inner};
  const std::size_t at = outer.header().size() - inner.size();
  const std::string bytes = outer.header(), directory = outer.entry(0) + y.entry(at);
  EXPECT_EQ(npz_throws(bytes + directory + zip_end(2, directory.size(), bytes.size())),
            "FormatError: [read_npz] members must not share bytes: FILE, 'y.npy' begins at 35, where another is up to 142");
}

TEST(NpzRefused, ABombIsRefusedEarly) {
  // A member that promises 4 bytes and holds gigabytes of zeros: kilobytes of it are read.
  std::string blocks = packed(npy_bytes(literal(), "1234") + std::string(100'000'000, '\0'), false);
  const Member m{.name = "x.npy", .content = one, .deflated = true, .bytes = blocks};
  EXPECT_EQ(npz_throws(zip_bytes({m})),
            "FormatError: [read_npz] a member must have its size: FILE, 'x.npy' inflates to more than 72 bytes");
}

TEST(NpzRefused, OtherFilesAreCalledByTheirNames) {
  const std::string begin = "FormatError: [read_npz] a NumPy archive (.npz) is needed: FILE is ";
  EXPECT_EQ(npz_throws("\x93NUMPY\1" + std::string(100, ' ')), begin + "a NumPy array (read it by data::read_npy)");
  EXPECT_EQ(npz_throws("\x80\x02}"),
            begin + "a Python pickle, as of PyTorch's older save (write the state dict by safetensors.torch.save_file)");
  EXPECT_EQ(npz_throws("\x02\0\0\0\0\0\0\0{}"s), begin + "a safetensors file (read it by load)");
  EXPECT_EQ(npz_throws("\x1f\x8b\x08"), begin + "compressed by gzip (unpack it first)");
  EXPECT_EQ(npz_throws("a,b\n1,2\n"), begin + "a table in text (read it by data::read_table)");
}

TEST(NpzRefused, WhatIsNoFile) {
  EXPECT_EQ(thrown([] { data::read_npz("/nowhere/x"); }),
            "IoError: [read_npz] the file must be readable: /nowhere/x: No such file or directory");
  EXPECT_EQ(thrown([] { data::read_npz("/dev/null"); }), "IoError: [read_npz] a file is needed: /dev/null is a device or a pipe");
}

TEST(NpzRefused, ToWrite) {
  const Scratch file("file", "old");
  const auto refused = [&](const std::string& name) {
    return thrown([&] { data::write_npz(file.path(), TensorMap({{name, zeros({1})}})); });
  };
  EXPECT_EQ(refused("a\xff"), "ValueError: [write_npz] a name must be UTF-8 without zero bytes: 'a' goes on with another byte");
  EXPECT_EQ(refused("a\0b"s), "ValueError: [write_npz] a name must be UTF-8 without zero bytes: 'a' goes on with another byte");
  EXPECT_EQ(refused(std::string(65'532, 'a')), "ValueError: [write_npz] a name must have at most 65531 bytes: 65532");
  EXPECT_EQ(read(file.path()), "old");
  EXPECT_EQ(refused(std::string(65'531, 'a')), "nothing");
  EXPECT_EQ(data::read_npz(file.path()).begin()->name.size(), 65'531U);
}

TEST(NpzRefused, EveryCutAndNoFlippedBitDoesHarm) {
  const std::string wanted = bits(data::read_npz(std::string(CAPSTAN_TEST_FILES) + "/fuzz/corpus/npz/stored.npz"));
  for (const std::string how : {"stored", "piped_and_deflated"}) {
    const std::string good = read(std::string(CAPSTAN_TEST_FILES) + "/fuzz/corpus/npz/" + how + ".npz");
    const std::size_t taken = cut_and_flip(good, "read_npz", [&](const std::string& path) {
      EXPECT_EQ(bits(data::read_npz(path)), wanted) << how;  // whatever is taken is what it was
    });
    // In both places of three members versions, times and most flags tell nothing about the content, nor do attributes and, before what is
    // described behind, checksum and sizes.
    EXPECT_LT(taken, 8U * 3 * ((2 + 4 + 2) + (4 + 4 + 2) + 8 + (how == "stored" ? 0 : 12) + 2)) << how;
    EXPECT_GT(taken, 0U) << how;
  }
}
