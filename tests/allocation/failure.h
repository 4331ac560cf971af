#pragma once
#include <capstan/capstan.h>
#include <capstan/core/pool.h>

#include <limits>
#include <memory>
#include <new>
#include <string>

#include "../common.h"

// The n-th allocation fails, for every n: once, twice in a row, and from there on. After each all is as it was before the call, nothing
// is lost, and the call that finds memory gives the bits of one that always had it.

using namespace capstan;

/// From here on the first-th to the last-th allocation of this thread fail.
void arm(long first, long last = std::numeric_limits<long>::max()) noexcept;
/// None does any more; how many were asked for meanwhile.
long disarm() noexcept;
/// How many blocks this thread has taken, without those that it gave back.
long live_blocks() noexcept;

/// For every n: a new state by make(), then body(*state) with the n-th allocation failing, which either throws and has changed nothing
/// that show(*state) shows, or passes; called once more after a throw it passes. Shown is then what shows without a failure. At the
/// end of the state all its memory is back.
/// `kinds`: how many fail in a row.
constexpr long all_further = std::numeric_limits<long>::max();
template <class Make, class Body, class Show>
void expect_all_or_nothing(const std::string& what, Make make, Body body, Show show, std::vector<long> kinds = {1, 2, all_further}) {
  std::string before, after;
  {
    const auto state = make();
    before = show(*state);
    body(*state);
    after = show(*state);
  }
  for (const long failures : kinds)
    for (long n = 1; n < 20'000; ++n) {
      empty_cache();
      const long blocks = live_blocks();
      bool passed = true;
      long asked = 0;
      {
        const auto state = make();
        empty_cache();
        arm(n, failures > 2 ? failures : n + failures - 1);
        try {
          body(*state);
          asked = disarm();
        } catch (const std::bad_alloc&) {
          asked = disarm();
          passed = false;
          ASSERT_EQ(show(*state) == before, true) << what << " changed something, failure of " << n << ", " << failures;
          body(*state);
        }
        ASSERT_EQ(show(*state) == after, true) << what << " did something else, failure of " << n << ", " << failures;
      }
      empty_cache();
      ASSERT_EQ(live_blocks(), blocks) << what << " lost blocks, failure of " << n << ", " << failures;
      if (passed && asked < n) break;
    }
}

/// Parameters in blocks of different sizes, so that none is found in another's place.
inline Parameters parameters(DType dtype = DType::f32) {
  manual_seed(3);
  return {{"a", parameter(randn({3, 5}, dtype))}, {"b", parameter(randn({10, 7}, dtype))}, {"c", parameter(randn({11, 13}, dtype))}};
}

inline Tensor loss_of(const Parameters& all) {
  Tensor loss = sum(square(all["a"]));
  return loss + sum(square(all["b"])) + sum(square(square(all["c"])));
}
inline Gradients gradients_of(const Parameters& all) {
  Tape tape;
  return tape.gradients(loss_of(all));
}
