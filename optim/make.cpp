#include <capstan/optim/make.h>

#include <capstan/core/text.h>
#include <capstan/optim/methods.h>

#include <algorithm>
#include <charconv>
#include <mutex>

// Methods by name: the built-in ones are those of the list in optim/methods.h.
namespace capstan::optim {

using capstan::detail::fail;
using capstan::detail::join;

namespace {

using detail::build;

struct Named {
  const char* name;
  detail::Build build;
  bool only_rows = false;
};
template <class Method>
constexpr Named named(bool only_rows) {
  return {Method::name, build<Method, OptionsOf<Method>>, only_rows};
}
constexpr Named built_in[] = {
#define CAPSTAN_NAMED(M) named<M>(false),
#define CAPSTAN_NAMED_BY_ROWS(M) named<M>(true),
    CAPSTAN_METHODS(CAPSTAN_NAMED) CAPSTAN_ROW_METHODS(CAPSTAN_NAMED_BY_ROWS)
#undef CAPSTAN_NAMED
#undef CAPSTAN_NAMED_BY_ROWS
};

// The users' own. Never destroyed: optimizers may be made by what ends after everything else.
struct Registry {
  std::mutex mutex;
  std::vector<Named> methods;
};
Registry& registry() {
  static Registry& r = *new Registry;
  return r;
}

/// All that there are, the users' own last.
std::vector<Named> known_methods() {
  Registry& r = registry();
  const std::lock_guard lock(r.mutex);
  std::vector<Named> all(std::begin(built_in), std::end(built_in));
  all.insert(all.end(), r.methods.begin(), r.methods.end());
  return all;
}

/// A letter, then letters, digits, - and _; nan and inf are numbers.
bool is_word(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (text.empty() || !is_letter(text[0]) || text == "nan" || text == "inf") return false;
  return std::all_of(text.begin(), text.end(), [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; });
}

Setting setting_of(std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos || equals == 0) fail<ValueError>("make", "a setting must read name=number: '", word, "'");
  const std::string_view number = word.substr(equals + 1);
  if (number == "true") return {word.substr(0, equals), true};
  if (number == "false") return {word.substr(0, equals), false};
  if (is_word(number)) return {word.substr(0, equals), number};
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc{} || end != number.data() + number.size())
    fail<ValueError>("make", "a setting must read name=number: '", word, "'");
  return {word.substr(0, equals), value};
}

}  // namespace

void detail::add_method(const char* name, Build build) {
  if (std::string_view(name).find_first_of(" =") != std::string_view::npos || !*name)
    fail<ValueError>("register_optimizer", "a method's name must be one word: '", name, "'");
  Registry& r = registry();
  const std::lock_guard lock(r.mutex);
  const auto taken = [&](const Named& m) { return std::string_view(m.name) == name; };
  const auto own = std::find_if(r.methods.begin(), r.methods.end(), taken);
  if (own != r.methods.end() && own->build == build) return;
  if (own != r.methods.end() || std::any_of(std::begin(built_in), std::end(built_in), taken))
    fail<ValueError>("register_optimizer", "a method's name must come once: '", name, "' is another method's");
  r.methods.push_back({name, build});
}

std::vector<std::string> methods() {
  std::vector<std::string> names;
  for (const Named& m : known_methods())
    if (!m.only_rows) names.emplace_back(m.name);
  return names;
}

std::optional<double> Spec::find(std::string_view option) const noexcept {
  for (const Setting& s : settings)
    if (s.name == option && s.text.empty()) return s.value;
  return {};
}

Spec parse_spec(std::string_view text) {
  Spec spec;
  for (std::size_t begin = 0; (begin = text.find_first_not_of(' ', begin)) != std::string_view::npos;) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    if (spec.method.empty())
      spec.method = word;
    else
      spec.settings.push_back(setting_of(word));
    begin = end;
  }
  detail::require_once("make", spec.settings, join("'", text, "'"));
  if (spec.method.empty()) fail<ValueError>("make", "a method's name must come first: '", text, "'");
  return spec;
}

std::unique_ptr<Optimizer> make(std::string_view text, const Parameters& parameters, const std::vector<Setting>& settings) {
  Spec spec = parse_spec(text);
  detail::require_once("make", settings, "the list");
  spec.settings.insert(spec.settings.end(), settings.begin(), settings.end());
  std::vector<std::string> known;
  std::string all;
  for (const Named& m : known_methods()) {
    if (spec.method == m.name) return m.build(parameters, spec.settings);
    known.emplace_back(m.name);
    all += join(all.empty() ? "" : ", ", m.name);
  }
  const std::string near = capstan::detail::nearest(spec.method, known);
  fail<ValueError>("make", "there is no method '", spec.method, "' among ", all, near.empty() ? "" : join(" (did you mean '", near, "'?)"));
}

}  // namespace capstan::optim
