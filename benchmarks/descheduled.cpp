// How much a step with two threads takes against one with one thread, alone and while another process burns one core, so that
// one of the threads is taken off its processor time and again. `descheduled`, which takes no flags, prints the two ratios;
// each is the median of nine rounds, in which the two kinds of step take turns.
#include <capstan/capstan.h>

#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>

using namespace capstan;

namespace {

/// A process that keeps the last of this process's processors busy for as long as it lives.
class Burner {
 public:
  Burner() : pid_(::fork()) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    cpu_set_t allowed, last;
    CPU_ZERO(&allowed);
    CPU_ZERO(&last);
    ::sched_getaffinity(0, sizeof allowed, &allowed);
    int cpu = CPU_SETSIZE - 1;
    while (cpu > 0 && !CPU_ISSET(cpu, &allowed)) --cpu;
    CPU_SET(cpu, &last);
    ::sched_setaffinity(0, sizeof last, &last);
    for (volatile unsigned turns = 0;;) turns = turns + 1;
  }
  ~Burner() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Burner(const Burner&) = delete;
  Burner& operator=(const Burner&) = delete;
  bool burns() const { return pid_ > 0; }

 private:
  pid_t pid_;
};

struct Problem {
  Tensor x = randn({256, 784}), labels = argmax(randn({256, 10}), 1);
  nn::Sequential model{nn::Linear(784, 1024), nn::ReLU(), nn::Linear(1024, 1024), nn::ReLU(), nn::Linear(1024, 10)};
  optim::Adagrad optimizer{model.parameters(), {.lr = 0.01}};
  void step() {
    Tape tape;
    const Tensor loss = cross_entropy(model(x), labels);
    optimizer.step(tape.gradients(loss));
  }
};

double milliseconds_of_a_step(Problem& problem, int threads) {
  constexpr int steps = 10;
  set_num_threads(threads);
  problem.step();  // starts the threads
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < steps; ++i) problem.step();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count() / steps;
}

double median(std::array<double, 9> v) {
  std::sort(v.begin(), v.end());
  return v[4];
}

void measure(Problem& problem, const char* title) {
  std::array<double, 9> one{}, two{}, ratio{};
  for (std::size_t round = 0; round < one.size(); ++round) {
    one[round] = milliseconds_of_a_step(problem, 1);
    two[round] = milliseconds_of_a_step(problem, 2);
    ratio[round] = two[round] / one[round];
  }
  std::printf("%-28s one thread %8.3f ms, two threads %8.3f ms, ratio %.2f\n", title, median(one), median(two), median(ratio));
}

}  // namespace

int main() {
  std::printf("A step of MLP 784-1024-1024-10, batch 256, Adagrad; medians of 9\n");
  Problem problem;
  measure(problem, "alone");
  const Burner burner;  // with the pool's threads there: their absence in the child is no matter to it
  if (!burner.burns()) {
    std::fprintf(stderr, "descheduled: no process to burn a core could be started\n");
    return 1;
  }
  measure(problem, "beside a burning process");
  return 0;
}
