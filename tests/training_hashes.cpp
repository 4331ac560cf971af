// Trains small models with every method and prints a hash of what each run leaves: losses, parameters, state. Two builds, or one with
// other numbers of threads, do the same arithmetic when they print the same:
//
//     build/release/tests/training_hashes > before;  ...;  build/release/tests/training_hashes | diff before -
//
// The bits are those of one processor and one compiler: another instruction set adds in another order.
#include <capstan/capstan.h>
#include <capstan/optim/chain.h>
#include <capstan/optim/lbfgs.h>
#include <capstan/optim/make.h>
#include <capstan/optim/sam.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>

using namespace capstan;

namespace {

/// FNV-1a over the bytes.
class Hash {
 public:
  void add(const void* data, std::size_t bytes) {
    const auto* p = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < bytes; ++i) value_ = (value_ ^ p[i]) * 0x100000001b3;
  }
  void add(const NamedTensors& tensors) {
    for (const auto& [name, t] : tensors) {
      add(name.data(), name.size());
      if (t.dtype() == DType::f32) add(t.data<float>(), static_cast<std::size_t>(t.numel()) * sizeof(float));
      if (t.dtype() == DType::f64) add(t.data<double>(), static_cast<std::size_t>(t.numel()) * sizeof(double));
    }
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325;
};

struct Task {
  nn::Sequential model;
  Tensor x, labels;

  Gradients gradients(int step) {
    Tape tape;
    const std::int64_t first = step % 4 * 32;
    return tape.gradients(cross_entropy(model(x.rows(first, first + 32)), labels.rows(first, first + 32)));
  }
};

/// Wide enough for several threads; or, for a method that takes memory for each pair of numbers, not.
Task task(DType dtype, bool wide) {
  manual_seed(7);
  const std::int64_t width = wide ? 400 : 12;
  Task t{nn::Sequential{nn::Linear(width, width), nn::ReLU(), nn::Dropout(0.2), nn::Linear(width, 6), nn::Tanh(), nn::Linear(6, 3)},
         randn({128, width}, dtype), uniform({128}, 0, 3).to(DType::i64)};
  t.model.to(dtype);
  return t;
}

template <class Step>
void run(const std::string& name, DType dtype, Task& t, optim::Optimizer& optimizer, Step step) {
  Hash hash;
  for (int k = 0; k < 12; ++k) {
    const double loss = step(k);
    hash.add(&loss, sizeof loss);
  }
  hash.add(t.model.parameters());
  hash.add(optimizer.state());
  std::printf("%-42s %s %016" PRIx64 "\n", name.c_str(), dtype == DType::f32 ? "f32" : "f64", hash.value());
}

void run(const std::string& name, DType dtype, Task& t, optim::Optimizer& optimizer) {
  run(name, dtype, t, optimizer, [&](int k) {
    const Gradients g = t.gradients(k);
    optimizer.step(g);
    return g.loss();
  });
}

}  // namespace

int main() {
  for (const DType dtype : {DType::f32, DType::f64}) {
    std::vector<std::string> specs = optim::methods();
    for (const char* spec : {"adagrad eps_inside_root=true lr_decay=0.1", "adam amsgrad=true weight_decay=0.1", "rmsprop centered=true",
                             "sgd lr=0.1 momentum=0.9 nesterov=true"})
      specs.emplace_back(spec);
    for (const std::string& spec : specs) {
      Task t = task(dtype, spec != "full_matrix_adagrad");
      const auto optimizer = optim::make(spec, {});
      for (const auto& [name, w] : t.model.parameters())
        if (spec != "muon" || w.dim() == 2) optimizer->add_parameters({{name, w}});  // it takes matrices only
      run(spec, dtype, t, *optimizer);
    }
    {
      Task t = task(dtype, true);
      optim::LBFGS optimizer(t.model.parameters(), {.max_iter = 3});
      run("lbfgs(closure)", dtype, t, optimizer, [&](int) { return optimizer.step([&] { return t.gradients(0); }); });
    }
    {
      Task t = task(dtype, true);
      optim::Adagrad adagrad(t.model.parameters());
      optim::SAM optimizer(adagrad);
      run("sam(adagrad)", dtype, t, adagrad, [&](int k) { return optimizer.step([&] { return t.gradients(k); }); });
    }
    {
      using namespace optim::transform;
      Task t = task(dtype, true);
      optim::Chain optimizer(t.model.parameters(), chain(clip_by_global_norm(1), scale_by_adam(), scale_by_learning_rate(0.01)));
      run("chain", dtype, t, optimizer);
    }
  }
}
