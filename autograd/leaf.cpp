#include <capstan/autograd/tape.h>
#include <capstan/autograd/tape_state.h>
#include <capstan/core/pool.h>
#include <capstan/core/process_lock.h>
#include <capstan/core/text.h>

#include <pthread.h>

#include <functional>
#include <mutex>

// The identities of parameters: set_requires_grad(true) gives a tensor a leaf index and a generation from the process's list.

namespace capstan {

namespace {

// The identities of leaves. An index is used again after its tensor is gone, a generation never, so that a stale pair is
// recognised. Never destroyed: tensors of static storage may end after everything else. A fork() waits for the lock, so that a
// child does not find it held by a thread that is not there.
struct Registry {
  std::mutex mutex;
  std::vector<std::uint32_t> free;
  std::uint32_t next = 0;
  std::uint64_t generation = 0;
};
Registry& registry() noexcept {
  static Registry& r = [] {
    const auto unlock = [] { registry().mutex.unlock(); };
    pthread_atfork([] { registry().mutex.lock(); }, unlock, unlock);
    alignas(Registry) static char place[sizeof(Registry)];
    return std::ref(*::new (place) Registry);
  }();
  return r;
}

constinit thread_local volatile std::sig_atomic_t holds_registry = 0;

struct RegistryLock : detail::ProcessLock {
  explicit RegistryLock(Registry& r) noexcept : ProcessLock(r.mutex, holds_registry) {}
};

}  // namespace

void detail::make_leaf(const Tensor& t) {
  Header* h = t.header();
  Registry& r = registry();
  const RegistryLock lock(r);  // before the look at the flags: two threads may watch one tensor
  if (h->flags & kLeaf) return;
  if (!release_leaf)
    release_leaf = [](std::uint32_t leaf) noexcept {
      Registry& all = registry();
      if (const RegistryLock again(all); again.taken())
        all.free.push_back(leaf);  // within the capacity that was reserved when it was taken
    };
  if (r.free.empty()) {
    if (r.free.capacity() <= r.next) r.free.reserve(2 * r.next + 64);
    h->leaf = r.next++;
  } else {
    h->leaf = r.free.back();
    r.free.pop_back();
  }
  h->generation = ++r.generation;
  h->flags |= kLeaf;
}

Tensor& Tensor::set_requires_grad(bool on) {
  detail::Header* h = header();
  if (!on) {
    h->flags = static_cast<std::uint8_t>(h->flags & ~detail::kRequiresGrad);
    return *this;
  }
  if (!is_floating(h->dtype)) detail::fail<ValueError>("set_requires_grad", "only f32 and f64 carry gradients: ", h->dtype, " ", shape());
  if (h->owner && !(h->flags & detail::kLeaf))
    detail::fail<ValueError>("set_requires_grad", "a view cannot be a parameter: ", shape(), " (take a clone())");
  if (h->flags & detail::kReadOnly)
    detail::fail<ValueError>("set_requires_grad", "a gradient cannot be a parameter: ", shape(), " (take a clone())");
  for (const detail::TapeState* t = detail::thread_tapes.innermost; t && h->tape != 0; t = t->outer)
    if (t->serial == h->tape && !(t->attention & detail::kSpent))
      detail::fail<ValueError>("set_requires_grad", "a result of a running tape cannot be a parameter: ", shape(),
                               " (watch() it, or take a clone() of its detach())");
  detail::make_leaf(*this);
  h->flags |= detail::kRequiresGrad;
  h->tape = 0;
  return *this;
}

Tensor parameter(Tensor t) { return std::move(t.set_requires_grad(true)); }

}  // namespace capstan
