#include <capstan/optim/lbfgs.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/core/text.h>
#include <capstan/optim/state_reader.h>
#include <capstan/optim/strong_wolfe.h>

#include <algorithm>
#include <limits>

namespace capstan::optim {

using capstan::detail::cat;
using capstan::detail::fail;

namespace {

using Tensors = std::vector<Tensor>;

constexpr std::size_t differences = 0, steps = 1, last_gradient = 2, last_step = 3, memory = 4;  // of the slots

double dot(const Tensors& a, const Tensors& b) {
  double total = 0;
  for (std::size_t i = 0; i < a.size(); ++i) total += sum(a[i] * b[i]).item();
  return total;
}

double largest(const Tensors& a) {
  double most = 0;
  for (const Tensor& x : a)
    if (x.numel() > 0) {
      const double here = max(abs(x)).item();
      if (!(here <= most)) most = here;  // NaN too
    }
  return most;
}

Tensors scaled(const Tensors& a, double factor) {
  Tensors b;
  for (const Tensor& x : a) b.push_back(x * factor);
  return b;
}

void add(Tensors& a, const Tensors& b, double factor) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += factor * b[i];
}

void require_whole(const char* option, double value, double least, double most) {
  if (!(value >= least && value <= most && value == std::floor(value)))
    fail<ValueError>(LBFGS::name, option, " must be a whole number from ", least, " to ", most, ": ", value);
}

}  // namespace

LBFGS::LBFGS(const Parameters& parameters, LBFGSOptions options) : Method(parameters, options, true) {}
LBFGS::~LBFGS() = default;

void LBFGS::check(const LBFGSOptions& o) {
  require_whole("max_iter", o.max_iter, 1, 1e9);
  require_whole("max_eval", o.max_eval, 0, 1e9);
  detail::require_non_negative(name, "tolerance_grad", o.tolerance_grad);
  detail::require_non_negative(name, "tolerance_change", o.tolerance_change);
  require_whole("history_size", o.history_size, 1, 1000);
}

std::string LBFGS::formula(const LBFGSOptions& o) {
  return cat("d = -H g, H from the last ", o.history_size, " pairs of steps and changes of g, w <- w + t*d, t = ", o.lr,
             " or by strong Wolfe search");
}

std::vector<const char*> LBFGS::slot_names(std::size_t) const { return {"differences", "steps", "last_gradient", "last_step", "memory"}; }

Shape LBFGS::shape_of(std::size_t rule, std::size_t slot, const Shape& parameter) const {
  if (slot == memory) return {3};  // how many pairs there are; whether there was an iteration; for how many pairs there is room
  return slot < last_gradient ? Shape{static_cast<std::int64_t>(rule), parameter.numel()} : parameter;
}

void LBFGS::require_rest(const char* call) const {
  if (!moving_.empty())
    fail<ValueError>(name, call, " must not be called by the function that computes the gradients: a step of this optimizer is under way");
}

void LBFGS::accept_parameter(const std::string& parameter_name, const Tensor& parameter) const {
  require_rest("add_parameters()");
  Method::accept_parameter(parameter_name, parameter);
}

void LBFGS::read_rest(detail::StateReader& reader) {
  require_rest("load_state()");
  if (!reader.fits()) return;
  for (const Entry& e : entries()) {
    const std::string key = e.name + "/memory";
    const Tensor* t = reader.find(key);
    if (!t) continue;
    const Tensor numbers = t->to(DType::f64);
    const double *n = numbers.data<double>(), pairs = n[0], iterated = n[1], room = n[2];
    const bool whole = pairs == std::floor(pairs) && (iterated == 0 || iterated == 1) && room == std::floor(room);
    if (!(whole && pairs >= 0 && pairs <= room && room <= 1000)) reader.complain(key, ": no memory has ", pairs, " of ", room, " pairs");
  }
}

void LBFGS::prepare(double) { require_rest("step()"); }

void LBFGS::update(Entry& entry, const Tensor& g) {
  moving_.push_back(&entry);
  gradient_.push_back(g);
}

void LBFGS::update_all() {
  moving_.reserve(entries().size());
  gradient_.reserve(entries().size());
  for_each_moved([this](Entry& e) { update(e, *e.gradient); });
}

double LBFGS::search(Evaluate evaluate, const void* closure) {
  require_rest("step()");
  const Gradients first = evaluate(closure);
  struct Borrow {  // the closure lives as long as this call
    LBFGS& of;
    ~Borrow() { of.evaluate_ = nullptr; }
  } const borrow{*this};
  evaluate_ = evaluate;
  closure_ = closure;
  loss_ = first.loss();
  step(first);
  return loss_;
}

void LBFGS::finish() {
  struct Forget {
    LBFGS& of;
    ~Forget() {
      of.moving_.clear();
      of.gradient_.clear();
    }
  } const forget{*this};
  evaluations_ = evaluate_ ? 1 : 0;

  // Pairs of other parameters than those of now, or of another number, are of no use.
  const double size = options().history_size, pairs = remembered(*moving_.front(), 0);
  bool same = true;
  for (const Entry& e : entries()) {
    if (e.state.empty()) continue;
    const bool moves = std::find(moving_.begin(), moving_.end(), &e) != moving_.end();
    same = same && moves == (remembered(e, 1) != 0) && (!moves || (remembered(e, 0) == pairs && remembered(e, 2) == size));
  }
  if (!same)
    for (const Entry& e : entries())
      if (!e.state.empty()) Tensor(e.state[memory]).assign(zeros({3}, e.parameter.dtype()));

  const int most = static_cast<int>(options().max_iter);
  for (int i = 0; i < most && advance(); ++i) {
  }
}

double LBFGS::remembered(const Entry& e, std::int64_t i) { return e.state[memory].rows(i, i + 1).item(); }

/// -H g by the two-loop recursion, after the last step has been remembered.
std::vector<Tensor> LBFGS::direction() {
  const auto slots = [&](std::size_t k) {
    Tensors all;
    for (const Entry* e : moving_) all.push_back(e->state[k]);
    return all;
  };
  const auto row = [&](std::size_t k, std::int64_t i) {
    Tensors all;
    for (const Entry* e : moving_) all.push_back(e->state[k].rows(i, i + 1).reshape(e->parameter.shape()));
    return all;
  };
  std::int64_t pairs = static_cast<std::int64_t>(remembered(*moving_.front(), 0));
  const std::int64_t size = moving_.front()->state[steps].size(0);
  const bool iterated = remembered(*moving_.front(), 1) != 0;

  Tensors y = gradient_;
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = y[i] - moving_[i]->state[last_gradient];
  if (iterated && dot(y, slots(last_step)) > 1e-10) {
    if (pairs == size) {
      for (const std::size_t k : {differences, steps})
        for (const Tensor& history : slots(k)) Tensor(history).rows(0, size - 1).assign(history.rows(1, size).clone());
      --pairs;
    }
    Tensors to_y = row(differences, pairs), to_s = row(steps, pairs);
    const Tensors s = slots(last_step);
    for (std::size_t i = 0; i < y.size(); ++i) {
      to_y[i].assign(y[i]);
      to_s[i].assign(s[i]);
    }
    ++pairs;
  }
  for (std::size_t i = 0; i < moving_.size(); ++i) {
    std::vector<Tensor>& own = moving_[i]->state;
    own[memory].assign(tensor({static_cast<double>(pairs), iterated ? 1.0 : 0.0, static_cast<double>(size)}, own[memory].dtype()));
    own[last_gradient].assign(gradient_[i]);
    own[last_step] *= 0;  // until it is known
  }

  Tensors q = scaled(gradient_, -1);
  std::vector<double> alpha(static_cast<std::size_t>(pairs)), rho(alpha.size());
  for (std::int64_t i = pairs - 1; i >= 0; --i) {
    const Tensors si = row(steps, i), yi = row(differences, i);
    const std::size_t k = static_cast<std::size_t>(i);
    const double ys = dot(yi, si);
    rho[k] = 1 / ys;
    alpha[k] = dot(si, q) * rho[k];
    add(q, yi, -alpha[k]);
  }
  if (pairs > 0) {
    const Tensors yi = row(differences, pairs - 1);
    q = scaled(q, 1 / (rho.back() * dot(yi, yi)));
  }
  for (std::int64_t i = 0; i < pairs; ++i) {
    const std::size_t k = static_cast<std::size_t>(i);
    add(q, row(steps, i), alpha[k] - dot(row(differences, i), q) * rho[k]);
  }
  return q;
}

/// One iteration; whether there should be another.
bool LBFGS::advance() {
  const LBFGSOptions& o = options();
  const int most = static_cast<int>(o.max_eval == 0 ? std::floor(o.max_iter * 5 / 4) : o.max_eval);
  if (largest(gradient_) <= o.tolerance_grad) return false;
  const bool first = remembered(*moving_.front(), 1) == 0;
  const Tensors d = direction();
  double sizes = 0;
  if (first)
    for (const Tensor& g : gradient_) sizes += sum(abs(g)).item();
  const double slope = dot(gradient_, d), before = loss_;
  double t = first ? std::min(1.0, 1 / sizes) * o.lr : o.lr;
  if (slope > -o.tolerance_change) return false;

  Tensors start;
  for (const Entry* e : moving_) start.push_back(e->parameter.clone());
  const auto go = [&](double length) {
    for (std::size_t i = 0; i < d.size(); ++i) moving_[i]->parameter.assign(start[i] + length * d[i]);
  };
  if (evaluate_) {
    const auto evaluate = [&](double length) {
      go(length);
      ++evaluations_;
      const Gradients found = evaluate_(closure_);
      detail::Point p{length, found.loss(), 0, {}};
      for (const Entry* e : moving_) p.gradient.push_back(found[e->parameter]);
      p.slope = dot(p.gradient, d);
      if (!std::isfinite(p.loss) || !std::isfinite(p.slope)) p.loss = std::numeric_limits<double>::infinity();
      return p;
    };
    try {
      detail::Point end =
          detail::strong_wolfe(evaluate, {0, loss_, slope, gradient_}, t, o.tolerance_change / largest(d), most - evaluations_);
      t = end.t;
      loss_ = end.loss;
      gradient_ = std::move(end.gradient);
    } catch (...) {
      // The function may have converted the model.
      for (std::size_t i = 0; i < d.size(); ++i) moving_[i]->parameter.assign(start[i].to(moving_[i]->parameter.dtype()));
      throw;
    }
  }
  go(t);
  const Tensors moved = scaled(d, t);
  for (std::size_t i = 0; i < d.size(); ++i) {
    moving_[i]->state[last_step].assign(moved[i]);
    moving_[i]->state[memory].rows(1, 2).assign(ones({1}, moved[i].dtype()));
  }
  return evaluate_ && evaluations_ < most && largest(moved) > o.tolerance_change && std::abs(loss_ - before) >= o.tolerance_change;
}

template class Method<LBFGS, LBFGSOptions>;

}  // namespace capstan::optim
