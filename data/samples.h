#pragma once
#include <capstan/data/dataset.h>

#include <string>

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

}  // namespace capstan::data
