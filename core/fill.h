#pragma once
#include <capstan/core/compute.h>
#include <capstan/core/random.h>

// Private: random numbers into memory that is there already. f32 or f64; the texts of errors name uniform and normal.
namespace capstan::kernels {

/// What uniform() and normal() fill a new tensor with, by one draw of the generator. The caller sees to it that t may be changed.
void fill_uniform(const Tensor& t, double low, double high, Generator& g);
void fill_normal(const Tensor& t, double mean, double stddev, Generator& g);

}  // namespace capstan::kernels
