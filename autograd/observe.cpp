// What a tape looks at beside recording: non-finite results, times, what a checkpoint uses.
#include <capstan/autograd/caller.h>
#include <capstan/autograd/tape_state.h>
#include <capstan/core/compute.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace capstan::detail {

namespace {

bool all_finite(const Tensor& t) {
  if (!is_floating(t.dtype())) return true;
  return kernels::dispatch(
      t, [&]<class T>(T*) { return kernels::table<T>().first_non_finite(kernels::data_of<T>(t), t.numel()) == t.numel(); });
}

/// "input 0 f32 [2, 3] in [-1, 2.5]".
std::string range_of(const char* what, const Tensor& t) {
  std::string text = join(what, " ", t.dtype(), " ", t.shape());
  if (!is_floating(t.dtype()) || t.numel() == 0) return text;
  double low = std::numeric_limits<double>::infinity(), high = -low;
  kernels::dispatch(t, [&]<class T>(T*) {
    for (std::int64_t i = 0; i < t.numel(); ++i) {
      low = std::min(low, static_cast<double>(kernels::data_of<T>(t)[i]));
      high = std::max(high, static_cast<double>(kernels::data_of<T>(t)[i]));
    }
  });
  return text + join(" in [", low, ", ", high, "]");
}

std::string first_bad(const Tensor& t) {
  return kernels::dispatch(t, [&]<class T>(T*) {
    const std::int64_t i = kernels::table<T>().first_non_finite(kernels::data_of<T>(t), t.numel());
    return join(static_cast<double>(kernels::data_of<T>(t)[i]), " at element ", i, " of ", t.shape());
  });
}

}  // namespace

bool TapeState::observe_forward(const Node* n, const char* op, const Tensor& out, const Tensor* const* inputs, int count,
                                const Slot* const* edges) {
  if (attention & kProbe) {
    for (int i = 0; i < count; ++i) {
      if (!edges[i]) continue;
      const auto same = [&](const Tensor& t) { return t.header() == inputs[i]->header(); };
      if (std::none_of(probed.begin(), probed.end(), same)) probed.push_back(*inputs[i]);
    }
    return false;
  }
  const bool wanted = std::any_of(edges, edges + count, [](const Slot* s) { return s != nullptr; });
  if (!(attention & kObserved)) return true;
  if (options.check_finite && !all_finite(out)) {
    std::string ranges;
    for (int i = 0; i < count; ++i) {
      if (!all_finite(*inputs[i])) return true;  // it makes nothing new of it
      ranges += range_of(i == 0 ? "" : ",", *inputs[i]);
    }
    fail<NotFiniteError>(op, "the result must be finite: ", first_bad(out), ", of", ranges, caller(call_stack()));
  }
  if (wanted && options.check_finite) observer->calls[n] = call_stack();
  if (!options.profile) return true;
  const double seconds = observer->lap();
  if (!wanted) return true;
  observer->places[n] = observer->all.size();
  observer->all.push_back({op, out.numel() * static_cast<std::int64_t>(size_of(out.dtype())), seconds, 0});
  return true;
}

void TapeState::observe_backward(Node& n, const Tensor& dy) {
  if (options.profile)
    if (const auto place = observer->places.find(&n); place != observer->places.end())
      observer->all[place->second].backward += observer->lap();
  if (!options.check_finite || !all_finite(dy)) return;
  for (int i = 0; i < n.count(); ++i) {
    const Slot* to = n.edges()[i];
    if (to && to->gradient.defined() && !all_finite(to->gradient))
      fail<NotFiniteError>(n.op, "the gradient for input ", i, " must be finite: ", first_bad(to->gradient), ", of", range_of("", dy),
                           caller(observer->calls[&n]));
  }
}

}  // namespace capstan::detail
