#include <capstan/autograd/ops/random.h>

#include <capstan/autograd/ops.h>
#include <capstan/autograd/record.h>
#include <capstan/core/compute.h>
#include <capstan/core/text.h>

// A mask or a choice from drawn numbers; dropout() alone has a gradient.
namespace capstan {

using detail::fail;
using kernels::binary;
using kernels::Binary;

Tensor dropout(const Tensor& x, double p, bool training, Generator& generator) {
  kernels::require_floating("dropout", x);
  if (!(p >= 0 && p <= 1)) fail<ValueError>("dropout", "p must lie in [0, 1]: ", p);
  if (!training || p == 0) return x;
  const Tensor mask = uniform(x.shape(), 0, 1, x.dtype(), generator);
  kernels::dispatch(x, [&]<class T>(T*) {
    const T scale = p == 1 ? T(0) : static_cast<T>(1 / (1 - p)), limit = static_cast<T>(p);
    T* m = kernels::data_of<T>(mask);
    for (std::int64_t i = 0; i < x.numel(); ++i) m[i] = m[i] < limit ? T(0) : scale;
  });
  return record("dropout", binary("dropout", Binary::mul, x, mask), {x},
                [mask = saved(mask)](const Tensor& dy, Inputs& dx) { dx.add(0, dy * mask.get()); });
}

}  // namespace capstan
