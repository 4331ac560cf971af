#include <capstan/data/file_kind.h>

#include <cstdint>

// Guesses a file's kind from its first bytes, for the errors of all readers: a user who gave the wrong file reads which one it is.

namespace capstan::data {

namespace {

struct Known {
  std::string_view bytes;
  const char* kind;
};
constexpr Known known[] = {
    {"\x93NUMPY", "a NumPy array (read it by data::read_npy)"},
    {"PK\x03\x04",
     "a zip archive, as of NumPy's savez or PyTorch's save (data::read_npz reads NumPy's; write PyTorch's state dict by "
     "safetensors.torch.save_file)"},
    {"PK\x05\x06", "an empty zip archive"},
    {"\x1f\x8b", "compressed by gzip (unpack it first)"},
    {"\x80\x02", "a Python pickle, as of PyTorch's older save (write the state dict by safetensors.torch.save_file)"},
    {"\x80\x03", "a Python pickle (write the tensors by safetensors)"},
    {"\x80\x04", "a Python pickle (write the tensors by safetensors)"},
    {"\x80\x05", "a Python pickle (write the tensors by safetensors)"},
    {"\x89HDF\r\n", "an HDF5 file, as of Keras (write the tensors by safetensors)"},
    {"GGUF", "a GGUF file (write the tensors by safetensors)"},
    {"version https://git-lfs", "a Git LFS pointer (fetch the file itself by git lfs pull)"},
    {"<!DOCTYPE", "a web page (the download went wrong)"},
    {"<html", "a web page (the download went wrong)"},
};

/// Whether they begin as safetensors does: a length, then a brace.
bool is_safetensors(std::string_view bytes) {
  if (bytes.size() < 9 || bytes[8] != '{') return false;
  std::uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
  return length >= 2 && length <= 100'000'000;
}

/// Whether they begin as IDX does: two zeros, a type, a number of axes.
bool is_idx(std::string_view bytes) {
  return bytes.size() >= 4 && bytes[0] == 0 && bytes[1] == 0 &&
         std::string_view("\x08\x09\x0b\x0c\x0d\x0e").find(bytes[2]) != std::string_view::npos && bytes[3] >= 1 && bytes[3] <= 6;
}

/// Whether they are a text of rows: printable, with a separator before the first line's end.
bool is_table(std::string_view bytes) {
  const std::string_view line = bytes.substr(0, bytes.find('\n'));
  for (const char c : line)
    if (static_cast<unsigned char>(c) < ' ' && c != '\t' && c != '\r') return false;
  return line.size() < bytes.size() && line.find_first_of(",;\t ") != std::string_view::npos && line[0] != '{';
}

}  // namespace

std::string file_kind(std::string_view first_bytes) {
  if (first_bytes.empty()) return "empty";
  for (const Known& k : known)
    if (first_bytes.starts_with(k.bytes)) return k.kind;
  if (is_safetensors(first_bytes)) return "a safetensors file (read it by load)";
  if (is_idx(first_bytes)) return "an IDX file (read it by data::read_idx)";
  if (first_bytes.starts_with('{')) return "a JSON text";
  if (is_table(first_bytes)) return "a table in text (read it by data::read_table)";
  return "";
}

std::string other_kind(std::string_view first_bytes, std::string_view wanted) {
  std::string kind = first_bytes.empty() ? "" : file_kind(first_bytes);
  return kind.starts_with(wanted) ? "" : kind;
}

}  // namespace capstan::data
