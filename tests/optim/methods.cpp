#include "methods.h"

#include <capstan/optim/make.h>

const std::vector<std::string> built_in_methods = optim::methods();

Row::Change felt(const char* option, double to) {
  if (std::string_view(option) == "lr") return {option, {{"lr", 0.1}}, {{"lr", to}}};
  return {option, {{"lr", 0.1}}, {{"lr", 0.1}, {option, to}}};
}

std::vector<Row::Refusal> refusals(const std::vector<const char*>& not_negative, const std::vector<const char*>& in_unit,
                                   std::vector<Row::Refusal> more) {
  const auto refuses = [&](const char* option, double value, const char* rule) {
    more.push_back({{{option, value}}, std::string(option) + " must " + rule});
  };
  for (const char* option : not_negative) refuses(option, -0.25, "not be negative: -0.25");
  for (const char* option : in_unit) {
    refuses(option, -0.25, "lie in [0, 1): -0.25");
    refuses(option, 1, "lie in [0, 1): 1");
    refuses(option, 1.5, "lie in [0, 1): 1.5");
  }
  for (const auto* options : {&not_negative, &in_unit})
    for (const char* option : *options) {
      refuses(option, NaN, "be finite: nan");
      refuses(option, inf, "be finite: inf");
      refuses(option, -inf, "be finite: -inf");
    }
  return more;
}

const std::vector<Row>& rows() {
  static const std::vector<Row> all = [] {
    std::vector<Row> rows;
    for (const auto& part : {first_rows(), adam_rows(), other_rows(), whole_rows(), contrib_rows(), users_rows()})
      rows.insert(rows.end(), part.begin(), part.end());
    return rows;
  }();
  return all;
}

std::vector<Row> first_rows() {
  return {{"adagrad",
           build<optim::Adagrad, optim::AdagradOptions>,
           {"lr", "eps", "eps_inside_root", "initial_accumulator", "lr_decay", "weight_decay"},
           {{"lr", 0.5}},
           1e-3,
           {felt("lr", 0.2),
            felt("eps", 1e-3),
            {"eps_inside_root", {{"eps", 1e-3}}, {{"eps", 1e-3}, {"eps_inside_root", 1}}},
            felt("initial_accumulator", 0.1),
            felt("lr_decay", 0.01),
            felt("weight_decay", 0.01)},
           refusals({"lr", "eps", "initial_accumulator", "lr_decay", "weight_decay"}, {}),
           {{{"lr", 0.1}, {"eps", 1e-3}, {"initial_accumulator", 0.1}, {"lr_decay", 0.01}, {"weight_decay", 0.01}},
            {{"lr", 0.1}, {"eps", 1e-3}, {"eps_inside_root", 1}, {"initial_accumulator", 0.1}, {"lr_decay", 0.01}, {"weight_decay", 0.01}}},
           "| sum| sum"},
          {"rmsprop",
           build<optim::RMSProp, optim::RMSPropOptions>,
           {"lr", "alpha", "eps", "eps_inside_root", "weight_decay", "momentum", "centered"},
           {{"lr", 0.01}, {"eps", 1e-2}},
           1e-3,
           {felt("lr", 0.2),
            felt("alpha", 0.9),
            felt("eps", 1e-3),
            {"eps_inside_root", {{"eps", 1e-3}}, {{"eps", 1e-3}, {"eps_inside_root", 1}}},
            felt("weight_decay", 0.01),
            felt("momentum", 0.5),
            {"momentum", {{"lr", 0.1}, {"centered", 1}}, {{"lr", 0.1}, {"centered", 1}, {"momentum", 0.5}}},
            felt("centered", 1)},
           refusals({"lr", "eps", "weight_decay", "momentum"}, {"alpha"}),
           {{{"lr", 0.1}, {"alpha", 0.9}, {"eps", 1e-3}, {"weight_decay", 0.01}},
            {{"lr", 0.1}, {"alpha", 0.9}, {"eps", 1e-3}, {"eps_inside_root", 1}, {"weight_decay", 0.01}, {"momentum", 0.5}},
            {{"lr", 0.1}, {"alpha", 0.9}, {"eps", 1e-3}, {"eps_inside_root", 1}, {"weight_decay", 0.01}, {"centered", 1}},
            {{"lr", 0.1}, {"alpha", 0.9}, {"eps", 1e-3}, {"weight_decay", 0.01}, {"momentum", 0.5}, {"centered", 1}}},
           "| square_avg| square_avg momentum| square_avg grad_avg| square_avg grad_avg momentum"},
          {"sgd",
           build<optim::SGD, optim::SGDOptions>,
           {"lr", "momentum", "dampening", "nesterov", "weight_decay"},
           {{"lr", 0.1}},
           1e-3,
           {felt("lr", 0.2),
            felt("momentum", 0.5),
            {"dampening", {{"lr", 0.1}, {"momentum", 0.5}}, {{"lr", 0.1}, {"momentum", 0.5}, {"dampening", 0.1}}},
            {"nesterov", {{"lr", 0.1}, {"momentum", 0.5}}, {{"lr", 0.1}, {"momentum", 0.5}, {"nesterov", 1}}},
            felt("weight_decay", 0.01)},
           refusals({"lr", "momentum", "weight_decay"}, {},
                    {{{{"dampening", NaN}}, "dampening must be finite: nan"},
                     {{{"nesterov", 1}}, "nesterov needs momentum and no dampening: momentum 0, dampening 0"},
                     {{{"momentum", 0.5}, {"dampening", 0.25}, {"nesterov", 1}},
                      "nesterov needs momentum and no dampening: momentum 0.5, dampening 0.25"}}),
           {{{"lr", 0.1}, {"weight_decay", 0.01}},
            {{"lr", 0.1}, {"momentum", 0.9}, {"dampening", 0.1}, {"weight_decay", 0.01}},
            {{"lr", 0.1}, {"momentum", 0.9}, {"nesterov", 1}, {"weight_decay", 0.01}}},
           "|| momentum| momentum"}};
}

std::vector<Row> users_rows() {
  return {{"signum",
           build<Signum, SignumOptions>,
           {"lr", "momentum"},
           {{"lr", 0.01}, {"momentum", 0.5}},
           0.03,
           {felt("lr", 0.2), felt("momentum", 0.1)},
           refusals({"lr"}, {}, {{{{"momentum", NaN}}, "momentum must be finite: nan"}}),
           {{{"lr", 0.1}, {"momentum", 0.5}}},
           "| momentum"},
          {"blend",
           build<Blend, BlendOptions>,
           {"lr", "keep", "from", "weight_decay", "two"},
           {{"lr", 0.05}},
           1e-3,
           {felt("lr", 0.2), felt("keep", 0.75), felt("from", 0.5), felt("weight_decay", 0.01), felt("two", 1)},
           refusals({"lr", "weight_decay"}, {},
                    {{{{"keep", 2}}, "keep must not be above 1: 2.000000"}, {{{"from", inf}}, "from must be finite: inf"}}),
           {{{"lr", 0.1}, {"keep", 0.75}, {"from", 0.5}, {"weight_decay", 0.01}},
            {{"lr", 0.1}, {"keep", 0.75}, {"from", 0.5}, {"weight_decay", 0.01}, {"two", 1}}},
           "| fast| fast slow"}};
}
