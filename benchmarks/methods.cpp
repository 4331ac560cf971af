// The step of every element-wise method beside a bare loop over the same arrays: w, g and as many states, read and written as
// the method does, with hardly any arithmetic. In cache and out of it, in f32 and f64; for six small parameters, where the time is
// that of one of them (0.025 us are 25 ns a parameter) and so is the limit; and rules of a user's own beside the built-in ones that they
// repeat. These loops take many minutes, so that they are there only when they are asked for:
//
//     ./run bench --benchmark_filter=methods                          all
//     ./run bench --benchmark_filter='methods/adam/f32'               one method
//     ./run bench --benchmark_filter='methods/.*/(1e3|six)/'          in cache
//     ./run bench --benchmark_filter='methods/(adagrad|sgd_.*)/.*/(own|step)'
//
// Ours first look through the gradients for NaN and infinity, which costs a read of them that the loop does not make.
#include <capstan/capstan.h>
#include <capstan/optim/make.h>
#include <capstan/optim/methods.h>

#include <algorithm>
#include <memory>

#include "bench.h"
#include "limits.h"

using namespace capstan;

namespace {

/// Each method that moves every element by itself, and those of its options that choose another rule.
std::vector<std::string> specs() {
  std::vector<std::string> all;
  const auto add = [&]<class Method>(const Method*) {
    if constexpr (std::is_base_of_v<optim::Elementwise<Method, optim::OptionsOf<Method>>, Method>) all.emplace_back(Method::name);
  };
#define CAPSTAN_ADD(M) add(static_cast<const optim::M*>(nullptr));
  CAPSTAN_METHODS(CAPSTAN_ADD)
#undef CAPSTAN_ADD
  for (const char* spec : {"sgd momentum=0.9", "rmsprop centered=true", "rmsprop centered=true momentum=0.9", "adam amsgrad=true"})
    all.emplace_back(spec);
  return all;
}

struct Size {
  const char* name;
  std::vector<Shape> shapes;
};
const std::vector<Size> sizes = {{"1e3", {{1000}}},
                                 {"1e5", {{100'000}}},
                                 {"1e6", {{1'000'000}}},
                                 {"2e7", {{20'000'000}}},
                                 {"six", {{8, 5}, {8}, {8, 8}, {8}, {1, 8}, {1}}}};

/// An optimizer that has made a step, with what the bare loop needs: its states in copies of the loop's own.
struct Problem {
  Problem(const std::string& spec, const std::vector<Shape>& shapes, DType dtype) {
    Tape tape;
    Tensor loss;
    for (const Shape& shape : shapes) {
      const std::string name = std::to_string(parameters.size());
      parameters.insert(name, parameter(full(shape, 0.5, dtype)));
      const Tensor part = sum(parameters[name] * full(shape, 0.01, dtype));
      loss = loss.defined() ? loss + part : part;
    }
    optimizer = optim::make(spec, parameters);
    gradients = tape.gradients(loss);
    optimizer->step(gradients);
    const TensorMap state = optimizer->state();
    for (const auto& [name, w] : parameters) {
      arrays.push_back({w, gradients[w], {}});
      for (const auto& [key, tensor] : state)
        if (key.starts_with(name + "/") && key != name + "/step") arrays.back().states.push_back(tensor);
    }
  }

  void step() { optimizer->step(gradients); }
  template <class T>
  void sweep() {
    for (Arrays& a : arrays) {
      T* states[limits::most_states] = {};
      for (std::size_t k = 0; k < a.states.size(); ++k) states[k] = a.states[k].data<T>();
      limits::sweep(a.w.data<T>(), a.g.data<T>(), states, a.states.size(), a.w.numel());
    }
    benchmark::ClobberMemory();
  }

  struct Arrays {
    Tensor w, g;
    std::vector<Tensor> states;
  };
  Parameters parameters;
  std::unique_ptr<optim::Optimizer> optimizer;
  Gradients gradients;
  std::vector<Arrays> arrays;
};

/// Made at a case's first loop and gone at the next case's: all of them at once would fill the memory.
std::shared_ptr<Problem> problem(const std::string& spec, const Size& size, DType dtype) {
  static std::string held;
  static std::shared_ptr<Problem> last;
  const std::string key = spec + "/" + size.name + "/" + name(dtype);
  if (key != held) {
    last.reset();
    last = std::make_shared<Problem>(spec, size.shapes, dtype);
    held = key;
  }
  return last;
}

void add(const std::string& spec, const std::string& own, const Size& size, DType dtype) {
  std::string at = "methods/" + spec + "/" + name(dtype) + "/" + size.name;
  std::replace(at.begin(), at.end(), ' ', '_');
  bench::prepared_loop(at + "/step", [=] {
    const auto p = problem(spec, size, dtype);
    return [p] { p->step(); };
  });
  bench::prepared_loop(at + "/hand", [=] {
    const auto p = problem(spec, size, dtype);
    return [p] { p->arrays[0].w.dtype() == DType::f32 ? p->sweep<float>() : p->sweep<double>(); };
  });
  const Problem small(spec, {{1}}, dtype);
  std::int64_t elements = 0;
  for (const Shape& shape : size.shapes) elements += shape.numel();
  const std::size_t numbers = 3 + 2 * small.arrays[0].states.size();  // w and the states both ways
  const double steps = static_cast<double>(size.shapes.size());
  const double bytes = static_cast<double>(numbers * size_of(dtype)) * static_cast<double>(elements) / steps;
  const std::string title = std::string(name(dtype)) + " " + size.name;
  bench::report({.title = spec + ", " + title, .name = at + "/step", .limit = at + "/hand", .steps = steps, .bytes = bytes});
  if (own.empty()) return;
  bench::prepared_loop(at + "/own", [=] {
    const auto p = problem(own, size, dtype);
    return [p] { p->step(); };
  });
  bench::report(
      {.title = own + " beside the built-in, " + title, .name = at + "/own", .limit = at + "/step", .steps = steps, .bytes = bytes});
}

}  // namespace

void bench::register_methods() {
  register_own_rules();
  for (const Size& size : sizes)
    for (const DType dtype : {DType::f32, DType::f64})
      for (const std::string& spec : specs())
        add(spec, spec == "adagrad" ? "own_adagrad" : spec == "sgd momentum=0.9" ? "own_momentum" : "", size, dtype);
}
