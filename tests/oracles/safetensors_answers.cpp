// Does what safetensors_files.py asks for, with files that either side writes:
//   copy FROM TO                    reads FROM and writes TO
//   read FROM TO                    for each line of FROM, a path: what load() says of it; its tensors go to TO, which is a folder
//   predict STATE X Y BACK SIZE...  puts STATE into a network of such layers, its answers to X into Y, and its state into BACK
#include <capstan/capstan.h>
#include <capstan/data/safetensors.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>

using namespace capstan;

namespace {

void copy(const std::string& from, const std::string& to) {
  Metadata metadata;
  const TensorMap tensors = load(from, &metadata);
  save(to, tensors, metadata);
}

void read_all(const std::string& list, const std::string& folder) {
  std::ifstream paths(list);
  for (std::string path; std::getline(paths, path);) {
    std::string says = "read";
    try {
      copy(path, folder + path.substr(path.rfind('/')));
    } catch (const Error& e) {
      says = e.what();
    }
    std::printf("%s\n", says.c_str());
  }
}

void predict(char** paths, int count, char** sizes) {
  nn::Sequential model;
  for (int i = 0; i + 1 < count; ++i) {
    if (i > 0) model.append(nn::ReLU());
    model.append(nn::Linear(std::stol(sizes[i]), std::stol(sizes[i + 1])));
  }
  model.load_state(load(paths[0]));
  const TensorMap x = load(paths[1]);
  save(paths[2], TensorMap{{"y", model(x["x"])}});
  save(paths[3], model, {{"format", "pt"}});
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 4 && std::strcmp(argv[1], "copy") == 0)
      copy(argv[2], argv[3]);
    else if (argc == 4 && std::strcmp(argv[1], "read") == 0)
      read_all(argv[2], argv[3]);
    else if (argc > 7 && std::strcmp(argv[1], "predict") == 0)
      predict(argv + 2, argc - 6, argv + 6);
    else
      return 2;
  } catch (const Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  return 0;
}
