#pragma once
#include <string>

namespace capstan {

/// Looks, before the work, whether a file can be written to this path after it:
///
///     check_target("loss.svg");
///     ...                                // hours of training
///     chart.save("loss.svg");
///
/// A file that is there stays as it is; where there is none, none is left behind.
/// Throws what the save() of a picture, write_csv() or an overwriting CsvLog would throw now:
///   - IoError for a directory, a folder that is not there or takes no files, and the like;
///   - ValueError for a name that ends as that of another format than SVG does, such as .png.
/// Weakness: what changes meanwhile, such as a disk that fills, shows only when the file is written.
void check_target(const std::string& path);

}  // namespace capstan
