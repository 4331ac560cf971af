#pragma once
#include <capstan/data/dataset.h>

#include <string>
#include <utility>

// The folder of the sample data; the build and the installed package set it for the programs that use them.
#ifndef CAPSTAN_SHARE
#define CAPSTAN_SHARE ""
#endif

namespace capstan::data {

/// 1,797 handwritten digits: UCI Optical Recognition of Handwritten Digits (data/samples/DATA.md). The tensor x is f32 [1797, 64],
/// images of 8 x 8 pixels by rows, 0 (paper) to 1 (ink). The tensor y is i64 [1797], the digits 0 to 9. The file's pixels are the
/// integers 0 to 16; they are divided by 16 here, which is exact.
///
/// Reads digits.csv from the folder that the environment variable CAPSTAN_DATA names, when it is there, else from the folder `share`.
/// Throws:
///   - IoError naming the places when it is in neither;
///   - FormatError when it does not hold this table.
Dataset digits(const std::string& share = CAPSTAN_SHARE);

/// {training, test}: 60,000 and 10,000 photographs of clothes in ten classes (Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747):
///
///     auto [training, test] = data::fashion_mnist();     // on Debian: apt-get install dataset-fashion-mnist
///
/// The tensor x is f32 [rows, 784], images of 28 x 28 pixels by rows. Its numbers are the files' 0 to 255, divided by 255. The tensor y is
/// i64 [rows], the classes 0 to 9: T-shirt, trousers, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot.
/// It takes 220 MB. Reads four files of the folder, as they are published: train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz,
/// t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz. Throws:
///   - IoError naming Debian's package when one is not there;
///   - FormatError when one does not hold these data.
std::pair<Dataset, Dataset> fashion_mnist(const std::string& folder = "/usr/share/datasets/fashion-mnist");

}  // namespace capstan::data
