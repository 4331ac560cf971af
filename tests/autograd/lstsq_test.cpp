// Least squares: rank, rcond, residuals, batches, and NIST's reference problem Filip.
#include <capstan/autograd/gradcheck.h>

#include "support.h"

using namespace capstan;

namespace {

constexpr DType floating[] = {DType::f32, DType::f64};

// NIST Statistical Reference Datasets, Filip (A. Filippelli): y = sum of b[k] x^k for k = 0 ... 10, 82 observations, level of
// difficulty "higher". https://www.itl.nist.gov/div898/strd/lls/data/Filip.shtml, public domain. Pairs y, x; then the certified b.
const double filip[] = {
    0.8116, -6.860120914, 0.9072, -4.324130045, 0.9052, -4.358625055, 0.9039, -4.358426747, 0.8053, -6.955852379, 0.8377, -6.661145254,
    0.8667, -6.355462942, 0.8809, -6.118102026, 0.7975, -7.115148017, 0.8162, -6.815308569, 0.8515, -6.519993057, 0.8766, -6.204119983,
    0.8885, -5.853871964, 0.8859, -6.109523091, 0.8959, -5.79832982,  0.8913, -5.482672118, 0.8959, -5.171791386, 0.8971, -4.851705903,
    0.9021, -4.517126416, 0.909,  -4.143573228, 0.9139, -3.709075441, 0.9199, -3.499489089, 0.8692, -6.300769497, 0.8872, -5.953504836,
    0.89,   -5.642065153, 0.891,  -5.031376979, 0.8977, -4.680685696, 0.9035, -4.329846955, 0.9078, -3.928486195, 0.7675, -8.56735134,
    0.7705, -8.363211311, 0.7713, -8.107682739, 0.7736, -7.823908741, 0.7775, -7.522878745, 0.7841, -7.218819279, 0.7971, -6.920818754,
    0.8329, -6.628932138, 0.8641, -6.323946875, 0.8804, -5.991399828, 0.7668, -8.781464495, 0.7633, -8.663140179, 0.7678, -8.473531488,
    0.7697, -8.247337057, 0.77,   -7.971428747, 0.7749, -7.676129393, 0.7796, -7.352812702, 0.7897, -7.072065318, 0.8131, -6.774174009,
    0.8498, -6.478861916, 0.8741, -6.159517513, 0.8061, -6.835647144, 0.846,  -6.53165267,  0.8751, -6.224098421, 0.8856, -5.910094889,
    0.8919, -5.598599459, 0.8934, -5.290645224, 0.894,  -4.974284616, 0.8957, -4.64454848,  0.9047, -4.290560426, 0.9129, -3.885055584,
    0.9209, -3.408378962, 0.9219, -3.13200249,  0.7739, -8.726767166, 0.7681, -8.66695597,  0.7665, -8.511026475, 0.7703, -8.165388579,
    0.7702, -7.886056648, 0.7761, -7.588043762, 0.7809, -7.283412422, 0.7961, -6.995678626, 0.8253, -6.691862621, 0.8602, -6.392544977,
    0.8809, -6.067374056, 0.8301, -6.684029655, 0.8664, -6.378719832, 0.8834, -6.065855188, 0.8898, -5.752272167, 0.8964, -5.132414673,
    0.8963, -4.811352704, 0.9074, -4.098269308, 0.9119, -3.66174277,  0.9228, -3.2644011};
const double certified[] = {-1467.48961422980,   -2772.17959193342,    -2316.37108160893,     -1127.97394098372,
                            -354.478233703349,   -75.1242017393757,    -10.8753180355343,     -1.06221498588947,
                            -0.0670191154593408, -0.00246781078275479, -0.0000402962525080404};
constexpr double certified_residual = 0.795851382172941e-03;

struct Problem {
  Tensor a = empty({82, 11}, DType::f64), b = empty({82}, DType::f64);
  Problem() {
    for (int i = 0; i < 82; ++i) {
      b.data<double>()[i] = filip[2 * i];
      double power = 1;
      for (int k = 0; k < 11; ++k, power *= filip[2 * i + 1]) a.data<double>()[i * 11 + k] = power;
    }
  }
};

/// How many digits of all coefficients are right.
double digits(const Tensor& solution) {
  double worst = 16;
  for (int k = 0; k < 11; ++k) worst = std::min(worst, -std::log10(std::abs(solution.data<double>()[k] / certified[k] - 1)));
  return worst;
}

}  // namespace

TEST(LeastSquares, FilipHasItsDigits) {
  const Problem f;
  const Lstsq cut = lstsq(f.a, f.b);  // by default the smallest singular value counts as 0, and says so
  EXPECT_EQ(cut.rank.item(), 10);
  EXPECT_LT(digits(cut.solution), 1);
  for (const double rcond : {0., 1e-16}) {
    const Lstsq all = lstsq(f.a, f.b, rcond);
    EXPECT_EQ(all.rank.item(), 11);
    EXPECT_GT(digits(all.solution), 5) << rcond << all.solution;  // 1e16 / 1e15, columns of 1 to 1e9
    EXPECT_NEAR(all.residuals.item() / certified_residual, 1, 0.01);
    EXPECT_GT(all.singular_values.data<double>()[0] / all.singular_values.data<double>()[10], 1e15);
  }
  // Columns of one length, and no rcond is wanted.
  const Tensor length = norm(f.a, 2, 0, true);
  const Lstsq scaled = lstsq(f.a / length, f.b);
  EXPECT_EQ(scaled.rank.item(), 11);
  EXPECT_GT(digits(scaled.solution / length.reshape({11})), 6.5) << scaled.solution;
  EXPECT_NEAR(scaled.residuals.item() / certified_residual, 1, 1e-7);
}

TEST(LeastSquares, FilipHasAGradient) {
  const Problem f;
  const Tensor b = parameter(f.b);
  Tape tape;
  const Tensor first = sum(slice(lstsq(f.a, b, 0).solution, 0, 0, 1));
  // The solution is linear in b: b's gradient times b is the solution itself.
  EXPECT_NEAR(sum(tape.gradient(first, b) * f.b).item() / certified[0], 1, 1e-4);
}

TEST(LeastSquares, RankResidualsAndSingularValues) {
  for (const DType dtype : floating) {
    const Lstsq line = lstsq(tensor({{1, 0}, {1, 1}, {1, 2}}, dtype), tensor({1, 2, 6}, dtype));
    EXPECT_TRUE(near(line.solution, d({0.5, 2.5}), 1e-6));
    EXPECT_TRUE(near(line.residuals, d(1.5), 1e-6));
    EXPECT_EQ(line.rank.item(), 2);
    EXPECT_EQ(line.rank.dtype(), DType::i64);
    EXPECT_TRUE(near(prod(line.singular_values), d(std::sqrt(6.)), 1e-6));
    const Tensor diagonal = tensor({{4, 0, 0}, {0, 2, 0}, {0, 0, 1e-3}}, dtype), one = tensor({4, 2, 1}, dtype);
    EXPECT_TRUE(near(lstsq(diagonal, one).singular_values, d({4, 2, 1e-3}), 1e-6));
    EXPECT_TRUE(near(lstsq(diagonal, one).solution, d({1, 1, 1000}), 1e-6));
    const Lstsq cut = lstsq(diagonal, one, 1e-3);  // 1e-3 / 4 counts as 0
    EXPECT_TRUE(near(cut.solution, d({1, 1, 0}), 1e-6));
    EXPECT_TRUE(near(cut.residuals, d(1), 1e-6));
    EXPECT_EQ(cut.rank.item(), 2);
    EXPECT_EQ(lstsq(diagonal, one, 0.5).rank.item(), 1);  // up to rcond
    EXPECT_EQ(lstsq(zeros({3, 2}, dtype), ones({3}, dtype), 0).rank.item(), 0);
    EXPECT_EQ(lstsq(tensor({{1, 1}}, dtype), tensor({2}, dtype)).rank.item(), 1);
    EXPECT_EQ(lstsq(empty({0, 2}, dtype), empty({0}, dtype)).residuals.item(), 0);
    const Lstsq nothing = lstsq(ones({3, 2}, dtype), empty({3, 0}, dtype));
    EXPECT_EQ(nothing.residuals.shape(), Shape{0});
    EXPECT_EQ(nothing.rank.item(), 1);
  }
}

TEST(LeastSquares, BatchesAreTheProblemsOneByOne) {
  for (const DType dtype : floating) {
    const Tensor a = numbers({2, 3, 4, 2}).to(dtype), b = numbers({2, 3, 4, 3}, -1, 1, 2).to(dtype);
    const Lstsq all = lstsq(a, b);
    EXPECT_EQ(all.solution.shape(), (Shape{2, 3, 2, 3}));
    EXPECT_EQ(all.residuals.shape(), (Shape{2, 3, 3}));
    EXPECT_EQ(all.rank.shape(), (Shape{2, 3}));
    EXPECT_EQ(all.singular_values.shape(), (Shape{2, 3, 2}));
    for (std::int64_t i = 0; i < 6; ++i) {
      const auto at = [&](const Tensor& t) { return reshape(t, {6, -1}).rows(i, i + 1); };
      const Lstsq one = lstsq(at(a).reshape({4, 2}), at(b).reshape({4, 3}));
      EXPECT_EQ(bits(at(all.solution)), bits(one.solution));
      EXPECT_EQ(bits(at(all.residuals)), bits(one.residuals));
      EXPECT_EQ(bits(at(all.singular_values)), bits(one.singular_values));
    }
    EXPECT_EQ(lstsq(empty({0, 3, 2}, dtype), empty({0, 3, 1}, dtype)).solution.shape(), (Shape{0, 2, 1}));
  }
}

// The residual of the best solution: d |a y - b|^2 / db = -2 (a y - b), and by a (a y - b) y^T twice.
TEST(LeastSquares, TheResidualsHaveAGradient) {
  const Tensor a = p({{1, 0}, {1, 1}, {1, 2}}), b = p({1, 2, 6});
  Tape tape;
  const Lstsq fit = lstsq(a, b);
  const Tensor rest = d({-0.5, 1, -0.5});  // a y - b
  EXPECT_TRUE(near(tape.gradient(fit.residuals, b), -2 * rest, 1e-12));
  EXPECT_TRUE(near(tape.gradient(fit.residuals, a), 2 * outer(rest, d({0.5, 2.5})), 1e-12));
}
