#pragma once
#include <capstan/core/create.h>
#include <capstan/core/text.h>
#include <capstan/optim/sweep.h>
#include <capstan/optim/transform.h>

#include <concepts>

// Private: what a Transform consists of, and how a Chain runs it.
namespace capstan::optim::detail {

/// One parameter's update on its way through the parts: u = (num/den * n) / d + decay*w. Where d is undefined it is left out; where d is 0
/// the quotient is 0. Factors and the last division wait, so that they round as a built-in method's one pass does.
struct Update {
  std::size_t index;  // among the optimizer's parameters
  std::string_view name;
  Tensor w, n, d = {};
  double num = 1, den = 1, decay = 0;
  bool direction = false;  // whether a method's direction has taken the gradient's place
  double bad_norm = 0;     // of which a part found that it is not finite
  const std::string* bad_part = nullptr;
  const Tensor* rows = nullptr;  // those of w that n and d hold alone; null where they hold all
  Tensor moved = {};             // memory for these rows of w

  /// The elements of u, which n is from here on.
  const Tensor& elements();
  /// Another u.
  void set(Tensor value) {
    n = std::move(value);
    d = {};
    num = den = 1;
    decay = 0;
  }
  void scale(double factor) {
    num *= factor;
    decay *= factor;
  }
};
using Updates = std::vector<Update>;

/// A number of a part and what it may be.
struct Number : FieldInfo {
  Number(const char* n, Scalar v, Range values = Range::any) : FieldInfo{n}, value(std::move(v)) { range = values; }
  template <std::same_as<bool> Flag>
  Number(const char* n, Flag on) : FieldInfo{n, Kind::flag}, value(static_cast<double>(on)) {}
  /// An option of a part from outside.
  Number(const FieldInfo& info, double v) : FieldInfo(info), value(v) {}

  Scalar value;
  bool counts = false;  // a whole number above 0

  void check(const char* part, double v) const;
  /// Whether f32, where a parameter of that dtype comes here, holds it; limits are compared with norms in double precision.
  void check_held(const char* part, double v, bool any_f32) const;
};

Number count_number(const char* name, std::int64_t value);

struct Call;

/// One transformation as its factory describes it; it never changes. What it remembers of a parameter are slots of the
/// parameter's shape, of itself counts.
class Part {
 public:
  /// Checks the numbers.
  Part(std::string part_name, std::vector<Number> part_numbers, std::vector<const char*> part_slots = {});
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  virtual ~Part() = default;

  /// Moves the updates on; false when what comes behind rests in this step. Changes nothing but `call.memory`, and in that it
  /// writes into no tensor.
  virtual bool run(Call& call, Updates& updates) const = 0;
  /// With the numbers as texts.
  virtual std::string formula(const std::vector<std::string>& numbers) const = 0;
  /// Throws ValueError for numbers that cannot be together, each of which can be.
  virtual void check(const std::vector<double>&) const {}
  /// Whether an element whose update is 0, and not -0, leaves here as 0, its slots as they were.
  virtual bool rests(const std::vector<double>&) const { return false; }
  /// What a slot starts from.
  virtual double initial(std::size_t, const std::vector<double>&) const { return 0; }

  const std::string name;
  const std::vector<Number> numbers;
  const std::vector<const char*> slots;
  std::vector<const char*> counts;    // the first is the steps of the schedules where there are any
  std::vector<std::string> patterns;  // each must match a parameter
  bool every = false;                 // ... and each parameter one of them
  bool skips = false;                 // what is not finite
  bool descends = false;              // turns u into a step downhill, or none
  std::vector<Transform> parts;       // of a chain, or one for each pattern
  int copies = 1;                     // of the Transform

  bool scheduled() const noexcept;
};

/// A part that treats each parameter's update by itself.
class Each : public Part {
 public:
  using Part::Part;
  bool run(Call& call, Updates& updates) const final {
    for (Update& u : updates) each(call, u);
    return true;
  }
  virtual void each(Call& call, Update& u) const = 0;
};

/// What a part remembers in an optimizer.
struct Memory {
  struct OfParameter {
    std::int64_t count = 0;  // how often the part has seen it; from 1 on there are slots
    std::vector<Tensor> slots;
  };
  std::vector<std::int64_t> counts;
  std::vector<OfParameter> parameters;
};

/// A part in its place.
struct Node {
  const Part* part;
  std::string path;
  std::vector<double> values;                           // of its numbers; of a schedule the last
  std::vector<bool> reached = {};                       // for each parameter: whether its update comes here
  std::vector<std::size_t> matches = {};                // ... and which pattern is the first to match, or no_match
  std::vector<std::vector<std::size_t>> branches = {};  // other nodes
  bool any_f32 = false;                                 // whether such a parameter's update comes here
};
inline constexpr std::size_t no_match = static_cast<std::size_t>(-1);
/// Which of the patterns matches first.
std::size_t first_match(const std::vector<std::string>& patterns, std::string_view name);

struct Program;

/// One part's turn in a step.
struct Call {
  Program& program;
  Node& node;
  Memory& memory;  // that of after the step

  double number(std::size_t i) const { return node.values[i]; }
  bool is_on(std::size_t i) const { return node.values[i] != 0; }
  /// What is remembered of the update's parameter, made if there is none yet, and counts.
  Memory::OfParameter& remembered(const Update& u);
};

/// What a Chain holds beside the parameters.
struct Program {
  Transform transform;  // keeps the parts alive
  std::vector<Node> nodes = {};
  std::vector<std::size_t> top = {};
  std::vector<std::string> names = {};  // of the numbers that can be set
  struct Place {
    std::size_t node, number;
  };
  std::vector<Place> places = {};  // of names
  std::vector<Memory> memory = {}, next = {}, loaded = {};
  bool may_skip = false;
  bool checked = false;        // that each pattern has a parameter
  Parameters parameters = {};  // in the optimizer's order, as far as their way is known

  // During a step:
  double loss = 0;
  Updates updates = {};  // what the step does
  struct SlotRows {
    Tensor slot, rows, values;
  };
  std::vector<SlotRows> slot_rows = {};  // and to slots of which it changes a few rows alone
  std::vector<bool> looked_at = {};      // by a skip_nonfinite, for each parameter

  explicit Program(const Transform& t);
  std::vector<std::size_t> add(const Transform& t, const std::string& path);
  /// Finds the way of one more parameter.
  void route(const std::vector<std::size_t>& of, const std::string& name, DType dtype);
  /// Throws ValueError when a partition has no place for a parameter, or its dtype does not hold a part's number.
  void require_place(const std::vector<std::size_t>& of, const std::string& name, DType dtype) const;
  bool run(const std::vector<std::size_t>& of, Updates& all);
  /// Whether a parameter's update of 0 stays 0 on its way. At the end it goes downhill: w - 0 is w for every w, w + 0 is not.
  bool takes_rows(const std::vector<std::size_t>& of, std::size_t parameter, bool at_end = true) const;
};

/// Throws ValueError for an update whose norm a part found not to be finite.
void require_sound(const Update& u);
/// Throws ValueError for a slot of another dtype than the parameter's.
void require_dtype(std::string_view name, const Tensor& w, const Tensor& slot);

}  // namespace capstan::optim::detail
