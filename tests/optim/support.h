#pragma once
#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/core/error.h>
#include <capstan/optim/optimizer.h>

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

/// What `body` throws, as "Kind: text"; "nothing" when it throws nothing.
template <class Body>
std::string thrown(Body body) {
  try {
    body();
  } catch (const capstan::ShapeError& e) {
    return std::string("ShapeError: ") + e.what();
  } catch (const capstan::ValueError& e) {
    return std::string("ValueError: ") + e.what();
  } catch (const capstan::Error& e) {
    return std::string("Error: ") + e.what();
  }
  return "nothing";
}

/// The elements as doubles, row-major.
inline std::vector<double> values(const capstan::Tensor& t) {
  const capstan::Tensor wide = t.to(capstan::DType::f64);
  return {wide.data<double>(), wide.data<double>() + wide.numel()};
}

/// The elements' bytes: two tensors of one dtype are equal to the bit when these are.
inline std::string bits(const capstan::Tensor& t) {
  return {static_cast<const char*>(t.header()->data), static_cast<std::size_t>(t.numel()) * size_of(t.dtype())};
}

/// Every name, dtype, shape and bit of a state, for comparing two.
inline std::string bits(const capstan::TensorMap& state) {
  std::string s;
  for (const auto& [name, t] : state) s += name + " " + capstan::name(t.dtype()) + to_string(t.shape()) + bits(t) + "\n";
  return s;
}

/// The names of a state, blank between them.
inline std::string names(const capstan::TensorMap& map) {
  std::string s;
  for (const auto& entry : map) s += (s.empty() ? "" : " ") + entry.name;
  return s;
}

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

/// Gradients that hold exactly g for w, from a tape.
using Slopes = std::vector<std::pair<capstan::Tensor, capstan::Tensor>>;
inline capstan::Gradients slopes(const Slopes& of) {
  capstan::Tape tape;
  capstan::Tensor loss;
  for (const auto& [w, g] : of) loss = loss.defined() ? loss + sum(w * g) : sum(w * g);
  return tape.gradients(loss);
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
