// The method beside others, each at its best rate: prints a table for each of Capstan's problems.
#include <capstan/train/problems.h>
#include <sign_momentum/sign_momentum.h>

#include <cstdio>

using namespace capstan;

int main() {
  optim::register_optimizer<sign_momentum::SignMomentum>();
  for (const Comparison& result : compare({"sign_momentum", "adagrad", "adam", "sgd momentum=0.9"}, problems::all()))
    std::printf("%s\n%s\n\n", result.options.title.c_str(), result.table().c_str());
}
