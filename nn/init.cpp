#include <capstan/nn/init.h>

#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/core/fill.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <cmath>

// First values for parameters, drawn in place from the generator for initialisation.

namespace capstan::nn::init {

using capstan::detail::fail;

namespace {

struct Fans {
  double in, out;
};

Fans fans(const char* op, const Tensor& t) {
  if (t.dim() < 2) fail<ShapeError>(op, "a fan needs two axes, [out, in]: ", t.shape());
  double rest = 1;
  for (int i = 2; i < t.dim(); ++i) rest *= static_cast<double>(t.size(i));
  const Fans f{static_cast<double>(t.size(1)) * rest, static_cast<double>(t.size(0)) * rest};
  if (f.in == 0 || f.out == 0) fail<ShapeError>(op, "a fan must not be empty: ", t.shape());
  return f;
}

double require_gain(const char* op, double g) {
  if (!(g >= 0) || !std::isfinite(g)) fail<ValueError>(op, "the gain must be finite and not negative: ", g);
  return g;
}

// Has fill() write t's elements where they are.
template <class F>
void put(const char* op, Tensor& t, F fill) {
  const NoGrad pause;
  capstan::detail::Header* const h = kernels::writable(op, t);
  fill();
  capstan::detail::bump_version(h);
}

}  // namespace

double gain(Gain of) { return of == Gain::relu ? std::sqrt(2.0) : of == Gain::tanh ? 5.0 / 3.0 : 1.0; }

void zeros(Tensor& t) { constant(t, 0); }
void constant(Tensor& t, double value) {
  if (!is_floating(t.dtype())) fail<ValueError>("constant", "an initialiser fills f32 or f64: ", t.dtype());
  if (!std::isfinite(value)) fail<ValueError>("constant", "the value must be finite: ", value);
  put("constant", t,
      [&] { kernels::dispatch(t, [&]<class T>(T*) { std::fill_n(kernels::data_of<T>(t), t.numel(), static_cast<T>(value)); }); });
}
void uniform(Tensor& t, double low, double high) {
  put("uniform", t, [&] { kernels::fill_uniform(t, low, high, default_generator(Purpose::init)); });
}
void normal(Tensor& t, double mean, double stddev) {
  put("normal", t, [&] { kernels::fill_normal(t, mean, stddev, default_generator(Purpose::init)); });
}

void xavier_uniform(Tensor& t, double gain) {
  const Fans f = fans("xavier_uniform", t);
  const double bound = require_gain("xavier_uniform", gain) * std::sqrt(6 / (f.in + f.out));
  uniform(t, -bound, bound);
}

void xavier_normal(Tensor& t, double gain) {
  const Fans f = fans("xavier_normal", t);
  normal(t, 0, require_gain("xavier_normal", gain) * std::sqrt(2 / (f.in + f.out)));
}

void kaiming_uniform(Tensor& t, double gain, Fan fan) {
  const Fans f = fans("kaiming_uniform", t);
  const double bound = require_gain("kaiming_uniform", gain) * std::sqrt(3 / (fan == Fan::in ? f.in : f.out));
  uniform(t, -bound, bound);
}

void kaiming_normal(Tensor& t, double gain, Fan fan) {
  const Fans f = fans("kaiming_normal", t);
  normal(t, 0, require_gain("kaiming_normal", gain) / std::sqrt(fan == Fan::in ? f.in : f.out));
}

}  // namespace capstan::nn::init
