#include <algorithm>

#include "arrays.h"

#include <capstan/data/file.h>
#include <capstan/data/zip.h>

#include "../colliding.h"

// .npz files that are right: those that NumPy wrote, what is written, and the ways in which others write archives.

using namespace capstan;
using data::read_npz;
using data::write_npz;

namespace {

std::string numpy_file(const std::string& name) { return std::string(CAPSTAN_TEST_FILES) + "/fuzz/corpus/npz/" + name; }

TensorMap read_bytes(const std::string& bytes) {
  const Scratch file("file", bytes);
  return read_npz(file.path());
}

const std::string one = npy_bytes(literal(), "1234");

}  // namespace

TEST(Npz, WhatNumPyWrote) {
  for (const char* how : {"stored", "deflated", "piped", "piped_and_deflated", "piped_with_ZIP64"}) {
    const TensorMap tensors = read_npz(numpy_file(std::string(how) + ".npz"));
    EXPECT_EQ(names(tensors), "weight \xc3\xa9/b mask") << how;
    EXPECT_TRUE(same_bits(tensors["weight"], tensor({{-3, -2, -1}, {0, 1, 2}}))) << how;
    EXPECT_TRUE(same_bits(tensors["\xc3\xa9/b"], tensor({-3, -2, -1, 0}, DType::i64))) << how;
    EXPECT_TRUE(same_bits(tensors["mask"], tensor({1, 0, 1}, DType::boolean))) << how;
  }
}

TEST(Npz, WritesWhatNumPyWrites) {
  const Scratch file;
  write_npz(file.path(), read_npz(numpy_file("deflated.npz")));
  EXPECT_EQ(read(file.path()), read(numpy_file("stored.npz")));
}

TEST(Npz, ComesBackAsItWas) {
  const Scratch file;
  TensorMap tensors;
  tensors.insert("b", tensor({{1, 2, 3}, {-4, 0.5, -0.0}}));
  tensors.insert("", tensor(2.5, DType::f64));
  tensors.insert("../../etc/passwd", empty({3, 0}));
  tensors.insert("a.npy", tensor({1, 0}, DType::boolean));
  tensors.insert("a", arange(0, 200'000, 1, DType::i64));
  write_npz(file.path(), tensors);
  EXPECT_EQ(bits(read_npz(file.path())), bits(tensors));  // in this order
  write_npz(file.path(), read_npz(file.path()));          // over the file that was just read
  EXPECT_EQ(bits(read_npz(file.path())), bits(tensors));
}

TEST(Npz, OfTheReference) {
  const Folder folder;
  const std::string path = folder.file("x.npy"), archive = folder.file("run.npz");
  const Tensor x = tensor({{1, 2}, {3, 4}}), y = tensor({7, 8}, DType::i64);
  data::write_npy(path, x);  // for numpy.load(path), byte for byte as numpy.save writes it
  const Tensor same = data::read_npy(path);
  data::write_npz(archive, {{"x", x}, {"y", y}});  // for numpy.load(archive)["x"]
  const TensorMap tensors = data::read_npz(archive);
  EXPECT_TRUE(same_bits(same, x));
  EXPECT_TRUE(same_bits(tensors["x"], x));
  EXPECT_TRUE(same_bits(tensors["y"], y));
}

TEST(Npz, NothingIsAnArchiveToo) {
  const Scratch file;
  write_npz(file.path(), TensorMap());
  EXPECT_EQ(read(file.path()), zip_end(0, 0, 0));
  EXPECT_TRUE(read_npz(file.path()).empty());
}

TEST(Npz, MoreMembersThanADirectoryWithoutZip64Counts) {
  const Scratch file;
  TensorMap tensors;
  for (int i = 0; i < 66'000; ++i) tensors.insert(std::to_string(i), full({1}, i));
  write_npz(file.path(), tensors);
  const std::string bytes = read(file.path());
  EXPECT_EQ(bytes.substr(bytes.size() - 22),
            zip_end(0xffff, 66'000 * (46 + 4) + 10 + 90 * 2 + 900 * 3 + 9'000 * 4 + 56'000 * 5,
                    bytes.size() - 22 - 20 - 56 - (66'000 * (46 + 4) + 10 + 90 * 2 + 900 * 3 + 9'000 * 4 + 56'000 * 5)));
  EXPECT_EQ(bits(read_npz(file.path())), bits(tensors));
}

TEST(Npz, MembersInAnotherOrderThanTheDirectorys) {
  const Member x{.name = "x.npy", .content = one}, y{.name = "y.npy", .content = npy_bytes(literal(), "5678"), .deflated = true};
  const std::string bytes = x.header() + y.header(), directory = y.entry(x.header().size()) + x.entry(0);
  const TensorMap tensors = read_bytes(bytes + directory + zip_end(2, directory.size(), bytes.size()));
  EXPECT_EQ(names(tensors), "y x");
  EXPECT_EQ(bits(tensors["x"]), "1234");
  EXPECT_EQ(bits(tensors["y"]), "5678");
}

TEST(Npz, CommentsAndFieldsOfOthers) {
  const Member m{.name = "x.npy",
                 .content = one,
                 .header_extra = "FB" + little(3, 2) + "ZZZ",
                 .entry_extra = std::string("\xfe\xca\0\0", 4) + "\1",
                 .comment = "mine"};
  const auto [bytes, directory] = zip_parts({m});
  EXPECT_EQ(names(read_bytes(bytes + directory + zip_end(1, directory.size(), bytes.size(), "a comment"))), "x");
  // A comment that holds what an end begins with.
  EXPECT_EQ(names(read_bytes(bytes + directory + zip_end(1, directory.size(), bytes.size(), "PK\5\6" + std::string(30, 'x')))), "x");
}

TEST(Npz, FourFormsOfDescriptor) {
  const Member plain{.name = "x.npy", .content = one};
  for (const bool mark : {false, true})
    for (const int wide : {4, 8}) {
      Member m{.name = "x.npy", .content = one, .flags = 8, .header_crc = 0, .header_size = 0, .header_packed_size = 0};
      m.descriptor = (mark ? "PK\7\10" : "") + little(plain.crc, 4) + little(one.size(), wide) + little(one.size(), wide);
      EXPECT_EQ(names(read_bytes(zip_bytes({m, {.name = "y.npy", .content = one}}))), "x y");
      EXPECT_EQ(names(read_bytes(zip_bytes({{.name = "y.npy", .content = one}, m}))), "y x");
    }
}

TEST(Npz, Zip64WhereverItMayStand) {
  const std::string both = little(1, 2) + little(16, 2) + little(one.size(), 8) + little(one.size(), 8);
  const std::uint64_t other = 0xffffffff;
  // Before the member alone; also beside sizes that stand there already, as earlier zipfiles wrote it.
  EXPECT_EQ(names(read_bytes(
                zip_bytes({{.name = "x.npy", .content = one, .header_size = other, .header_packed_size = other, .header_extra = both}}))),
            "x");
  EXPECT_EQ(names(read_bytes(zip_bytes({{.name = "x.npy", .content = one, .header_extra = both}}))), "x");
  // In the directory, with the place.
  const Member m{.name = "x.npy",
                 .content = one,
                 .size = other,
                 .packed_size = other,
                 .header_size = one.size(),
                 .header_packed_size = one.size(),
                 .entry_extra = little(1, 2) + little(24, 2) + little(one.size(), 8) + little(one.size(), 8) + little(0, 8),
                 .at = other};
  EXPECT_EQ(names(read_bytes(zip_bytes({m}))), "x");
  // At the end.
  const auto [bytes, directory] = zip_parts({{.name = "x.npy", .content = one}});
  const std::string end64 = "PK\6\6" + little(44, 8) + little(45, 2) + little(45, 2) + little(0, 8) + little(1, 8) + little(1, 8) +
                            little(directory.size(), 8) + little(bytes.size(), 8);
  const std::string locator = "PK\6\7" + little(0, 4) + little(bytes.size() + directory.size(), 8) + little(1, 4);
  EXPECT_EQ(names(read_bytes(bytes + directory + end64 + locator + zip_end(0xffff, other, other))), "x");
  EXPECT_EQ(names(read_bytes(bytes + directory + end64 + locator + zip_end(1, directory.size(), bytes.size()))), "x");
}

TEST(Npz, MembersBeyondFourGigabytes) {
  // Where the bytes of the first would be the file has a hole: it takes no room.
  const std::uint64_t large = std::uint64_t{5} << 30;
  data::ZipMember far{}, near{};
  far.name = "far.npy", near.name = "near.npy";
  far.size = far.packed = large;
  near.size = near.packed = 4;
  const std::string first = data::zip_header(far), second = data::zip_header(near);
  near.header = first.size() + large;
  const std::uint64_t end = near.header + second.size() + near.size;
  const std::string directory = data::zip_directory({far, near}, end);
  const std::string both = little(1, 2) + little(16, 2) + little(large, 8) + little(large, 8),
                    place = little(1, 2) + little(8, 2) + little(near.header, 8);
  EXPECT_NE(directory.find("far.npy" + both), directory.npos);
  EXPECT_NE(directory.find("near.npy" + place), directory.npos);

  const Scratch file("file", first);
  ASSERT_EQ(::truncate(file.path().c_str(), static_cast<off_t>(near.header)), 0);
  std::ofstream(file.path(), std::ios::binary | std::ios::app) << second << "abcd" << directory;
  const std::vector<data::ZipMember> read = data::read_zip_directory("test", data::RegularFile("test", file.path()));
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].begin, first.size());
  EXPECT_EQ(read[0].size, large);
  EXPECT_EQ(read[1].begin, end - 4);
  EXPECT_EQ(read[1].size, 4U);
}

TEST(Npz, FourMegabytesOfZerosInFourKilobytesAreHonest) {
  const std::string zeros = npy_bytes(literal("'<f4'", "(1000000,)"), std::string(4'000'000, '\0'));
  const Member m{.name = "x.npy", .content = zeros, .deflated = true};
  EXPECT_LT(m.bytes.size(), 4096U);
  EXPECT_EQ(read_bytes(zip_bytes({m}))["x"].numel(), 1'000'000);
}

TEST(Npz, ThousandsOfMembersTakeNoTime) {
  std::vector<Member> members;
  for (int i = 0; i < 5'000; ++i) members.push_back({.name = std::to_string(i * 7919 % 5'000) + ".npy", .content = one});
  EXPECT_EQ(read_bytes(zip_bytes(members)).size(), 5'000U);
}

TEST(Npz, NamesThatCollideInAKnownHashTakeNoMoreTime) {
  const std::vector<std::string> hostile = colliding_names(20'000, std::string_view(".npy").size());
  const Tensor t = zeros({0});
  const auto seconds = [&](const auto& name) {
    TensorMap tensors;
    for (std::size_t i = 0; i < hostile.size(); ++i) tensors.insert(name(i), t);
    const Scratch file("x.npz");
    data::write_npz(file.path(), tensors);
    return processor_seconds([&] { EXPECT_EQ(data::read_npz(file.path()).size(), hostile.size()); });
  };
  EXPECT_LT(seconds([&](std::size_t i) { return hostile[i]; }), 4 * seconds([](std::size_t i) { return "layer" + std::to_string(i); }));
}
