#include <capstan/optim/method.h>

#include <algorithm>

// A method's options by name and its groups, for whatever struct the options are. Nothing is set before all of it is checked.
namespace capstan::optim {

std::vector<double> OptionsBase::numbers_of(std::size_t group) const {
  std::vector<double> all(all_fields().size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = number_of(group, i);
  return all;
}

namespace {

void check_range(const char* method, const FieldInfo& f, double value) {
  f.check(method, value);
  if (!(value < 0)) return;
  for (const char* name : {"lr", "weight_decay", "eps"})
    if (std::string_view(f.name) == name) detail::bad_option(method, name, "must not be negative", value);
}

void check_held(const char* method, const FieldInfo& f, double value) {
  if (f.kind == FieldInfo::Kind::number) detail::require_held_by_f32(method, f.name, value);
}

/// The bits of the options in which a group differs from what it would follow.
std::uint64_t differences(const std::vector<double>& a, const std::vector<double>& b) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i]) bits |= std::uint64_t{1} << i;
  return bits;
}

}  // namespace

void OptionsBase::check_ranges(const std::vector<double>& values) const {
  const detail::Fields fields = all_fields();
  for (std::size_t i = 0; i < fields.size(); ++i) check_range(method(), fields[i], values[i]);
}

void OptionsBase::require_held(const std::vector<double>& values) const {
  const detail::Fields fields = all_fields();
  for (std::size_t i = 0; i < fields.size(); ++i) check_held(method(), fields[i], values[i]);
}

void OptionsBase::require_held() const {  // for each parameter that comes, and without a vector
  const detail::Fields fields = all_fields();
  for (std::size_t i = 0; i < fields.size(); ++i) check_held(method(), fields[i], number_of(0, i));
}

void OptionsBase::check_numbers(std::size_t group, const std::vector<double>& values) const {
  check_ranges(values);
  check_together(group, values);
}

std::vector<const char*> OptionsBase::option_names() const {
  std::vector<const char*> names;
  for (std::size_t i = 0; i < all_fields().size(); ++i) names.push_back(all_fields()[i].name);
  return names;
}

double OptionsBase::option_of(std::size_t group, std::string_view name) const {
  return number_of(group, all_fields().find(method(), name));
}

void OptionsBase::set_option_of(std::size_t group, std::string_view name, double value) {
  const std::size_t i = all_fields().find(method(), name);
  const auto bit = std::uint64_t{1} << i;
  const auto follows = [&](std::size_t k) { return k == group || (group == 0 && !(groups_[k].own & bit)); };
  check_range(method(), all_fields()[i], value);
  for (std::size_t k = 0; k < groups_.size(); ++k) {
    if (!follows(k)) continue;
    changed_.resize(all_fields().size());
    for (std::size_t j = 0; j < changed_.size(); ++j) changed_[j] = j == i ? value : number_of(k, j);
    check_together(k, changed_);
    if (has_f32(k)) require_held(changed_);
  }
  for (std::size_t k = 0; k < groups_.size(); ++k)
    if (follows(k)) set_number_of(k, i, value);
  if (group > 0) groups_[group].own |= bit;
}

void OptionsBase::set_options(const std::vector<double>& values) {
  const std::size_t count = all_fields().size();
  std::vector<std::vector<double>> all;
  for (auto from = values.begin(); all.size() < groups_.size(); from += static_cast<std::ptrdiff_t>(count))
    all.emplace_back(from, from + static_cast<std::ptrdiff_t>(count));
  for (std::size_t k = 0; k < all.size(); ++k) {
    for (std::size_t i = 0; i < count; ++i) all_fields()[i].check(method(), all[k][i]);
    check_numbers(k, all[k]);
    if (has_f32(k)) require_held(all[k]);
  }
  for (std::size_t k = 0; k < all.size(); ++k) {
    for (std::size_t i = 0; i < count; ++i) set_number_of(k, i, all[k][i]);
    groups_[k].own |= differences(all[k], all[0]);  // a loaded rate stays the group's when set_lr() comes
  }
}

std::size_t OptionsBase::rule_with(std::size_t group, const std::vector<double>& values) const {
  const auto from = values.begin() + static_cast<std::ptrdiff_t>(group * all_fields().size());
  const std::vector<double> own(from, from + static_cast<std::ptrdiff_t>(all_fields().size()));
  for (std::size_t i = 0; i < own.size(); ++i) all_fields()[i].check(method(), own[i]);
  check_numbers(group, own);  // a rule, and the shapes of its slots, follow from options that can be
  return rule_by(group, own);
}

std::size_t OptionsBase::group_of(std::string_view pattern) const noexcept {
  for (std::size_t k = 1; k < groups_.size(); ++k)
    if (groups_[k].pattern == pattern) return k;
  return 0;
}

std::size_t OptionsBase::place_group(std::string_view pattern, std::size_t k, const std::vector<double>& values) {
  if (has_f32(pattern)) require_held(values);
  const std::size_t place = k == 0 ? groups_.size() : k;
  std::vector<Group> groups = groups_;
  groups.resize(std::max(place + 1, groups.size()));
  groups[place].pattern = pattern;
  groups[place].own |= differences(values, numbers_of(k));
  assign_group(pattern, place);
  groups_ = std::move(groups);
  return place;
}

}  // namespace capstan::optim
