#pragma once
#include <capstan/autograd/ops/embedding.h>

// Private: what embedding(), embedding_bag() and their modules have in common.
namespace capstan::detail {

/// Throws ValueError unless it is a row of a table of so many, or -1.
void require_padding_idx(const char* op, std::int64_t padding_idx, std::int64_t rows);
const char* name_of(BagMode mode);

}  // namespace capstan::detail
