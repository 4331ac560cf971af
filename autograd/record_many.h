#pragma once
#include <capstan/autograd/record.h>

#include <vector>

// Private: record() for a list of inputs whose length is known at run time only, at most 255.
namespace capstan::detail {

inline constexpr std::size_t most_inputs = 255;

template <class R>
Tensor record_many(const char* op, Tensor y, const std::vector<Tensor>& inputs, R&& rule) {
  using Rule = std::remove_cvref_t<R>;
  static_assert(sizeof(Rule) <= closure_size && alignof(Rule) <= 8 && std::is_nothrow_move_constructible_v<Rule>);
  if (running_tape == 0) return y;
  const Tensor* each[most_inputs];
  for (std::size_t i = 0; i < inputs.size(); ++i) each[i] = &inputs[i];
  void* place = begin_node(op, y, each, static_cast<int>(inputs.size()), &rule_type<Rule>);
  if (place) ::new (place) Rule(static_cast<R&&>(rule));
  return y;
}

}  // namespace capstan::detail
