#include <capstan/nn/embedding.h>

#include <capstan/autograd/ops/embedding_check.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/core/text.h>
#include <capstan/nn/init.h>

// Tables of rows around the operations embedding() and embedding_bag(), whose gradient stays by rows.

namespace capstan::nn {

using capstan::detail::fail;
using capstan::detail::join;

namespace {

Tensor new_table(const char* name, std::int64_t count, std::int64_t size, std::int64_t padding_idx, DType dtype) {
  if (count < 1 || size < 1) fail<ValueError>(name, "count and size must be positive: ", count, ", ", size);
  if (!is_floating(dtype)) fail<ValueError>(name, "a layer is f32 or f64: ", dtype);
  capstan::detail::require_padding_idx(name, padding_idx, count);
  Tensor table = empty({count, size}, dtype);
  init::normal(table, 0, 1);
  if (padding_idx >= 0) table.rows(padding_idx, padding_idx + 1).assign(zeros({1, size}, dtype));
  return parameter(table);
}

Tensor copy_of(const Tensor& table) { return parameter(table.clone()).set_requires_grad(table.requires_grad()); }

/// "Embedding(3, 2, padding_idx=0)".
std::string described(const char* name, const Tensor& table, const std::string& mode, std::int64_t padding_idx, bool sparse) {
  return join(name, "(", table.size(0), ", ", table.size(1), mode, padding_idx < 0 ? "" : join(", padding_idx=", padding_idx),
              sparse ? ", sparse)" : ")");
}

}  // namespace

Embedding::Embedding(std::int64_t count, std::int64_t size, EmbeddingOptions options)
    : weight(new_table("Embedding", count, size, options.padding_idx, options.dtype)), options_(options) {}

Tensor Embedding::forward(const Tensor& x) {
  return embedding(x, weight, {.padding_idx = options_.padding_idx, .sparse = options_.sparse});
}

void Embedding::members(Visitor& visit) { visit("weight", weight); }

std::string Embedding::describe() const { return described("Embedding", weight, "", options_.padding_idx, options_.sparse); }

Embedding Embedding::clone() const {
  Embedding copy;
  copy.weight = copy_of(weight);
  copy.options_ = options_;
  copy.train(training());
  return copy;
}

EmbeddingBag::EmbeddingBag(std::int64_t count, std::int64_t size, EmbeddingBagOptions options)
    : weight(new_table("EmbeddingBag", count, size, options.padding_idx, options.dtype)), options_(options) {}

BagOptions EmbeddingBag::bag_options() const {
  return {.mode = options_.mode, .padding_idx = options_.padding_idx, .sparse = options_.sparse};
}

Tensor EmbeddingBag::forward(const Tensor& index) { return embedding_bag(index, weight, bag_options()); }

Tensor EmbeddingBag::forward(const Tensor& index, const Tensor& offsets, const Tensor& per_sample_weights) {
  BagOptions options = bag_options();
  options.per_sample_weights = per_sample_weights;
  return embedding_bag(index, weight, offsets, options);
}

void EmbeddingBag::members(Visitor& visit) { visit("weight", weight); }

std::string EmbeddingBag::describe() const {
  return described("EmbeddingBag", weight, join(", ", capstan::detail::name_of(options_.mode)), options_.padding_idx, options_.sparse);
}

EmbeddingBag EmbeddingBag::clone() const {
  EmbeddingBag copy;
  copy.weight = copy_of(weight);
  copy.options_ = options_;
  copy.train(training());
  return copy;
}

}  // namespace capstan::nn
