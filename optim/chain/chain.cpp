#include <capstan/optim/chain.h>

#include <capstan/core/state_reader.h>
#include <capstan/optim/method_impl.h>
#include <capstan/optim/transform_part.h>

#include <algorithm>
#include <cmath>
#include <memory>

// A chain's step: prepare() runs the parts over the gradients, beside everything that is there; finish() moves the parameters by what came
// out and puts the new states in place.
namespace capstan::optim {

using capstan::detail::fail;
using capstan::detail::join;
using detail::Memory;
using detail::Node;
using detail::Program;
using detail::Update;

namespace detail {

Program::Program(const Transform& t) : transform(t) {
  top = add(t, "");
  memory.resize(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Part& part = *nodes[i].part;
    memory[i].counts.resize(part.counts.size());
    for (std::size_t k = 0; k < part.numbers.size(); ++k) {
      if (part.numbers[k].value.scheduled()) continue;
      names.push_back(join(nodes[i].path, "/", part.numbers[k].name));
      places.push_back({i, k});
    }
    may_skip = may_skip || part.skips;
  }
}

/// The nodes of a transformation's parts, one after the other, and those of their branches.
std::vector<std::size_t> Program::add(const Transform& t, const std::string& path) {
  std::vector<const Part*> flat;
  const auto collect = [&flat](const auto& self, const Part& part) -> void {
    if (part.name != "chain" || part.parts.empty()) return flat.push_back(&part);
    for (const Transform& inner : part.parts) self(self, inner.part());
  };
  collect(collect, t.part());
  std::vector<std::size_t> all;
  for (std::size_t k = 0; k < flat.size(); ++k) {
    const std::size_t at = nodes.size();
    all.push_back(at);
    Node node{flat[k], join(path, k, ".", flat[k]->name), {}};
    for (const Number& n : flat[k]->numbers) node.values.push_back(n.value.at(0));
    nodes.push_back(node);
    for (std::size_t b = 0; b < flat[k]->parts.size(); ++b) {
      const std::vector<std::size_t> branch = add(flat[k]->parts[b], join(node.path, "/", b, "/"));
      nodes[at].branches.push_back(branch);
    }
  }
  return all;
}

void Program::route(const std::vector<std::size_t>& of, const std::string& name, DType dtype) {
  const std::size_t parameter = parameters.size();
  for (const std::size_t i : of) {
    const std::size_t match = first_match(nodes[i].part->patterns, name);
    nodes[i].reached.resize(parameter + 1);
    nodes[i].reached[parameter] = true;
    nodes[i].matches.resize(parameter + 1, no_match);
    nodes[i].matches[parameter] = match;
    nodes[i].any_f32 = nodes[i].any_f32 || dtype == DType::f32;
    for (std::size_t b = 0; b < nodes[i].branches.size(); ++b)
      if (b == match) route(nodes[i].branches[b], name, dtype);
  }
  for (Node& node : nodes) node.reached.resize(parameter + 1);
  for (Node& node : nodes) node.matches.resize(parameter + 1, no_match);
}

void Program::require_place(const std::vector<std::size_t>& of, const std::string& name, DType dtype) const {
  for (const std::size_t i : of) {
    const Node& node = nodes[i];
    for (std::size_t k = 0; k < node.values.size(); ++k)
      node.part->numbers[k].check_held(node.part->name.c_str(), node.values[k], dtype == DType::f32);
    if (!node.part->every) continue;
    const std::size_t match = first_match(node.part->patterns, name);
    if (match == no_match) {
      std::string all;
      for (const std::string& pattern : node.part->patterns) all += join(all.empty() ? "'" : ", '", pattern, "'");
      fail<ValueError>("chain", node.path, ": each parameter must match a pattern: '", name, "' among ", all, " (\"*\" takes the rest)");
    }
    require_place(node.branches[match], name, dtype);
  }
}

bool Program::takes_rows(const std::vector<std::size_t>& of, std::size_t parameter, bool at_end) const {
  for (std::size_t k = 0; k < of.size(); ++k) {
    const Node& node = nodes[of[k]];
    const bool last = at_end && k + 1 == of.size();
    if (!node.branches.empty()) {
      if (!takes_rows(node.branches[node.matches[parameter]], parameter, last)) return false;
    } else if (last ? !node.part->descends : !node.part->rests(node.values)) {
      return false;
    }
  }
  return !of.empty();
}

bool Program::run(const std::vector<std::size_t>& of, Updates& all) {
  for (const std::size_t i : of) {
    Node& node = nodes[i];
    Memory& m = next[i];
    for (std::size_t k = 0; k < node.values.size(); ++k) {
      const Number& n = node.part->numbers[k];
      if (!n.value.scheduled()) continue;
      node.values[k] = n.value.at(m.counts[0]);
      n.check(node.part->name.c_str(), node.values[k]);
      n.check_held(node.part->name.c_str(), node.values[k], node.any_f32);
    }
    if (node.part->scheduled()) ++m.counts[0];
    Call call{*this, node, m};
    if (!node.part->run(call, all)) return false;
  }
  return true;
}

namespace {

template <class T>
struct Move {
  T step;
  void operator()(T& w, T n) const { w -= step * n; }
  void operator()(T& w, T n, T& d) const { w -= d == T(0) ? T(0) : step * n / d; }
};

/// w <- w + u, where that is finite.
void apply(const Update& u) {
  const Tensor& w = u.rows ? u.moved : u.w;
  if (u.rows) take_rows(u.w, *u.rows, w);
  const double step = -u.num / u.den;
  const auto move = [&]<Decay decay>(std::integral_constant<Decay, decay>) {
    if (u.d.defined())
      sweep_by<decay, true>(1 + u.decay, w, u.n, rule<Move>(step), u.d);
    else
      sweep_by<decay, true>(1 + u.decay, w, u.n, rule<Move>(step));
  };
  if (u.decay == 0)
    move(std::integral_constant<Decay, Decay::own>{});
  else
    move(std::integral_constant<Decay, Decay::decoupled>{});
  if (u.rows) put_rows(w, *u.rows, u.w);
}

}  // namespace

}  // namespace detail

Chain::Chain(const Parameters& parameters, const Transform& transform) : Optimizer(true), program_(nullptr) {
  auto program = std::make_unique<Program>(transform);
  program_ = program.get();
  if (!parameters.empty()) add_parameters(parameters);
  require_patterns_used();
  static_cast<void>(program.release());
}

Chain::~Chain() { delete program_; }

/// Once there are parameters: each pattern must be the first to match one.
void Chain::require_patterns_used() const {
  if (program_->checked || entries().empty()) return;
  know_all();
  for (const Node& node : program_->nodes)
    for (std::size_t k = 0; k < node.part->patterns.size(); ++k) {
      std::string reached;
      bool used = false;
      for (std::size_t i = 0; i < entries().size(); ++i) {
        used = used || (node.reached[i] && node.matches[i] == k);
        if (node.reached[i]) reached += join(reached.empty() ? "" : ", ", entries()[i].name);
      }
      if (!used)
        fail<ValueError>(method(), node.path, ": a pattern must be the first to match some parameter: '", node.part->patterns[k],
                         "' among ", reached.empty() ? "none" : reached);
    }
  program_->checked = true;
}

void Chain::accept_parameter(const std::string& name, const Tensor& parameter) const {
  program_->require_place(program_->top, name, parameter.dtype());
}

/// Takes in the parameters that were added.
void Chain::know_all() const {
  for (std::size_t i = program_->parameters.size(); i < entries().size(); ++i) {
    program_->route(program_->top, entries()[i].name, entries()[i].parameter.dtype());
    program_->parameters.insert(entries()[i].name, entries()[i].parameter);
  }
}

bool Chain::takes_rows(const Entry& entry) const {
  know_all();
  return program_->takes_rows(program_->top, static_cast<std::size_t>(&entry - entries().data()));
}

bool Chain::takes_non_finite() const noexcept { return program_->may_skip; }

void Chain::prepare(double loss) {
  require_patterns_used();
  know_all();
  Program& p = *program_;
  p.next = p.memory;
  p.loss = loss;
  p.looked_at.assign(entries().size(), false);
  p.slot_rows.clear();
  struct Forget {
    detail::Updates* updates;
    ~Forget() {
      if (updates) updates->clear();
    }
  } on_error{&p.updates};
  for (std::size_t i = 0; i < entries().size(); ++i)
    if (const Entry& e = entries()[i]; e.gradient)
      p.updates.push_back({.index = i, .name = e.name, .w = e.parameter, .n = *e.gradient, .rows = e.rows});
  p.run(p.top, p.updates);
  for (Update& u : p.updates)
    if (u.rows) u.moved = empty_like(u.n);
  for (const Update& u : p.updates) require_sound(u);
  for (std::size_t i = 0; p.may_skip && i < entries().size(); ++i) {
    if (!entries()[i].gradient || p.looked_at[i]) continue;
    require_finite_loss(loss);
    require_finite(entries()[i]);
  }
  on_error.updates = nullptr;
}

void Chain::update_all() {
  for_each_moved([](Entry&) {});  // finish() does it
}

void Chain::finish() {
  Program& p = *program_;
  for (const Update& u : p.updates) {
    detail::apply(u);
    capstan::detail::bump_version(u.w.header());
  }
  p.updates.clear();
  for (const Program::SlotRows& s : p.slot_rows) detail::put_rows(s.values, s.rows, s.slot);
  p.slot_rows.clear();
  p.memory.swap(p.next);
  for (Memory& m : p.next)
    for (Memory::OfParameter& of : m.parameters) of.slots.clear();
}

std::int64_t Chain::skipped() const noexcept {
  std::int64_t total = 0;
  for (std::size_t i = 0; i < program_->nodes.size(); ++i)
    if (program_->nodes[i].part->skips) total += program_->memory[i].counts[0];
  return total;
}

}  // namespace capstan::optim
