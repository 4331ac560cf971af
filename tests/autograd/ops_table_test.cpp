// Every row of the table: value, gradient, both floating dtypes, xtensor's result, and what a rule must not do.
#include "ops_table.h"

#include <capstan/autograd/gradcheck.h>

using namespace capstan;

namespace {

/// f's gradients for the inputs that `wanted` says, as copies; undefined for the others and where nothing flows.
Args gradients_of(const std::function<Tensor(const Args&)>& f, const Args& in, const std::vector<bool>& wanted) {
  Args x;
  for (std::size_t k = 0; k < in.size(); ++k) x.push_back(wanted[k] ? parameter(in[k].clone()) : in[k].clone());
  Tape tape;
  const Gradients g = tape.gradients(weighted_sum(f(x)));
  Args dx(in.size());
  for (std::size_t k = 0; k < in.size(); ++k)
    if (g.contains(x[k])) dx[k] = g[x[k]].clone();
  return dx;
}
Args gradients_of(const OpRow& row, const Args& in) { return gradients_of(row.f, in, std::vector<bool>(in.size(), true)); }

/// Calls check(row, inputs) for each row (with a gradient) and each of its shapes.
template <class Check>
void for_each_case(bool with_gradient, Check check) {
  for (const OpRow& row : ops_table()) {
    if (with_gradient && !row.has_gradient) continue;
    for (const auto& shapes : row.shapes) {
      std::string trace = row.name() + ":";
      for (const Shape& s : shapes) trace += " " + to_string(s);
      const testing::ScopedTrace here(__FILE__, __LINE__, trace);
      check(row, row.inputs(shapes));
    }
  }
}

Args as(DType dtype, const Args& in) {
  Args out;
  for (const Tensor& t : in) out.push_back(t.to(dtype).clone());
  return out;
}

}  // namespace

TEST(OpsTable, ValueByHand) {
  for (const OpRow& row : ops_table()) {
    EXPECT_TRUE(near(row.f(row.at), row.is, 1e-14)) << row.name();
    EXPECT_EQ(row.f(row.at).dtype(), row.is.dtype()) << row.name();
  }
}

TEST(OpsTable, GradientByDifferences) {
  for_each_case(true, [](const OpRow& row, const Args& in) {
    const GradcheckResult r = gradcheck(row.f, in);
    EXPECT_TRUE(r) << r.message;
  });
}

TEST(OpsTable, SecondGradientByDifferences) {
  for_each_case(true, [](const OpRow& row, const Args& in) {
    const GradcheckResult r = gradcheck(row.f, in, {.order = 2});
    EXPECT_TRUE(r) << r.message;
  });
}

TEST(OpsTable, ATapeOfHigherOrderGivesTheSameGradients) {
  for_each_case(true, [](const OpRow& row, const Args& in) {
    const Args plain = gradients_of(row, in);
    Args x;
    for (const Tensor& t : in) x.push_back(parameter(t.clone()));
    Tape tape({.higher_order = true});
    const Gradients g = tape.gradients(weighted_sum(row.f(x)));
    for (std::size_t k = 0; k < in.size(); ++k) EXPECT_TRUE(near(g[x[k]], plain[k], 1e-13)) << "input " << k;
  });
}

TEST(OpsTable, GradientOfARepeatedOperand) {
  int checked = 0;
  for_each_case(true, [&](const OpRow& row, const Args& in) {
    if (in.size() < 2 || !(in[0].shape() == in[1].shape())) return;
    ++checked;
    const GradcheckResult r = gradcheck(
        [&](const Args& x) {
          Args twice = x;
          twice.insert(twice.begin(), x[0]);
          return row.f(twice);
        },
        Args(in.begin() + 1, in.end()));
    EXPECT_TRUE(r) << r.message;
  });
  EXPECT_GE(checked, 4 * 4 + 9);
}

TEST(OpsTable, SameAsXtensor) {
  int compared = 0;
  for_each_case(false, [&](const OpRow& row, const Args& in) {
    if (!row.same_as) return;
    for (const Tensor& t : in)
      if (t.numel() == 0) return;
    ++compared;
    EXPECT_TRUE(near(row.f(in), row.same_as(in), 1e-14));
  });
  EXPECT_GE(compared, 300);
}

TEST(OpsTable, SingleAgreesWithDouble) {
  for_each_case(false, [](const OpRow& row, const Args& in) {
    const Args single = as(DType::f32, in), rounded = as(DType::f64, single);
    const Tensor y = row.f(single);
    EXPECT_EQ(y.dtype(), row.is.dtype() == DType::f64 ? DType::f32 : row.is.dtype());
    EXPECT_TRUE(near(y, row.f(rounded), 2e-6));
    if (!row.has_gradient) return;
    const Args dx = gradients_of(row, single), wide = gradients_of(row, rounded);
    for (std::size_t k = 0; k < in.size(); ++k) {
      EXPECT_EQ(dx[k].dtype(), DType::f32);
      EXPECT_TRUE(near(dx[k], wide[k], 1e-5)) << "input " << k;
    }
  });
}

TEST(OpsTable, PlainArithmeticWithoutATapeHasTheSameBits) {
  for_each_case(false, [](const OpRow& row, const Args& in) {
    Args wanted;
    for (const Tensor& t : in) wanted.push_back(parameter(t.clone()));
    const Tensor plain = row.f(wanted);
    Tape tape;
    const Tensor unwanted = row.f(in);
    EXPECT_EQ(tape.size(), 0u);
    const Tensor recorded = row.f(wanted);
    EXPECT_EQ(tape.size() > 0, row.has_gradient);
    EXPECT_TRUE(same_bits(plain, recorded));
    EXPECT_TRUE(same_bits(plain, unwanted));
    for (std::size_t k = 0; k < in.size(); ++k) EXPECT_TRUE(same_bits(wanted[k], in[k])) << "an input was changed: " << k;
  });
}

TEST(OpsTable, EachInputAloneGetsTheSameGradient) {
  for_each_case(true, [](const OpRow& row, const Args& in) {
    const Args all = gradients_of(row, in);
    for (std::size_t k = 0; k < in.size(); ++k) {
      std::vector<bool> wanted(in.size());
      wanted[k] = true;
      const Args alone = gradients_of(row.f, in, wanted);
      for (std::size_t i = 0; i < in.size(); ++i) EXPECT_EQ(alone[i].defined(), i == k);
      EXPECT_TRUE(alone[k].defined() && same_bits(alone[k], all[k])) << "input " << k;
    }
  });
}

TEST(OpsTable, GradientsOfTwoUsesAreAdded) {
  for_each_case(true, [](const OpRow& row, const Args& in) {
    const Args once = gradients_of(row, in);
    const Args thrice = gradients_of(
        [&](const Args& x) {
          const Tensor first = row.f(x), second = row.f(x);
          return first + second * 2;
        },
        in, std::vector<bool>(in.size(), true));
    for (std::size_t k = 0; k < in.size(); ++k) EXPECT_TRUE(near(thrice[k], once[k] * 3, 1e-14)) << "input " << k;
  });
}

// The rule runs last, finds the gradient of a later use there, and that one lies in memory that v shares for the moment.
TEST(OpsTable, AGradientThatIsThereBeforeStays) {
  for_each_case(true, [](const OpRow& row, const Args& in) {
    const Args once = gradients_of(row, in);
    Args x, v;
    for (const Tensor& t : in) {
      x.push_back(parameter(t.clone()));
      v.push_back(parameter(t.clone()));
    }
    Tape tape;
    Tensor loss = weighted_sum(row.f(x));
    for (std::size_t k = 0; k < in.size(); ++k) loss = loss + weighted_sum(x[k] + v[k]);
    const Gradients g = tape.gradients(loss);
    for (std::size_t k = 0; k < in.size(); ++k) {
      const Tensor alone = gradients_of([](const Args& y) { return y[0]; }, {in[k]}, {true})[0];
      EXPECT_TRUE(near(g[x[k]], once[k] + alone, 1e-14)) << "input " << k;
      EXPECT_TRUE(same_bits(g[v[k]], alone)) << "input " << k;
    }
  });
}

// A later change in place of an input or of the result is either caught or has no influence on the gradient.
TEST(OpsTable, AChangeInPlaceIsCaughtOrHarmless) {
  int caught = 0, harmless = 0;
  for_each_case(true, [&](const OpRow& row, const Args& in) {
    const Args expected = gradients_of(row, in);
    for (std::size_t which = 0; which <= in.size(); ++which) {
      Args x;
      for (const Tensor& t : in) x.push_back(parameter(t.clone()));
      Tape tape;
      const Tensor y = row.f(x), loss = weighted_sum(y);
      {
        const NoGrad pause;
        Tensor target = which < in.size() ? x[which] : y;
        (target *= 3.0) += 0.5;
      }
      Gradients g;
      const std::string error = thrown([&] { g = tape.gradients(loss); });
      if (error != "nothing") {
        ++caught;
        EXPECT_NE(error.find("was changed in place: "), std::string::npos) << error;
        EXPECT_NE(error.find("version 0 when recorded, now 2 "), std::string::npos) << error;
        continue;
      }
      ++harmless;
      for (std::size_t k = 0; k < in.size(); ++k)
        EXPECT_TRUE(same_bits(g[x[k]], expected[k])) << "input " << k << " after a change of " << which;
    }
  });
  EXPECT_GT(caught, 200);
  EXPECT_GT(harmless, 200);
}

// Controls: what the checks above must find. A gradient that is 1e-5 too large, for each input of each row.
TEST(OpsTableControl, AScaledGradientIsCaught) {
  for (const OpRow& row : ops_table()) {
    if (!row.has_gradient || row.flat) continue;
    std::vector<int> caught(row.at.size());
    for (const auto& shapes : row.shapes)
      for (std::size_t k = 0; k < shapes.size(); ++k) {
        const auto wrong = [&](const Args& in) {
          Args x = in;
          x[k] = pass(in[k], [](const Tensor& dy) { return dy * (1 + 1e-5); });
          return row.f(x);
        };
        caught[k] += !gradcheck(wrong, row.inputs(shapes));
      }
    for (std::size_t k = 0; k < caught.size(); ++k) EXPECT_GT(caught[k], 0) << row.name() << ", input " << k;
  }
}

// The gradient of the gradient of exp(2 x) without the factor of one of both.
TEST(OpsTableControl, AScaledSecondGradientIsCaught) {
  const auto f = [](double factor) {
    return [factor](const Args& in) {
      const Tensor x = pass(in[0], [factor](const Tensor& dy) {
        return record("once", dy.clone(), {dy}, [factor](const Tensor& d, Inputs& dx) { dx.add(0, d * factor); });
      });
      return exp(2 * x);
    };
  };
  EXPECT_TRUE(gradcheck(f(1 + 1e-5), {numbers({3})}));
  EXPECT_TRUE(gradcheck(f(1), {numbers({3})}, {.order = 2}));
  EXPECT_FALSE(gradcheck(f(1 + 1e-5), {numbers({3})}, {.order = 2}));
}
