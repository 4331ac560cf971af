// Which language is this word? Softmax regression on hashed character 1- to 4-grams of Debian's word lists in ten languages. One pass, a
// step for each word. Most of a million features are rare, which is where Adagrad is at home: it is compared with SGD and RMSProp.
// Then it answers what is typed: a word or more on a line.
// Run:       ./run example language_id        (--epochs 5 takes 5,000 words of each language; --optimizer joins the comparison)
// Package:   wamerican
// Package:   wdanish
// Package:   wdutch
// Package:   wfrench
// Package:   witalian
// Package:   wngerman
// Package:   wpolish
// Package:   wportuguese
// Package:   wspanish
// Package:   wswedish
#include <capstan/data/feature_hasher.h>
#include <capstan/nn/sparse_linear.h>
#include <capstan/train/compare.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <iostream>
#include <sstream>

#include "cli.h"

using namespace capstan;

namespace {

constexpr std::int64_t features = 1 << 20, stretches = 20;

struct Language {
  const char* name;
  const char* file;
  bool is_latin1 = false;  // and not UTF-8
};
constexpr std::array<Language, 10> languages = {{{"English", "american-english"},
                                                 {"Danish", "danish"},
                                                 {"Dutch", "dutch"},
                                                 {"French", "french"},
                                                 {"Italian", "italian"},
                                                 {"German", "ngerman"},
                                                 {"Polish", "polish"},
                                                 {"Portuguese", "portuguese"},
                                                 {"Spanish", "spanish"},
                                                 {"Swedish", "swedish", true}}};

/// Words and their languages, the row of each in `languages`.
struct Words {
  std::vector<std::string> text;
  std::vector<std::int64_t> language;

  std::int64_t size() const { return static_cast<std::int64_t>(text.size()); }
  void add(std::string word, std::int64_t of) {
    text.push_back(std::move(word));
    language.push_back(of);
  }
};

std::string utf8_of_latin1(const std::string& line) {
  std::string text;
  for (const char c : line) {
    const auto code = static_cast<unsigned char>(c);
    if (code >= 0x80) text += static_cast<char>(0xc0 | code >> 6);
    text += static_cast<char>(code >= 0x80 ? 0x80 | (code & 0x3f) : code);
  }
  return text;
}

/// A word list has one word a line; some come twice.
std::vector<std::string> read_words(const std::string& folder, const Language& language) {
  const std::string path = folder + "/" + language.file;
  std::ifstream file(path);
  if (!file) throw IoError("[language_id] the word list must be readable: " + path + " (./run example language_id installs all ten)");
  std::vector<std::string> words;
  for (std::string line; std::getline(file, line);)
    if (!line.empty()) words.push_back(language.is_latin1 ? utf8_of_latin1(line) : line);
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

/// At most so many words of each language, in an order of chance; every tenth is for the test.
struct Lists {
  Words training, test;
};
Lists read_lists(const std::string& folder, std::int64_t most) {
  Words all;
  for (std::size_t k = 0; k < languages.size(); ++k) {
    const std::vector<std::string> words = read_words(folder, languages[k]);
    const Tensor order = permutation(static_cast<std::int64_t>(words.size()));
    for (std::int64_t i = 0; i < std::min(most, order.numel()); ++i)
      all.add(words[static_cast<std::size_t>(order.data<std::int64_t>()[i])], static_cast<std::int64_t>(k));
  }
  Lists lists;
  const Tensor order = permutation(all.size());
  for (std::int64_t i = 0; i < order.numel(); ++i) {
    const auto from = static_cast<std::size_t>(order.data<std::int64_t>()[i]);
    (i % 10 == 0 ? lists.test : lists.training).add(std::move(all.text[from]), all.language[from]);
  }
  return lists;
}

/// The character 1- to 4-grams of words [begin, end), of each word between two blanks. The case stays: a German noun begins with a capital.
CsrMatrix features_of(const std::vector<std::string>& words, std::int64_t begin, std::int64_t end) {
  static const data::FeatureHasher hasher({.features = features, .alternate_sign = false});
  CsrBuilder rows(features);
  for (std::int64_t i = begin; i < end; ++i) {
    hasher.add_text(rows, words[static_cast<std::size_t>(i)],
                    {.analyzer = data::Analyzer::char_wb, .shortest = 1, .longest = 4, .lowercase = false});
    rows.end_row();
  }
  return rows.take();
}

/// A model that has learnt, and what it cost on the way: the mean loss of each stretch of words, each before it was learnt from
/// ("progressive validation", Blum, Kalai and Langford, COLT 1999).
struct Course {
  nn::SparseLinear model;
  std::vector<double> losses;
};

Course learn(const Words& words, const MakeOptimizer& make) {
  Course course{nn::SparseLinear(features, static_cast<std::int64_t>(languages.size())), {}};
  const auto optimizer = make(course.model.parameters());
  const std::int64_t stretch = std::max<std::int64_t>(1, words.size() / stretches);
  const Tensor labels = tensor(words.language);
  double total = 0;
  for (std::int64_t begin = 0; begin < words.size(); begin += 1000) {
    const std::int64_t end = std::min(begin + 1000, words.size());
    const CsrMatrix x = features_of(words.text, begin, end);  // a thousand words at a time
    for (std::int64_t i = begin; i < end; ++i) {
      Tape tape;
      const Tensor loss = cross_entropy(course.model(x.rows(i - begin, i - begin + 1)), labels.rows(i, i + 1));
      optimizer->step(tape.gradients(loss));
      total += loss.item();
      if ((i + 1) % stretch != 0) continue;
      course.losses.push_back(total / static_cast<double>(stretch));
      total = 0;
    }
  }
  return course;
}
/// How the words do whose rarest feature was seen so often in training.
struct Band {
  const char* name;
  std::int64_t most;
  std::int64_t words = 0, right = 0;
};
struct Outcome {
  double accuracy = 0, loss = 0;
  std::array<Band, 4> bands = {{{"never", 0}, {"1 to 10", 10}, {"11 to 100", 100}, {"more", INT64_MAX}}};
};

/// How often each feature is in the words.
std::vector<std::int64_t> count_features(const Words& words) {
  std::vector<std::int64_t> count(features);
  for (std::int64_t begin = 0; begin < words.size(); begin += 1000) {
    const CsrMatrix x = features_of(words.text, begin, std::min(begin + 1000, words.size()));
    for (std::int64_t k = 0; k < x.nnz(); ++k) ++count[static_cast<std::size_t>(x.col().data<std::int64_t>()[k])];
  }
  return count;
}

Outcome evaluate(nn::SparseLinear& model, const Words& words, const std::vector<std::int64_t>& count) {
  Outcome outcome;
  const Tensor labels = tensor(words.language);
  const double all = static_cast<double>(words.size());
  for (std::int64_t begin = 0; begin < words.size(); begin += 1000) {
    const std::int64_t end = std::min(begin + 1000, words.size());
    const CsrMatrix x = features_of(words.text, begin, end);
    const Tensor logits = model(x), y = labels.rows(begin, end), best = argmax(logits, 1);
    outcome.loss += cross_entropy(logits, y).item() * static_cast<double>(end - begin) / all;
    for (std::int64_t i = 0; i < end - begin; ++i) {
      std::int64_t rarest = INT64_MAX;
      for (std::int64_t k = x.crow().data<std::int64_t>()[i]; k < x.crow().data<std::int64_t>()[i + 1]; ++k)
        rarest = std::min(rarest, count[static_cast<std::size_t>(x.col().data<std::int64_t>()[k])]);
      const bool is_right = best.data<std::int64_t>()[i] == y.data<std::int64_t>()[i];
      Band& band = *std::find_if(outcome.bands.begin(), outcome.bands.end(), [&](const Band& b) { return rarest <= b.most; });
      ++band.words;
      band.right += is_right;
      outcome.accuracy += is_right / all;
    }
  }
  return outcome;
}

/// The likeliest languages of each word on each line of the standard input.
void answer(nn::SparseLinear& model) {
  const bool asks = ::isatty(STDIN_FILENO) != 0;
  std::string line;
  while ((asks && std::printf("a word, or Ctrl-D> ") && std::fflush(stdout) == 0, std::getline(std::cin, line))) {
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      const Tensor share = softmax(model(features_of({word}, 0, 1)), 1), order = argsort(share, 1, true);
      std::printf("%s:", word.c_str());
      for (std::int64_t k = 0; k < 3; ++k) {
        const auto language = order.data<std::int64_t>()[k];
        std::printf(" %s %.0f %%%s", languages[static_cast<std::size_t>(language)].name, 100.0 * share.data<float>()[language],
                    k < 2 ? "," : "\n");
      }
    }
  }
  if (asks) std::printf("\n");
}

int run(const cli::Flags& flags) {
  flags.check_targets({"language_id.svg"});
  const Lists lists = read_lists(flags.data.value_or("/usr/share/dict"), 1000 * flags.epochs);
  const std::vector<std::int64_t> count = count_features(lists.training);
  std::printf("%lld words to learn from, %lld to be told; %lld of %lld features occur\n", static_cast<long long>(lists.training.size()),
              static_cast<long long>(lists.test.size()),
              static_cast<long long>(std::count_if(count.begin(), count.end(), [](std::int64_t n) { return n > 0; })),
              static_cast<long long>(features));

  const Comparison result =
      compare(flags.methods({"sgd"}, "adagrad"), [&](const MakeOptimizer& make) { return learn(lists.training, make).losses; },
              {.rates = flags.rates({0.01, 0.02, 0.05, 0.1, 0.2}),
               .title = "Which language is this word?",
               .score = "log loss",
               .progress = "twentieth of the words"});
  std::printf("the log loss of the last twentieth, before it is learnt from\n%s\n\n", result.table().c_str());
  if (!std::isfinite(result.winner().attempts[result.winner().best].last())) return std::printf("all diverged\n"), 0;
  flags.save(result.curves(), "language_id.svg");

  std::optional<nn::SparseLinear> best;
  std::printf("\nwords that were held out, by how often their rarest feature was seen\n%-24s", "");
  for (const Band& band : Outcome().bands) std::printf("  %10s", band.name);
  std::printf("  %10s  %10s\n", "accuracy", "log loss");
  for (const auto& method : result.methods) {
    const auto& attempt = method.attempts[method.best];
    if (!std::isfinite(attempt.last())) continue;
    Course course = learn(lists.training, MakeOptimizer(method.spec, attempt.lr));
    const Outcome outcome = evaluate(course.model, lists.test, count);
    const std::string name = cli::with_rate(method.spec, attempt.lr);
    std::printf("%-24s", name.c_str());
    for (const Band& band : outcome.bands)
      std::printf("  %10s",
                  band.words == 0 ? "-" : cli::decimals(static_cast<double>(band.right) / static_cast<double>(band.words), 4).c_str());
    std::printf("  %10.4f  %10.4f\n", outcome.accuracy, outcome.loss);
    if (method.spec != result.winner().spec) continue;
    best = std::move(course.model);
  }
  answer(*best);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run(argc, argv,
                  {.description = "Which language is this word?",
                   .epochs = 110,
                   .epoch = "thousands of words of each language",
                   .data = "the folder with the word lists (default: /usr/share/dict)"},
                  run);
}

// How it is tested, with fewer words:
// Last line: smörgåsbord: Swedish
// Picture:   language_id.svg Which language is this word\?<
// Typed:     nevertheless Geschwindigkeit przykładowy smörgåsbord
// Test with /usr/share/dict/polish: --epochs 3
