#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

// What a careful programmer would write by hand for one task on this very machine (compiled with -march=native): the
// limits beside which the library's figures are printed.
namespace limits {

/// Fused multiply-adds of independent chains in registers, as floating-point operations per second (f32, one core).
double fma_peak();

/// One epoch of linear regression by Adagrad (s += g^2, w -= lr*g/sqrt(s + eps)), the loss of each batch added up.
struct Linear {
  float w[5] = {}, b = 0, sw[5] = {}, sb = 0;
};
float linear_epoch(Linear& model, const float* x, const float* y, std::int64_t rows, std::int64_t batch, float lr);

/// One step of Adagrad over n elements in one fused loop.
void adagrad(float* w, const float* g, float* s, std::int64_t n, float lr, float eps);

/// One pass over n elements of w, g and `count` <= most_states further arrays: g is read, all others are read and written.
constexpr std::size_t most_states = 4;
void sweep(float* w, const float* g, float* const* states, std::size_t count, std::int64_t n);
void sweep(double* w, const double* g, double* const* states, std::size_t count, std::int64_t n);

/// One step of Adagrad (eps 1e-10) along the gradient of the sum of squares of n rows of a table of 16 columns, duplicates added up;
/// returns that sum. Nothing but these rows of w and s is touched.
float rows_step(float* w, float* s, const std::int64_t* index, std::int64_t n, std::int64_t rows, float lr);
/// The same of the sum of squares of the sums of every bag_length rows.
constexpr int bag_length = 16;
float bags_step(float* w, float* s, const std::int64_t* index, std::int64_t n, std::int64_t rows, float lr);

/// Logistic regression by Adagrad (eps 1e-10) of examples with so many features each, below 2^20; returns the loss. One example, with w and
/// s apart, and `more` behind it; and the mean over a batch, w and s of a feature side by side in ws, slopes sorted and added up.
constexpr int nonzeros = 40;
struct Feature {
  std::int32_t i = 0;
  float v = 0;
};
float logistic_example(float* w, float* s, const Feature* x, float y, float lr, bool more);
float logistic_batch(float* ws, const Feature* x, const float* y, std::int64_t rows, float lr);

/// Writes so many bytes to a file and brings them to the disk; reads as many.
void write_file(const char* path, const char* bytes, std::size_t size);
void read_file(const char* path, char* bytes, std::size_t size);

/// The rows of LIBSVM's text, base 1; the number of features in all, 0 for what is no such text.
std::size_t libsvm_rows(const char* begin, const char* end);
/// The distinct hashes of each word's character 1-4-grams, a blank before and behind it, in 2^20 columns; how many in all.
std::size_t hash_words(const std::string* words, std::size_t count);

}  // namespace limits
