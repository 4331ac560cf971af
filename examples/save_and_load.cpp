// A model leaves the process as a safetensors file and comes back; a larger one takes over the layers that it shares with it.
// Run:       ./run example save_and_load
// Last line: same predictions: yes; taken over by the larger one: 2 of 4 tensors
#include <capstan/capstan.h>
#include <capstan/data/safetensors.h>

#include <filesystem>
using namespace capstan;

nn::Sequential make_model(std::int64_t classes) { return nn::Sequential{nn::Linear(64, 32), nn::ReLU(), nn::Linear(32, classes)}; }

int main() {
  manual_seed(0);
  const data::Dataset digits = data::digits();
  nn::Sequential model = make_model(10);
  optim::Adagrad optimizer(model.parameters(), {.lr = 0.05});
  for (auto [x, y] : data::Batches(digits, {.batch_size = 32, .shuffle = true})) {
    Tape tape;
    optimizer.step(tape.gradients(cross_entropy(model(x), y)));
  }

  save("digits.safetensors", model, {{"classes", "10"}});

  Metadata metadata;
  const TensorMap state = load("digits.safetensors", &metadata);
  nn::Sequential again = make_model(std::stoi(metadata["classes"]));
  again.load_state(state);  // all or nothing; the error lists what does not fit

  nn::Sequential larger = make_model(26);
  const nn::LoadResult left = larger.load_state(state, {.partial = true});  // takes what fits
  std::printf("did not fit:\n%s\n", left.report.c_str());

  std::filesystem::remove("digits.safetensors");
  const bool same = all(model(digits.x) == again(digits.x)).item() != 0;
  std::printf("same predictions: %s; taken over by the larger one: %zu of %zu tensors\n", same ? "yes" : "no",
              state.size() - left.mismatched_keys.size() - left.unexpected_keys.size(), larger.state().size());
}
