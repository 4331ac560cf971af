#pragma once
#include <functional>
#include <limits>

#include "support.h"

/// A call that is refused, with the text it is refused with.
struct Refusal {
  std::string text;
  std::function<capstan::Tensor()> call;
};

// Operands for such calls: wanting a gradient, whole, boolean.
inline capstan::Tensor f(const capstan::Shape& shape, capstan::DType dtype = capstan::DType::f32) {
  return capstan::parameter(capstan::zeros(shape, dtype));
}
inline capstan::Tensor i(const capstan::Shape& shape) { return capstan::zeros(shape, capstan::DType::i64); }
inline capstan::Tensor b(const capstan::Shape& shape) { return capstan::zeros(shape, capstan::DType::boolean); }

/// Each with and without a running tape; afterwards everything is as before.
template <class Refusals>
void check_refusals(const Refusals& refusals) {
  for (const Refusal& r : refusals) {
    EXPECT_EQ(thrown([&] { r.call(); }), r.text);
    const capstan::Tensor w = p({1, 2});
    capstan::Tape tape;
    const capstan::Tensor before = w * 3;
    EXPECT_EQ(thrown([&] { r.call(); }), r.text) << "under a tape";
    EXPECT_EQ(tape.size(), 1u) << r.text;
    EXPECT_EQ(values(tape.gradients(sum(before + w))[w]), (Values{4, 4})) << r.text;
  }
}
