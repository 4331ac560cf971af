#pragma once
#include <string>

namespace capstan {

/// Finds out before the work what would be a pity to find out after it: throws what the save() of a picture, write_csv() or an overwriting
/// CsvLog would throw at this path now, IoError for a directory, for a folder that is not there or takes no files and the like, ValueError
/// for a name that ends as that of another format than SVG does, such as .png. A file that is there stays as it is, and none is left behind
/// where none is. Weakness: what changes meanwhile, as a disk that fills, shows only when the file is written.
///
///     check_target("loss.svg");
///     ...                                // hours of training
///     chart.save("loss.svg");
void check_target(const std::string& path);

}  // namespace capstan
