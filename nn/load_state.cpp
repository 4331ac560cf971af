#include <capstan/nn/module.h>

#include <capstan/autograd/no_grad.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

// Module::load_state(): compares the state with the model name by name, says all that does not fit, and copies only then.

namespace capstan::nn {

using capstan::detail::fail;
using capstan::detail::join;

namespace {

/// Whether both are matrices, the one turned.
bool is_transposed(const Shape& a, const Shape& b) { return a.dim() == 2 && b.dim() == 2 && a[0] == b[1] && a[1] == b[0]; }

/// Says how many of the unexpected names would be a missing one without what stands before one of their dots or slashes.
std::string prefix_hint(const LoadResult& left) {
  const std::unordered_set<std::string_view> missing(left.missing_keys.begin(), left.missing_keys.end());
  std::size_t longest = 0;  // a file may hold a name of a million dots
  for (const std::string_view name : missing) longest = std::max(longest, name.size());
  for (const std::string_view name : left.unexpected_keys)
    for (std::size_t dot = name.find_first_of("./", name.size() - std::min(name.size(), longest + 1)); dot != std::string_view::npos;
         dot = name.find_first_of("./", dot + 1)) {
      if (!missing.contains(name.substr(dot + 1))) continue;
      const std::string_view prefix = name.substr(0, dot + 1);
      std::size_t count = 0;
      for (const std::string_view other : left.unexpected_keys)
        count += other.starts_with(prefix) && missing.contains(other.substr(prefix.size()));
      const char* maker = prefix == "module."      ? ", which PyTorch's DataParallel adds"
                          : prefix == "_orig_mod." ? ", which torch.compile adds"
                          : prefix.ends_with('/')  ? ", as in a Checkpoint's file"
                                                   : "";
      return join("\n  (", count, " of ", left.missing_keys.size(), " missing names are there with the prefix '", std::string(prefix), "'",
                  maker, ": take it off)");
    }
  return {};
}

/// What comes of comparing a state with a model's tensors.
struct Comparison {
  LoadResult left;
  std::string read_only;                                  // the lines on tensors that cannot be written to
  std::vector<std::pair<Tensor, const Tensor*>> fitting;  // the model's tensor and what it becomes
};

Comparison compare(const TensorMap& mine, const TensorMap& state) {
  Comparison c;
  LoadResult& left = c.left;
  for (const auto& [name, tensor] : mine) {
    const Tensor* t = state.find(name);
    if (!t) {
      left.missing_keys.push_back(name);
      left.report += join("\n  missing: ", name);
    } else if (const Shape shape = tensor.shape(); !(t->shape() == shape) || t->dtype() != tensor.dtype()) {
      left.mismatched_keys.push_back(name);
      left.report += join("\n  ", name, ": ", t->dtype(), " ", t->shape(), ", wanted ", tensor.dtype(), " ", shape);
      if (!(t->shape() == shape) && is_transposed(t->shape(), shape)) left.report += " (it is transposed: transpose() it)";
    } else if (tensor.header()->flags & capstan::detail::kReadOnly) {
      const std::string line = join("\n  ", name, ": the model holds a gradient there, which is read-only");
      left.report += line;
      c.read_only += line;
    } else {
      c.fitting.emplace_back(tensor, t);
    }
  }
  for (const auto& entry : state)
    if (!mine.contains(entry.name)) {
      left.unexpected_keys.push_back(entry.name);
      left.report += join("\n  unexpected: ", entry.name);
    }
  left.report += prefix_hint(left);
  return c;
}

}  // namespace

LoadResult Module::load_state(const TensorMap& state, LoadOptions options) {
  Comparison c = compare(live_state(), state);
  if (const std::string& wrong = options.partial ? c.read_only : c.left.report; !wrong.empty())
    fail<ValueError>("load_state", "the state does not fit ", describe(), ":", wrong);
  const NoGrad pause;
  for (auto& [tensor, from] : c.fitting) tensor.assign(*from);
  if (!c.left.report.empty()) c.left.report.erase(0, 1);  // the line end before the first line
  return std::move(c.left);
}

}  // namespace capstan::nn
