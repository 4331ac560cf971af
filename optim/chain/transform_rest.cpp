#include <capstan/optim/transform_part.h>

#include <cmath>

// What lets the rest of a chain rest.
namespace capstan::optim {

using capstan::detail::fail;
using capstan::detail::join;
using detail::Call;
using detail::Memory;
using detail::Part;
using detail::sweep;
using detail::Update;
using detail::Updates;
using Texts = std::vector<std::string>;

namespace {

struct Accumulate final : Part {
  explicit Accumulate(std::int64_t k) : Part("accumulate", {detail::count_number("k", k)}, {"mean"}) { counts = {"done"}; }
  template <class T>
  struct Rule {
    T n;
    void operator()(T& out, T g, T& mean) const {
      out = finite_or(mean + (g - mean) / n, mean - mean / n + g / n);  // the difference of two numbers may be too large
    }
  };
  template <class T>
  struct Nothing {
    T n;
    void operator()(T& out, T mean) const { out = mean + (T(0) - mean) / n; }
  };

  // A parameter's count is above 0 once it has had an update since the rest of the chain last worked.
  bool run(Call& call, Updates& updates) const override {
    const std::int64_t n = call.memory.counts[0] + 1;
    std::vector<bool> present(call.program.parameters.size());
    for (Update& u : updates) {
      require_sound(u);
      present[u.index] = true;
      const Tensor g = u.elements(), mean = empty_like(g);
      Tensor& kept = call.remembered(u).slots[0];
      sweep(mean, g, detail::rule<Rule>(n), kept);
      kept = mean;
    }
    for (std::size_t i = 0; i < call.memory.parameters.size(); ++i) {
      Memory::OfParameter& m = call.memory.parameters[i];
      if (m.count == 0 || present[i]) continue;
      const Tensor mean = empty_like(m.slots[0]);
      sweep(mean, m.slots[0], detail::rule<Nothing>(n));
      m.slots[0] = mean;
    }
    updates.clear();
    const bool works = static_cast<double>(n) >= call.number(0);
    call.memory.counts[0] = works ? 0 : n;
    if (!works) return false;
    for (std::size_t i = 0; i < call.memory.parameters.size(); ++i) {
      Memory::OfParameter& m = call.memory.parameters[i];
      if (m.count == 0) continue;
      const auto& p = call.program.parameters.at(i);
      detail::require_dtype(p.name, p.tensor, m.slots[0]);
      updates.push_back({i, p.name, p.tensor, m.slots[0]});
      m = {};
    }
    return true;
  }
  std::string formula(const Texts& v) const override {
    return join("u <- the mean of u over ", v[0], " steps; what follows rests in between");
  }
};

bool all_finite(const Tensor& x) {
  return kernels::dispatch(
      x, [&]<class T>(T*) { return kernels::table<T>().first_non_finite(kernels::data_of<T>(x), x.numel()) >= x.numel(); });
}

struct SkipNonfinite final : Part {
  explicit SkipNonfinite(std::int64_t most) : Part("skip_nonfinite", {detail::count_number("max_consecutive", most)}) {
    counts = {"skipped", "in_a_row"};
    skips = true;
  }
  bool run(Call& call, Updates& updates) const override {
    const std::string_view* bad = nullptr;
    for (Update& u : updates) {
      call.program.looked_at[u.index] = true;
      if (!bad && (u.bad_part || !all_finite(u.elements()))) bad = &u.name;
    }
    std::int64_t &skipped = call.memory.counts[0], &row = call.memory.counts[1];
    if (!bad && std::isfinite(call.program.loss)) return row = 0, true;
    if (static_cast<double>(row + 1) > call.number(0))
      fail<NotFiniteError>("chain", call.node.path, ": no more than ", row, " steps in a row may rest: ",
                           bad ? join("the update of '", *bad, "' is not finite again") : join("the loss is ", call.program.loss),
                           " (a lower lr, or a part that clips)");
    ++skipped;
    ++row;
    updates.clear();
    return false;
  }
  std::string formula(const Texts& v) const override {
    return join("what follows rests while the loss or u is not finite, for ", v[0], " steps in a row at most");
  }
};

}  // namespace

namespace transform {

Transform accumulate(std::int64_t k) { return Transform(new Accumulate(k)); }
Transform skip_nonfinite(std::int64_t max_consecutive) { return Transform(new SkipNonfinite(max_consecutive)); }

}  // namespace transform

}  // namespace capstan::optim
