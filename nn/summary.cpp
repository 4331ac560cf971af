#include <capstan/core/text.h>
#include <capstan/nn/module.h>

#include <algorithm>
#include <string_view>
#include <unordered_set>

// A model as a table of its modules and their parameters.

namespace capstan::nn {

using capstan::detail::join;

namespace {

struct Line {
  std::string module, parameters, count;
};

/// One line for each module, indented by its depth, with the parameters that are its own.
class Lister final : public Visitor {
 public:
  std::vector<Line> lines;
  std::int64_t total = 0, trained = 0;

  void list(const std::string& name, Module& m, std::size_t depth) {
    const std::size_t at = lines.size();
    lines.push_back({std::string(2 * depth, ' ') + name + m.describe(), "", ""});
    const std::size_t outer = std::exchange(at_, at), outer_depth = std::exchange(depth_, depth);
    m.members(*this);
    at_ = outer;
    depth_ = outer_depth;
  }

 private:
  void tensor(const char* name, Tensor& value, bool is_trained) override {
    if (!value.defined()) return;
    Line& line = lines[at_];
    line.parameters += join(line.parameters.empty() ? "" : ", ", name, " ", value.shape());
    if (!seen_.insert(value.header()).second) return;
    total += value.numel();
    trained += is_trained && value.requires_grad() ? value.numel() : 0;
    line.count = std::to_string((line.count.empty() ? 0 : std::stoll(line.count)) + value.numel());
  }
  void module(const char* name, Module& child) override { list(join(name, ": "), child, depth_ + 1); }

  std::size_t at_ = 0, depth_ = 0;
  std::unordered_set<const capstan::detail::Header*> seen_;
};

}  // namespace

std::string summary(Module& model) {
  Lister lister;
  lister.list("", model, 0);
  std::vector<Line> lines = {{"module", "parameters", "count"}};
  lines.insert(lines.end(), lister.lines.begin(), lister.lines.end());
  std::size_t width[3] = {};
  for (const Line& l : lines) {
    width[0] = std::max(width[0], l.module.size());
    width[1] = std::max(width[1], l.parameters.size());
    width[2] = std::max(width[2], l.count.size());
  }
  std::string s;
  for (const Line& l : lines) {
    std::string row = l.module + std::string(width[0] - l.module.size() + 2, ' ') + l.parameters;
    if (!l.count.empty()) row += std::string(width[0] + width[1] + width[2] + 4 - row.size() - l.count.size(), ' ') + l.count;
    row.erase(row.find_last_not_of(' ') + 1);
    s += row + "\n";
  }
  return s + join(lister.total, " parameters, ", lister.trained, " of them trained\n");
}

}  // namespace capstan::nn
