#pragma once
#include <capstan/optim/optimizer.h>

#include <type_traits>

namespace capstan::optim {

/// What a wrapper goes around: an optimizer or another wrapper.
struct Wrapped {
  Wrapped(Optimizer& o) noexcept : optimizer(&o) {}
  Wrapped(Wrapper& w) noexcept;

  Optimizer* optimizer;  // the one that is innermost
  Wrapper* wrapper = nullptr;
};

/// What goes around an optimizer, or around another wrapper, neither of which it owns: Lookahead, SAM, Inject, in any order.
///
///     optim::Inject momentum(sgd, {{"momentum", optim::schedule::linear(0.5, 0.9, 900)}});
///     optim::SAM sam(momentum);
///     optim::Lookahead optimizer(sam);
///     optimizer.step([&] {
///       Tape tape;
///       return tape.gradients(cross_entropy(model(x), y));
///     });
///
/// Only the outermost is stepped, saved and loaded. What each keeps is in the state under the names of all wrappers from the outermost
/// to it. In a Lookahead around a Lookahead the outer one's steps are "lookahead/step", the inner one's "lookahead/lookahead/step".
/// optim::EMA and SWA are no wrappers: they stand beside.
class Wrapper {
 public:
  Wrapper(const Wrapper&) = delete;
  Wrapper& operator=(const Wrapper&) = delete;
  virtual ~Wrapper();

  /// Makes one step of everything from here to the innermost optimizer; returns the loss. Throws as Optimizer::step() does, and then
  /// changes nothing. The second form takes a function that computes the gradients. A SAM calls it twice, and throws ValueError for the
  /// first form; else it is called once.
  double step(const Gradients& gradients) {
    check_names();
    return run({&gradients, nullptr, nullptr});
  }
  template <class F>
  requires std::is_invocable_r_v<Gradients, F&>
  double step(F gradients) {
    check_names();
    return run({nullptr, [](void* f) -> Gradients { return (*static_cast<F*>(f))(); }, &gradients});
  }

  /// The innermost optimizer.
  Optimizer& optimizer() const noexcept { return *inside_.optimizer; }
  /// For each wrapper its formula with the numbers in it, the bytes that it keeps and the paper it is from, and the optimizer's.
  std::string explain() const;

  /// The optimizer's state, and what each wrapper from here on keeps: deep copies.
  TensorMap state() const;
  /// The same map without the copies of what is as large as a parameter, which the next step changes.
  TensorMap live_state() const;
  /// Throws ValueError listing every mismatch of all of them, and then changes nothing.
  void load_state(const TensorMap& state);

 protected:
  /// Where a step's gradients come from.
  struct Source {
    const Gradients* ready;  // or else
    Gradients (*call)(void* function);
    void* function;
  };

  explicit Wrapper(Wrapped inside) noexcept : inside_(inside) {}

  /// "lookahead", in states and errors.
  virtual const char* name() const noexcept = 0;
  /// One step of this and of all that is inside, which step_inside() makes; returns the loss. After a throw all is as before.
  virtual double run(const Source& source) = 0;
  double step_inside(const Source& source) const;
  /// For explain(), without the end of the last line.
  virtual std::string describe() const = 0;

  /// Puts what this keeps into live_state() under names that begin with `path`, without a copy. Reads it from there, and gathers
  /// complaints. Puts what was read in place, when everything fits. A wrapper that keeps nothing has no need of them.
  virtual void save(TensorMap& state, const std::string& path) const;
  virtual void read(capstan::detail::StateReader& reader, const std::string& path);
  virtual void commit() noexcept;

  /// The innermost optimizer's options by name, as its constructor's parameters have them; ValueError as the optimizer says.
  double option(std::string_view option) const { return optimizer().option(option); }
  void set_option(std::string_view option, double value) const { optimizer().set_option(option, value); }
  /// How many parameters it has: those that are added come behind the others.
  std::size_t parameter_count() const noexcept { return optimizer().entries_.size(); }

 private:
  /// Throws ValueError for a parameter that is named like a wrapper, before the first step that it is there in.
  void check_names();

  Wrapped inside_;
  std::size_t checked_ = 0;  // parameters
};

inline Wrapped::Wrapped(Wrapper& w) noexcept : optimizer(&w.optimizer()), wrapper(&w) {}

/// An optimizer or wrapper, as the wrappers' constructors take one.
template <class T>
concept Wrappable = std::is_base_of_v<Optimizer, T> || std::is_base_of_v<Wrapper, T>;

}  // namespace capstan::optim
