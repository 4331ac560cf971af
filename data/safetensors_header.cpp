#include <capstan/data/safetensors_file.h>

#include <capstan/core/text.h>
#include <capstan/data/json.h>
#include <capstan/data/quoted.h>

#include <algorithm>
#include <array>
#include <bit>
#include <set>

// The header of a safetensors file, written and read. Reading knows nothing but what the format says: each object's keys once, whole
// numbers, and offsets that cover the file's rest without a gap or an overlap.

namespace capstan::data {

using capstan::detail::fail;

static_assert(std::endian::native == std::endian::little, "the tensors' bytes are written as they are");

namespace {

constexpr std::uint64_t most_elements = std::uint64_t{1} << 48;

struct TypeName {
  const char* name;
  Stored type;
};
// In the order of the format's enumeration, the last first: tensors stand in a file by it.
constexpr TypeName type_names[] = {{"U64", Stored::u64},     {"I64", Stored::i64}, {"F64", Stored::f64},   {"F32", Stored::f32},
                                   {"U32", Stored::u32},     {"I32", Stored::i32}, {"BF16", Stored::bf16}, {"F16", Stored::f16},
                                   {"U16", Stored::u16},     {"I16", Stored::i16}, {"I8", Stored::i8},     {"U8", Stored::u8},
                                   {"BOOL", Stored::boolean}};

/// The place in that list of what a tensor is stored as.
std::size_t type_of(DType dtype) {
  std::size_t k = 0;
  while (!is_native(type_names[k].type) || dtype_of(type_names[k].type) != dtype) ++k;
  return k;
}

void check_utf8(const char* op, const char* what, std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = detail::utf8_size(text.substr(i));
    if (size == 0) fail<ValueError>(op, what, " must be UTF-8: '", shown(text.substr(0, i)), "' goes on with another byte");
    i += size;
  }
}

[[noreturn]] void refuse_again(const JsonReader& json, std::uint64_t place, const std::string& key) {
  json.fail("a name must come once", place, "\"" + shown(key) + "\" again");
}

class HeaderParser {
 public:
  HeaderParser(const char* op, const std::string& source, std::string_view text, std::uint64_t size)
      : op_(op), source_(source), json_(op, source, text, 8), size_(size) {
    if (!text.starts_with('{')) json_.fail("the header must begin with '{'");
  }

  SafetensorsHeader parse() {
    json_.expect('{');
    std::set<std::string> names;  // a stranger could choose names that collide in a hash table
    if (!json_.take('}')) {
      do {
        const std::uint64_t place = json_.place();
        const std::string name = json_.string();
        if (!names.insert(name).second) refuse_again(json_, place, name);
        json_.expect(':');
        if (name == "__metadata__")
          parse_metadata();
        else
          parse_tensor(name);
      } while (json_.take(','));
      json_.expect('}');
    }
    json_.end();
    check_cover();
    return std::move(header_);
  }

 private:
  void parse_metadata() {
    json_.expect('{');
    if (json_.take('}')) return;
    do {
      const std::uint64_t place = json_.place();
      const std::string key = json_.string();
      json_.expect(':');
      if (!header_.metadata.emplace(key, json_.string()).second) refuse_again(json_, place, key);
    } while (json_.take(','));
    json_.expect('}');
  }

  void parse_tensor(const std::string& name) {
    const std::uint64_t start = json_.place();
    json_.expect('{');
    std::array<bool, 3> there{};
    std::string type;
    StoredTensor tensor{name, {}, {}, 0, 0};
    constexpr std::array<const char*, 3> keys = {"dtype", "shape", "data_offsets"};
    do {
      const std::uint64_t place = json_.place();
      const std::string key = json_.string();
      const std::size_t k = static_cast<std::size_t>(std::find(keys.begin(), keys.end(), key) - keys.begin());
      if (k == keys.size())
        json_.fail("a tensor must have dtype, shape and data_offsets and nothing else", place, "\"" + shown(key) + "\"");
      if (there[k]) refuse_again(json_, place, key);
      there[k] = true;
      json_.expect(':');
      if (k == 0)
        type = json_.string();
      else if (k == 1)
        tensor.shape = parse_shape(name);
      else
        parse_offsets(tensor);
    } while (json_.take(','));
    json_.expect('}');
    for (std::size_t k = 0; k < keys.size(); ++k)
      if (!there[k]) json_.fail("a tensor must have dtype, shape and data_offsets", start, "'" + shown(name) + "' has no " + keys[k]);
    check_tensor(tensor, type);
    header_.tensors.push_back(std::move(tensor));
  }

  Shape parse_shape(const std::string& name) {
    std::array<std::int64_t, Shape::max_dim> sizes{};
    std::size_t axes = 0;
    json_.expect('[');
    if (!json_.take(']')) {
      do {
        const std::uint64_t place = json_.place(), size = json_.whole();
        if (axes == sizes.size()) json_.fail("a tensor here has at most six axes", place, "'" + shown(name) + "' has more");
        if (size >> 63 != 0) json_.fail("a size must be below 2^63", place, std::to_string(size));
        sizes[axes++] = static_cast<std::int64_t>(size);
      } while (json_.take(','));
      json_.expect(']');
    }
    // As in a Shape: sizes of 0 are left out of the product that must not be too large.
    std::uint64_t product = 1;
    is_too_large_ = false;
    for (std::size_t i = 0; i < axes; ++i)
      if (sizes[i] != 0)
        is_too_large_ |= __builtin_mul_overflow(product, static_cast<std::uint64_t>(sizes[i]), &product) || product > most_elements;
    return is_too_large_ ? Shape{} : Shape(sizes.data(), static_cast<int>(axes));
  }

  void parse_offsets(StoredTensor& tensor) {
    json_.expect('[');
    tensor.begin = json_.whole();
    json_.expect(',');
    tensor.end = json_.whole();
    json_.expect(']');
  }

  /// What holds for one tensor by itself. Its shape was the last that was read.
  void check_tensor(StoredTensor& tensor, const std::string& type) {
    const auto* const found = std::find_if(std::begin(type_names), std::end(type_names), [&](const TypeName& t) { return t.name == type; });
    if (found == std::end(type_names))
      fail<FormatError>(op_, "the dtype must be one that a tensor here can hold: ", source_, ": '", shown(tensor.name), "' is ",
                        shown(type), " (F64 F32 F16 BF16 I64 I32 I16 I8 U64 U32 U16 U8 BOOL are read)");
    tensor.type = found->type;
    if (is_too_large_)
      fail<FormatError>(op_, "a tensor must have at most 2^48 elements: ", source_, ": '", shown(tensor.name), "' has more");
    const std::uint64_t bytes = static_cast<std::uint64_t>(tensor.shape.numel()) * size_of(tensor.type);
    if (tensor.begin > tensor.end || tensor.end > size_)
      fail<FormatError>(op_, "data_offsets must lie in the file: ", source_, ": '", shown(tensor.name), "' at [", std::size_t{tensor.begin},
                        ", ", std::size_t{tensor.end}, ") of ", std::size_t{size_}, " bytes");
    if (tensor.end - tensor.begin != bytes)
      fail<FormatError>(op_, "data_offsets must fit dtype and shape: ", source_, ": '", shown(tensor.name), "' ", tensor.shape, " in ",
                        type, " takes ", std::size_t{bytes}, " bytes, not ", std::size_t{tensor.end - tensor.begin});
  }

  /// The tensors cover the file: each byte belongs to one of them.
  void check_cover() {
    std::vector<const StoredTensor*> order;
    for (const StoredTensor& t : header_.tensors) order.push_back(&t);
    std::sort(order.begin(), order.end(),
              [](const StoredTensor* a, const StoredTensor* b) { return a->begin != b->begin ? a->begin < b->begin : a->end < b->end; });
    std::uint64_t at = 0;
    for (const StoredTensor* t : order) {
      if (t->begin < at)
        fail<FormatError>(op_, "tensors must not share bytes: ", source_, ": '", shown(t->name), "' begins at ", std::size_t{t->begin},
                          ", where another is up to ", std::size_t{at});
      if (t->begin > at)
        fail<FormatError>(op_, "each byte must belong to a tensor: ", source_, ": those from ", std::size_t{at}, " to ",
                          std::size_t{t->begin}, ", before '", shown(t->name), "', do not");
      at = t->end;
    }
    if (at != size_)
      fail<FormatError>(op_, "each byte must belong to a tensor: ", source_, ": the last ", std::size_t{size_ - at}, " do not");
  }

  const char* op_;
  const std::string& source_;
  JsonReader json_;
  std::uint64_t size_;
  SafetensorsHeader header_;
  bool is_too_large_ = false;  // the shape that was read last
};

}  // namespace

std::vector<const TensorMap::Entry*> in_file_order(const TensorMap& tensors) {
  std::vector<const TensorMap::Entry*> order;
  for (const auto& entry : tensors) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const TensorMap::Entry* a, const TensorMap::Entry* b) {
    const std::size_t type_a = type_of(a->tensor.dtype()), type_b = type_of(b->tensor.dtype());
    return type_a != type_b ? type_a < type_b : a->name < b->name;
  });
  return order;
}

std::string_view bytes_of(const Tensor& tensor) {
  return {static_cast<const char*>(tensor.header()->data), static_cast<std::size_t>(tensor.numel()) * size_of(tensor.dtype())};
}

std::string make_safetensors_header(const char* op, const TensorMap& tensors, const Metadata& metadata) {
  std::string json = "{";
  const auto name = [&](const char* what, std::string_view text) {
    check_utf8(op, what, text);
    append_json(json, text);
    json += ':';
  };
  if (!metadata.empty()) {
    name("a name", "__metadata__");
    json += '{';
    for (const auto& [key, value] : metadata) {
      name("a name of metadata", key);
      check_utf8(op, "metadata", value);
      append_json(json, value);
      json += ',';
    }
    json.back() = '}';
    json += ',';
  }
  std::uint64_t at = 0;
  for (const TensorMap::Entry* entry : in_file_order(tensors)) {
    if (entry->name == "__metadata__") fail<ValueError>(op, "a tensor must have another name: '__metadata__' is the metadata's");
    name("a tensor's name", entry->name);
    json += std::string(R"({"dtype":")") + type_names[type_of(entry->tensor.dtype())].name + R"(","shape":[)";
    const Shape shape = entry->tensor.shape();
    for (int i = 0; i < shape.dim(); ++i) json += (i ? "," : "") + std::to_string(shape[i]);
    const std::uint64_t end = at + bytes_of(entry->tensor).size();
    json += R"(],"data_offsets":[)" + std::to_string(at) + ',' + std::to_string(end) + "]},";
    at = end;
  }
  if (json.back() == ',') json.pop_back();
  json += '}';
  json.resize((json.size() + 7) / 8 * 8, ' ');
  if (json.size() > most_header_bytes)
    fail<ValueError>(op, "names and metadata must take at most ", std::size_t{most_header_bytes}, " bytes: ", json.size());
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(json.size() >> 8 * i & 255);
  return bytes + json;
}

SafetensorsHeader parse_safetensors_header(const char* op, const std::string& source, std::string_view json, std::uint64_t size) {
  return HeaderParser(op, source, json, size).parse();
}

}  // namespace capstan::data
