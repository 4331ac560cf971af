#include <capstan/autograd/parameter_rows.h>
#include <capstan/core/norm.h>
#include <capstan/optim/transform_part.h>

#include <algorithm>
#include <cmath>

namespace capstan::optim {

using capstan::detail::join;
using detail::Call;
using detail::Each;
using Range = FieldInfo::Range;
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

struct Clip final : Each {
  explicit Clip(Scalar max_delta) : Each("clip", {{"max_delta", std::move(max_delta), Range::positive}}) {}
  void each(Call& call, Update& u) const override {
    const Tensor g = u.elements(), out = empty_like(g);
    detail::sweep(out, g, detail::rule<Limited>(call.number(0)));
    u.set(out);
  }
  bool rests(const std::vector<double>&) const override { return true; }
  std::string formula(const Texts& v) const override { return join("u <- u limited to [-", v[0], ", ", v[0], "]"); }
};

/// The norm of the first `count` updates.
kernels::Norm norm_of(Update* first, std::size_t count) {
  std::vector<Tensor> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(first[i].elements());
  return kernels::norm_of_all([&](auto f) {
    for (const Tensor& u : all) kernels::dispatch(u, [&]<class T>(T*) { f(kernels::data_of<const T>(u), u.numel()); });
  });
}

void mark(Update& u, const Call& call, const kernels::Norm& norm) {
  if (norm.finite()) return;
  u.bad_norm = norm.value();
  u.bad_part = &call.node.path;
}

/// Brings u, a part of what has this norm, down to its share of the norm `most`; `factor` is most / norm, if that can be held.
void bring_down(Update& u, const kernels::Norm& norm, double most, double factor) {
  const Tensor g = u.elements();
  if (norm.scale == 1 && kernels::dispatch(g, [&]<class T>(T*) { return std::isnormal(static_cast<T>(factor)); })) {
    u.scale(factor);
    u.elements();
    return;
  }
  const Tensor out = g.clone();
  kernels::dispatch(out, [&]<class T>(T*) { norm.bring_down(most, kernels::data_of<T>(out), out.numel()); });
  u.set(out);
}

struct ClipByGlobalNorm final : Part {
  explicit ClipByGlobalNorm(Scalar max_norm) : Part("clip_by_global_norm", {{"max_norm", std::move(max_norm), Range::positive}}) {}
  bool run(Call& call, Updates& updates) const override {
    const kernels::Norm norm = norm_of(updates.data(), updates.size());
    const double most = call.number(0);
    for (Update& u : updates) {
      mark(u, call, norm);
      if (norm.above(most)) bring_down(u, norm, most, most / norm.root);
    }
    return true;
  }
  std::string formula(const Texts& v) const override { return join("u <- u*min(1, ", v[0], "/|u|), |u| over all parameters"); }
};

struct ClipByBlockRms final : Each {
  explicit ClipByBlockRms(Scalar threshold) : Each("clip_by_block_rms", {{"threshold", std::move(threshold), Range::positive}}) {}
  void each(Call& call, Update& u) const override {
    const kernels::Norm norm = norm_of(&u, 1);
    const double root = std::sqrt(static_cast<double>(std::max<std::int64_t>(u.elements().numel(), 1))), most = call.number(0);
    mark(u, call, norm);
    if (norm.above(most * root)) bring_down(u, norm, most * root, most / (norm.root / root));
  }
  std::string formula(const Texts& v) const override { return join("u <- u*min(1, ", v[0], "/sqrt(mean(u^2)))"); }
};

/// Scales each row of u down to limit(the row of w) where its norm is above it.
template <class Limit>
void clip_rows_of(Update& u, const Call& call, bool as_one, Limit limit) {
  const Tensor g = u.elements(), out = g.clone();
  const capstan::detail::ParameterRows rows(g, as_one);
  kernels::dispatch(g, [&]<class T>(T*) {
    const auto norm_of_row = [&](const Tensor& of, std::int64_t row) {
      return kernels::norm_of(kernels::data_of<const T>(of) + row * rows.size, rows.size);
    };
    for (std::int64_t row = 0; row < rows.count; ++row) {
      const kernels::Norm norm = norm_of_row(g, row);
      const double most = limit([&] { return norm_of_row(u.w, row).value(); });
      mark(u, call, norm);
      if (norm.above(most)) norm.bring_down(most, kernels::data_of<T>(out) + row * rows.size, rows.size);
    }
  });
  u.set(out);
}

/// By the norm of each row, or of each parameter.
struct ClipByOwnNorm final : Each {
  ClipByOwnNorm(const char* part_name, Scalar max_norm, bool of_parameters)
      : Each(part_name, {{"max_norm", std::move(max_norm), Range::positive}}), as_one(of_parameters) {}
  void each(Call& call, Update& u) const override {
    clip_rows_of(u, call, as_one, [&](auto) { return call.number(0); });
  }
  std::string formula(const Texts& v) const override {
    return join("u <- u*min(1, ", v[0], "/|u|)", as_one ? ", |u| of each parameter" : " by rows");
  }
  bool as_one;
};

struct AdaptiveGradClip final : Each {
  AdaptiveGradClip(Scalar clipping, double eps)
      : Each("adaptive_grad_clip", {{"clipping", std::move(clipping), Range::positive}, {"eps", eps, Range::positive}}) {}
  void each(Call& call, Update& u) const override {
    clip_rows_of(u, call, false, [&](auto norm_of_w) { return call.number(0) * std::max(norm_of_w(), call.number(1)); });
  }
  std::string formula(const Texts& v) const override { return join("u <- u*min(1, ", v[0], "*max(|w|, ", v[1], ")/|u|) by rows"); }
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
