#include "oracle.h"

#include <capstan/optim/methods.h>

#include <charconv>
#include <cmath>
#include <set>
#include <stdexcept>

#include "../files.h"

namespace oracle {

namespace {

/// The file's lines, those that hold something; a line is read from left to right, one blank between words.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  [[noreturn]] void fail(const std::string& rule) const { throw std::runtime_error("line " + std::to_string(number_) + ": " + rule); }

  /// To the next line that is neither empty nor a comment; false at the end.
  bool next() {
    while (!rest_.empty()) {
      const std::size_t end = rest_.find('\n');
      ++number_;
      if (end == std::string_view::npos) fail("the last line must end");
      line_ = rest_.substr(0, end);
      rest_.remove_prefix(end + 1);
      for (const char c : line_)
        if (c < ' ' || c > '~') fail("a character that is no plain one");
      if (line_.empty()) in_case_ ? fail("a blank line inside a case") : static_cast<void>(0);
      if (!line_.empty() && line_.front() != '#') return true;
    }
    return false;
  }
  void begin_case(bool in) { in_case_ = in; }

  /// The next line must be there and begin with `key`.
  void expect(const std::string& key) {
    if (!next() || word() != key) fail("wanted " + key);
  }
  std::string_view word() {
    if (line_.empty()) fail("a word is missing");
    const std::size_t end = std::min(line_.find(' '), line_.size());
    const std::string_view w = line_.substr(0, end);
    if (w.empty() || end + 1 == line_.size()) fail("a blank too much");
    line_.remove_prefix(std::min(end + 1, line_.size()));
    return w;
  }
  std::string rest() {
    if (line_.empty()) fail("a text is missing");
    return std::string(std::exchange(line_, {}));
  }
  void done() const {
    if (!line_.empty()) fail("a word too much: " + std::string(line_));
  }
  bool more() const { return !line_.empty(); }

  double number(std::string_view w) const {
    double value = 0;
    const auto [end, error] = std::from_chars(w.data(), w.data() + w.size(), value);
    if (error != std::errc{} || end != w.data() + w.size() || !std::isfinite(value)) fail("no number: " + std::string(w));
    return value;
  }
  Row row() {
    Row r;
    for (double& x : r) x = number(word());
    done();
    return r;
  }

 private:
  std::string_view rest_, line_;
  int number_ = 0;
  bool in_case_ = false;
};

/// All but L-BFGS's line_search, of which lbfgs_plain.txt has the cases.
template <class M>
std::vector<capstan::optim::FieldInfo> fields_of() {
  std::vector<capstan::optim::FieldInfo> fields(std::begin(M::fields), std::end(M::fields));
  std::erase_if(fields, [](const auto& field) { return std::string_view(field.name) == "line_search"; });
  return fields;
}
const std::map<std::string, std::vector<capstan::optim::FieldInfo>> options_of = {
#define CAPSTAN_OPTIONS(M) {capstan::optim::M::name, fields_of<capstan::optim::M>()},
    CAPSTAN_METHODS(CAPSTAN_OPTIONS)
#undef CAPSTAN_OPTIONS
};
const std::set<std::string> dialects = {"torch", "d2l", "optax", "keras", "mlx", "dynet"};

void read_preset(Lines& in, Case& c) {
  in.expect("preset");
  c.preset = in.word();
  in.done();
  if (c.preset == "-" || c.preset == "default") return;
  const std::size_t open = c.preset.find('(');
  if (c.method != "adagrad" || open == std::string::npos || c.preset.back() != ')' || !dialects.count(c.preset.substr(0, open)))
    in.fail("no preset: " + c.preset);
  in.number(std::string_view(c.preset).substr(open + 1, c.preset.size() - open - 2));
}

void read_shape(Lines& in, Case& c) {
  in.expect("shape");
  std::int64_t elements = 1;
  while (c.shape.empty() || in.more()) {
    const std::string_view word = in.word();
    const double n = in.number(word);
    if (n < 1 || n > size || n != std::floor(n)) in.fail("no size: " + std::string(word));
    c.shape.push_back(static_cast<std::int64_t>(n));
    elements *= c.shape.back();
  }
  if (elements != size) in.fail("a shape must have six elements");
}

void read_options(Lines& in, Case& c) {
  in.expect("options");
  for (const capstan::optim::FieldInfo& field : options_of.at(c.method)) {
    const std::string name = field.name, setting(in.word());
    const std::size_t equals = setting.find('=');
    if (setting.substr(0, equals) != name || equals == std::string::npos) in.fail("wanted " + name + "=NUMBER: " + setting);
    const double value = in.number(std::string_view(setting).substr(equals + 1));
    if (field.kind == capstan::optim::FieldInfo::Kind::flag && value != 0 && value != 1) in.fail("a flag is 0 or 1: " + setting);
    c.options.emplace_back(name, value);
    c.settings += (c.settings.empty() ? "" : " ") + setting;
  }
  in.done();
}

Case read_case(Lines& in) {
  Case c;
  if (in.word() != "case") in.fail("wanted case");
  c.name = in.word();
  in.done();
  in.begin_case(true);
  in.expect("method");
  c.method = in.word();
  in.done();
  if (!options_of.count(c.method)) in.fail("no method: " + c.method);
  read_preset(in, c);
  read_shape(in, c);
  read_options(in, c);
  in.expect("source");
  c.source = in.rest();
  in.expect("checked");
  c.checked = in.rest();
  in.expect("w0");
  c.w0 = in.row();
  c.first_step = c.name.ends_with("_first_step");
  if (c.first_step) {
    for (const double x : c.w0)
      if (x != 0) in.fail("w0 of a first step must be 0");
    in.expect("g");
    c.g = in.row();
  } else {
    in.expect("a");
    c.a = in.row();
    in.expect("b");
    c.b = in.row();
  }
  for (const int step : c.first_step ? std::vector<int>{1} : std::vector<int>{1, 2, 3, 10, 50}) {
    in.expect("w");
    if (in.word() != std::to_string(step)) in.fail("wanted step " + std::to_string(step));
    c.w[step] = in.row();
  }
  in.expect("end");
  in.done();
  in.begin_case(false);
  return c;
}

}  // namespace

std::vector<Case> parse(std::string_view text) {
  Lines in(text);
  std::vector<Case> all;
  while (in.next()) {
    all.push_back(read_case(in));
    for (std::size_t i = 0; i + 1 < all.size(); ++i)
      if (all[i].name == all.back().name) in.fail("a case must come once: " + all.back().name);
  }
  if (all.empty()) throw std::runtime_error("there is no case");
  return all;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all = [] {
    std::vector<Case> cases = parse(read(CAPSTAN_TEST_FILES "/oracles/optimizers.txt"));
    std::set<std::filesystem::path> files;
    for (const auto& file : std::filesystem::directory_iterator(CAPSTAN_TEST_FILES "/oracles/contrib"))
      if (file.path().extension() == ".py") files.insert(file.path());
    for (const std::filesystem::path& file : files) {
      const std::string text = read(file), head = "\nNUMBERS = \"\"\"\n";
      const std::size_t begin = text.find(head), end = text.rfind("\"\"\"");
      if (begin == std::string::npos) throw std::runtime_error(file.string() + " has no NUMBERS");
      for (Case& c : parse(text.substr(begin + head.size(), end - begin - head.size()))) cases.push_back(std::move(c));
    }
    return cases;
  }();
  return all;
}

}  // namespace oracle
