#pragma once
#include <capstan/core/tensor_map.h>

#include <concepts>
#include <map>
#include <string>

namespace capstan {

/// Texts by name that a file carries beside its tensors.
using Metadata = std::map<std::string, std::string>;

/// Writes tensors to a safetensors file, as the format's own Python package writes the same ones, byte for byte:
///
///     save("model.safetensors", model);                       // anything with a state()
///     model.load_state(load("model.safetensors"));
///
/// f32, f64, i64 and boolean become F32, F64, I64 and BOOL. The tensors stand in the file by the size of their dtype, then by name;
/// the metadata by name. The same tensors give the same bytes. No copy is made of what the tensors hold.
/// The file comes to its path at once when it is complete and on the disk, or not at all. What was there before stays until then.
/// Throws:
///   - ValueError for a tensor named "__metadata__", for names or metadata that are no UTF-8, and for more than 100 MB of names;
///   - IoError when the file cannot be written.
/// Source: the format's description, https://huggingface.co/docs/safetensors.
void save(const std::string& path, const TensorMap& tensors, const Metadata& metadata = {});

/// Saves the state of a model, an optimizer, or anything else that has one.
template <class T>
requires requires(T& object) {
  { object.state() } -> std::convertible_to<TensorMap>;
}
void save(const std::string& path, T&& object, const Metadata& metadata = {}) {
  if constexpr (requires {
                  { object.live_state() } -> std::convertible_to<TensorMap>;
                })
    save(path, TensorMap(object.live_state()), metadata);  // not copied, as it is written at once
  else
    save(path, TensorMap(object.state()), metadata);
}

/// Reads a safetensors file, in the order in which its header names the tensors. The file may come from a stranger. Whatever is not
/// as the format says is refused, and nothing is allocated before the file is known to hold it.
///
/// F32, F64, I64 and BOOL stay as they are. F16 and BF16 become f32; I8, I16, I32, U8, U16, U32 and U64 become i64: exactly.
/// `metadata`, if given, gets the file's own; it is left alone when this throws. Throws:
///   - IoError when the file cannot be read;
///   - FormatError when it is no such file, naming the byte or the tensor. Another known kind of file is called by its name;
///   - FormatError for a dtype that no tensor here can hold, for a U64 above 2^63 - 1, and for more than six axes;
///   - std::bad_alloc when there is no memory for it.
TensorMap load(const std::string& path, Metadata* metadata = nullptr);

}  // namespace capstan
