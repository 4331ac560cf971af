#include <capstan/nn/sequential.h>

#include <capstan/autograd/ops.h>
#include <capstan/core/text.h>
#include <capstan/nn/linear.h>

#include <memory>
#include <utility>

// A list of modules that owns copies of them. How each is cloned and destroyed is kept beside it when it is added.

namespace capstan::nn {

void detail::cannot_clone(const Module& m) {
  capstan::detail::fail<ValueError>("clone", "a module needs a default constructor or a member clone(): ", m.describe());
}

void detail::wrong_module(std::size_t i, const Module& m, const std::type_info& wanted) {
  capstan::detail::fail<ValueError>("Sequential", "module ", i, " must be what it is asked for: it is ", m.describe(), ", not ",
                                    readable(wanted));
}

Sequential::Sequential(Sequential&& other) noexcept : Module(static_cast<Module&&>(other)), items_(std::exchange(other.items_, {})) {}

Sequential& Sequential::operator=(Sequential&& other) noexcept {
  Module::operator=(static_cast<Module&&>(other));
  std::swap(items_, other.items_);
  return *this;
}

Sequential::~Sequential() {
  for (const Item& i : items_) delete i.module;
}

void Sequential::add(Module* module, Clone copier, Kind kind) {
  std::unique_ptr<Module> owner(module);
  items_.push_back({module, copier, kind});
  static_cast<void>(owner.release());
}

Module& Sequential::operator[](std::size_t i) {
  if (i >= items_.size()) capstan::detail::fail<ValueError>("Sequential", "there is no module ", i, " of ", items_.size());
  return *items_[i].module;
}

Tensor Sequential::forward(const Tensor& x) {
  Tensor y;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    const Item& item = items_[i];
    const Tensor& from = i == 0 ? x : y;
    if (item.kind == Kind::linear && i + 1 < items_.size() && items_[i + 1].kind == Kind::relu)
      if (const auto& layer = static_cast<const Linear&>(*item.module); layer.bias.defined()) {
        y = linear_relu(from, layer.weight, layer.bias);
        ++i;
        continue;
      }
    y = item.module->forward(from);
  }
  return items_.empty() ? x : y;
}

void Sequential::members(Visitor& visit) {
  for (std::size_t i = 0; i < items_.size(); ++i) visit(std::to_string(i).c_str(), *items_[i].module);
}

std::string Sequential::describe() const { return "Sequential"; }

namespace {

// How many Sequentials this thread is cloning, each inside the one before. The outermost matches all that are in it.
constinit thread_local int cloning = 0;

struct Cloning {
  Cloning() noexcept { ++cloning; }
  ~Cloning() { --cloning; }
  Cloning(const Cloning&) = delete;
  Cloning& operator=(const Cloning&) = delete;
};

}  // namespace

Sequential Sequential::clone() const {
  Sequential copy;
  copy.items_.reserve(items_.size());
  {
    const Cloning scope;
    for (const Item& i : items_) copy.items_.push_back({i.clone(*i.module), i.clone, i.kind});
  }
  if (cloning == 0) detail::match(*this, copy);
  return copy;
}

}  // namespace capstan::nn
