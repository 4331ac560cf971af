// Turns an operation's name, a line end and bytes, from which its arguments are drawn, into a call with and without a tape. What may
// come of it is a result or a capstan::Error; std::bad_alloc where a size of 2^20 or more was asked for, as no block above 64 MB is to be
// had. Besides: inputs stay as they are, a tape changes no bit and no error, and a gradient has its input's shape and dtype.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <random>

#include "operations.h"
#include "target.h"

using namespace capstan;

extern "C" {
// What the sanitizers' own runtimes ask for.
const char* __asan_default_options() { return "allocator_may_return_null=1:max_allocation_size_mb=64"; }
const char* __tsan_default_options() { return "allocator_may_return_null=1:max_allocation_size_mb=64"; }
}

namespace fuzz {

namespace {

[[noreturn]] void fail(const Operation& operation, const char* what, const std::string& detail = {}) {
  std::fprintf(stderr, "fuzz: %s: %s %s\n", operation.name.c_str(), what, detail.c_str());
  std::abort();
}

bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.defined() != b.defined()) return false;
  if (!a.defined()) return true;
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         (a.numel() == 0 || std::memcmp(a.header()->data, b.header()->data, static_cast<std::size_t>(a.numel()) * size_of(a.dtype())) == 0);
}

Tensors copies(const Tensors& xs) {
  Tensors list;
  for (const Tensor& x : xs) list.push_back(x.defined() ? x.clone() : x);
  return list;
}

/// What came of a call.
struct Outcome {
  Tensors results;
  std::string error;
  bool no_memory = false;
};

template <class Body>
Outcome outcome(const Operation& operation, const Bytes& in, Body body) {
  Outcome o;
  try {
    o.results = body();
  } catch (const Error& e) {
    o.error = e.what();
    if (o.error.empty() || o.error[0] != '[') fail(operation, "an error's text does not begin with its operation:", o.error);
  } catch (const std::bad_alloc&) {
    if (!in.large()) fail(operation, "out of memory for small tensors");
    o.no_memory = true;
  } catch (const std::exception& e) {
    fail(operation, "something else was thrown:", e.what());
  }
  return o;
}

/// The sum of all results that can have a gradient, each element times a weight of its own; undefined when there are none.
Tensor weighted(const Tensors& results) {
  Tensor loss;
  for (const Tensor& y : results) {
    if (!y.defined() || !is_floating(y.dtype())) continue;
    const Tensor part = sum(y * reshape(arange(1, static_cast<double>(y.numel()) + 1, 1, y.dtype()), y.shape()));
    if (!loss.defined() || loss.dtype() == part.dtype()) loss = loss.defined() ? loss + part : part;
  }
  return loss;
}

bool all_finite(const Tensor& t) { return all(isfinite(t)).item() != 0; }

void check_bounds(const Operation& operation, const Tensors& xs, const Tensors& gradients) {
  for (const Tensor& x : xs)
    if (!all_finite(x)) return;
  for (const Tensor& g : gradients)
    if (!all_finite(g)) fail(operation, "a gradient of finite inputs is not finite:", to_string(g));
}

void check_gradients(const Operation& operation, Tape& tape, const Tensors& xs, const Tensors& results, bool higher_order) {
  const Tensor loss = weighted(results);
  if (!loss.defined() || tape.size() == 0) return;
  const Gradients g = tape.gradients(loss);
  Tensors found;
  for (const Tensor& x : xs)
    if (x.defined() && is_floating(x.dtype()) && g.contains(x)) found.push_back(g[x]);
  for (const Tensor& x : xs)
    if (x.defined() && is_floating(x.dtype()) && g.contains(x) && (g[x].shape() != x.shape() || g[x].dtype() != x.dtype()))
      fail(operation, "a gradient of another shape or dtype:", to_string(g[x].shape()) + " for " + to_string(x.shape()));
  if (operation.bounded) check_bounds(operation, xs, found);
  if (!higher_order) return;
  const std::size_t before = tape.size();
  const Tensor second = weighted(found);
  if (second.defined() && tape.size() > before) (void)tape.gradients(second);
}

void run(const Operation& operation, Bytes& in) {
  const unsigned wanted = in.byte(), how = in.byte();
  const bool higher_order = (how & 1) != 0, parameters = (how & 2) != 0;
  Tensors xs;
  Call call;
  const Outcome made = outcome(operation, in, [&]() -> Tensors {
    call = operation.call(in);
    std::string kinds = operation.inputs;
    if (kinds == "*") kinds = std::string(in.below(5), in.flag() ? 'a' : 'f');
    for (const char kind : kinds) xs.push_back(in.tensor(kind, xs));
    return {};
  });
  if (!made.error.empty() || made.no_memory) return;

  const Tensors before = copies(xs);
  const Outcome plain = outcome(operation, in, [&] { return call(xs); });
  for (std::size_t i = 0; i < xs.size(); ++i)
    if (!same_bits(xs[i], before[i]) || xs[i].version() != before[i].version()) fail(operation, "an input was changed");
  if (plain.no_memory) return;

  Outcome taped;
  const Outcome around = outcome(operation, in, [&]() -> Tensors {
    Tape tape({.higher_order = higher_order});
    for (std::size_t i = 0; i < xs.size(); ++i)
      if (xs[i].defined() && is_floating(xs[i].dtype()) && (wanted >> i & 1) != 0) {
        if (parameters && xs[i].header()->owner == nullptr)
          xs[i].set_requires_grad(true);
        else
          tape.watch(xs[i]);
      }
    taped = outcome(operation, in, [&] { return call(xs); });
    if (!taped.error.empty() || taped.no_memory) return {};
    check_gradients(operation, tape, xs, taped.results, higher_order);
    return {};
  });
  if (taped.no_memory || around.no_memory) return;
  if (taped.error != plain.error) fail(operation, "another error under a tape:", "'" + plain.error + "' and '" + taped.error + "'");
  if (!around.error.empty() && !operation.may_refuse) fail(operation, "the gradient was refused:", around.error);
  if (taped.results.size() != plain.results.size()) fail(operation, "another number of results under a tape");
  for (std::size_t i = 0; i < plain.results.size(); ++i)
    if (!same_bits(taped.results[i], plain.results[i])) fail(operation, "another result under a tape");
  for (std::size_t i = 0; i < xs.size(); ++i)
    if (!same_bits(xs[i], before[i])) fail(operation, "an input was changed under a tape");
}

}  // namespace

const std::uint64_t most_memory = std::uint64_t{3} << 29;  // a tensor of 2^31 elements is refused

void draw(void (*run)(const std::string& what, const std::string& bytes)) {
  for (const Operation& operation : all_operations())
    for (unsigned seed = 0; seed < 20; ++seed) {
      std::mt19937 next(seed);
      std::string bytes = operation.name + "\n";
      for (int i = 0; i < 120; ++i) bytes += static_cast<char>(next());
      run(operation.name + ", drawn input " + std::to_string(seed), bytes);
    }
}

}  // namespace fuzz

int fuzz_input_is_known(const std::uint8_t* data, std::size_t size) { return fuzz::named(data, size).operation != nullptr; }

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Named input = fuzz::named(data, size);
  if (!input.operation) return 0;  // as libFuzzer's first one, which is empty
  fuzz::Bytes in(data + input.begin, size - input.begin);
  fuzz::run(*input.operation, in);
  return 0;
}
