// PyTorch's C++ frontend on the work of peers.py, which calls this once a round. For each argument, such as
// mlp:20-64-64-10:32 or adagrad:1000, it prints a line of two numbers: the seconds of a step with torch::optim::Adagrad, and with
// ATen's fused kernel, which the frontend has no optimizer for. One thread; the fastest of five repetitions of 20 ms.
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

namespace {

template <class F>
double fastest(F body) {
  using Clock = std::chrono::steady_clock;
  const auto seconds = [&](int n) {
    const auto start = Clock::now();
    for (int i = 0; i < n; ++i) body();
    return std::chrono::duration<double>(Clock::now() - start).count() / n;
  };
  const int n = std::max(1, static_cast<int>(0.02 / std::max(seconds(1), 1e-7)));
  double best = seconds(n);
  for (int i = 1; i < 5; ++i) best = std::min(best, seconds(n));
  return best;
}

/// What torch.optim.Adagrad(fused=True) does in Python.
class Fused {
 public:
  explicit Fused(std::vector<at::Tensor> parameters) : w_(std::move(parameters)) {
    for (const at::Tensor& w : w_) {
      sums_.push_back(torch::zeros_like(w, torch::TensorOptions().requires_grad(false)));
      steps_.push_back(torch::zeros({}));
    }
  }
  void zero_grad() {
    for (at::Tensor& w : w_) w.mutable_grad().reset();
  }
  void step() {
    const torch::NoGradGuard pause;
    std::vector<at::Tensor> gradients;
    for (const at::Tensor& w : w_) gradients.push_back(w.grad());
    at::_foreach_add_(steps_, 1);
    at::_fused_adagrad_(w_, gradients, sums_, steps_, 0.01, 0, 0, 1e-10, false);
  }

 private:
  std::vector<at::Tensor> w_, sums_, steps_;
};

torch::nn::Sequential make_model(const std::vector<std::int64_t>& sizes) {
  torch::nn::Sequential model;
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    model->push_back(torch::nn::Linear(sizes[i], sizes[i + 1]));
    if (i + 2 < sizes.size()) model->push_back(torch::nn::ReLU());
  }
  return model;
}

template <class Optimizer>
double of_model(torch::nn::Sequential model, Optimizer& optimizer, const std::vector<std::int64_t>& sizes, std::int64_t batch) {
  const bool regression = sizes.back() == 1;
  const at::Tensor x = torch::randn({batch, sizes.front()});
  const at::Tensor y = regression ? torch::randn({batch, 1}) : torch::arange(batch, torch::kInt64).remainder(sizes.back());
  return fastest([&] {
    optimizer.zero_grad();
    const at::Tensor out = model->forward(x);
    (regression ? torch::mse_loss(out, y) : torch::nn::functional::cross_entropy(out, y)).backward();
    optimizer.step();
  });
}

void mlp(const std::string& text, std::int64_t batch) {
  std::vector<std::int64_t> sizes;
  std::stringstream stream(text);
  for (std::string size; std::getline(stream, size, '-');) sizes.push_back(std::atoll(size.c_str()));
  torch::nn::Sequential model = make_model(sizes), other = make_model(sizes);
  torch::optim::Adagrad plain(model->parameters(), torch::optim::AdagradOptions(0.01));
  Fused fused(other->parameters());
  const double seconds = of_model(model, plain, sizes, batch);
  std::printf("%.9g %.9g\n", seconds, of_model(other, fused, sizes, batch));
}

void adagrad(std::int64_t n) {
  at::Tensor w = torch::full({n}, 0.5, torch::requires_grad());
  w.mutable_grad() = torch::full({n}, 0.01);
  torch::optim::Adagrad plain({w}, torch::optim::AdagradOptions(0.01));
  Fused fused({w});
  const double seconds = fastest([&] { plain.step(); });
  std::printf("%.9g %.9g\n", seconds, fastest([&] { fused.step(); }));
}

}  // namespace

int main(int argc, char** argv) {
  torch::manual_seed(0);
  torch::set_num_threads(1);
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const std::size_t first = argument.find(':'), second = argument.find(':', first + 1);
    const std::string kind = argument.substr(0, first);
    if (kind == "adagrad" && first != std::string::npos) {
      adagrad(std::atoll(argument.c_str() + first + 1));
    } else if (kind == "mlp" && second != std::string::npos) {
      mlp(argument.substr(first + 1, second - first - 1), std::atoll(argument.c_str() + second + 1));
    } else {
      std::fprintf(stderr, "neither mlp:SIZES:BATCH nor adagrad:N: %s\n", argv[i]);
      return 2;
    }
  }
}
