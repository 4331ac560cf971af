#pragma once
#include <capstan/autograd/ops.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/core/threads.h>
#include <capstan/data/batches.h>
#include <capstan/nn/linear.h>
#include <capstan/optim/average.h>
#include <capstan/optim/chain.h>
#include <capstan/optim/inject.h>
#include <capstan/optim/lbfgs.h>
#include <capstan/optim/lookahead.h>
#include <capstan/optim/make.h>
#include <capstan/optim/sam.h>
#include <capstan/optim/schedule.h>
#include <capstan/train/checkpoint.h>
#include <capstan/train/log.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support.h"

// A training program that is stopped and resumed in tests.

using namespace capstan;

inline constexpr std::int64_t epochs = 3;

/// What a run is made of. `around` names what stands around the method, or in
/// its place.
struct Recipe {
  std::string method, around;
  std::string text() const { return method + (around.empty() ? "" : ", " + around); }
};

struct Case {
  Recipe setup;
  bool shuffle = true, dropout = false;
  int threads = 1;
  std::string text() const {
    return setup.text() + (shuffle ? ", shuffle" : "") + (dropout ? ", dropout" : "") + ", threads " + std::to_string(threads);
  }
};

/// Counts its calls in a buffer, by which it computes something else each time.
struct Net : nn::Module {
  nn::Linear hidden{3, 5}, out{5, 2};
  Tensor seen = zeros({});
  bool drops = false;
  Tensor forward(const Tensor& x) override {
    if (training()) seen += 1;
    Tensor h = tanh(hidden(x)) * (1 + 0.01 * seen.item());
    return out(drops ? dropout(h, 0.3) : h);
  }
  void members(nn::Visitor& visit) override {
    visit("hidden", hidden);
    visit("out", out);
    visit.buffer("seen", seen);
  }
};

/// A training program, as a user writes one.
class Program {
 public:
  Program(const Case& c, const Folder& folder)
      : case_(c), log_(folder.file("log.csv"), {"step", "loss", "rate"}, {.append = true}), run_(folder.file("ckpt"), {.keep = 2}) {
    net_.drops = c.dropout;
    const std::string& around = c.setup.around;
    if (c.setup.method == "chain") {
      using namespace optim::transform;
      optimizer_ = std::make_unique<optim::Chain>(net_.parameters(), chain({accumulate(2), scale_by_adam(), add_decayed_weights(1e-2),
                                                                            scale_by_learning_rate(optim::schedule::cosine(0.1, 20))}));
    } else {
      Parameters moved = net_.parameters();
      if (c.setup.method == "muon")
        moved = {{"hidden.weight", net_.hidden.weight}, {"out.weight", net_.out.weight}};  // takes matrices only
      optimizer_ = optim::make(c.setup.method, moved);
    }
    if (around.starts_with("inject"))
      inject_.emplace(*optimizer_, std::vector<optim::Injection>{{"lr", optim::schedule::one_cycle(0.1, 40)}});
    if (around.starts_with("sam")) sam_.emplace(*optimizer_);
    if (around.ends_with("lookahead")) {
      if (inject_)
        lookahead_.emplace(*inject_, optim::LookaheadOptions{.period = 3});
      else if (sam_)
        lookahead_.emplace(*sam_, optim::LookaheadOptions{.period = 3});
      else
        lookahead_.emplace(*optimizer_, optim::LookaheadOptions{.period = 3});
    }
    run_.add("model", net_).add("batches", batches_).add("ema", ema_).add("swa", swa_).add("plateau", plateau_).add("log", log_);
    run_.add("step", step_).add("total", total_).add("curve", curve_);
    if (lookahead_)
      run_.add("optimizer", *lookahead_);
    else if (inject_)
      run_.add("optimizer", *inject_);
    else if (sam_)
      run_.add("optimizer", *sam_);
    else
      run_.add("optimizer", *optimizer_);
  }

  bool load() { return run_.load(); }
  void save() { run_.save(); }

  /// Goes on to the end, or until `until` steps were made: then it saves, and
  /// is not to be used again. With `after_epoch` it saves where the epoch that
  /// this step belongs to has been closed, and not in the pass.
  void train(std::int64_t until = -1, bool after_epoch = false) {
    set_num_threads(case_.threads);
    while (batches_.epoch() < epochs) {
      for (auto [x, y] : batches_) {
        step(x, y);
        if (step_ == until && !after_epoch) return save();
      }
      swa_.update();
      const double rate = plateau_.next(total_);
      if (case_.setup.around == "plateau") optimizer_->set_lr(rate);
      curve_.push_back(total_);
      total_ = 0;
      if (step_ >= until && until >= 0) return save();
    }
  }

  /// All that there is, to the bit.
  std::string all(const Folder& folder) {
    std::string text = bits(net_.state()) +
                       bits(lookahead_ ? lookahead_->state()
                            : inject_  ? inject_->state()
                                       : optimizer_->state()) +
                       bits(ema_.state()) + bits(swa_.state()) + bits(plateau_.state()) + bits(batches_.state()) +
                       bits(detail::state_of(curve_));
    for (const Purpose p : {Purpose::tensors, Purpose::init, Purpose::shuffle, Purpose::dropout})
      text += std::to_string(default_generator(p).seed) + " " + std::to_string(default_generator(p).draw) + "\n";
    return text + std::to_string(step_) + "\n" + read(folder.file("log.csv"));
  }
  std::int64_t steps() const { return step_; }
  Net& net() { return net_; }
  optim::EMA& ema() { return ema_; }

 private:
  void step(const Tensor& x, const Tensor& y) {
    const auto gradients = [&] {
      Tape tape;
      return tape.gradients(cross_entropy(net_(x), y));
    };
    double loss = 0;
    if (case_.setup.around == "closure") {
      auto& lbfgs = dynamic_cast<optim::LBFGS&>(*optimizer_);
      net_.eval();
      loss = lbfgs.step(gradients);
    } else if (lookahead_) {
      loss = lookahead_->step(gradients);
    } else if (sam_) {
      loss = sam_->step(gradients);
    } else {
      const Gradients g = gradients();
      loss = g.loss();
      inject_ ? static_cast<void>(inject_->step(g)) : optimizer_->step(g);
    }
    ema_.update();
    ++step_;
    total_ += loss;
    log_.row(static_cast<double>(step_), loss, optimizer_->lr());
  }

  static data::Dataset examples() {
    Generator g{77, 1234, 0};  // the same for every run, and nobody else's
    return {normal({11, 3}, 0, 1, DType::f32, g), categorical(ones({11, 2}), g)};
  }

  Case case_;
  Net net_;
  data::Batches<> batches_{examples(), {.batch_size = 4, .shuffle = case_.shuffle}};
  std::unique_ptr<optim::Optimizer> optimizer_;
  std::optional<optim::Inject> inject_;
  std::optional<optim::SAM> sam_;
  std::optional<optim::Lookahead> lookahead_;
  optim::EMA ema_{net_.parameters(), {.decay = 0.9}};
  optim::SWA swa_{net_.parameters()};
  optim::Plateau plateau_{{.lr = 0.05, .factor = 0.5, .patience = 0, .threshold = 0.5}};
  CsvLog log_;
  std::int64_t step_ = 0;
  double total_ = 0;
  std::vector<double> curve_;
  Checkpoint run_;
};

/// Another life of the process: other seeds, other draws, another model.
inline void disturb() {
  manual_seed(4711);
  set_num_threads(1);
  nn::Linear other(7, 3);
  randn({5});
  permutation(9);
  bernoulli(full({3}, 0.5), default_generator(Purpose::dropout));
}

/// A test that compares runs.
class Resume : public testing::Test {
 protected:
  ~Resume() override { set_num_threads(1); }

  static std::string undisturbed(const Case& c) {
    const Folder folder;
    manual_seed(5);
    Program run(c, folder);
    run.train();
    return run.all(folder);
  }
  /// Saved after each of `stops`, and finished by another.
  static std::string resumed(const Case& c, const std::vector<std::pair<std::int64_t, bool>>& stops) {
    const Folder folder;
    for (std::size_t i = 0; i <= stops.size(); ++i) {
      if (i == 0)
        manual_seed(5);
      else
        disturb();
      Program run(c, folder);
      EXPECT_EQ(run.load(), i > 0);
      if (i == stops.size()) {
        run.train();
        return run.all(folder);
      }
      if (stops[i].first == 0)
        run.save();
      else
        run.train(stops[i].first, stops[i].second);
    }
    return {};
  }
};

inline constexpr std::int64_t batches_in_pass = 3, steps_in_all = epochs * batches_in_pass;
inline const Case usual{{"adam", ""}, true, true, 1};
