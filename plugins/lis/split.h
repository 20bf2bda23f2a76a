// A text in parts.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

namespace reprise::lis {

// Views of `text`: one more than there are dividers, some perhaps empty.
inline std::vector<std::string_view> Split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(by, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace reprise::lis
