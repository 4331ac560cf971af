#include <capstan/optim/adan.h>

namespace capstan::optim {

template <class T>
Adan::Rule<T>::Rule(const AdanOptions& o, StepInfo step)
    : keep1(T(o.beta1)),
      take1(T(1 - o.beta1)),
      keep2(T(o.beta2)),
      take2(T(1 - o.beta2)),
      keep3(T(o.beta3)),
      take3(T(1 - o.beta3)),
      ahead(T(o.beta2)),
      lr(T(step.lr)),
      lr1(lr),
      lr2(T(step.lr * o.beta2)),
      scale(1),
      eps(T(o.eps)),
      shrink(T(1 / (1 + step.lr * o.weight_decay))),
      first(step.t == 1) {
  const auto t = static_cast<double>(step.t);
  if (o.bias_correction) {
    lr1 = T(step.lr / (1 - std::pow(o.beta1, t)));
    lr2 = T(step.lr * o.beta2 / (1 - std::pow(o.beta2, t)));
    scale = T(1 / std::sqrt(1 - std::pow(o.beta3, t)));
  } else if (first) {
    keep1 = keep3 = T(0);
    take1 = take3 = T(1);
  }
}

std::string Adan::formula(const AdanOptions& o) {
  const auto average = [](const char* x, double beta, const std::string& of) {
    return x + (" <- " + number_text(beta)) + "*" + x + " + (1 - " + number_text(beta) + ")*" + of + ", ";
  };
  const auto corrected = [&](const char* x, double beta) {
    return o.bias_correction ? std::string(x) + "/(1 - " + number_text(beta) + "^t)" : std::string(x);
  };
  const std::string ahead = number_text(o.beta2), lr = number_text(o.lr);
  return "d = g - last g, " + average("m", o.beta1, "g") + average("v", o.beta2, "d") + average("n", o.beta3, "(g + " + ahead + "*d)^2") +
         (o.bias_correction ? "" : "(m and n from g and g^2), ") + "w <- w - " + lr + "*(" + corrected("m", o.beta1) + " + " + ahead + "*" +
         corrected("v", o.beta2) + ")/(sqrt(" + corrected("n", o.beta3) + ") + " + number_text(o.eps) + ")" +
         (o.weight_decay > 0 ? ", w <- w/(1 + " + lr + "*" + number_text(o.weight_decay) + ")" : "");
}

template class Method<Adan, AdanOptions>;
template class Elementwise<Adan, AdanOptions>;

}  // namespace capstan::optim
