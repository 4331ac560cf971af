#include <capstan/optim/adam.h>
#include "by_name.h"
#include "methods.h"

// Optimizers by name, and what they say of themselves.

TEST(Make, TakesSettingsAsAList) {
  Tensor w = zeros({2});
  const Parameters parameters{{"w", w}};
  const auto sgd = [&](std::string_view spec, const std::vector<optim::Setting>& settings) {
    return dynamic_cast<const optim::SGD&>(*optim::make(spec, parameters, settings)).options();
  };
  EXPECT_EQ(optim::make("sgd", parameters, {{"lr", 0.25}})->lr(), 0.25);
  EXPECT_EQ(optim::make("sgd", parameters, {})->lr(), optim::SGDOptions{}.lr);
  const optim::SGDOptions o = sgd("sgd lr=0.5 momentum=0.75", {{"lr", 1}, {"nesterov", true}});
  EXPECT_EQ(o.lr, 1);  // the list comes after the text
  EXPECT_EQ(o.momentum, 0.75);
  EXPECT_TRUE(o.nesterov);
  const auto error = [&](std::string_view spec, const std::vector<optim::Setting>& settings) {
    return thrown([&] { optim::make(spec, parameters, settings); });
  };
  EXPECT_EQ(error("sgd", {{"momentm", 0.9}}), error_of("sgd momentm=0.9"));
  EXPECT_EQ(error("sgd", {{"lr", true}}), "ValueError: [sgd] lr must be a number: true");
  EXPECT_EQ(error("sgd", {{"lr", -2}}), "ValueError: [sgd] lr must not be negative: -2");
  EXPECT_EQ(error("sgd", {{"nesterov", 2}}), "ValueError: [sgd] nesterov must be 0 or 1: 2");
  EXPECT_EQ(error("sdg", {{"lr", 1}}), no_method("sdg", "sgd"));
}

TEST(Spec, IsTakenApartWithoutLookingForTheMethod) {
  const optim::Spec spec = optim::parse_spec(" nothing  lr=2 flag=true eps=0.5 ");
  EXPECT_EQ(spec.method, "nothing");
  ASSERT_EQ(spec.settings.size(), 3u);
  EXPECT_EQ(spec.settings[1].name, "flag");
  EXPECT_EQ(spec.settings[1].value, 1);
  EXPECT_TRUE(spec.settings[1].word);
  ASSERT_TRUE(spec.find("lr"));
  EXPECT_EQ(*spec.find("lr"), 2);
  EXPECT_FALSE(spec.find("l"));
  EXPECT_FALSE(optim::parse_spec("sgd").find("lr"));
  EXPECT_EQ(thrown([] { optim::parse_spec(" "); }), "ValueError: [make] a method's name must come first: ' '");
  EXPECT_EQ(thrown([] { optim::parse_spec("sgd lr"); }), "ValueError: [make] a setting must read name=number: 'lr'");
}

TEST(Make, ReadsNamesAndSettings) {
  EXPECT_EQ(made<optim::Adagrad>("adagrad").lr(), optim::AdagradOptions{}.lr);
  const optim::AdagradOptions& a = made<optim::Adagrad>("adagrad lr=0.1 eps=1e-6 eps_inside_root=1 lr_decay=1E-3").options();
  EXPECT_EQ(a.lr, 0.1);
  EXPECT_EQ(a.eps, 1e-6);
  EXPECT_TRUE(a.eps_inside_root);
  EXPECT_EQ(a.initial_accumulator, 0);
  EXPECT_EQ(a.lr_decay, 1e-3);
  EXPECT_EQ(made<optim::RMSProp>("  rmsprop   alpha=0.9  centered=true ").options().alpha, 0.9);
  EXPECT_TRUE(made<optim::RMSProp>("rmsprop centered=true").options().centered);
  EXPECT_FALSE(made<optim::RMSProp>("rmsprop centered=false").options().centered);
  EXPECT_FALSE(made<optim::RMSProp>("rmsprop centered=0").options().centered);
  EXPECT_EQ(made<optim::SGD>("sgd lr=.5").lr(), 0.5);
}

TEST(Make, AnswersAMisspeltMethodWithTheNearest) {
  EXPECT_EQ(error_of("adagrd lr=0.1"), no_method("adagrd", "adagrad"));
  EXPECT_EQ(error_of("RMSProp"), no_method("RMSProp", "rmsprop"));
  EXPECT_EQ(error_of("rms_prop"), no_method("rms_prop", "rmsprop"));
  EXPECT_EQ(error_of("sdg"), no_method("sdg", "sgd"));
  EXPECT_EQ(error_of("conjugate_gradients"), no_method("conjugate_gradients"));
  EXPECT_EQ(error_of(""), "ValueError: [make] a method's name must come first: ''");
  EXPECT_EQ(error_of("   "), "ValueError: [make] a method's name must come first: '   '");
  EXPECT_EQ(error_of("lr=0.1"), no_method("lr=0.1"));
}

TEST(Make, AnswersAMisspeltOptionWithTheNearest) {
  EXPECT_EQ(
      error_of("sgd momentm=0.9"),
      "ValueError: [sgd] there is no option 'momentm' among lr, momentum, dampening, nesterov, weight_decay (did you mean 'momentum'?)");
  EXPECT_EQ(error_of("adagrad lr=0.1 weight-decay=0.9"),
            "ValueError: [adagrad] there is no option 'weight-decay' among lr, eps, eps_inside_root, initial_accumulator, lr_decay, "
            "weight_decay (did "
            "you mean 'weight_decay'?)");
  EXPECT_EQ(error_of("rmsprop zzzzzzzz=1"),
            "ValueError: [rmsprop] there is no option 'zzzzzzzz' among lr, alpha, eps, eps_inside_root, weight_decay, momentum, centered");
}

TEST(Make, RefusesWhatIsNoSetting) {
  for (const char* word : {"lr", "=0.1", "lr=", "lr=0.1x", "lr==0.1", "lr=0,1", "lr=1e999", "lr=+1", "lr=0x10", "0.1"})
    EXPECT_EQ(error_of("sgd " + std::string(word)), "ValueError: [make] a setting must read name=number: '" + std::string(word) + "'");
  EXPECT_EQ(error_of("sgd lr=0.1 momentum=0.5 lr=0.1"),
            "ValueError: [make] a setting must come once: 'lr' in 'sgd lr=0.1 momentum=0.5 lr=0.1'");
  for (const char* word : {"x", "yes", "e5"})
    EXPECT_EQ(error_of("sgd lr=" + std::string(word)), "ValueError: [sgd] lr must be a number: " + std::string(word));
  EXPECT_EQ(thrown([] {
              optim::make("sgd lr=1", {{"w", zeros({1})}}, {{"momentum", 1}, {"momentum", 2}});
            }),
            "ValueError: [make] a setting must come once: 'momentum' in the list");
  EXPECT_EQ(optim::make("sgd lr=1", {{"w", zeros({1})}}, {{"lr", 2}})->lr(), 2);  // the list's counts
  EXPECT_EQ(optim::parse_spec("sgd lr=1").find("lr"), 1);
  EXPECT_EQ(optim::parse_spec("sgd lr=yes").find("lr"), std::nullopt);
  EXPECT_NE(error_of("SGD lr=0.1").find("(did you mean 'sgd'?)"), std::string::npos);
  EXPECT_EQ(error_of("sgd lr = 0.1"), "ValueError: [make] a setting must read name=number: 'lr'");
  EXPECT_EQ(error_of("sgd\tlr=0.1"), no_method("sgd\tlr=0.1"));
}

TEST(Make, RefusesABadValue) {
  EXPECT_EQ(error_of("sgd lr=-1"), "ValueError: [sgd] lr must not be negative: -1");
  EXPECT_EQ(error_of("sgd lr=nan"), "ValueError: [sgd] lr must be finite: nan");
  EXPECT_EQ(error_of("adagrad eps=inf"), "ValueError: [adagrad] eps must be finite: inf");
  EXPECT_EQ(error_of("sgd nesterov=1"), "ValueError: [sgd] nesterov needs momentum and no dampening: momentum 0, dampening 0");
  EXPECT_EQ(error_of("sgd nesterov=2 momentum=0.9"), "ValueError: [sgd] nesterov must be 0 or 1: 2");
  EXPECT_EQ(error_of("rmsprop centered=nan"), "ValueError: [rmsprop] centered must be 0 or 1: nan");
  EXPECT_EQ(error_of("sgd lr=true"), "ValueError: [sgd] lr must be a number: true");
  EXPECT_EQ(error_of("sgd momentum=false"), "ValueError: [sgd] momentum must be a number: false");
}

TEST(Explain, ShowsTheFormulaWithItsNumbers) {
  const auto text = [](const std::string& spec) {
    Tensor w = zeros({2, 3}), b = zeros({3}, DType::f64);
    const std::string all = optim::make(spec, Parameters{{"w", w}, {"b", b}})->explain();
    return all.substr(0, all.rfind("\n  a row-sparse gradient moves "));  // without the paper
  };
  const std::string none = "\n  2 parameters, 9 elements, 0 bytes of state", one = "\n  2 parameters, 9 elements, 48 bytes of state",
                    two = "\n  2 parameters, 9 elements, 96 bytes of state", three = "\n  2 parameters, 9 elements, 144 bytes of state";
  EXPECT_EQ(text("adagrad"), "adagrad: s <- s + g^2 (from 0), w <- w - 0.01*g/(sqrt(s) + 1e-10)" + one);
  EXPECT_EQ(text("adagrad lr=0.1 eps=1e-7 eps_inside_root=1 initial_accumulator=0.1"),
            "adagrad: s <- s + g^2 (from 0.1), w <- w - 0.1*g/sqrt(s + 1e-07)" + one);
  EXPECT_EQ(text("adagrad lr_decay=0.5 weight_decay=0.25"),
            "adagrad: g <- g + 0.25*w, s <- s + g^2 (from 0), w <- w - 0.01/(1 + (t - 1)*0.5)*g/(sqrt(s) + 1e-10)" + one);
  EXPECT_EQ(text("sgd lr=0.5"), "sgd: w <- w - 0.5*g" + none);
  EXPECT_EQ(text("sgd lr=0.5 weight_decay=0.1"), "sgd: g <- g + 0.1*w, w <- w - 0.5*g" + none);
  EXPECT_EQ(text("sgd lr=0.5 momentum=0.9"), "sgd: m <- 0.9*m + g (g at the first step), w <- w - 0.5*m" + one);
  EXPECT_EQ(text("sgd lr=0.5 momentum=0.9 dampening=0.1"), "sgd: m <- 0.9*m + (1 - 0.1)*g (g at the first step), w <- w - 0.5*m" + one);
  EXPECT_EQ(text("sgd lr=0.5 momentum=0.9 nesterov=1"), "sgd: m <- 0.9*m + g (g at the first step), w <- w - 0.5*(g + 0.9*m)" + one);
  EXPECT_EQ(text("rmsprop"), "rmsprop: v <- 0.99*v + (1 - 0.99)*g^2, w <- w - 0.01*g/(sqrt(v) + 1e-08)" + one);
  EXPECT_EQ(text("rmsprop alpha=0.9 eps_inside_root=1 momentum=0.5"),
            "rmsprop: v <- 0.9*v + (1 - 0.9)*g^2, m <- 0.5*m + g/sqrt(v + 1e-08), w <- w - 0.01*m" + two);
  EXPECT_EQ(
      text("rmsprop centered=1 weight_decay=0.5"),
      "rmsprop: g <- g + 0.5*w, v <- 0.99*v + (1 - 0.99)*g^2, a <- 0.99*a + (1 - 0.99)*g, w <- w - 0.01*g/(sqrt(v - a^2) + 1e-08)" + two);
  EXPECT_EQ(
      text("rmsprop centered=1 momentum=0.5 eps_inside_root=1"),
      "rmsprop: v <- 0.99*v + (1 - 0.99)*g^2, a <- 0.99*a + (1 - 0.99)*g, m <- 0.5*m + g/sqrt(v - a^2 + 1e-08), w <- w - 0.01*m" + three);
}

TEST(Explain, ShowsTheFormulaOfEveryMethod) {
  const auto formula = [](const std::string& spec) {
    Tensor w = zeros({2, 3});
    const std::string text = optim::make(spec, Parameters{{"w", w}})->explain();
    return text.substr(0, text.find('\n'));
  };
  EXPECT_EQ(formula("adabelief"),
            "adabelief: m <- 0.9*m + (1 - 0.9)*g, s <- 0.999*s + (1 - 0.999)*(g - m)^2 + 1e-16, w <- w - 0.001*(m/(1 - 0.9^t))/(sqrt(s/(1 "
            "- 0.999^t)) + 1e-16)");
  EXPECT_EQ(formula("adadelta weight_decay=0.5"),
            "adadelta: g <- g + 0.5*w, v <- 0.9*v + (1 - 0.9)*g^2, d = sqrt(a + 1e-06)/sqrt(v + 1e-06)*g, a <- 0.9*a + (1 - 0.9)*d^2, w <- "
            "w - 1*d");
  EXPECT_EQ(
      formula("adam"),
      "adam: m <- 0.9*m + (1 - 0.9)*g, v <- 0.999*v + (1 - 0.999)*g^2, w <- w - 0.001*(m/(1 - 0.9^t))/(sqrt(v/(1 - 0.999^t)) + 1e-08)");
  EXPECT_EQ(formula("adam amsgrad=1 weight_decay=0.5"),
            "adam: g <- g + 0.5*w, m <- 0.9*m + (1 - 0.9)*g, v <- 0.999*v + (1 - 0.999)*g^2, u <- max(u, v), w <- w - 0.001*(m/(1 - "
            "0.9^t))/(sqrt(u/(1 - 0.999^t)) + 1e-08)");
  EXPECT_EQ(formula("adamw"),
            "adamw: w <- w - 0.001*0.01*w, m <- 0.9*m + (1 - 0.9)*g, v <- 0.999*v + (1 - 0.999)*g^2, w <- w - 0.001*(m/(1 - "
            "0.9^t))/(sqrt(v/(1 - 0.999^t)) + 1e-08)");
  EXPECT_EQ(formula("adamw weight_decay=0 amsgrad=1"),
            "adamw: m <- 0.9*m + (1 - 0.9)*g, v <- 0.999*v + (1 - 0.999)*g^2, u <- max(u, v), w <- w - 0.001*(m/(1 - 0.9^t))/(sqrt(u/(1 - "
            "0.999^t)) + 1e-08)");
  EXPECT_EQ(formula("adamax"), "adamax: m <- 0.9*m + (1 - 0.9)*g, u <- max(0.999*u, |g| + 1e-08), w <- w - 0.002*(m/(1 - 0.9^t))/u");
  EXPECT_EQ(formula("ftrl"), "ftrl: r = sqrt(n + g^2) - sqrt(n), n <- n + g^2 (from 0), z <- z + 0.1*g - r*w, w <- -z/(1 + sqrt(n))");
  EXPECT_EQ(formula("ftrl l1=0.5 l2=0.25 initial_accumulator=0.1"),
            "ftrl: r = sqrt(n + g^2) - sqrt(n), n <- n + g^2 (from 0.1), z <- z + 0.1*g - r*w, w <- 0 if |z| <= 0.1*0.5, else -(z - "
            "sign(z)*0.1*0.5)/(1 + sqrt(n) + 0.1*0.25)");
  EXPECT_EQ(formula("lion"), "lion: w <- w - 1e-04*0.001*w, w <- w - 1e-04*sign(0.9*m + (1 - 0.9)*g), m <- 0.99*m + (1 - 0.99)*g");
  EXPECT_EQ(formula("nadam"),
            "nadam: mu(t) = 0.9*(1 - 0.96^(t*0.004)/2), M(t) = mu(1)...mu(t), m <- 0.9*m + (1 - 0.9)*g, v <- 0.999*v + (1 - 0.999)*g^2, w "
            "<- w - 0.002*((1 - mu(t))/(1 - M(t))*g + mu(t + 1)/(1 - M(t + 1))*m)/(sqrt(v/(1 - 0.999^t)) + 1e-08)");
  EXPECT_EQ(formula("nadam weight_decay=0.5"),
            "nadam: g <- g + 0.5*w, mu(t) = 0.9*(1 - 0.96^(t*0.004)/2), M(t) = mu(1)...mu(t), m <- 0.9*m + (1 - 0.9)*g, v <- 0.999*v + (1 "
            "- 0.999)*g^2, w <- w - 0.002*((1 - mu(t))/(1 - M(t))*g + mu(t + 1)/(1 - M(t + 1))*m)/(sqrt(v/(1 - 0.999^t)) + 1e-08)");
  EXPECT_EQ(formula("nadam weight_decay=0.5 decoupled_weight_decay=1"),
            "nadam: w <- w - 0.002*0.5*w, mu(t) = 0.9*(1 - 0.96^(t*0.004)/2), M(t) = mu(1)...mu(t), m <- 0.9*m + (1 - 0.9)*g, v <- 0.999*v "
            "+ (1 - 0.999)*g^2, w <- w - 0.002*((1 - mu(t))/(1 - M(t))*g + mu(t + 1)/(1 - M(t + 1))*m)/(sqrt(v/(1 - 0.999^t)) + 1e-08)");
  EXPECT_EQ(
      formula("radam"),
      "radam: R = 2/(1 - 0.999) - 1, r = R - 2*t*0.999^t/(1 - 0.999^t), m <- 0.9*m + (1 - 0.9)*g, v <- 0.999*v + (1 - 0.999)*g^2, w <- w - "
      "0.001*(m/(1 - 0.9^t)), once r > 5 times sqrt((r - 4)*(r - 2)*R/((R - 4)*(R - 2)*r))*sqrt(1 - 0.999^t)/(sqrt(v) + 1e-08)");
  EXPECT_EQ(formula("radam weight_decay=0.5 decoupled_weight_decay=1"),
            "radam: w <- w - 0.001*0.5*w, R = 2/(1 - 0.999) - 1, r = R - 2*t*0.999^t/(1 - 0.999^t), m <- 0.9*m + (1 - 0.9)*g, v <- 0.999*v "
            "+ (1 - 0.999)*g^2, w <- w - 0.001*(m/(1 - 0.9^t)), once r > 5 times sqrt((r - 4)*(r - 2)*R/((R - 4)*(R - 2)*r))*sqrt(1 - "
            "0.999^t)/(sqrt(v) + 1e-08)");
  EXPECT_EQ(
      formula("rprop"),
      "rprop: h <- h*(1.2 if g has its last sign, 0.5 and g <- 0 if the opposite one) (from 0.01, within [1e-06, 50]), w <- w - h*sign(g)");
  EXPECT_EQ(formula("signum"), "signum: m <- 0.9*m + (1 - 0.9)*g, w <- w - 0.001*sign(m)");
  EXPECT_EQ(formula("signum momentum=0"), "signum: w <- w - 0.001*sign(g)");
  EXPECT_EQ(formula("yogi"),
            "yogi: m <- 0.9*m + (1 - 0.9)*g, v <- v - (1 - 0.999)*sign(v - g^2)*g^2 (both from 1e-06), w <- w - 0.01*(m/(1 - "
            "0.9^t))/(sqrt(v/(1 - 0.999^t)) + 0.001)");
  EXPECT_EQ(
      formula("adafactor"),
      "adafactor: b = t^-0.8, r <- (1 - b)*r + b*mean(g^2 over columns), c <- (1 - b)*c + b*mean(g^2 over rows), v = r*c/max(mean(r), eps) "
      "(vectors: v <- (1 - b)*v + b*g^2), u = g/sqrt(max(v, eps^2)), w <- w - min(0.01, 1/sqrt(t))*max(0.001, rms(w))/max(1, rms(u)/1)*u");
  EXPECT_EQ(formula("adafactor eps1=0.5 weight_decay=0.25"),
            "adafactor: b = t^-0.8, r <- (1 - b)*r + b*mean(g^2 over columns), c <- (1 - b)*c + b*mean(g^2 over rows), v = "
            "r*c/max(mean(r), 0.5) (vectors: v <- (1 - b)*v + b*g^2), u = g/sqrt(max(v, 0.5^2)), w <- w - 0.01*0.25*w, w <- w - min(0.01, "
            "1/sqrt(t))*max(0.001, rms(w))/max(1, rms(u)/1)*u");
  EXPECT_EQ(formula("full_matrix_adagrad"), "full_matrix_adagrad: G <- G + g g', w <- w - 0.01*(1e-10*I + G^(1/2))^-1 g");
  EXPECT_EQ(formula("lamb"),
            "lamb: m <- 0.9*m + (1 - 0.9)*g, v <- 0.999*v + (1 - 0.999)*g^2, u = (m/(1 - 0.9^t))/(sqrt(v/(1 - 0.999^t)) + 1e-06), w <- w - "
            "0.001*|w|/|u|*u");
  EXPECT_EQ(formula("lamb weight_decay=0.5"),
            "lamb: m <- 0.9*m + (1 - 0.9)*g, v <- 0.999*v + (1 - 0.999)*g^2, u = (m/(1 - 0.9^t))/(sqrt(v/(1 - 0.999^t)) + 1e-06) + 0.5*w, "
            "w <- w - 0.001*|w|/|u|*u");
  EXPECT_EQ(formula("lars"), "lars: u = 0.1*0.001*|w|/|g|*g, m <- 0.9*m + u, w <- w - m");
  EXPECT_EQ(formula("lars eps=0.5 nesterov=1 weight_decay=0.25"),
            "lars: g <- g + 0.25*w, u = 0.1*0.001*|w|/(|g| + 0.5)*g, m <- 0.9*m + u, w <- w - (u + 0.9*m)");
  EXPECT_EQ(formula("muon"),
            "muon: w <- w - 0.001*0.1*w, m <- 0.95*m + (1 - 0.95)*g, X = (1 - 0.95)*g + 0.95*m, X <- X/max(|X|, 1e-07), 5 times A = X X', "
            "X <- 3.4445*X + (-4.775*A + 2.0315*A A) X, w <- w - 0.001*sqrt(max(1, rows/columns))*X");
  EXPECT_EQ(formula("muon nesterov=0 match_rms_adamw=1 weight_decay=0"),
            "muon: m <- 0.95*m + (1 - 0.95)*g, X = m, X <- X/max(|X|, 1e-07), 5 times A = X X', X <- 3.4445*X + (-4.775*A + 2.0315*A A) X, "
            "w <- w - 0.001*0.2*sqrt(max(rows, columns))*X");
  EXPECT_EQ(formula("rowwise_adagrad"),
            "rowwise_adagrad: s[i] <- s[i] + mean(g[i]^2) (from 0), w[i] <- w[i] - 0.01*g[i]/(sqrt(s[i]) + 1e-10)");
  EXPECT_EQ(formula("schedule_free_adamw"),
            "schedule_free_adamw: v <- 0.999*v + (1 - 0.999)*g^2, u = g/(sqrt(v/(1 - 0.999^t)) + 1e-08), c = L^2/sum(L^2), L = max(lr), w "
            "<- w + c*(z - w) - 0.0025*(1 - 0.9*(1 - c))*u, z <- z - 0.0025*u");
  EXPECT_EQ(formula("schedule_free_adamw weight_decay=0.5"),
            "schedule_free_adamw: v <- 0.999*v + (1 - 0.999)*g^2, u = g/(sqrt(v/(1 - 0.999^t)) + 1e-08) + 0.5*w, c = L^2/sum(L^2), L = "
            "max(lr), w <- w + c*(z - w) - 0.0025*(1 - 0.9*(1 - c))*u, z <- z - 0.0025*u");
  EXPECT_EQ(formula("lbfgs history_size=3"),
            "lbfgs: d = -H g, H from the last 3 pairs of steps and changes of g, w <- w + t*d, t = 1 or by strong Wolfe search");
}

TEST(Explain, NamesTheSourceOfEachMethod) {
  for (const std::string& name : built_in_methods) {
    const std::string text = optim::make(name, Parameters{{"w", zeros({2, 3})}})->explain(), last = text.substr(text.rfind('\n') + 1);
    EXPECT_TRUE(last.starts_with("  ") && last.find_first_of("0123456789") != std::string::npos && !last.ends_with("state")) << text;
  }
  EXPECT_TRUE(optim::Adam(Parameters{{"w", zeros({2})}}).explain().ends_with("\n  Kingma & Ba, ICLR 2015, algorithm 1"));
}

TEST(Explain, ShowsEachGroupAndTheRateOfNow) {
  Tensor w = zeros({4}), b = zeros({2});
  optim::SGD sgd(Parameters{{"w", w}, {"b", b}}, {.lr = 0.5});
  sgd.group("b", [](auto& o) { o.momentum = 0.9; });
  sgd.set_lr(0.25);
  EXPECT_EQ(sgd.explain(), R"(sgd: w <- w - 0.25*g
  1 parameter, 4 elements, 0 bytes of state
group 1: m <- 0.9*m + g (g at the first step), w <- w - 0.25*m
  1 parameter, 2 elements, 8 bytes of state
  a row-sparse gradient moves its rows alone for 1 of 2 parameters, else every row
  Robbins & Monro, 1951; momentum: Polyak, 1964; nesterov: Sutskever et al., ICML 2013, eq. 3-4)");
}

TEST(Explain, OfAUsersMethodShowsItsOptionsOrItsFormula) {
  Tensor w = zeros({4});
  EXPECT_EQ(Signum(Parameters{{"w", w}}, {.lr = 0.5}).explain(),
            "signum: lr 0.5, momentum 0.9\n  1 parameter, 4 elements, 16 bytes of state\n  a row-sparse gradient moves every row");
  EXPECT_EQ(Blend(Parameters{{"w", w}}, {.two = true}).explain(),
            "blend: two sums\n  1 parameter, 4 elements, 32 bytes of state\n  a row-sparse gradient moves every row");
}
