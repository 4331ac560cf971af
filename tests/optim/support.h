#pragma once
#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/core/error.h>
#include <capstan/optim/optimizer.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "../common.h"

/// The elements of `map` but for one, and perhaps another tensor in its place.
inline capstan::TensorMap without(const capstan::TensorMap& map, std::string_view name, const capstan::Tensor& instead = {}) {
  capstan::TensorMap rest;
  for (const auto& entry : map)
    if (entry.name != name)
      rest.insert(entry.name, entry.tensor);
    else if (instead.defined())
      rest.insert(entry.name, instead);
  return rest;
}

/// The k-th of a row of fixed, irregular numbers of both signs, |x| in [0.05, 1].
inline double wobble(std::int64_t k) {
  const double x = static_cast<double>((k * 7919 + 13) % 1000) / 1000 * 2 - 1;
  return x < 0 ? x * 0.95 - 0.05 : x * 0.95 + 0.05;
}
inline capstan::Tensor wobbles(const capstan::Shape& shape, std::int64_t first, capstan::DType dtype) {
  capstan::Tensor t = capstan::empty(shape, capstan::DType::f64);
  for (std::int64_t i = 0; i < t.numel(); ++i) t.data<double>()[i] = wobble(first + i);
  return t.to(dtype);
}
