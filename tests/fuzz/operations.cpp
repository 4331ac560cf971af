#include "operations.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "../operations/row.h"

namespace fuzz {

const std::vector<Operation>& all_operations() {
  static const std::vector<Operation> all = [] {
    std::vector<Operation> list;
    for (const operations::Row& r : operations::rows()) list.push_back({r.name, r.kinds, r.f.bind});
    for (const operations::Operation& o : operations::operations()) list.push_back({o.name, o.kinds, o.f.bind, o.may_refuse, o.bounded});
    for (const Operation& o : other_operations()) list.push_back(o);
    std::sort(list.begin(), list.end(), [](const Operation& a, const Operation& b) { return a.name < b.name; });
    for (std::size_t i = 1; i < list.size(); ++i)
      if (list[i - 1].name == list[i].name) {
        std::fprintf(stderr, "fuzz: two rows have this name: %s\n", list[i].name.c_str());
        std::abort();
      }
    return list;
  }();
  return all;
}

Named named(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return {};
  for (const Operation& operation : all_operations())
    if (text.substr(0, end) == operation.name) return {&operation, end + 1};
  return {};
}

}  // namespace fuzz
