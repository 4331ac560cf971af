// Opens the plug-in, computes and closes it, over and over: on this thread, on one that ends, and while another computes. Then it
// ends as a program does, when destructors run. Prints "right" and ends with 0.
#include <dlfcn.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace {

void use(const char* path) {
  void* const library = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    std::printf("%s\n", ::dlerror());
    std::exit(1);
  }
  const auto compute = reinterpret_cast<double (*)()>(::dlsym(library, "compute"));
  if (!compute || compute() != 1007) {
    std::printf("wrong\n");
    std::exit(1);
  }
  ::dlclose(library);
}

}  // namespace

int main(int count, char** values) {
  if (count != 2) return 2;
  const char* const path = values[1];
  std::thread([=] { use(path); }).join();
  for (int i = 0; i < 20; ++i) {
    use(path);
    std::thread([=] { use(path); }).join();
  }
  std::thread other([=] { use(path); });
  use(path);
  other.join();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // what threads of the plug-in would do now
  std::printf("right\n");
}
