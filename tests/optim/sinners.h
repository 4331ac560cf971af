#pragma once
#include <capstan/autograd/ops.h>

#include <array>
#include <map>
#include <string>
#include <vector>

#include "methods.h"

// Methods of which each breaks one promise of the kit, for its own test.
namespace sinners {

enum class Sin {
  none,
  misnamed,
  ascends,
  stuck,
  deaf,
  writes_gradient,
  only_rows,
  restless,
  moves_idle,
  one_count_for_all,
  one_group_for_all,
  forgetful,
  remembers,
  minds_others,
  rough_in_f32,
  rough_in_f64,
  rounds_its_rate,
  half_decay,
  overflows,
  takes_nan,
  takes_all_options,
  counts_threads
};

struct SinnerOptions {
  double lr = 0.05, momentum = 0.5, boost = 0, weight_decay = 0.01;
};

/// Gradient descent with momentum over whole tensors, and one sin.
template <Sin sin>
struct Sinner : optim::MethodBase {
  using Field = optim::Field<SinnerOptions>;
  static inline int remembered = 0;  // steps of all runs
  static constexpr auto name = "sinner";
  static constexpr std::array fields = {Field{"lr", &SinnerOptions::lr}, Field{"momentum", &SinnerOptions::momentum},
                                        Field{"boost", &SinnerOptions::boost}, Field{"weight_decay", &SinnerOptions::weight_decay}};

  explicit Sinner(const Parameters& parameters, SinnerOptions o = {}) : parameters_(parameters), groups_{{o, false}} {
    check(o);
    add_parameters(parameters);
    if (sin == Sin::takes_nan) set_check_finite(false);
  }
  template <class F>
  void group(std::string_view pattern, F change) {
    Group g = groups_.front();
    change(g.options);
    check(g.options);
    g.own_lr = g.options.lr != groups_.front().options.lr;
    assign_group(pattern, groups_.size());
    groups_.push_back(g);
  }
  const char* method() const noexcept override { return sin == Sin::misnamed ? "saint" : name; }

 protected:
  bool takes_rows(const Entry&) const override { return sin == Sin::only_rows; }
  void update(Entry& e, const Tensor& given) override {
    const Tensor g = e.rows ? RowSparse{*e.rows, given, e.parameter.shape()}.dense() : given;
    const SinnerOptions& o = groups_[sin == Sin::one_group_for_all ? 0 : e.group].options;
    Tensor w = e.parameter, m = e.state[0];
    const Tensor old_m = m.clone();
    m *= o.momentum;
    m += g;
    if (o.weight_decay != 0) m += w * ((sin == Sin::half_decay ? 0.5 : 1.0) * o.weight_decay);
    double rate = o.lr * (sin == Sin::deaf ? 1 : 1 + o.boost);
    if (sin == Sin::ascends) rate = -rate;
    if (sin == Sin::stuck && w.numel() == 2) rate = 0;
    if (sin == Sin::rough_in_f32 && w.dtype() == DType::f32) rate *= 1.01;
    if (sin == Sin::counts_threads) rate *= 1 + 0.001 * num_threads();
    if (sin == Sin::remembers) rate *= 1 + std::pow(0.5, ++remembered);
    if (sin == Sin::minds_others) {
      static const void* last = nullptr;
      if (e.steps > 1 && last != this) rate *= 1.01;
      last = this;
    }
    if (sin == Sin::rounds_its_rate) rate = static_cast<double>(static_cast<float>(rate));
    if (sin == Sin::forgetful) rate *= 1 + 0.5 / ++steps_of_[e.name];  // a count that no state knows
    if (sin == Sin::one_count_for_all) {
      if (leader_.empty()) leader_ = e.name;
      if (leader_ == e.name) count_ = e.steps;
      rate *= 1 + 0.5 / static_cast<double>(count_);
    }
    Tensor kept = w.clone();
    w -= sin == Sin::rough_in_f64 ? (m * rate).to(DType::f32).to(w.dtype()) : m * rate;
    if (sin != Sin::overflows) {
      put_back(m, old_m, w);
      put_back(w, kept, w);
    }
    if (sin == Sin::only_rows && e.rows) {  // the others would go on by their momentum
      for (std::int64_t i = 0; i < e.rows->numel(); ++i) {
        const std::int64_t row = e.rows->data<std::int64_t>()[i];
        kept.rows(row, row + 1).assign(w.rows(row, row + 1));
      }
      w.assign(kept);
    }
    if (sin == Sin::restless) w *= 1 - 1e-6;
    if (sin == Sin::writes_gradient) {
      if (g.dtype() == DType::f32) g.data<float>()[0] = 0;
      if (g.dtype() == DType::f64) g.data<double>()[0] = 0;
    }
    if (sin == Sin::moves_idle)
      for (const auto& p : parameters_)
        if (p.name != e.name) Tensor(p.tensor) += 1e-3;
  }
  std::vector<const char*> option_names() const override {
    std::vector<const char*> names;
    for (const auto& f : fields) names.push_back(f.name);
    return names;
  }
  double option_of(std::size_t group, std::string_view option) const override { return field(option).get(groups_.at(group).options); }
  void set_option_of(std::size_t group, std::string_view option, double value) override {
    Group changed = groups_.at(group);
    field(option).set(changed.options, value);
    check(changed.options);
    groups_[group] = changed;
    for (Group& g : groups_)
      if (group == 0 && option == "lr" && !g.own_lr) g.options.lr = value;
  }
  void set_options(const std::vector<double>& values) override {
    std::vector<Group> changed = groups_;
    std::size_t i = 0;
    for (Group& g : changed) {
      for (const auto& f : fields) f.set(g.options, values.at(i++));
      check(g.options);
    }
    groups_ = changed;
  }
  std::size_t group_count() const noexcept override { return groups_.size(); }
  std::string formula_of(std::size_t) const override { return "m <- momentum*m + g, w <- w - lr*m"; }
  std::size_t rule_of(std::size_t) const noexcept override { return 0; }
  std::size_t rule_with(std::size_t, const std::vector<double>&) const override { return 0; }
  std::vector<const char*> slot_names(std::size_t) const override { return {"momentum"}; }
  double start_of(std::size_t, std::size_t) const override { return 0; }

 private:
  struct Group {
    SinnerOptions options;
    bool own_lr;
  };
  /// x <- old, where w is not finite.
  static void put_back(Tensor& x, const Tensor& old, const Tensor& w) {
    const auto each = [&]<class T>(T*) {
      for (std::int64_t i = 0; i < w.numel(); ++i)
        if (!optim::is_finite(w.data<T>()[i])) x.data<T>()[i] = old.data<T>()[i];
    };
    if (w.dtype() == DType::f32)
      each(static_cast<float*>(nullptr));
    else
      each(static_cast<double*>(nullptr));
  }
  static const Field& field(std::string_view option) {
    return *std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.name == option; });
  }
  static void check(const SinnerOptions& o) {
    if (sin == Sin::takes_all_options) return;
    for (const auto& f : fields)
      if (!std::isfinite(f.get(o))) throw ValueError("[sinner] every option must be finite");
    if (o.lr < 0 || o.weight_decay < 0) throw ValueError("[sinner] lr and weight_decay must not be negative");
  }

  Parameters parameters_;
  std::vector<Group> groups_;
  std::map<std::string, int> steps_of_;
  std::string leader_;
  std::int64_t count_ = 1;
};

/// Whose rule moves each further element half as far. It is called like one of the kit's parameters.
struct FadingOptions {
  double lr = 0.1;
};
struct Fading : optim::Elementwise<Fading, FadingOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "w";
  static constexpr Field fields[] = {{"lr", &FadingOptions::lr}};
  static constexpr std::array<const char*, 0> states = {};
  template <class T>
  struct Rule {
    mutable T lr;
    Rule(const FadingOptions&, optim::StepInfo step) : lr(T(step.lr)) {}
    void operator()(T& w, T g) const { w -= lr * g, lr /= 2; }
  };
};

/// Whose decay is its own business in one of two ways, and which has no groups.
struct HermitOptions {
  double lr = 0.1, weight_decay = 0.01;
  bool own = true;
};
struct Hermit : optim::Elementwise<Hermit, HermitOptions> {
  using Elementwise::Elementwise;
  static constexpr auto name = "hermit";
  static constexpr Field fields[] = {
      {"lr", &HermitOptions::lr}, {"weight_decay", &HermitOptions::weight_decay}, {"own", &HermitOptions::own}};
  static constexpr std::array<const char*, 0> states = {};
  template <class T>
  struct Rule {
    T lr, pull;
    Rule(const HermitOptions& o, optim::StepInfo step) : lr(T(step.lr)), pull(T(o.own ? step.lr * o.weight_decay : 0)) {}
    void operator()(T& w, T g) const { w -= lr * g + pull * sign(w); }
  };
  static optim::Decay decay(const HermitOptions& o) { return o.own ? optim::Decay::own : optim::Decay::l2; }
  void group() = delete;
};

/// Whose rule says that it rests, and goes on by its momentum; or climbs, so that it makes 0 of -0.
struct DrifterOptions {
  double lr = 0.05, momentum = 0.5;
};
template <bool climbs>
struct Drifter : optim::Elementwise<Drifter<climbs>, DrifterOptions> {
  using optim::Elementwise<Drifter<climbs>, DrifterOptions>::Elementwise;
  static constexpr auto name = "drifter";
  static constexpr optim::Field<DrifterOptions> fields[] = {{"lr", &DrifterOptions::lr}, {"momentum", &DrifterOptions::momentum}};
  static constexpr std::array states = {"momentum"};
  template <class T>
  struct Rule {
    static constexpr bool rests = true;
    T lr, momentum;
    Rule(const DrifterOptions& o, optim::StepInfo step) : lr(T(step.lr)), momentum(T(o.momentum)) {}
    void operator()(T& w, T g, T& m) const {
      m = climbs ? m + g * g : momentum * m + g;
      w += (climbs ? (1 - momentum) * g : -m) * lr;
    }
  };
};

}  // namespace sinners
