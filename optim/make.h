#pragma once
#include <capstan/optim/optimizer.h>

#include <memory>

namespace capstan::optim {

/// An optimizer by name: "adagrad", "adagrad lr=0.1 eps_inside_root=1", "rmsprop alpha=0.9". Blanks separate settings; what
/// is not set has the method's default; of two settings of one option the later counts. Throws ValueError for an unknown
/// method or option (naming the nearest one and the list), for a setting that is not name=number, and for a bad value.
std::unique_ptr<Optimizer> make(std::string_view spec, const Parameters& parameters);

/// The names that make() knows.
std::vector<std::string> methods();

}  // namespace capstan::optim
