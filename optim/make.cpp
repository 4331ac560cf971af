#include <capstan/optim/make.h>

#include <capstan/core/text.h>
#include <capstan/optim/adabelief.h>
#include <capstan/optim/adadelta.h>
#include <capstan/optim/adafactor.h>
#include <capstan/optim/adagrad.h>
#include <capstan/optim/adam.h>
#include <capstan/optim/adamax.h>
#include <capstan/optim/adamw.h>
#include <capstan/optim/ftrl.h>
#include <capstan/optim/full_matrix_adagrad.h>
#include <capstan/optim/lamb.h>
#include <capstan/optim/lars.h>
#include <capstan/optim/lbfgs.h>
#include <capstan/optim/lion.h>
#include <capstan/optim/muon.h>
#include <capstan/optim/nadam.h>
#include <capstan/optim/radam.h>
#include <capstan/optim/rmsprop.h>
#include <capstan/optim/rowwise_adagrad.h>
#include <capstan/optim/rprop.h>
#include <capstan/optim/schedule_free_adamw.h>
#include <capstan/optim/sgd.h>
#include <capstan/optim/signum.h>
#include <capstan/optim/yogi.h>

#include <charconv>

namespace capstan::optim {

using capstan::detail::cat;
using capstan::detail::fail;

namespace {

struct Setting {
  std::string name;
  double value;
  bool word;  // true or false
};

template <class Method, class Options>
std::unique_ptr<Optimizer> build(const Parameters& parameters, const std::vector<Setting>& settings) {
  Options options;
  for (const Setting& s : settings) {
    std::vector<const char*> known;
    bool found = false;
    for (const auto& f : Method::fields) {
      known.push_back(f.name);
      if (s.name != f.name) continue;
      if (f.flag && s.value != 0 && s.value != 1) detail::bad_option(Method::name, f.name, "must be 0 or 1", s.value);
      if (f.number && s.word) fail<ValueError>(Method::name, f.name, " must be a number: ", s.value != 0 ? "true" : "false");
      f.set(options, s.value);
      found = true;
    }
    if (!found) detail::unknown_option(Method::name, s.name, known);
  }
  return std::make_unique<Method>(parameters, options);
}

struct Named {
  const char* name;
  std::unique_ptr<Optimizer> (*build)(const Parameters&, const std::vector<Setting>&);
};
template <class Method, class Options>
constexpr Named named() {
  return {Method::name, build<Method, Options>};
}
constexpr Named all_methods[] = {named<AdaBelief, AdaBeliefOptions>(),
                                 named<Adadelta, AdadeltaOptions>(),
                                 named<Adafactor, AdafactorOptions>(),
                                 named<Adagrad, AdagradOptions>(),
                                 named<Adam, AdamOptions>(),
                                 named<Adamax, AdamaxOptions>(),
                                 named<AdamW, AdamWOptions>(),
                                 named<FTRL, FTRLOptions>(),
                                 named<FullMatrixAdagrad, FullMatrixAdagradOptions>(),
                                 named<LAMB, LAMBOptions>(),
                                 named<LARS, LARSOptions>(),
                                 named<LBFGS, LBFGSOptions>(),
                                 named<Lion, LionOptions>(),
                                 named<Muon, MuonOptions>(),
                                 named<NAdam, NAdamOptions>(),
                                 named<RAdam, RAdamOptions>(),
                                 named<RMSProp, RMSPropOptions>(),
                                 named<RowwiseAdagrad, RowwiseAdagradOptions>(),
                                 named<Rprop, RpropOptions>(),
                                 named<ScheduleFreeAdamW, ScheduleFreeAdamWOptions>(),
                                 named<SGD, SGDOptions>(),
                                 named<Signum, SignumOptions>(),
                                 named<Yogi, YogiOptions>()};

Setting setting_of(std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos || equals == 0) fail<ValueError>("make", "a setting must read name=number: '", word, "'");
  const std::string_view number = word.substr(equals + 1);
  if (number == "true") return {std::string(word.substr(0, equals)), 1, true};
  if (number == "false") return {std::string(word.substr(0, equals)), 0, true};
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc{} || end != number.data() + number.size())
    fail<ValueError>("make", "a setting must read name=number: '", word, "'");
  return {std::string(word.substr(0, equals)), value, false};
}

}  // namespace

std::vector<std::string> methods() {
  std::vector<std::string> names;
  for (const Named& m : all_methods) names.emplace_back(m.name);
  return names;
}

std::unique_ptr<Optimizer> make(std::string_view spec, const Parameters& parameters) {
  std::vector<std::string_view> words;
  for (std::size_t i = 0; i < spec.size();) {
    const std::size_t begin = spec.find_first_not_of(' ', i);
    if (begin == std::string_view::npos) break;
    const std::size_t end = std::min(spec.find(' ', begin), spec.size());
    words.push_back(spec.substr(begin, end - begin));
    i = end;
  }
  if (words.empty()) fail<ValueError>("make", "a method's name must come first: '", spec, "'");
  std::vector<Setting> settings;
  for (std::size_t i = 1; i < words.size(); ++i) settings.push_back(setting_of(words[i]));
  for (const Named& m : all_methods)
    if (words[0] == m.name) return m.build(parameters, settings);
  std::string known;
  for (const std::string& name : methods()) known += cat(known.empty() ? "" : ", ", name);
  const std::string near = capstan::detail::nearest(words[0], methods());
  fail<ValueError>("make", "there is no method '", words[0], "' among ", known, near.empty() ? "" : cat(" (did you mean '", near, "'?)"));
}

}  // namespace capstan::optim
