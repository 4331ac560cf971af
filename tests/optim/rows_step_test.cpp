#include <capstan/core/threads.h>
#include <capstan/optim/chain.h>
#include <capstan/optim/inject.h>
#include <capstan/optim/make.h>
#include <capstan/optim/sam.h>
#include <capstan/optim/sgd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <memory>
#include <random>

#include "rows_step.h"

// Steps along row-sparse gradients: the same bits as along dense ones, and of what rests nothing is touched.

using namespace capstan;
using namespace rows_step;

namespace {

std::vector<Case> resting() {
  std::vector<Case> all;
  for (const char* spec : {"sgd lr=0.1", "adagrad lr=0.1", "adagrad lr=0.1 eps=0", "adagrad lr=0.1 eps=1e-6 eps_inside_root=1",
                           "adagrad lr=0.1 eps=1e-7 eps_inside_root=1 initial_accumulator=0.1", "adagrad lr=0.1 lr_decay=0.5",
                           "adagrad initial_accumulator=-0", "rowwise_adagrad lr=0.1", "rowwise_adagrad lr=0.1 eps=0",
                           "rowwise_adagrad lr=0.1 initial_accumulator=0.1", "ftrl", "ftrl l1=0.01 l2=0.1 initial_accumulator=0.1",
                           "ftrl beta=0", "signum momentum=0 lr=0.1"})
    all.push_back({spec, [spec](const Parameters& p) { return optim::make(spec, p); }});
  const auto add_chain = [&](const char* name, const optim::Transform& t) {
    all.push_back({name, [t](const Parameters& p) { return std::make_unique<optim::Chain>(p, t); }});
  };
  using namespace optim::transform;
  add_chain("chain of rss", chain(scale_by_rss(), scale_by_learning_rate(0.1)));
  add_chain("chain of clip, scale, rss and a schedule", chain(clip(0.5), scale(3), scale_by_rss({.initial_accumulator = 0, .eps = 0}),
                                                              clip(2), scale_by_learning_rate(optim::schedule::exponential(0.1, 0.9))));
  add_chain("chain of signs", chain(scale_by_sign(), scale_by_learning_rate(0.1)));
  add_chain("chain by name", partition({{"w", chain(scale_by_rss(), scale_by_learning_rate(0.1))}, {"*", set_to_zero()}}));
  add_chain("chain with a partition", chain(partition({{"w", scale_by_rss()}, {"*", scale_by_sign()}}), scale_by_learning_rate(0.1)));
  return all;
}

/// Two trainings of one parameter that begin alike.
struct Twins {
  Tensor other = parameter(ones({2})), sparse_w, dense_w;
  std::unique_ptr<optim::Optimizer> sparse, dense;

  Twins(const Case& c, const Shape& shape, DType dtype)
      : sparse_w(parameter(start(shape, dtype))),
        dense_w(parameter(start(shape, dtype))),
        sparse(c.make({{"w", sparse_w}, {"v", other}})),
        dense(c.make({{"w", dense_w}, {"v", other}})) {}
  bool step(const RowSparse& g) {
    const std::string refused = thrown([&] { sparse->step(Gradients::from({{sparse_w, g}})); });
    const Gradients all = Gradients::from({{sparse_w, g}});  // duplicates added, which may overflow
    EXPECT_EQ(thrown([&] { dense->step(Gradients::from({{dense_w, all[sparse_w].clone()}})); }), refused);
    return bits(sparse_w) == bits(dense_w) && bits(sparse->state()) == bits(dense->state());
  }
};

}  // namespace

TEST(RowsStep, GivesTheBitsOfTheDenseStep) {
  std::mt19937_64 drawn(11);
  for (const Case& c : resting())
    for (const DType dtype : {DType::f32, DType::f64})
      for (const Shape& shape :
           {Shape{40, 1}, Shape{40, 3}, Shape{40, 16}, Shape{40, 17}, Shape{12, 200}, Shape{50}, Shape{9, 2, 3}, Shape{40, 0}})
        for (const bool extremes : {false, true}) {
          Twins twins(c, shape, dtype);
          ASSERT_EQ(moves_alone(*twins.sparse), "") << c.name;
          for (int t = 0; t < 8; ++t) {
            ASSERT_TRUE(twins.step(draw(drawn, shape, dtype, extremes)))
                << c.name << ", " << to_string(shape) << " " << name(dtype) << ", step " << t;
            if (c.name.ends_with("a schedule")) continue;
            twins.sparse->set_lr(1.1 * twins.sparse->lr());
            twins.dense->set_lr(1.1 * twins.dense->lr());
          }
        }
}

TEST(RowsStep, OfOtherMethodsMovesEveryRow) {
  std::mt19937_64 drawn(12);
  using namespace optim::transform;
  std::vector<Case> all;
  for (const char* spec : {"sgd lr=0.1 momentum=0.5", "sgd weight_decay=0.1", "adagrad weight_decay=0.1", "signum", "adam",
                           "rmsprop momentum=0.5", "lion", "adafactor", "rowwise_adagrad weight_decay=0.1", "lbfgs"})
    all.push_back({spec, [spec](const Parameters& p) { return optim::make(spec, p); }});
  for (const optim::Transform& t :
       {chain(scale_by_rss()), chain(scale_by_learning_rate(0.1), scale_by_rss()), chain(scale(-1), scale_by_learning_rate(0.1)),
        chain(clip_by_global_norm(1), scale_by_learning_rate(0.1)), chain(add_decayed_weights(0.1), scale_by_learning_rate(0.1)),
        chain(scale_by_schedule(optim::schedule::linear(1, 0.5, 5)), scale_by_learning_rate(0.1)),
        chain(accumulate(2), scale_by_learning_rate(0.1)), chain(trace(0.5), scale_by_learning_rate(0.1)),
        partition({{"w", chain(scale_by_rms(), scale_by_learning_rate(0.1))}, {"*", scale_by_sign()}})})
    all.push_back({"chain", [t](const Parameters& p) { return std::make_unique<optim::Chain>(p, t); }});
  for (const Case& c : all) {
    Twins twins(c, {40, 3}, DType::f64);
    EXPECT_NE(twins.sparse->explain().find("\n  a row-sparse gradient moves every row"), std::string::npos) << twins.sparse->explain();
    for (int t = 0; t < 6; ++t) EXPECT_TRUE(twins.step(draw(drawn, {40, 3}, DType::f64, false))) << c.name << ", step " << t;
  }
}

TEST(RowsStep, TouchesNoOtherRow) {
  constexpr std::int64_t rows = 300, size = 5;
  for (const Case& c : resting()) {
    std::mt19937_64 drawn(13);
    const Tensor w = parameter(start({rows, size}, DType::f32)), v = parameter(ones({2}));
    const auto optimizer = c.make({{"w", w}, {"v", v}});
    optimizer->step(Gradients::from({{w, wobbles({rows, size}, 0, DType::f32)}}));
    const auto untouched = [&] {  // every third row, and its slots
      std::string all;
      TensorMap tensors = optimizer->live_state();
      tensors.insert("w", w);
      for (const auto& [key, t] : tensors)
        for (std::int64_t row = 1; t.dim() > 0 && t.size(0) == rows && row < rows; row += 3) all += bits(t.rows(row, row + 1).clone());
      return all;
    };
    const std::string before = untouched(), moved = bits(w);
    for (int t = 0; t < 1000; ++t) {
      RowSparse g = draw(drawn, {rows, size}, DType::f32, t % 2 == 0);
      for (std::int64_t k = 0; k < g.rows.numel(); ++k) g.rows.data<std::int64_t>()[k] = 3 * (static_cast<std::int64_t>(drawn()) & 63);
      optimizer->step(Gradients::from({{w, clip_value(Gradients::from({{w, g}}), 10).sparse(w)}}));
    }
    EXPECT_TRUE(untouched() == before) << c.name;
    EXPECT_FALSE(bits(w) == moved) << c.name;
    EXPECT_EQ(optimizer->step_count(), 1001);
  }
}

TEST(RowsStep, IsTheSameForAnyThreads) {
  struct Restore {
    int n = num_threads();
    ~Restore() { set_num_threads(n); }
  } const restore;
  for (const std::string spec : {"adagrad", "rowwise_adagrad", "sgd"}) {
    std::string first;
    for (const int threads : {1, 3}) {
      set_num_threads(threads);
      const Tensor w = parameter(start({40000, 16}, DType::f32));
      const auto optimizer = optim::make(spec, {{"w", w}});
      for (int t = 0; t < 2; ++t) {
        const Tensor index = empty({9000}, DType::i64);
        for (std::int64_t k = 0; k < 9000; ++k) index.data<std::int64_t>()[k] = (k * 7919 + t) % 40000;
        Tape tape;
        const Gradients g = tape.gradients(sum(square(index_select(w, 0, index))));
        ASSERT_TRUE(g.is_sparse(w));
        optimizer->step(g);
      }
      if (threads == 1) first = bits(w) + bits(optimizer->state());
      EXPECT_TRUE(bits(w) + bits(optimizer->state()) == first) << spec;
    }
  }
}

TEST(RowsStep, NamesWhatIsNotFinite) {
  for (const std::string spec : {"adagrad", "rowwise_adagrad", "adam"}) {
    const Tensor w = parameter(start({40, 2}, DType::f64));
    const auto optimizer = optim::make(spec, {{"w", w}});
    const std::string before = bits(w);
    const RowSparse g{tensor({30, 7}, DType::i64), tensor({{1, 2}, {3, NAN}}, DType::f64), {40, 2}};
    EXPECT_EQ(thrown([&] {
                optimizer->step(Gradients::from({{w, g}}));
              }),
              "NotFiniteError: [" + spec +
                  "] step 1: the gradient for 'w' must be finite: nan at [7, 1] (a lower lr, clip_value(), or "
                  "set_check_finite(false))");
    EXPECT_EQ(bits(w), before);
    EXPECT_EQ(optimizer->step_count(), 0);
    optimizer->set_check_finite(false);
    optimizer->step(Gradients::from({{w, g}}));
    for (const double x : values(w)) EXPECT_TRUE(std::isfinite(x)) << spec;
  }
}

TEST(RowsStep, OfAWrapperIsTheOneInside) {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Shape& shape : {Shape{40, 1}, Shape{40, 3}, Shape{40, 8}, Shape{40, 21}}) {
      std::mt19937_64 drawn(14);
      Twins twins({"adagrad", [](const Parameters& p) { return optim::make("adagrad lr=0.1", p); }}, shape, dtype);
      optim::SAM sparse(*twins.sparse, {.rho = 0.25}), dense(*twins.dense, {.rho = 0.25});
      optim::Inject sparse_rate(sparse, {{"lr", optim::schedule::linear(0.1, 0.2, 9)}}),
          dense_rate(dense, {{"lr", optim::schedule::linear(0.1, 0.2, 9)}});
      for (int t = 0; t < 9; ++t) {
        const Tensor index = draw(drawn, shape, dtype, false).rows;
        const auto slope = [&](const Tensor& w, bool rows) {
          Tape tape;
          const Tensor x = index_select(rows ? w : 1.0 * w, 0, index);
          return tape.gradients(sum(x * x * x));
        };
        if (index.numel() == 0) continue;
        EXPECT_TRUE(slope(twins.sparse_w, true).is_sparse(twins.sparse_w));
        sparse_rate.step([&] { return slope(twins.sparse_w, true); });
        dense_rate.step([&] { return slope(twins.dense_w, false); });
        ASSERT_EQ(bits(twins.sparse_w), bits(twins.dense_w)) << to_string(shape) << " step " << t;
        ASSERT_EQ(bits(sparse_rate.state()), bits(dense_rate.state()));
      }
    }
}

// Beside the table nothing is as large as it but the state, and of that the system gives what is touched.
TEST(RowsStep, TakesMemoryForWhatItTouches) {
  constexpr std::int64_t rows = 1 << 20, size = 32;  // 128 MB
  const auto resident = [](const Tensor& t) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE)), bytes = static_cast<std::size_t>(t.numel()) * size_of(t.dtype());
    auto* const begin = static_cast<char*>(t.header()->data) + page - reinterpret_cast<std::size_t>(t.header()->data) % page;
    std::vector<unsigned char> there(bytes / page - 1);
    EXPECT_EQ(mincore(begin, there.size() * page, there.data()), 0);
    std::size_t count = 0;
    for (const unsigned char p : there) count += p & 1;
    return count * page;
  };
  { const Tensor before = ones({rows, size}), more = ones({rows, size}); }  // what their memory holds is no zeros
  const Tensor w = parameter(empty({rows, size}));
  Tensor touched = w.detach().rows(7, 8);
  touched.assign(ones({1, size}));
  const auto optimizer = optim::make("adagrad", {{"w", w}});
  const RowSparse g{tensor({7, 500'000}, DType::i64), ones({2, size}), {rows, size}};
  for (int t = 0; t < 3; ++t) optimizer->step(Gradients::from({{w, g}}));
  const Tensor sums = optimizer->live_state()["w/sum"];
  EXPECT_LE(resident(sums), std::size_t{8} << 20);
  EXPECT_EQ(values(sums.rows(7, 8).clone()), Values(size, 3));
  EXPECT_EQ(values(sums.rows(8, 9).clone()), Values(size, 0));
  for (std::int64_t i = 0; i < sums.numel(); i += 1013) ASSERT_EQ(sums.data<float>()[i], i / size == 7 || i / size == 500'000 ? 3 : 0) << i;
}

TEST(RowsStep, IsToldForEachParameter) {
  const Tensor w = parameter(zeros({40, 2})), v = parameter(zeros({40, 2}));
  optim::SGD sgd({{"w", w}, {"v", v}}, {.lr = 1});
  const auto line = [&] {
    const std::string all = sgd.explain();
    const std::size_t at = all.find("\n  a row-sparse gradient moves ");
    return all.substr(at + 3, all.find('\n', at + 1) - at - 3);
  };
  EXPECT_EQ(line(), "a row-sparse gradient moves its rows alone");
  sgd.group("v", [](auto& o) { o.momentum = 0.5; });
  EXPECT_EQ(line(), "a row-sparse gradient moves its rows alone for 1 of 2 parameters, else every row");
  sgd.group("v", [](auto& o) { o.momentum = 0, o.weight_decay = 0.5; });
  EXPECT_EQ(line(), "a row-sparse gradient moves its rows alone for 1 of 2 parameters, else every row");
  const RowSparse g{tensor({3}, DType::i64), ones({1, 2}), {40, 2}};
  w.detach().rows(5, 6).assign(ones({1, 2}));
  v.detach().rows(5, 6).assign(ones({1, 2}));
  sgd.step(Gradients::from({{w, g}, {v, g}}));
  EXPECT_EQ(values(w.rows(3, 6).clone()), (Values{-1, -1, 0, 0, 1, 1}));
  EXPECT_EQ(values(v.rows(3, 6).clone()), (Values{-1, -1, 0, 0, 0.5, 0.5}));
}
