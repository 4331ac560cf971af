#pragma once
#include <capstan/core/tensor.h>

namespace capstan {

/// A counter-based stream of random numbers: Philox4x32-10 (Salmon et al., SC 2011) keyed by (seed, purpose), with the
/// draw counter and the element's index as its counter. The same (seed, purpose, draw) gives the same numbers on every
/// machine and for any number of threads.
struct Generator {
  std::uint64_t seed = 0;
  std::uint32_t purpose = 0;  // keeps streams apart: initialisation, shuffling, dropout, ...
  std::uint64_t draw = 0;     // how many tensors were drawn; each draw has a stream of its own

  /// One uniform number in [0, 1) with 53 random bits, one draw.
  double uniform();
};

/// The generators that Capstan uses where the caller gives none. All are reset by manual_seed; the seed starts at 0.
/// They belong to the process and are not guarded: draw from one thread at a time, or keep a Generator of your own.
enum class Purpose : std::uint32_t { tensors = 0, init = 1, shuffle = 2, dropout = 3 };
Generator& default_generator(Purpose purpose = Purpose::tensors);
/// Sets the seed of every default generator and puts their draw counters back to 0.
void manual_seed(std::uint64_t seed);

/// Uniform on [low, high); f32 or f64.
/// Throws ValueError unless low <= high, and unless both and high - low are finite. Here and below also for another dtype, and
/// for a number of which f32 would make infinity or 0.
Tensor uniform(const Shape& shape, double low = 0, double high = 1, DType dtype = DType::f32, Generator& g = default_generator());
/// Normal with the given mean and standard deviation (Box-Muller on two uniforms). Throws ValueError for a negative one.
Tensor normal(const Shape& shape, double mean = 0, double stddev = 1, DType dtype = DType::f32, Generator& g = default_generator());
/// Standard normal, PyTorch's name for it.
Tensor randn(const Shape& shape, DType dtype = DType::f32, Generator& g = default_generator());
/// The numbers 0 .. n-1 in random order (Fisher-Yates), i64. Throws ValueError for a negative n.
Tensor permutation(std::int64_t n, Generator& g = default_generator(Purpose::shuffle));
/// 1 with probability p, else 0, in p's shape and dtype, f32 or f64. Throws ValueError naming the first p outside [0, 1].
Tensor bernoulli(const Tensor& p, Generator& g = default_generator());
/// Class k with probability weights[..., k] over the sum of its row, for weights [..., classes] in f32 or f64; i64 [...].
/// A class of weight 0 is never drawn.
/// Throws:
///   - ValueError for a negative weight, and for a row whose sum is 0.
///   - NotFiniteError for NaN or infinity, in a weight or a row's sum.
///   - ShapeError without any class.
Tensor categorical(const Tensor& weights, Generator& g = default_generator());

}  // namespace capstan
