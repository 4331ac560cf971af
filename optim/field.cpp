#include <capstan/optim/field.h>

#include <capstan/core/text.h>

#include <cmath>

// What options may be, by their kind.
namespace capstan::optim {

using capstan::detail::fail;
using capstan::detail::join;

std::string FieldInfo::refusal(double value) const {
  switch (kind) {
    case Kind::number:
      if (!std::isfinite(value)) return "must be finite";
      if (range == Range::not_negative && value < 0) return "must not be negative";
      if (range == Range::positive && !(value > 0)) return "must be above 0";
      if (range == Range::fraction && !(value >= 0 && value < 1)) return "must lie in [0, 1)";
      return "";
    case Kind::flag: return value == 0 || value == 1 ? "" : "must be 0 or 1";
    case Kind::whole:
      return value == std::floor(value) && value >= least && value <= most ? "" : join("must be whole, from ", least, " to ", most);
    case Kind::word: break;
  }
  if (value == std::floor(value) && value >= 0 && value < static_cast<double>(count)) return "";
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += join(i == 0 ? "" : i + 1 == count ? " or " : ", ", words[i]);
  return join("must be ", all, ", or 0 to ", count - 1);
}

std::string number_text(double value) { return join(value); }

std::string FieldInfo::text(double value) const {
  if (!refusal(value).empty() || kind == Kind::number || kind == Kind::whole) return join(value);
  return kind == Kind::flag ? (value == 0 ? "false" : "true") : words[static_cast<std::size_t>(value)];
}

void FieldInfo::check(const char* method, double value) const {
  if (const std::string rule = refusal(value); !rule.empty()) fail<ValueError>(method, name, " ", rule, ": ", value);
}

double FieldInfo::value_of(const char* method, const Setting& s) const {
  const char* said = s.word ? (s.value != 0 ? "true" : "false") : s.text.c_str();
  if (kind == Kind::word && *said) {
    for (std::size_t i = 0; i < count; ++i)
      if (std::string_view(words[i]) == said) return static_cast<double>(i);
    fail<ValueError>(method, name, " ", refusal(-1), ": ", said);
  }
  if (kind == Kind::flag && !s.text.empty()) fail<ValueError>(method, name, " must be 0, 1, true or false: ", said);
  if (kind != Kind::flag && *said) fail<ValueError>(method, name, " must be a number: ", said);
  check(method, s.value);
  return s.value;
}

std::size_t detail::Fields::find(const char* method, std::string_view option) const {
  for (std::size_t i = 0; i < count_; ++i)
    if (option == (*this)[i].name) return i;
  std::vector<std::string> known;
  for (std::size_t i = 0; i < count_; ++i) known.push_back((*this)[i].name);
  unknown_option(method, option, known);
}

void detail::unknown_option(const char* method, std::string_view option, const std::vector<std::string>& known) {
  std::string all;
  for (const std::string& name : known) all += join(all.empty() ? "" : ", ", name);
  const std::string near = capstan::detail::nearest(option, known);
  fail<ValueError>(method, "there is no option '", option, "' among ", all, near.empty() ? "" : join(" (did you mean '", near, "'?)"));
}

std::string detail::Fields::list(const std::vector<double>& values) const {
  std::string s;
  for (std::size_t i = 0; i < count_; ++i) {
    const FieldInfo& f = (*this)[i];
    s += join(i == 0 ? "" : ", ", f.name, " ", f.kind == FieldInfo::Kind::word ? f.text(values[i]) : join(values[i]));
  }
  return s;
}

void detail::require_once(const char* op, const std::vector<Setting>& settings, const std::string& where) {
  for (std::size_t i = 0; i < settings.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (settings[k].name == settings[i].name) fail<ValueError>(op, "a setting must come once: '", settings[i].name, "' in ", where);
}

}  // namespace capstan::optim
