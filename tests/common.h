#pragma once
#include <capstan/core/error.h>
#include <capstan/core/tensor.h>
#include <capstan/core/tensor_map.h>

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

// What the tests of every room use.

/// What `body` throws, as "Kind: text"; "nothing" when it throws nothing.
template <class Body>
std::string thrown(Body body) {
  try {
    body();
  } catch (const capstan::ShapeError& e) {
    return std::string("ShapeError: ") + e.what();
  } catch (const capstan::NotFiniteError& e) {
    return std::string("NotFiniteError: ") + e.what();
  } catch (const capstan::ValueError& e) {
    return std::string("ValueError: ") + e.what();
  } catch (const capstan::IoError& e) {
    return std::string("IoError: ") + e.what();
  } catch (const capstan::FormatError& e) {
    return std::string("FormatError: ") + e.what();
  } catch (const capstan::Error& e) {
    return std::string("Error: ") + e.what();
  }
  return "nothing";
}

using Values = std::vector<double>;

/// The elements as doubles, row-major.
inline Values values(const capstan::Tensor& t) {
  const capstan::Tensor wide = t.to(capstan::DType::f64);
  return {wide.data<double>(), wide.data<double>() + wide.numel()};
}

/// The elements' bytes: two tensors of one dtype are equal to the bit when these are.
inline std::string bits(const capstan::Tensor& t) {
  return {static_cast<const char*>(t.header()->data), static_cast<std::size_t>(t.numel()) * size_of(t.dtype())};
}

/// Every name, dtype, shape and bit of a state, for comparing two.
inline std::string bits(const capstan::NamedTensors& state) {
  std::string s;
  for (const auto& [name, t] : state) s += name + " " + capstan::name(t.dtype()) + to_string(t.shape()) + bits(t) + "\n";
  return s;
}

/// Shape, dtype and every bit.
inline bool same_bits(const capstan::Tensor& a, const capstan::Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && bits(a) == bits(b);
}

/// The names of a state or of parameters, blank between them.
inline std::string names(const capstan::NamedTensors& map) {
  std::string s;
  for (const auto& entry : map) s += (s.empty() ? "" : " ") + entry.name;
  return s;
}
