#include <capstan/autograd/profile.h>

#include <capstan/autograd/tape_state.h>
#include <capstan/core/text.h>

#include <algorithm>

// What a tape with options.profile has measured, as a table; and any tape as a graph for Graphviz.

namespace capstan {

using detail::fail;
using detail::fixed;
using detail::join;
using detail::left;
using detail::Node;
using detail::Observer;
using detail::right;
using detail::Slot;
using detail::TapeState;

namespace {

std::string duration(double seconds) {
  const double us = seconds * 1e6;
  return us < 1000 ? fixed(us, 1) + " us" : fixed(us / 1000, 2) + " ms";
}

std::string size_text(std::int64_t bytes) {
  const auto b = static_cast<double>(bytes);
  if (bytes < 1024) return std::to_string(bytes) + " B";
  return b < 1048576 ? fixed(b / 1024, 1) + " KiB" : fixed(b / 1048576, 1) + " MiB";
}

/// As a string in DOT's quotes.
std::string in_quotes(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out + '"';
}

}  // namespace

std::vector<OperationProfile> Tape::profile() const {
  if (!state_->options.profile) fail<ValueError>("profile", "this tape measures nothing (begin it with Tape({.profile = true}))");
  std::vector<OperationProfile> rows;
  for (const Observer::Measured& m : state_->observer->all) {
    auto row = std::find_if(rows.begin(), rows.end(), [&](const OperationProfile& r) { return r.op == m.op; });
    if (row == rows.end()) row = rows.insert(rows.end(), {m.op, 0, 0, 0, 0});
    ++row->count;
    row->bytes += m.bytes;
    row->forward += m.forward;
    row->backward += m.backward;
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const OperationProfile& a, const OperationProfile& b) { return a.forward + a.backward > b.forward + b.backward; });
  return rows;
}

std::string to_string(const std::vector<OperationProfile>& profile) {
  double total = 0;
  for (const OperationProfile& row : profile) total += row.forward + row.backward;
  std::string text = "operation             count       forward      backward  share        bytes\n";
  for (const OperationProfile& row : profile) {
    const double share = total > 0 ? 100 * (row.forward + row.backward) / total : 0;
    text += left(row.op, 18) + right(std::to_string(row.count), 9) + right(duration(row.forward), 14) + right(duration(row.backward), 14) +
            right(fixed(share, 0), 5) + " %" + right(size_text(row.bytes), 13) + "\n";
  }
  return text;
}

std::string to_dot(const Tape& tape, const Parameters& names) {
  TapeState& state = tape.state();
  std::vector<Node*> nodes;
  for (Node* n = state.last; n; n = n->before) nodes.push_back(n);
  std::reverse(nodes.begin(), nodes.end());

  std::string text = "digraph tape {\n  rankdir=TB;\n  node [fontname=\"Helvetica\", fontsize=11];\n";
  std::vector<std::pair<const Slot*, std::string>> known;  // where an edge leads to
  int leaf = 0;
  for (detail::TapeLeaf* l = state.first_leaf; l; l = l->next) {
    if (l->slot.kind.flags & detail::kSeed) continue;
    const std::string id = "leaf" + std::to_string(leaf++);
    std::string label;
    for (const auto& [name, tensor] : names)
      if (l->is(tensor.header())) label = name;
    const std::int64_t bytes = l->slot.numel * static_cast<std::int64_t>(size_of(l->slot.kind.dtype));
    label += (label.empty() ? "" : "\n") + join(l->slot.kind.dtype, " ", l->slot.shape(), "\n", size_text(bytes));
    text += "  " + id + " [shape=box, style=filled, fillcolor=\"#e8eef7\", label=" + in_quotes(label) + "];\n";
    known.emplace_back(&l->slot, id);
  }
  std::sort(known.begin(), known.end());
  std::vector<std::pair<const Slot*, std::string>> results;
  for (std::size_t i = 0; i < nodes.size(); ++i) results.emplace_back(&nodes[i]->slot, "op" + std::to_string(i));
  known.insert(known.end(), results.begin(), results.end());
  std::sort(known.begin(), known.end());

  for (std::size_t i = 0; i < nodes.size(); ++i) {
    Node& n = *nodes[i];
    const std::int64_t bytes = n.slot.numel * static_cast<std::int64_t>(size_of(n.slot.kind.dtype));
    std::string label = join(n.op, "\n", n.slot.kind.dtype, " ", n.slot.shape(), "\n", size_text(bytes));
    if (state.options.profile)
      if (const auto place = state.observer->places.find(&n); place != state.observer->places.end()) {
        const Observer::Measured& m = state.observer->all[place->second];
        label += "\n" + duration(m.forward) + (m.backward > 0 ? " + " + duration(m.backward) : "");
      }
    const std::string id = "op" + std::to_string(i);
    text += "  " + id + " [shape=ellipse, label=" + in_quotes(label) + "];\n";
    for (int k = 0; k < n.count(); ++k) {
      const Slot* to = n.edges()[k];
      const auto source = std::lower_bound(known.begin(), known.end(), to, [](const auto& a, const Slot* b) { return a.first < b; });
      if (to && source != known.end() && source->first == to) text += "  " + source->second + " -> " + id + ";\n";
    }
  }
  return text + "}\n";
}

}  // namespace capstan
