#pragma once
#include <capstan/optim/make.h>

#include "support.h"

// What the tests of optimizers by name share.

using namespace capstan;

inline std::string error_of(const std::string& spec) {
  Tensor w = zeros({2});
  return thrown([&] { optim::make(spec, Parameters{{"w", w}}); });
}

template <class Method>
const Method& made(const std::string& spec) {
  static std::unique_ptr<optim::Optimizer> optimizer;
  Tensor w = zeros({2});
  optimizer = optim::make(spec, Parameters{{"w", w}});
  return dynamic_cast<const Method&>(*optimizer);
}

/// "adagrad, rmsprop, ...", as errors list them; other tests may have registered methods of their own, which come last.
inline std::string all_methods() {
  std::string all;
  for (const std::string& name : optim::methods()) all += (all.empty() ? "" : ", ") + name + (name == "yogi" ? ", sparse_adam" : "");
  return all;
}

inline std::string no_method(const std::string& name, const std::string& near = "") {
  return "ValueError: [make] there is no method '" + name + "' among " + all_methods() +
         (near.empty() ? "" : " (did you mean '" + near + "'?)");
}
