#include <capstan/core/state_reader.h>
#include <capstan/core/text.h>
#include <capstan/optim/chain.h>
#include <capstan/optim/method_impl.h>
#include <capstan/optim/transform_part.h>

#include <algorithm>

// A chain's numbers, state and explanation.
namespace capstan::optim {

using capstan::detail::fail;
using capstan::detail::join;
using detail::Memory;
using detail::Node;
using detail::Number;
using detail::Program;

namespace {

/// The number of a part, at the step that it makes next.
double now(const Program& p, std::size_t node, std::size_t number) {
  const Number& n = p.nodes[node].part->numbers[number];
  return n.value.scheduled() ? n.value.at(p.memory[node].counts[0]) : p.nodes[node].values[number];
}

/// Where "3.scale_by_learning_rate/learning_rate" is; for "lr" the only learning rate.
Program::Place find_number(const Program& p, std::string_view name) {
  std::vector<std::string> rates, all;
  std::vector<Program::Place> places;
  Program::Place rate{};
  for (std::size_t i = 0; i < p.nodes.size(); ++i)
    for (std::size_t k = 0; k < p.nodes[i].part->numbers.size(); ++k) {
      all.push_back(join(p.nodes[i].path, "/", p.nodes[i].part->numbers[k].name));
      if (all.back() == name) return {i, k};
      if (std::string_view(p.nodes[i].part->numbers[k].name) != "learning_rate") continue;
      rates.push_back(all.back());
      rate = {i, k};
    }
  if (name != "lr") detail::unknown_option("chain", name, all);
  if (rates.size() == 1) return rate;
  std::string list;
  for (const std::string& s : rates) list += join(list.empty() ? "" : ", ", s);
  fail<ValueError>("chain", "lr needs one scale_by_learning_rate: there are ", rates.size(),
                   rates.empty() ? "" : join(" (number() and set_number() know ", list, ")"));
}

/// Whether a part would leave nothing in a state by which it is known.
bool is_silent(const detail::Part& part) {
  return part.numbers.empty() && part.counts.empty() && part.slots.empty() && part.patterns.empty();
}

/// Which of the part's patterns the parameter follows, counted from 1; 0 for none.
std::int64_t pattern_of(const Node& node, std::size_t parameter) {
  const std::size_t match = node.matches[parameter];
  return match == detail::no_match ? 0 : static_cast<std::int64_t>(match) + 1;
}

}  // namespace

std::vector<std::string> Chain::numbers() const {
  std::vector<std::string> all;
  for (const Node& node : program_->nodes)
    for (const Number& n : node.part->numbers) all.push_back(join(node.path, "/", n.name));
  return all;
}

double Chain::number(std::string_view name) const {
  const Program::Place at = find_number(*program_, name);
  return now(*program_, at.node, at.number);
}

void Chain::set_number(std::string_view name, double value) {
  const Program::Place at = find_number(*program_, name);
  Node& node = program_->nodes[at.node];
  const Number& n = node.part->numbers[at.number];
  if (n.value.scheduled()) fail<ValueError>(method(), node.path, "/", n.name, " follows a schedule: it cannot be set");
  n.check(node.part->name.c_str(), value);
  n.check_held(node.part->name.c_str(), value, node.any_f32);
  std::vector<double> together = node.values;
  together[at.number] = value;
  node.part->check(together);
  node.values[at.number] = value;
}

std::vector<Optimizer::Option> Chain::all_options() const {
  std::vector<Option> all;
  for (const std::string& name : program_->names) all.push_back({name, number(name)});
  return all;
}

void Chain::set_options(const std::vector<double>& values) {
  const std::vector<Program::Place>& places = program_->places;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const detail::Part& part = *program_->nodes[places[i].node].part;
    part.numbers[places[i].number].check(part.name.c_str(), values.at(i));
    part.numbers[places[i].number].check_held(part.name.c_str(), values.at(i), program_->nodes[places[i].node].any_f32);
  }
  std::vector<std::vector<double>> together;
  for (const Node& node : program_->nodes) together.push_back(node.values);
  for (std::size_t i = 0; i < places.size(); ++i) together[places[i].node][places[i].number] = values[i];
  for (std::size_t k = 0; k < together.size(); ++k) program_->nodes[k].part->check(together[k]);
  for (std::size_t i = 0; i < places.size(); ++i) program_->nodes[places[i].node].values[places[i].number] = values[i];
}

void Chain::save_rest(TensorMap& state) const {
  know_all();
  for (std::size_t i = 0; i < program_->nodes.size(); ++i) {
    const Node& node = program_->nodes[i];
    const Memory& m = program_->memory[i];
    const std::string at = join(method(), "/", node.path, "/");
    if (is_silent(*node.part)) state.insert(at + "place", capstan::detail::count(static_cast<std::int64_t>(i)));
    for (std::size_t k = 0; k < node.part->counts.size(); ++k) state.insert(at + node.part->counts[k], capstan::detail::count(m.counts[k]));
    for (std::size_t e = 0; e < entries().size(); ++e) {
      if (!node.reached[e]) continue;
      const std::string of = join(at, entries()[e].name, "/");
      if (!node.part->patterns.empty()) state.insert(of + "pattern", capstan::detail::count(pattern_of(node, e)));
      if (node.part->slots.empty()) continue;
      const std::int64_t count = e < m.parameters.size() ? m.parameters[e].count : 0;
      state.insert(of + "count", capstan::detail::count(count));
      for (std::size_t k = 0; count > 0 && k < node.part->slots.size(); ++k)
        state.insert(of + node.part->slots[k], m.parameters[e].slots[k]);
    }
  }
}

void Chain::read_rest(capstan::detail::StateReader& reader) {
  know_all();
  std::vector<Memory> loaded(program_->nodes.size());
  for (std::size_t i = 0; i < program_->nodes.size(); ++i) {
    const Node& node = program_->nodes[i];
    const std::string at = join(method(), "/", node.path, "/");
    if (is_silent(*node.part)) reader.require_count(at + "place", static_cast<std::int64_t>(i));
    for (const char* name : node.part->counts) loaded[i].counts.push_back(reader.read_count(at + name));
    if (!node.part->slots.empty()) loaded[i].parameters.resize(entries().size());
    for (std::size_t e = 0; e < entries().size(); ++e) {
      if (!node.reached[e]) continue;
      const std::string of = join(at, entries()[e].name, "/");
      if (!node.part->patterns.empty()) reader.require_count(of + "pattern", pattern_of(node, e));
      if (node.part->slots.empty()) continue;
      Memory::OfParameter& m = loaded[i].parameters[e];
      m.count = reader.read_count(of + "count");
      for (std::size_t k = 0; m.count > 0 && k < node.part->slots.size(); ++k)
        if (const Tensor* t = reader.read(of + node.part->slots[k], entries()[e].parameter.shape(), entries()[e].parameter.dtype()))
          m.slots.push_back(t->clone());
    }
  }
  program_->loaded = std::move(loaded);
}

void Chain::commit_rest() noexcept {
  program_->memory = std::move(program_->loaded);
  program_->loaded = {};
}

std::string Chain::describe() const {
  know_all();
  std::int64_t elements = 0, bytes = 0;
  for (std::size_t e = 0; e < entries().size(); ++e) {
    const Tensor& w = entries()[e].parameter;
    elements += w.numel();
    for (const Node& node : program_->nodes)
      if (node.reached[e]) bytes += static_cast<std::int64_t>(node.part->slots.size() * size_of(w.dtype())) * w.numel();
  }
  const auto list = [this](const auto& self, const std::vector<std::size_t>& parts, const std::string& indent) -> std::string {
    std::string s;
    for (const std::size_t i : parts) {
      const Node& node = program_->nodes[i];
      std::vector<std::string> numbers;
      std::string scheduled;
      for (std::size_t k = 0; k < node.values.size(); ++k) {
        const Number& n = node.part->numbers[k];
        const std::string value = join(now(*program_, i, k));
        numbers.push_back(n.value.scheduled() ? join(n.name, "(t)") : value);
        if (n.value.scheduled()) scheduled += join(", ", n.name, "(", program_->memory[i].counts[0], ") = ", value);
      }
      s += join("\n", indent, node.path, ": ", node.part->formula(numbers), scheduled);
      for (std::size_t b = 0; b < node.branches.size(); ++b)
        s += join("\n", indent, "  ", node.part->patterns[b], self(self, node.branches[b], indent + "    "));
    }
    return s;
  };
  return join("u <- g", list(list, program_->top, "  "), "\n  w <- w + u", total(entries().size(), elements, bytes));
}

}  // namespace capstan::optim
