// Answers questions of operations.py, from standard input to standard output, in the machine's byte order. A question is a name,
// numbers and tensors: each length as u32, the numbers as f64, a tensor as its dtype, whether its gradient is wanted and how many
// axes it has (u8 each), its sizes (i64) and its elements. The answer is u8 1, the results and the wanted gradients of their sum
// weighted by 1/2 + (7919 i mod 13) / 13 at element i; or u8 0 and an error's text. With --list it prints what it can be asked.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>

#include "../operations/row.h"
#include "answers.h"

using namespace capstan;

namespace {

void read(void* to, std::size_t bytes) {
  if (bytes != 0 && std::fread(to, 1, bytes, stdin) != bytes) throw FormatError("[answers] the question must be whole");
}
template <class T>
T read() {
  T value;
  read(&value, sizeof value);
  return value;
}
void write(const void* from, std::size_t bytes) {
  if (bytes != 0 && std::fwrite(from, 1, bytes, stdout) != bytes) throw IoError("[answers] the answer cannot be written");
}
template <class T>
void write(T value) {
  write(&value, sizeof value);
}

std::size_t bytes_of(const Tensor& t) { return static_cast<std::size_t>(t.numel()) * size_of(t.dtype()); }

void write_tensors(const oracle::Tensors& list) {
  write(static_cast<std::uint32_t>(list.size()));
  for (const Tensor& t : list) {
    write(static_cast<std::uint8_t>(t.dtype()));
    write(static_cast<std::uint8_t>(t.dim()));
    write(t.header()->sizes, static_cast<std::size_t>(t.dim()) * sizeof(std::int64_t));
    write(t.header()->data, bytes_of(t));
  }
}

struct Question {
  std::string name;
  oracle::Args numbers;
  oracle::Tensors tensors, wanted;
};

Question read_question(std::uint32_t length) {
  Question q;
  q.name.resize(length);
  read(q.name.data(), length);
  q.numbers.resize(read<std::uint32_t>());
  read(q.numbers.data(), q.numbers.size() * sizeof(double));
  for (auto left = read<std::uint32_t>(); left > 0; --left) {
    const auto dtype = static_cast<DType>(read<std::uint8_t>());
    const bool wanted = read<std::uint8_t>() != 0;
    std::vector<std::int64_t> sizes(read<std::uint8_t>());
    read(sizes.data(), sizes.size() * sizeof(std::int64_t));
    const Tensor t = empty(Shape(sizes.data(), static_cast<int>(sizes.size())), dtype);
    read(t.header()->data, bytes_of(t));
    q.tensors.push_back(t);
    if (wanted) q.wanted.push_back(t);
  }
  return q;
}

void answer(const Question& q, const oracle::Answer& to) {
  oracle::Tensors results, gradients;
  try {
    Tape tape;
    for (const Tensor& x : q.wanted) tape.watch(x);
    results = to.call(q.tensors, q.numbers);
    if (const Tensor loss = q.wanted.empty() ? Tensor() : oracle::weighted_sum(results); !loss.defined()) {
      for (const Tensor& x : q.wanted) gradients.push_back(zeros_like(x));
    } else {
      const Gradients g = tape.gradients(loss);
      for (const Tensor& x : q.wanted) gradients.push_back(g.contains(x) ? g[x] : zeros_like(x));
    }
  } catch (const Error& e) {
    const std::string text = e.what();
    write(std::uint8_t{0});
    write(static_cast<std::uint32_t>(text.size()));
    return write(text.data(), text.size());
  }
  write(std::uint8_t{1});
  write_tensors(results);
  write_tensors(gradients);
}

// The operations of tests/operations as questions_listed.py reads them, the others by their names.
void list() {
  for (const operations::Row& r : operations::rows()) {
    const operations::Case& c = r.cases.front();  // half as wide again as the table's
    std::printf("%s\t%s\t%d\t%g\t%g\t%s\t%s\n", r.name.c_str(), r.kinds.c_str(), r.f.numbers, c.low < 0 ? 1.5 * c.low : c.low, 1.5 * c.high,
                r.torch.c_str(), r.numbers.empty() ? "[]" : r.numbers.c_str());
  }
  for (const operations::Operation& o : operations::operations())
    if (!o.torch.empty()) std::printf("%s\t%d\t%s\t%s\n", o.name.c_str(), o.edges, o.asked.c_str(), o.torch.c_str());
  for (const oracle::Answer& a : oracle::other_answers()) std::printf("%s\n", a.name.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--list") == 0) {
    list();
    return 0;
  }
  std::map<std::string, const oracle::Answer*> table;
  for (const oracle::Answer& a : oracle::all_answers()) table[a.name] = &a;
  std::uint32_t length = 0;
  while (std::fread(&length, sizeof length, 1, stdin) == 1) {
    const Question q = read_question(length);
    const auto found = table.find(q.name);
    if (found == table.end()) {
      std::fprintf(stderr, "answers: no operation %s\n", q.name.c_str());
      return 1;
    }
    answer(q, *found->second);
  }
  return 0;
}
