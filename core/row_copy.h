#pragma once
#include <cstddef>
#include <cstdint>

// Private: copies of rows that lie anywhere in a table. Rows further on are asked of memory in time.
namespace capstan::kernels {

/// to[k] <- from[row[k]] for k < n, rows of so many bytes each; `more` rows behind the n will be wanted soon.
void take_rows(const void* from, const std::int64_t* row, void* to, std::int64_t n, std::size_t bytes, std::int64_t more = 0);
/// to[row[k]] <- from[k].
void put_rows(const void* from, const std::int64_t* row, void* to, std::int64_t n, std::size_t bytes);

}  // namespace capstan::kernels
