#include <capstan/data/samples.h>

#include <filesystem>

#include "arrays.h"

// Fashion-MNIST as Debian installs it, where it is; and what is refused in a folder of files made here.

using namespace capstan;

namespace {

constexpr const char* installed = "/usr/share/datasets/fashion-mnist";

std::vector<int> counts(const Tensor& y) {
  std::vector<int> count(10);
  for (std::int64_t i = 0; i < y.numel(); ++i) ++count.at(static_cast<std::size_t>(y.data<std::int64_t>()[i]));
  return count;
}

/// The sum of all bytes, and the same with each times its place modulo 1009.
std::pair<std::int64_t, std::int64_t> sums(const Tensor& x) {
  std::int64_t sum = 0, weighted = 0;
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const auto byte = static_cast<std::int64_t>(x.data<float>()[i] * 255 + 0.5F);
    sum += byte;
    weighted += byte * (i % 1009);
  }
  return {sum, weighted};
}

/// What fashion_mnist() throws for a folder, which is shown as FOLDER.
std::string refused(const Folder& folder) {
  const std::string path = std::filesystem::path(folder.file("x")).parent_path();
  std::string text = thrown([&] { data::fashion_mnist(path); });
  for (std::size_t at; (at = text.find(path)) != std::string::npos;) text.replace(at, path.size(), "FOLDER");
  return text;
}

}  // namespace

TEST(Fashion, AsPublished) {
  if (!std::filesystem::exists(installed)) GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  const auto [training, test] = data::fashion_mnist();
  ASSERT_EQ(training.x.shape(), (Shape{60'000, 784}));
  ASSERT_EQ(training.y.shape(), Shape{60'000});
  ASSERT_EQ(test.x.shape(), (Shape{10'000, 784}));
  ASSERT_EQ(test.y.shape(), Shape{10'000});
  EXPECT_EQ(counts(training.y), std::vector<int>(10, 6'000));
  EXPECT_EQ(counts(test.y), std::vector<int>(10, 1'000));
  EXPECT_EQ(values(training.y.rows(0, 10)), (Values{9, 0, 0, 3, 0, 2, 7, 2, 5, 5}));
  EXPECT_EQ(values(test.y.rows(0, 10)), (Values{9, 2, 1, 1, 6, 1, 4, 6, 5, 7}));
  // By NumPy, of the files' bytes.
  EXPECT_EQ(sums(training.x), (std::pair<std::int64_t, std::int64_t>(3'431'114'169, 1'729'192'650'007)));
  EXPECT_EQ(sums(test.x), (std::pair<std::int64_t, std::int64_t>(573'469'082, 289'573'900'493)));
}

TEST(Fashion, OfAFolder) {
  const Folder folder;
  const std::string files[] = {folder.file("train-images-idx3-ubyte.gz"), folder.file("train-labels-idx1-ubyte.gz"),
                               folder.file("t10k-images-idx3-ubyte.gz"), folder.file("t10k-labels-idx1-ubyte.gz")};
  for (const std::string& file : files) {
    const std::string name = file.substr(file.rfind('/') + 1);
    EXPECT_EQ(refused(folder), "IoError: [fashion_mnist] the images must be there: not FOLDER/" + name +
                                   " (on Debian: apt-get install dataset-fashion-mnist)");
    write(file, "");
  }
  EXPECT_EQ(refused(folder), "FormatError: [fashion_mnist] an IDX file is needed: FOLDER/train-labels-idx1-ubyte.gz is empty");
  write(files[1], gzip(idx_bytes(8, {10'000}, std::string(10'000, '\1'))));
  EXPECT_EQ(refused(folder),
            "FormatError: [fashion_mnist] the labels must be bytes [60000]: FOLDER/train-labels-idx1-ubyte.gz holds [10000]");
  write(files[1], gzip(idx_bytes(9, {60'000}, std::string(60'000, '\1'))));
  EXPECT_EQ(refused(folder),
            "FormatError: [fashion_mnist] the labels must be bytes [60000]: FOLDER/train-labels-idx1-ubyte.gz holds other numbers [60000]");
  write(files[1], gzip(idx_bytes(8, {60'000}, std::string(59'999, '\1') + "\n")));
  EXPECT_EQ(refused(folder), "FormatError: [fashion_mnist] labels must be 0 to 9: FOLDER/train-labels-idx1-ubyte.gz, element 59999: 10");
  write(files[1], gzip(idx_bytes(8, {60'000}, std::string(59'999, '\1') + "\11" + "\1")));
  EXPECT_EQ(refused(folder),
            "FormatError: [fashion_mnist] the file must end with its last element: FOLDER/train-labels-idx1-ubyte.gz inflates to more than"
            " [60000] takes");
  write(files[1], gzip(idx_bytes(8, {60'000}, std::string(59'999, '\1') + "\11")));
  write(files[3], idx_bytes(8, {10'000}, std::string(10'000, '\0')));  // not compressed: its content tells
  EXPECT_EQ(refused(folder), "FormatError: [fashion_mnist] an IDX file is needed: FOLDER/train-images-idx3-ubyte.gz is empty");
  write(files[0], gzip(idx_bytes(8, {60'000, 784}, std::string(47'040'000, '\0'))));
  EXPECT_EQ(refused(folder),
            "FormatError: [fashion_mnist] the images must be bytes [60000, 28, 28]:"
            " FOLDER/train-images-idx3-ubyte.gz holds [60000, 784]");
  std::string pixels(47'040'000, '\0');
  pixels[1] = '\x80', pixels.back() = '\xff';
  const std::string images = idx_bytes(8, {60'000, 28, 28}, pixels);
  write(files[0], gzip(images.substr(0, images.size() - 1)));
  EXPECT_EQ(refused(folder),
            "FormatError: [fashion_mnist] the data must hold all elements: FOLDER/train-images-idx3-ubyte.gz ends within"
            " image 59999");
  write(files[0], gzip(images));
  write(files[2], gzip(idx_bytes(8, {10'000, 28, 28}, std::string(7'840'000, '\x33'))));
  const auto [training, test] = data::fashion_mnist(std::filesystem::path(files[0]).parent_path());
  EXPECT_EQ(training.x.data<float>()[0], 0);
  EXPECT_EQ(training.x.data<float>()[1], 128 / 255.0F);
  EXPECT_EQ(training.x.data<float>()[training.x.numel() - 1], 1);
  EXPECT_EQ(training.y.data<std::int64_t>()[59'999], 9);
  EXPECT_EQ(values(test.x.rows(9'999, 10'000)), Values(784, static_cast<double>(0.2F)));
}
