#pragma once
#include <capstan/core/tensor.h>

/// Initialisers: fill a tensor in place, from the default generator for initialisation where they are random. For a weight [out, in],
/// fan_in is `in` and fan_out is `out`; other shapes count the axes after the second as one. Throw:
///   - ShapeError for a fan of a tensor with fewer than two axes, or none in one of them;
///   - ValueError for a non-finite argument, a negative standard deviation or gain, and for i64 and boolean.
namespace capstan::nn::init {

/// What the variance keeps: kaiming's default is fan_in.
enum class Fan { in, out };
/// sqrt(2) for ReLU, 5/3 for tanh, 1 for linear and sigmoid layers: the gain that keeps the signal's variance.
enum class Gain { linear, relu, tanh };
double gain(Gain of);

void zeros(Tensor& t);
void constant(Tensor& t, double value);
/// Uniform on [low, high).
void uniform(Tensor& t, double low, double high);
void normal(Tensor& t, double mean, double stddev);

/// Uniform on +-gain * sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio, AISTATS 2010, eq. 16).
void xavier_uniform(Tensor& t, double gain = 1);
/// Normal with standard deviation gain * sqrt(2 / (fan_in + fan_out)) (the same, eq. 12).
void xavier_normal(Tensor& t, double gain = 1);
/// Uniform on +-gain * sqrt(3 / fan) (He et al., ICCV 2015, eq. 10); gain is sqrt(2) for ReLU.
void kaiming_uniform(Tensor& t, double gain = 1.4142135623730951, Fan fan = Fan::in);
/// Normal with standard deviation gain / sqrt(fan) (the same).
void kaiming_normal(Tensor& t, double gain = 1.4142135623730951, Fan fan = Fan::in);

}  // namespace capstan::nn::init
