#pragma once
#include <capstan/core/tensor_map.h>

#include <string>
#include <vector>

namespace capstan::nn {

class Module;

/// How Module::load_state() takes a state.
struct LoadOptions {
  bool partial = false;  ///< Take what fits and return the rest, instead of refusing it; PyTorch's strict = False.
};

/// What Module::load_state() left, with {.partial = true}. All is empty when all fits.
struct LoadResult {
  std::vector<std::string> missing_keys;     ///< The model's names that the state does not have.
  std::vector<std::string> unexpected_keys;  ///< The state's names that the model does not have.
  std::vector<std::string> mismatched_keys;  ///< Names of both whose tensors differ in shape or dtype.
  std::string report;                        ///< One line for each of them, which says what was found and wanted; then the hints.
};

/// Is shown the members of a module, one by one, by Module::members().
class Visitor {
 public:
  /// A parameter: a tensor that is trained. Undefined tensors (a Linear without bias) are passed over.
  void operator()(const char* name, Tensor& parameter) { tensor(name, parameter, true); }
  /// A module inside this one.
  void operator()(const char* name, Module& child) { module(name, child); }
  /// A tensor that is saved and converted with the model but not trained.
  void buffer(const char* name, Tensor& value) { tensor(name, value, false); }

 protected:
  ~Visitor() = default;
  virtual void tensor(const char* name, Tensor& value, bool trained) = 0;
  virtual void module(const char* name, Module& child) = 0;
};

/// Holds parameters and other modules, and computes an output from an input. Modules move but are not copied.
///
///     struct Net : nn::Module {
///       nn::Linear hidden{5, 64}, out{64, 1};
///       Tensor forward(const Tensor& x) override { return out(relu(hidden(x))); }
///       void members(nn::Visitor& visit) override { visit("hidden", hidden); visit("out", out); }
///     };
///
/// What members() does not show is not trained, saved or converted; nn::check() finds it. A module of other inputs than one tensor
/// has a forward of its own beside this one's, and an operator() that calls it:
///
///     struct Pair : nn::Module {
///       using Module::forward;
///       Tensor forward(const Tensor& a, const Tensor& b) { return matmul(a, b); }
///       Tensor operator()(const Tensor& a, const Tensor& b) { return forward(a, b); }
///     };
class Module {
 public:
  Module() = default;
  Module(Module&&) = default;
  Module& operator=(Module&&) = default;
  virtual ~Module();

  /// Throws ValueError naming the module unless it is overridden.
  virtual Tensor forward(const Tensor& x);
  Tensor operator()(const Tensor& x) { return forward(x); }
  /// Shows the visitor every parameter, buffer and module that this one holds. The default has none.
  virtual void members(Visitor& visit);
  /// What summary() calls this module: "Linear(64, 10)".
  virtual std::string describe() const;

  /// The trained tensors with their names in PyTorch's form ("0.weight", "hidden.bias"), each tensor once, under its
  /// first name. This is the live view: they share memory with the model and stay valid when it is moved.
  Parameters parameters();
  /// A snapshot: deep copies of the parameters and the buffers, which training does not change.
  ///
  ///     const TensorMap best = model.state();   // ... train on; then go back:
  ///     model.load_state(best);
  TensorMap state();
  /// The same map without the copies: the model's own tensors, buffers too, which training changes. For who writes them out at once, as a
  /// Checkpoint does.
  TensorMap live_state();
  /// Copies a state into this model; the tensors keep their identity. With {.partial = true} it copies what fits and returns what
  /// did not, for a model that shares some layers with another:
  ///
  ///     const auto left = model.load_state(load("other.safetensors"), {.partial = true});
  ///     std::puts(left.report.c_str());
  ///
  /// Throws, and changes nothing then:
  ///   - ValueError listing every mismatch (missing, unexpected, shape, dtype) unless `partial` is set. It names a prefix of the
  ///     names, as "module." of PyTorch's DataParallel, and a weight that is transposed;
  ///   - ValueError, in both cases, where a tensor of the model is read-only.
  /// Weakness: a square weight that is transposed fits, and is not seen.
  LoadResult load_state(const TensorMap& state, LoadOptions options = {});

  /// Switches this module and all inside it between training and evaluation.
  void train(bool on = true);
  void eval() { train(false); }
  bool training() const noexcept { return training_; }

  /// Converts every floating tensor; each keeps its identity, so parameters() taken before stay valid. Throws:
  ///   - ValueError unless dtype is f32 or f64.
  void to(DType dtype);

 private:
  bool training_ = true;
};

/// A table of the modules with their parameters and counts.
std::string summary(Module& model);

}  // namespace capstan::nn

namespace capstan {
using nn::summary;
}
