#include <capstan/train/checkpoint_parts.h>

#include <capstan/core/state_reader.h>
#include <capstan/core/text.h>
#include <capstan/data/quoted.h>

#include <algorithm>
#include <array>

// A Checkpoint's parts on their way to a file, under "<part>/<name>", and back: the parts of the file are compared with those that were
// added, which then take theirs one by one. When one refuses, those before it get back what they had.

namespace capstan::detail {

namespace {

constexpr const char* keeper = "Checkpoint";
constexpr std::array purposes = {std::pair{"tensors", Purpose::tensors}, std::pair{"init", Purpose::init},
                                 std::pair{"shuffle", Purpose::shuffle}, std::pair{"dropout", Purpose::dropout}};

/// Calls f(); what it throws of Capstan's says whose state it was.
template <class F>
void in_the_name_of(const std::string& part, const std::string& path, F f) {
  const auto text = [&](const Error& e) { return join("[", keeper, "] part '", part, "' of ", path, ": ", e.what()); };
  try {
    f();
  } catch (const ShapeError& e) {
    throw ShapeError(text(e));
  } catch (const NotFiniteError& e) {
    throw NotFiniteError(text(e));
  } catch (const ValueError& e) {
    throw ValueError(text(e));
  } catch (const IoError& e) {
    throw IoError(text(e));
  } catch (const FormatError& e) {
    throw FormatError(text(e));
  }
}

/// The default generators, which every checkpoint carries.
struct DefaultGenerators {
  TensorMap state() const {
    TensorMap state;
    for (const auto& [name, purpose] : purposes) state.insert(name, generator_tensor(default_generator(purpose)));
    return state;
  }
  void load_state(const TensorMap& state) {
    StateReader reader(state);
    std::array<Generator, purposes.size()> all;
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = reader.read_generator(purposes[i].first);
    reader.require_fit("load_state", "the state does not fit the default generators:");
    for (std::size_t i = 0; i < all.size(); ++i) default_generator(purposes[i].second) = all[i];
  }
};
DefaultGenerators all_default_generators;

/// Refuses a file whose list of parts is another one; it may be a stranger's, and long.
void compare_parts(const std::vector<CheckpointPart>& parts, const SavedFile& file) {
  constexpr std::size_t most_bytes = 10'000;
  const std::string listed = " " + file.value("parts") + " ";
  std::string known = " ", wrong;
  for (const CheckpointPart& part : parts) {
    known += part.name + " ";
    if (listed.find(" " + part.name + " ") == std::string::npos) wrong += join("\n  missing: ", part.name);
  }
  for (std::size_t at = 0, end; (end = listed.find(' ', at + 1)) != std::string::npos && wrong.size() < most_bytes; at = end)
    if (known.find(listed.substr(at, end + 1 - at)) == std::string::npos)
      wrong += join("\n  unexpected: ", data::shown(listed.substr(at + 1, end - at - 1)));
  if (!wrong.empty()) fail<ValueError>(keeper, "the parts must be those that were added: ", file.path, wrong);
}

/// Each part's own tensors.
std::vector<TensorMap> divide(const std::vector<CheckpointPart>& parts, const SavedFile& file, const TensorMap& tensors) {
  std::vector<TensorMap> states(parts.size());
  for (const auto& entry : tensors) {
    const std::string& name = entry.name;
    const std::size_t slash = std::min(name.find('/'), name.size());
    const auto part =
        std::find_if(parts.begin(), parts.end(), [&](const CheckpointPart& p) { return name.compare(0, slash, p.name) == 0; });
    if (part == parts.end() || slash + 1 == name.size())
      fail<FormatError>(keeper, "every tensor must belong to a part: ", file.path, ": '", data::shown(name), "'");
    states[static_cast<std::size_t>(part - parts.begin())].insert(name.substr(std::min(slash + 1, name.size())), entry.tensor);
  }
  return states;
}

}  // namespace

CheckpointPart default_generators() { return part_of("generators", all_default_generators); }

TensorMap live_state(const std::vector<CheckpointPart>& parts, const std::string& path) {
  TensorMap tensors;
  for (const CheckpointPart& part : parts)
    in_the_name_of(part.name, path, [&] {
      if (part.sync) part.sync(part.object);
      for (auto& [name, tensor] : part.state(part.object)) tensors.insert(name.empty() ? part.name : part.name + "/" + name, tensor);
    });
  return tensors;
}

void load_parts(const std::vector<CheckpointPart>& parts, const SavedFile& file, TensorMap tensors) {
  compare_parts(parts, file);
  std::vector<TensorMap> states = divide(parts, file, tensors), before;
  tensors = {};
  before.reserve(parts.size());
  try {
    for (std::size_t i = 0; i < parts.size(); ++i)
      in_the_name_of(parts[i].name, file.path, [&] {
        TensorMap kept = parts[i].snapshot(parts[i].object);
        parts[i].load(parts[i].object, states[i]);
        before.push_back(std::move(kept));
      });
  } catch (...) {
    // Taking back needs memory as well: no more than the file's content, which is given back here. To need none, each class with a state
    // would have to load in two steps of which the second cannot fail. A log's file still could.
    states.clear();
    for (; !before.empty(); before.pop_back()) try {
        const CheckpointPart& part = parts[before.size() - 1];
        part.load(part.object, before.back());
      } catch (...) {  // the others get theirs all the same
      }
    throw;
  }
}

}  // namespace capstan::detail
