#include "core/cli/json_lines.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/cli/terminal.h"

namespace reprise::cli {
namespace {

constexpr int kDepthMax = 8;

std::string WordOf(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "-";
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void AddLine(std::vector<std::string>& lines, const std::string& path, const std::string& text) {
  lines.push_back(OneLine(path.empty() ? text : absl::StrCat(path, ": ", text)));
}

void AddLines(std::vector<std::string>& lines, const std::string& path, const Json& value, int depth) {
  if (!value.is_structured() || depth > kDepthMax) return AddLine(lines, path, WordOf(value));
  if (value.empty()) return AddLine(lines, path, "none");
  if (value.is_object()) {
    for (const auto& [key, below] : value.items()) {
      AddLines(lines, path.empty() ? key : absl::StrCat(path, ".", key), below, depth + 1);
    }
    return;
  }
  if (std::none_of(value.begin(), value.end(), [](const Json& one) { return one.is_structured(); })) {
    std::vector<std::string> words;
    for (const Json& one : value) words.push_back(WordOf(one));
    return AddLine(lines, path, absl::StrJoin(words, ", "));
  }
  for (size_t i = 0; i < value.size(); ++i) AddLines(lines, absl::StrCat(path, "[", i, "]"), value[i], depth + 1);
}

}  // namespace

std::vector<std::string> LinesOf(const Json& value) {
  std::vector<std::string> lines;
  AddLines(lines, "", value, 0);
  return lines;
}

}  // namespace reprise::cli
