#pragma once
#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/core/error.h>
#include <capstan/core/random.h>
#include <capstan/nn/activations.h>
#include <capstan/nn/init.h>
#include <capstan/nn/linear.h>
#include <capstan/nn/sequential.h>

#include <gtest/gtest.h>

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

/// The names of a state or of parameters, blank between them.
inline std::string names(const capstan::TensorMap& map) {
  std::string s;
  for (const auto& entry : map) s += (s.empty() ? "" : " ") + entry.name;
  return s;
}

/// Whether both are the very same tensor.
inline bool same(const capstan::Tensor& a, const capstan::Tensor& b) { return a.header() == b.header(); }

/// A deep copy of a state.
inline capstan::TensorMap copy_of(const capstan::TensorMap& state) {
  capstan::TensorMap copy;
  for (const auto& [name, t] : state) copy.insert(name, t.clone());
  return copy;
}

using Values = std::vector<double>;

/// The module of the guide.
struct Net : capstan::nn::Module {
  capstan::nn::Linear hidden{5, 4}, out{4, 1};
  capstan::Tensor forward(const capstan::Tensor& x) override { return out(relu(hidden(x))); }
  void members(capstan::nn::Visitor& visit) override {
    visit("hidden", hidden);
    visit("out", out);
  }
};
