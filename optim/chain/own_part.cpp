#include <capstan/optim/own_part.h>

#include <capstan/optim/transform_part.h>

#include <algorithm>
#include <charconv>

// A part with memory from outside the library as one of a chain's.
namespace capstan::optim::detail {

using capstan::detail::fail;
using capstan::detail::join;

namespace {

std::vector<Number> numbers_of(const OwnPart& own) {
  std::vector<Number> all;
  for (std::size_t i = 0; i < own.fields.size(); ++i) all.emplace_back(own.fields[i], own.starts[i]);
  return all;
}

std::vector<const char*> slots_of(const OwnPart& own) {
  std::vector<const char*> all;
  for (const std::string& slot : own.states) all.push_back(slot.c_str());
  return all;
}

struct Own final : Each {
  explicit Own(std::unique_ptr<OwnPart> part) : Each(part->name, numbers_of(*part), slots_of(*part)), own(std::move(part)) {
    own->check(own->starts);
  }
  void each(Call& call, Update& u) const override {
    Memory::OfParameter& m = call.remembered(u);
    std::array<Tensor, 8> now;
    for (std::size_t i = 0; i < m.slots.size(); ++i) now[i] = m.slots[i].clone();
    const Tensor value = own->move(call.node.values, m.count, u.elements(), u.w, now);
    require_fit(u, "the update", value);
    // A handle on a parameter's own elements would change with them, and a slot that is the update or another slot is one tensor twice.
    const auto own_elements = [&](const Tensor& t, std::size_t earlier) {
      const auto holds = [&](const Tensor& other) { return other.header()->data == t.header()->data; };
      const Parameters& all = call.program.parameters;
      return std::any_of(all.begin(), all.end(), [&](const TensorMap::Entry& p) { return holds(p.tensor); }) ||
                     std::any_of(m.slots.begin(), m.slots.begin() + static_cast<std::ptrdiff_t>(earlier), holds) || holds(u.n)
                 ? t.clone()
                 : t;
    };
    for (std::size_t i = 0; i < m.slots.size(); ++i) {
      require_fit(u, own->states[i], now[i]);
      m.slots[i] = own_elements(now[i], i);
    }
    u.set(own_elements(value, m.slots.size()));
    u.direction = true;
  }
  void check(const std::vector<double>& values) const override { own->check(values); }
  double initial(std::size_t slot, const std::vector<double>& values) const override { return own->initial(slot, values); }
  std::string formula(const std::vector<std::string>& texts) const override {
    std::vector<double> values;
    for (const std::string& text : texts) std::from_chars(text.data(), text.data() + text.size(), values.emplace_back());
    return own->formula(values);
  }

 private:
  void require_fit(const Update& u, const std::string& what, const Tensor& t) const {
    if (t.shape() != u.w.shape() || t.dtype() != u.w.dtype())
      fail<ValueError>("chain", name, ": ", what, " must have the parameter's dtype and shape: ", t.dtype(), " ", t.shape(), " for '",
                       u.name, "', which is ", u.w.dtype(), " ", u.w.shape());
  }

  const std::unique_ptr<OwnPart> own;
};

}  // namespace

Transform from_part(std::unique_ptr<OwnPart> part) {
  std::vector<std::string> names = part->states;
  for (const FieldInfo& f : part->fields) names.emplace_back(f.name);
  names.push_back(part->name);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty() || names[i].find_first_of(" /") != std::string::npos)
      fail<ValueError>("chain", "a part's names must be words without '/': '", names[i], "'");
    if (i + 1 < names.size() && (names[i] == "count" || std::count(names.begin(), names.end() - 1, names[i]) > 1))
      fail<ValueError>("chain", part->name, ": the name of a slot or an option must come once, and 'count' is taken: '", names[i], "'");
  }
  return Transform(new Own(std::move(part)));
}

}  // namespace capstan::optim::detail
