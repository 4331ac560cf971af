// Reads bytes as LIBSVM's text, compressed or not: the first one chooses the options. What is accepted is a matrix that CsrMatrix's own
// checks take, is what a stream gives, shuffled or not, and is read again from what is written.
#include <capstan/data/libsvm.h>

#include <array>

#include "files.h"

using namespace capstan;

namespace {

TensorMap parts(const data::SparseDataset& set) {
  CsrMatrix(set.x.crow(), set.x.col(), set.x.values(), set.x.shape());
  return {{"crow", set.x.crow()}, {"col", set.x.col()}, {"values", set.x.values()}, {"y", set.y}};
}

std::optional<TensorMap> read_text(std::string_view bytes, const data::LibsvmOptions& options) {
  return fuzz::read(bytes, "read_libsvm", [&](const std::string& path) { return parts(data::read_libsvm(path, options)); });
}

/// The rows of a stream, put together again; shuffled, how many rows and values there were.
std::optional<TensorMap> stream(std::string_view bytes, const data::LibsvmOptions& options, std::int64_t buffer, std::int64_t& rows,
                                std::int64_t& nnz) {
  const auto run = [&](const char* op) {
    return fuzz::read(bytes, op, [&](const std::string& path) {
      TensorMap last;
      rows = nnz = 0;
      for (auto [x, y] : data::Batches(data::Libsvm(path, options), {.batch_size = buffer == 0 ? 1 << 20 : 3, .shuffle_buffer = buffer})) {
        last = parts({x, y});
        rows += x.rows();
        nnz += x.nnz();
      }
      return last;
    });
  };
  return run(options.features == 0 || options.base < 0 ? "Libsvm" : "Batches");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;  // as libFuzzer's first one
  const unsigned choice = data[0];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  Tensor query;
  const data::LibsvmOptions options{
      .features = std::array{0, 0, 5, 1 << 20}[choice & 3],
      .labels = std::array{data::Labels::real, data::Labels::real, data::Labels::binary, data::Labels::classes}[choice >> 2 & 3],
      .base = std::array{-1, -1, 0, 1}[choice >> 4 & 3],
      .dtype = (choice & 64) != 0 ? DType::f64 : DType::f32};
  auto wanted = options;
  if ((choice & 128) != 0) wanted.query_id = &query;
  const auto content = read_text(bytes, wanted);
  std::int64_t rows = 0, nnz = 0;
  const auto streamed = stream(bytes, options, 0, rows, nnz);
  if (content && (!streamed || fuzz::in_words(*streamed) != fuzz::in_words(*content)))
    fuzz::fail("a stream gives something else", std::string(bytes));
  if (!content) {
    if (streamed && !wanted.query_id) fuzz::fail("a stream takes what is refused", std::string(bytes));
    return 0;
  }
  stream(bytes, options, 2, rows, nnz);
  if (rows != (*content)["y"].numel() || nnz != (*content)["col"].numel()) fuzz::fail("rows were lost", std::string(bytes));

  const fuzz::File file(bytes), written;
  const data::SparseDataset set = data::read_libsvm(file.path(), wanted);
  data::write_libsvm(written.path(), set, wanted);
  auto same = wanted;
  Tensor again;
  if (wanted.query_id) same.query_id = &again;
  same.features = set.x.columns();
  if (same.base < 0) same.base = 1;
  const auto reread = read_text(written.bytes(), same);
  if (!reread || fuzz::in_words(*reread) != fuzz::in_words(*content)) fuzz::fail("what was written holds something else", written.bytes());
  if (wanted.query_id && fuzz::in_words({{"q", query}}) != fuzz::in_words({{"q", again}}))
    fuzz::fail("what was written has other queries", written.bytes());
  return 0;
}

void fuzz::draw(void (*run)(const std::string& what, const std::string& bytes)) {
  for (const int choice : {0, 0x30, 0x5b, 0x84})
    draw_changes(static_cast<char>(choice) + std::string("+1 qid:3 1:0.5 3:-2e-3 # c\r\n-1\tqid:4 2:1\n\n1 qid:-1 4:16777217.5"), 1000,
                 run);
}
