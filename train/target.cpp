// Looks at a path before the work: as save_picture() will at its end, but without leaving anything.
#include <capstan/train/target.h>

#include <capstan/core/file.h>
#include <capstan/core/text.h>
#include <capstan/train/figure.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace capstan {

using detail::fail;
using detail::NewFile;

void check_target(const std::string& path) {
  constexpr const char* op = "check_target";
  plot::detail::check_picture_name(op, path);
  struct stat info;
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {  // opening a pipe would be seen at its end
    if (::access(path.c_str(), W_OK) != 0)
      fail<IoError>(op, "cannot write the file: ", path, ": ", detail::reason(errno), " (write elsewhere?)");
    return;
  }
  const NewFile unpublished(op, path, NewFile::Existing::replaced, NewFile::Lasts::kills);
}

}  // namespace capstan
