#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace capstan::optim {

/// One option of a method by its name: {"lr", 0.1}, {"nesterov", true}, {"decay", "decoupled"}.
struct Setting {
  template <class Value>
  requires std::is_arithmetic_v<Value> Setting(std::string_view option, Value v)
      : name(option), value(static_cast<double>(v)), word(std::is_same_v<Value, bool>) {}
  Setting(std::string_view option, std::string_view choice) : name(option), value(0), word(false), text(choice) {}
  Setting(std::string_view option, const char* choice) : Setting(option, std::string_view(choice)) {}

  std::string name;
  double value;
  bool word;         // true or false, which no number may be set to
  std::string text;  // one of an option's words; empty for a number
};

/// What an option may be.
struct FieldInfo {
  enum class Kind {
    number,  // any double
    flag,    // false or true, 0 or 1
    whole,   // a whole number
    word     // one of `words`; it reads as its place among them, from 0
  };
  /// What a number may be, beside finite.
  enum class Range { any, not_negative, positive, fraction /* in [0, 1) */ };
  static constexpr std::size_t most_words = 8;

  const char* name;
  Kind kind = Kind::number;
  double least = 0, most = 0;  // of a whole number
  Range range = Range::any;
  std::array<const char*, most_words> words = {};
  std::size_t count = 0;  // of the words

  /// What is wrong with a value, "must be 0 or 1"; empty when nothing is.
  std::string refusal(double value) const;
  /// As a text: "0.1", "true", "decoupled".
  std::string text(double value) const;
  /// Throws ValueError, naming the method, for a value that is refused, and for a setting of another kind.
  void check(const char* method, double value) const;
  double value_of(const char* method, const Setting& setting) const;
};

/// One option of a method: its name and its member in the struct of options. Method has this as `Field`:
///
///     static constexpr Field fields[] = {{"lr", &O::lr},                                  // double
///                                        {"momentum", &O::momentum, Range::fraction},     // double in [0, 1)
///                                        {"nesterov", &O::nesterov},                      // bool
///                                        {"warm_up", &O::warm_up},                        // int or std::int64_t
///                                        Field::choice<&O::decay>("decay", {"l2", "decoupled"})};  // an enumeration
///
/// A word stands for the enumerator of its place, 0, 1, ...; there may be eight. Files hold every value as an f64 number; a whole one must
/// lie within +-2^53.
template <class Options>
struct Field : FieldInfo {
  using Struct = Options;

  constexpr Field(const char* n, double Options::*member, Range values = Range::any) : FieldInfo{n}, number(member) { range = values; }
  constexpr Field(const char* n, bool Options::*member) : FieldInfo{n, Kind::flag}, flag(member) {}
  constexpr Field(const char* n, int Options::*member) : FieldInfo{n, Kind::whole, -0x1p31, 0x1p31 - 1}, integer(member) {}
  constexpr Field(const char* n, std::int64_t Options::*member) : FieldInfo{n, Kind::whole, -0x1p53, 0x1p53}, whole(member) {}
  template <auto member>
  static constexpr Field choice(const char* n, std::initializer_list<const char*> choices) {
    using Enum = std::remove_reference_t<decltype(std::declval<Options&>().*member)>;
    static_assert(std::is_enum_v<Enum>, "an option with words is an enumeration");
    Field f(
        n, [](const Options& o) { return static_cast<double>(o.*member); },
        [](Options& o, double value) { o.*member = static_cast<Enum>(static_cast<int>(value)); });
    for (const char* word : choices) f.words[f.count++] = word;  // a ninth would not compile
    return f;
  }

  double get(const Options& o) const {
    if (number) return o.*number;
    if (flag) return static_cast<double>(o.*flag);
    if (integer) return static_cast<double>(o.*integer);
    return whole ? static_cast<double>(o.*whole) : get_word(o);
  }
  /// A value that is not refused.
  void set(Options& o, double value) const {
    if (number)
      o.*number = value;
    else if (flag)
      o.*flag = value > 0;
    else if (integer)
      o.*integer = static_cast<int>(value);
    else if (whole)
      o.*whole = static_cast<std::int64_t>(value);
    else
      set_word(o, value);
  }

  double Options::*number = nullptr;
  bool Options::*flag = nullptr;
  int Options::*integer = nullptr;
  std::int64_t Options::*whole = nullptr;

 private:
  constexpr Field(const char* n, double (*getter)(const Options&), void (*setter)(Options&, double))
      : FieldInfo{n, Kind::word}, get_word(getter), set_word(setter) {}

  double (*get_word)(const Options&) = nullptr;
  void (*set_word)(Options&, double) = nullptr;
};

/// A number as errors and explain() show it, for a method's formula(): "0.1", "1e-08".
std::string number_text(double value);

namespace detail {
/// Throws ValueError with the list and the nearest name.
[[noreturn]] void unknown_option(const char* method, std::string_view option, const std::vector<std::string>& known);
/// The fields of a method, whose struct of options is forgotten.
class Fields {
 public:
  template <class Array>
  requires std::is_base_of_v<FieldInfo, std::remove_cvref_t<decltype(*std::data(std::declval<const Array&>()))>> Fields(const Array& fields)
      : first_(std::data(fields)), stride_(sizeof(*std::data(fields))), count_(std::size(fields)) {}
  std::size_t size() const noexcept { return count_; }
  const FieldInfo& operator[](std::size_t i) const noexcept {
    return *reinterpret_cast<const FieldInfo*>(reinterpret_cast<const char*>(first_) + i * stride_);
  }
  /// The place of a name. Throws ValueError when there is none.
  std::size_t find(const char* method, std::string_view name) const;
  /// "lr 0.1, momentum 0.9": what explain() shows of a method without a formula.
  std::string list(const std::vector<double>& values) const;

 private:
  const FieldInfo* first_;
  std::size_t stride_, count_;
};

/// Each option as a number, and back.
template <class Array, class Options>
std::vector<double> values_of(const Array& fields, const Options& options) {
  std::vector<double> values;
  values.reserve(std::size(fields));
  for (const auto& f : fields) values.push_back(f.get(options));
  return values;
}
template <class Options, class Array>
Options with_values(const Array& fields, const std::vector<double>& values, Options options = {}) {
  std::size_t i = 0;
  for (const auto& f : fields) f.set(options, values.at(i++));
  return options;
}
/// Sets options by name. Throws ValueError for a name that is not among the fields and for a value that the option cannot have.
template <class Options, class Array>
void apply_settings(const char* method, const Array& fields, Options& options, const std::vector<Setting>& settings) {
  for (const Setting& s : settings) {
    const auto& f = fields[Fields(fields).find(method, s.name)];
    f.set(options, f.value_of(method, s));
  }
}
/// Throws ValueError for the second of two settings of one option; `where` says what they stand in.
void require_once(const char* op, const std::vector<Setting>& settings, const std::string& where);
}  // namespace detail

}  // namespace capstan::optim
