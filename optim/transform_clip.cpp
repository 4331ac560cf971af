#include <capstan/autograd/parameter_rows.h>
#include <capstan/optim/transform_part.h>

#include <algorithm>
#include <cmath>

namespace capstan::optim {

using capstan::detail::cat;
using detail::Call;
using detail::Number;
using detail::Part;
using detail::Update;
using detail::Updates;
using Texts = std::vector<std::string>;

namespace {

template <class T>
struct Limited {
  T limit;
  void operator()(T& out, T g) const { out = g > limit ? limit : g < -limit ? -limit : g; }
};

struct Clip final : Part {
  explicit Clip(Scalar max_delta) : Part("clip", {{"max_delta", std::move(max_delta), Number::positive}}) {}
  bool run(Call& call, Updates& updates) const override {
    const double limit = call.number(0);
    for (Update& u : updates) {
      const Tensor g = u.elements(), out = empty_like(g);
      detail::sweep(
          out, g, [&]<class T>(T*) { return Limited<T>{T(limit)}; }, 0);
      u.set(out);
    }
    return true;
  }
  std::string formula(const Texts& v) const override { return cat("u <- u limited to [-", v[0], ", ", v[0], "]"); }
};

double sum_squares(const Tensor& x) {
  return kernels::dispatch(x, [&]<class T>(T*) { return kernels::table<T>().sum_squares(kernels::data_of<T>(x), x.numel()); });
}

void mark(Update& u, const Call& call, double norm) {
  u.bad_norm = norm;
  u.bad_part = &call.node.path;
}

struct ClipByGlobalNorm final : Part {
  explicit ClipByGlobalNorm(Scalar max_norm) : Part("clip_by_global_norm", {{"max_norm", std::move(max_norm), Number::positive}}) {}
  bool run(Call& call, Updates& updates) const override {
    double total = 0;
    for (Update& u : updates) total += sum_squares(u.elements());
    const double norm = std::sqrt(total), most = call.number(0);
    for (Update& u : updates) {
      if (!std::isfinite(norm)) mark(u, call, norm);
      if (!(norm > most)) continue;
      u.scale(most / norm);
      u.elements();
    }
    return true;
  }
  std::string formula(const Texts& v) const override { return cat("u <- u*min(1, ", v[0], "/|u|), |u| over all parameters"); }
};

struct ClipByBlockRms final : Part {
  explicit ClipByBlockRms(Scalar threshold) : Part("clip_by_block_rms", {{"threshold", std::move(threshold), Number::positive}}) {}
  bool run(Call& call, Updates& updates) const override {
    for (Update& u : updates) {
      const Tensor g = u.elements();
      const double rms = std::sqrt(sum_squares(g) / static_cast<double>(std::max<std::int64_t>(g.numel(), 1))), most = call.number(0);
      if (!std::isfinite(rms)) mark(u, call, rms);
      if (!(rms > most)) continue;
      u.scale(most / rms);
      u.elements();
    }
    return true;
  }
  std::string formula(const Texts& v) const override { return cat("u <- u*min(1, ", v[0], "/sqrt(mean(u^2)))"); }
};

/// Scales each row of u down to limit(the row of w) where its norm is above it.
template <class Limit>
void clip_rows_of(Update& u, const Call& call, bool as_one, Limit limit) {
  const Tensor g = u.elements(), out = g.clone();
  const capstan::detail::ParameterRows rows(g, as_one);
  kernels::dispatch(g, [&]<class T>(T*) {
    const auto norm_of = [&](const Tensor& of, std::int64_t row) {
      return std::sqrt(kernels::table<T>().sum_squares(kernels::data_of<T>(of) + row * rows.size, rows.size));
    };
    for (std::int64_t row = 0; row < rows.count; ++row) {
      const double norm = norm_of(g, row), most = limit([&] { return norm_of(u.w, row); });
      if (!std::isfinite(norm)) mark(u, call, norm);
      if (!(norm > most)) continue;
      T* const to = kernels::data_of<T>(out) + row * rows.size;
      const T scale = static_cast<T>(most / norm);
      for (std::int64_t i = 0; i < rows.size; ++i) to[i] *= scale;
    }
  });
  u.set(out);
}

/// By the norm of each row, or of each parameter.
struct ClipByOwnNorm final : Part {
  ClipByOwnNorm(const char* part_name, Scalar max_norm, bool of_parameters)
      : Part(part_name, {{"max_norm", std::move(max_norm), Number::positive}}), as_one(of_parameters) {}
  bool run(Call& call, Updates& updates) const override {
    for (Update& u : updates) clip_rows_of(u, call, as_one, [&](auto) { return call.number(0); });
    return true;
  }
  std::string formula(const Texts& v) const override {
    return cat("u <- u*min(1, ", v[0], "/|u|)", as_one ? ", |u| of each parameter" : " by rows");
  }
  bool as_one;
};

struct AdaptiveGradClip final : Part {
  AdaptiveGradClip(Scalar clipping, double eps)
      : Part("adaptive_grad_clip", {{"clipping", std::move(clipping), Number::positive}, {"eps", eps, Number::positive}}) {}
  bool run(Call& call, Updates& updates) const override {
    for (Update& u : updates)
      clip_rows_of(u, call, false, [&](auto norm_of_w) { return call.number(0) * std::max(norm_of_w(), call.number(1)); });
    return true;
  }
  std::string formula(const Texts& v) const override { return cat("u <- u*min(1, ", v[0], "*max(|w|, ", v[1], ")/|u|) by rows"); }
};

}  // namespace

namespace transform {

Transform clip(Scalar max_delta) { return Transform(new Clip(std::move(max_delta))); }
Transform clip_by_global_norm(Scalar max_norm) { return Transform(new ClipByGlobalNorm(std::move(max_norm))); }
Transform clip_by_block_rms(Scalar threshold) { return Transform(new ClipByBlockRms(std::move(threshold))); }
Transform clip_by_norm(Scalar max_norm) { return Transform(new ClipByOwnNorm("clip_by_norm", std::move(max_norm), true)); }
Transform clip_by_row_norm(Scalar max_norm) { return Transform(new ClipByOwnNorm("clip_by_row_norm", std::move(max_norm), false)); }
Transform adaptive_grad_clip(Scalar clipping, double eps) { return Transform(new AdaptiveGradClip(std::move(clipping), eps)); }

}  // namespace transform

}  // namespace capstan::optim
