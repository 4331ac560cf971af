#pragma once
#include <capstan/train/checkpoint.h>
#include <capstan/train/checkpoint_files.h>

#include <string>
#include <vector>

// Private: the parts of a Checkpoint on their way to a file and back.
namespace capstan::detail {

/// The default generators, a part of every checkpoint.
CheckpointPart default_generators();
/// Brings logs to the disk, then gives what the parts hold, as it lies in memory. Throws what they throw, naming the part and `path`.
TensorMap live_state(const std::vector<CheckpointPart>& parts, const std::string& path);
/// Has each part take its own of a file's tensors: all of them, or none. Throws what Checkpoint::load() says.
void load_parts(const std::vector<CheckpointPart>& parts, const SavedFile& file, TensorMap tensors);

}  // namespace capstan::detail
