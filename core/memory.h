#pragma once

namespace capstan {

/// Gives back to the system the memory that freed tensors have left: of this thread, and what the process keeps for all. Tensors that
/// are in use stay as they are; the next ones are allocated anew.
///
///     model = nn::Sequential{};   // gone, and its memory waits to be used again
///     empty_cache();              // now other programs can have it
///
/// Without it the process keeps, beside what each thread has in lists of its own (some 60 MB at most), as much as its tensors had in
/// use at once, 64 MB at least: a training loop then asks the system for nothing. Later, when 64 times as much was asked for
/// and less was needed, it keeps less. A tensor for which the system has no memory empties the cache by itself and tries once more.
/// The name is torch.cuda.empty_cache()'s. Weakness: what other threads have in their own lists waits until they end.
void empty_cache() noexcept;

}  // namespace capstan
