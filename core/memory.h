#pragma once

namespace capstan {

/// Gives back to the system the memory that freed tensors have left: of this thread, and what the process keeps for all. Tensors that
/// are in use stay as they are; the next ones are allocated anew.
///
///     model = nn::Sequential{};   // gone, and its memory waits to be used again
///     empty_cache();              // now other programs can have it
///
/// Without it the process keeps as much as its tensors had in use at once, 64 MB at least. A training loop then asks the system
/// for nothing. Each thread has lists of its own beside that, some 60 MB at most. When 64 times as much was asked for and less was
/// needed, the process keeps less. A tensor for which the system has no memory empties the cache by itself and tries once more.
/// The name is torch.cuda.empty_cache()'s. Weakness: what other threads have in their own lists waits until they end.
void empty_cache() noexcept;

}  // namespace capstan
