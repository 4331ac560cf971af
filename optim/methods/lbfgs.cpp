#include <capstan/optim/lbfgs.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/compute.h>
#include <capstan/core/create.h>
#include <capstan/core/state_reader.h>
#include <capstan/core/text.h>
#include <capstan/optim/line_search.h>

#include <algorithm>
#include <cmath>
#include <limits>

// A step is one object, Run, whose iterations search a line each and put their outcome in place at once. All of it hangs together, which is
// why the file is long.
namespace capstan::optim {

using capstan::detail::fail;
using capstan::detail::join;

namespace {

using detail::add;
using detail::dot;
using detail::largest;
using detail::scaled;
using detail::Wide;
using Tensors = detail::Tensors;

constexpr std::size_t differences = 0, steps = 1, last_gradient = 2, last_step = 3, memory = 4;  // of the slots
constexpr int search_evaluations = 26;                                                           // PyTorch's max_ls, and the first

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
  require_whole("history_size", o.history_size, 1, 1000);
}

std::string LBFGS::formula(const LBFGSOptions& o) {
  return join("d = -H g, H from the last ", o.history_size, " pairs of steps and changes of g, w <- w + t*d, t = ", o.lr,
              o.line_search ? " or by strong Wolfe search" : "");
}

Shape LBFGS::shape_of(std::size_t rule, std::size_t slot, const Shape& parameter) const {
  if (slot == memory) return {3};  // how many pairs there are; whether there was an iteration; for how many pairs there is room
  return slot < last_gradient ? Shape{static_cast<std::int64_t>(rule), parameter.numel()} : parameter;
}

void LBFGS::require_rest(const char* call) const {
  if (under_way_)
    fail<ValueError>(name, call, " must not be called by the function that computes the gradients: a step of this optimizer is under way");
}

void LBFGS::accept_parameter(const std::string& parameter_name, const Tensor& parameter) const {
  require_rest("add_parameters()");
  Method::accept_parameter(parameter_name, parameter);
}

void LBFGS::read_rest(capstan::detail::StateReader& reader) {
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

void LBFGS::begin_step() noexcept {
  if (!under_way_) last_ = {End::not_begun, 0, evaluate_ ? 1 : 0, entries().size()};
}

void LBFGS::prepare(double) { require_rest("step()"); }

const char* LBFGS::text(End end) noexcept {
  constexpr const char* texts[] = {"not_begun",       "small_gradient", "flat",     "small_step", "small_change",
                                   "no_better_point", "max_iter",       "max_eval", "not_finite"};
  return texts[static_cast<int>(end)];
}

double LBFGS::search(Evaluate evaluate, const void* closure) {
  require_rest("step()");
  last_ = {End::not_begun, 0, 1, entries().size()};
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

/// A step under way. What it computes it computes beside what is there; commit(), which cannot fail, then takes it over.
struct LBFGS::Run {
  explicit Run(LBFGS& optimizer) : of(optimizer) { begin(); }

  void begin();
  void work();
  End iterate();
  Tensors direction(const Tensors* y);
  bool place(double length);
  bool search(double slope, double t);
  void commit(const Tensors* y, const Tensors& here, const Tensors* moved) noexcept;

  Tensors states_of(std::size_t k) const {
    Tensors all;
    for (const Entry* e : moving) all.push_back(e->state[k]);
    return all;
  }
  Tensors row(std::size_t k, std::int64_t i) const {
    Tensors all;
    for (const Entry* e : moving) all.push_back(e->state[k].rows(i, i + 1).reshape(e->parameter.shape()));
    return all;
  }
  static double remembered(const Entry& e, std::int64_t i) { return e.state[memory].rows(i, i + 1).item(); }

  LBFGS& of;
  const LBFGSOptions& o = of.options();
  std::vector<Entry*> moving;
  Tensors gradient;          // of the moving parameters, where they are
  std::int64_t size, pairs;  // of the memory: how many there is room for, how many there are
  bool iterated;             // whether the memory knows a last step
  bool committed = false;    // whether this step has changed anything
  Tensors start, d;          // of the iteration under way: where it began, and the direction
};

void LBFGS::update_all() {
  struct Busy {
    bool& flag;
    ~Busy() { flag = false; }
  } const busy{under_way_ = true};
  Run(*this).work();
}

void LBFGS::Run::begin() {
  moving.reserve(of.entries().size());
  gradient.reserve(of.entries().size());
  for (const Entry& e : of.entries())
    if (e.gradient) gradient.push_back(*e.gradient);
  // Pairs of other parameters than those of now, or of another number, are of no use.
  size = static_cast<std::int64_t>(o.history_size);
  pairs = -1;
  bool same = true;
  for (const Entry& e : of.entries()) {
    if (e.state.empty()) continue;
    const bool moves = e.gradient != nullptr;
    if (moves && pairs < 0) pairs = static_cast<std::int64_t>(remembered(e, 0));
    same = same && moves == (remembered(e, 1) != 0) &&
           (!moves || (static_cast<std::int64_t>(remembered(e, 0)) == pairs && static_cast<std::int64_t>(remembered(e, 2)) == size));
  }
  iterated = same;
  if (!same) pairs = 0;
  of.for_each_moved([this](Entry& e) { moving.push_back(&e); });
}

void LBFGS::Run::work() {
  try {
    do of.last_.end = iterate();
    while (of.last_.end == End::not_begun);
  } catch (...) {
    if (!committed)
      for (Entry* e : moving) --e->steps;
    throw;
  }
}

/// -H g by the two-loop recursion over the memory and, last, the pair of y and the last step.
std::vector<Tensor> LBFGS::Run::direction(const Tensors* y) {
  std::vector<std::pair<Tensors, Tensors>> all;
  for (std::int64_t i = y && pairs == size ? 1 : 0; i < pairs; ++i) all.emplace_back(row(differences, i), row(steps, i));
  if (y) all.emplace_back(*y, states_of(last_step));
  Tensors q = scaled(gradient, -1);
  std::vector<Wide> alpha(all.size()), rho(all.size());
  for (std::size_t k = all.size(); k-- > 0;) {
    const auto& [yi, si] = all[k];
    rho[k] = 1 / dot(yi, si);
    alpha[k] = dot(si, q) * rho[k];
    add(q, yi, static_cast<double>(-alpha[k]));
  }
  if (!all.empty()) q = scaled(q, static_cast<double>(1 / (rho.back() * dot(all.back().first, all.back().first))));
  for (std::size_t k = 0; k < all.size(); ++k) {
    const auto& [yi, si] = all[k];
    add(q, si, static_cast<double>(alpha[k] - dot(yi, q) * rho[k]));
  }
  return q;
}

/// Goes to start + length*d; false, and nowhere, when that is not finite.
bool LBFGS::Run::place(double length) {
  Tensors next = scaled(d, length);
  for (std::size_t i = 0; i < next.size(); ++i) next[i] += start[i];
  if (!std::isfinite(largest(next))) return false;
  for (std::size_t i = 0; i < next.size(); ++i) moving[i]->parameter.assign(next[i]);
  return true;
}

/// The line search from `start`; false when there is no better point, and then the parameters are back.
bool LBFGS::Run::search(double slope, double t) {
  const auto point = [&](double length) {
    detail::Point p{length, std::numeric_limits<double>::infinity(), 0, {}};
    if (!place(length)) return p;
    ++of.last_.evaluations;
    const Gradients found = of.evaluate_(of.closure_);
    for (const Entry* e : moving) p.gradient.push_back(found[e->parameter]);
    const double along = static_cast<double>(dot(p.gradient, d));
    if (!std::isfinite(found.loss()) || !std::isfinite(along)) return p;
    p.loss = found.loss();
    p.slope = along;
    return p;
  };
  const int left = o.max_eval == 0 ? search_evaluations : static_cast<int>(o.max_eval) - of.last_.evaluations;
  const double finest = detail::resolution(start, d), least = std::max(o.tolerance_change / largest(d), finest);
  if (t < finest) t = 4 * finest;  // else the first step of all, of the length 1, changes no parameter of 1e8 in f32
  detail::Point end = detail::strong_wolfe(point, {0, of.loss_, slope, gradient}, t, least, std::min(left, search_evaluations));
  if (end.t == 0 || !place(end.t)) {
    place(0);
    return false;
  }
  d = scaled(d, end.t);
  of.loss_ = end.loss;
  gradient = std::move(end.gradient);
  return true;
}

/// One iteration; not_begun when another should follow.
LBFGS::End LBFGS::Run::iterate() {
  const double steepest = largest(gradient);
  if (steepest <= o.tolerance_grad) return End::small_gradient;
  const auto give_up = [&] {
    pairs = 0;
    iterated = false;
    commit(nullptr, gradient, nullptr);
    return End::not_finite;
  };
  if (!std::isfinite(steepest) || (of.evaluate_ && !std::isfinite(of.loss_))) return give_up();

  // What the last step taught.
  Tensors y;
  if (iterated) {
    y = gradient;
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = y[i] - moving[i]->state[last_gradient];
    const Wide along = dot(y, states_of(last_step));
    if (!(along > 1e-10L) || !std::isfinite(along) || !std::isfinite(largest(y))) y.clear();
  }
  double t = o.lr;
  bool afresh = !iterated;
  d = direction(y.empty() ? nullptr : &y);
  if (!std::isfinite(largest(d)) || !std::isfinite(static_cast<double>(dot(gradient, d)))) {
    afresh = true;
    pairs = 0;
    y.clear();
    // Of a size at which products are numbers, by a power of two.
    const bool single = gradient.front().dtype() == DType::f32;
    d = scaled(gradient, steepest > (single ? 0x1p60 : 0x1p500) ? -std::exp2(-std::ilogb(steepest)) : -1);
  }
  const double slope = static_cast<double>(dot(gradient, d)), far = largest(d);
  if (!std::isfinite(slope)) return give_up();
  if (afresh) t = static_cast<double>(std::min(Wide{1}, 1 / detail::sum_of_sizes(gradient)) * o.lr * (Wide{steepest} / far));
  const Tensors* const pair = y.empty() ? nullptr : &y;
  if (slope > -o.tolerance_change) {
    commit(pair, gradient, nullptr);
    return End::flat;
  }

  start.clear();
  for (const Entry* e : moving) start.push_back(e->parameter.clone());
  const Tensors here = gradient;
  const double before = of.loss_;
  if (of.evaluate_ && o.line_search) {
    if (o.max_eval != 0 && of.last_.evaluations >= o.max_eval) return End::max_eval;
    bool found = false;
    try {
      found = search(slope, t);
    } catch (...) {
      // The function may have converted the model.
      for (std::size_t i = 0; i < start.size(); ++i) moving[i]->parameter.assign(start[i].to(moving[i]->parameter.dtype()));
      throw;
    }
    if (!found) {
      commit(pair, here, nullptr);
      return o.max_eval != 0 && of.last_.evaluations >= o.max_eval ? End::max_eval : End::no_better_point;
    }
    commit(pair, here, &d);
    ++of.last_.iterations;
  } else {
    const Tensors moved = scaled(d, t);
    if (!place(t)) return give_up();
    commit(pair, here, &moved);
    d = moved;
    ++of.last_.iterations;
    if (!of.evaluate_ || of.last_.iterations >= o.max_iter) return End::max_iter;
    if (o.max_eval != 0 && of.last_.evaluations >= o.max_eval) return End::max_eval;
    ++of.last_.evaluations;
    const Gradients found = of.evaluate_(of.closure_);
    Tensors there;
    for (const Entry* e : moving) there.push_back(found[e->parameter]);
    if (!std::isfinite(found.loss()) || !std::isfinite(largest(there))) {
      for (std::size_t i = 0; i < start.size(); ++i) moving[i]->parameter.assign(start[i]);
      return give_up();
    }
    of.loss_ = found.loss();
    gradient = std::move(there);
  }
  const double most = o.max_eval == 0 ? std::floor(o.max_iter * 5 / 4) : o.max_eval;
  if (of.last_.iterations >= o.max_iter) return End::max_iter;
  if (of.last_.evaluations >= most) return End::max_eval;
  if (largest(gradient) <= o.tolerance_grad) return End::small_gradient;
  if (largest(d) <= o.tolerance_change) return End::small_step;
  if (std::abs(of.loss_ - before) < o.tolerance_change) return End::small_change;
  return End::not_begun;
}

/// Takes over the pair that was new, if any, the gradient, and where that led to: nowhere when `moved` is null.
void LBFGS::Run::commit(const Tensors* y, const Tensors& here, const Tensors* moved) noexcept {
  const std::int64_t last = std::min(pairs, size - 1), now = y ? last + 1 : pairs;
  iterated = iterated || moved;
  for (std::size_t k = 0; k < moving.size(); ++k)
    kernels::dispatch(here[k], [&]<class T>(T*) {
      std::vector<Tensor>& own = moving[k]->state;
      const std::int64_t n = here[k].numel();
      const auto keep = [&](std::size_t slot, std::int64_t row, const Tensor& value) {
        std::copy_n(kernels::data_of<T>(value), n, kernels::data_of<T>(own[slot]) + row * n);
      };
      if (y) {
        for (const std::size_t slot : {differences, steps})
          if (T* const rows = kernels::data_of<T>(own[slot]); pairs == size) std::copy(rows + n, rows + size * n, rows);
        keep(differences, last, (*y)[k]);
        keep(steps, last, own[last_step]);
      }
      keep(last_gradient, 0, here[k]);
      if (moved)
        keep(last_step, 0, (*moved)[k]);
      else
        std::fill_n(kernels::data_of<T>(own[last_step]), n, T(0));
    });
  pairs = now;
  for (const Entry& e : of.entries()) {
    if (e.state.empty()) continue;
    kernels::dispatch(e.state[memory], [&]<class T>(T*) {
      T* const m = kernels::data_of<T>(e.state[memory]);
      m[0] = T(e.gradient ? pairs : 0);
      m[1] = T(e.gradient && iterated ? 1 : 0);
      m[2] = T(e.gradient ? size : 0);
    });
  }
  committed = true;
}

template class Method<LBFGS, LBFGSOptions>;

}  // namespace capstan::optim
