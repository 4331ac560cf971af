#include <capstan/optim/conformance_checks.h>

#include <array>

// The checks of a method's numbers: that f64 is f64, and a reference trajectory.
namespace capstan::optim {

using capstan::detail::fail;
using capstan::detail::join;

namespace detail {

std::vector<double> Trial::others(std::size_t option) const {
  const double old = values[option];
  const FieldInfo& field = subject.fields[option];
  switch (field.kind) {
    case FieldInfo::Kind::number: return {2 * old, old / 2, old + 0.1, 0.9, 0.5, 0.1, 1e-3, 10 * old + 1};
    case FieldInfo::Kind::flag: return {1 - old};
    case FieldInfo::Kind::whole: return {2 * old, old + 1, old - 1, 0, 1, 2, 3, 5, 10};
    case FieldInfo::Kind::word: break;
  }
  std::vector<double> all;
  for (std::size_t i = 0; i < field.count; ++i)
    if (static_cast<double>(i) != old) all.push_back(static_cast<double>(i));
  return all;
}

namespace {

constexpr int kPlaces = 513;
constexpr double kStride = 0x1p-31;  // all of them are more than two of f32's numbers apart

bool is_taken(const Trial& trial) {
  try {
    trial.build(Parameters{{"kit.w", zeros(shape_of(trial.subject, 2))}});
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// By what part of itself each option changes from one place to the next: 0 for one that is no number or cannot change so little.
std::vector<double> strides(const Trial& trial) {
  std::vector<double> all;
  for (std::size_t k = 0; k < trial.values.size(); ++k) {
    all.push_back(0);
    if (trial.subject.fields[k].kind != FieldInfo::Kind::number || trial.values[k] == 0) continue;
    for (const double stride : {-kStride, kStride}) {
      if (!is_taken(trial.with(trial.subject.options[k], trial.values[k] * (1 + kPlaces * stride)))) continue;
      all.back() = stride;
      break;
    }
  }
  return all;
}

}  // namespace

void is_exact_in_f64(const Subject& s) {
  constexpr std::int64_t elements = 12;
  for_sets(s, [&](const Trial& set) {
    const std::vector<double> stride = strides(set);
    std::vector<std::array<double, elements>> seen;
    double moved = 0;
    for (int place = 0; place < kPlaces; ++place) {
      Trial trial = set;
      for (std::size_t k = 0; k < stride.size(); ++k) trial.values[k] *= 1 + place * stride[k];
      const double scale = 1 + place * kStride;
      const Tensor start = scale * irregular({3, 4}, 3, DType::f64);
      Tensor w = parameter(start.clone());
      const auto optimizer = trial.build(Parameters{{"kit.w", w}});
      for (int t = 0; t < 3; ++t) trial.step(*optimizer, gradients_of({{w, scale * irregular({3, 4}, 100 * t, DType::f64)}}));
      std::copy_n(w.data<double>(), elements, seen.emplace_back().begin());
      moved = std::max(moved, distance(w, start));
    }
    for (std::size_t i = 0; i < elements; ++i) {
      std::vector<double> bends;  // second differences: a smooth function has none to speak of
      for (std::size_t p = 1; p + 1 < seen.size(); ++p) bends.push_back(std::abs(seen[p - 1][i] - 2 * seen[p][i] + seen[p + 1][i]));
      const double most = *std::max_element(bends.begin(), bends.end());
      std::nth_element(bends.begin(), bends.begin() + kPlaces / 2, bends.end());
      const double usual = bends[kPlaces / 2];
      expect(most <= std::max(1e-14, 1e-8 * moved) + 20 * usual, "an f64 element jumps by ", most,
             " where all that it comes from changes by ", kStride, " of itself: something is rounded to f32, ", set.text());
    }
  });
}

Property follows(const char* method, const Trajectory& trajectory, double tolerance, const void* context,
                 std::unique_ptr<Optimizer> (*build)(const void*, const Parameters&)) {
  const auto n = static_cast<std::int64_t>(trajectory.start.size());
  const std::size_t steps = trajectory.gradients.size();
  const Shape shape = trajectory.shape.dim() == 0 ? Shape{n} : trajectory.shape;
  if (steps == 0 || trajectory.expected.size() != steps || shape.numel() != n)
    fail<ValueError>(method, "a trajectory must have a start of its shape, and as many gradients as expected parameters, one at least: ", n,
                     " elements of ", shape, ", ", steps, " gradients, ", trajectory.expected.size(), " expected");
  const auto row = [&](const std::vector<double>& values, const char* what, DType dtype) {
    if (static_cast<std::int64_t>(values.size()) != n)
      fail<ValueError>(method, "each row of a trajectory must be as long as its start: ", what, " has ", values.size(), ", not ", n);
    return tensor(values).to(dtype).reshape(shape);
  };
  Property p{"follows its reference trajectory", Property::Outcome::held, ""};
  for (const DType dtype : both_dtypes) {
    const double allowed = dtype == DType::f64 ? tolerance : std::max(tolerance, 1e-5);
    Tensor w = parameter(row(trajectory.start, "the start", dtype).clone());
    const auto optimizer = build(context, Parameters{{"kit.w", w}});
    for (std::size_t t = 0; t < steps; ++t) {
      optimizer->step(gradients_of({{w, row(trajectory.gradients[t], "a gradient", dtype)}}));
      const Tensor now = w.to(DType::f64), wanted = row(trajectory.expected[t], "what is expected", DType::f64);
      for (std::int64_t i = 0; i < n; ++i) {
        const double is = now.data<double>()[i], should = wanted.data<double>()[i];
        if (std::abs(is - should) <= allowed * std::max(1.0, std::abs(should))) continue;
        return {p.name, Property::Outcome::failed,
                join("after step ", t + 1, " element ", i, " in ", dtype, " is ", is, " and not ", should)};
      }
    }
  }
  return p;
}

}  // namespace detail

}  // namespace capstan::optim
