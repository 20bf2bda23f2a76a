#include "core/plan/parameter_value.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/text.h"
#include "core/crypto/utf8.h"

namespace reprise::plan {
namespace {

constexpr size_t kBytesMax = 4096;
constexpr size_t kItemsMax = 10'000;

// Plain text only: parameters are shown to those who sign.
bool IsPlain(const std::string& text) {
  return text.size() <= kBytesMax && crypto::FindUnplain(text) == std::string::npos;
}

std::optional<Json> ScalarOf(const Node& node, ParameterType type, Diagnostics& unheard) {
  if (node.kind != Node::Kind::kScalar || !IsPlain(node.text)) return std::nullopt;
  switch (type) {
    case ParameterType::kString:
      return node.IsNull() ? std::nullopt : std::optional<Json>(node.text);
    case ParameterType::kDuration:
      return ParseDurationMs(node.text).ok() ? std::optional<Json>(node.text) : std::nullopt;
    default:
      break;
  }
  Json value = JsonOfScalar(node, unheard);
  const bool fits = type == ParameterType::kInteger  ? value.is_number_integer()
                    : type == ParameterType::kNumber ? value.is_number()
                                                     : value.is_boolean();
  return fits ? std::optional<Json>(std::move(value)) : std::nullopt;
}

std::optional<Json> ListOf(const Node& node) {
  if (node.kind != Node::Kind::kList || node.items.size() > kItemsMax) return std::nullopt;
  Json list = Json::array();
  for (const Node& item : node.items) {
    if (item.kind != Node::Kind::kScalar || item.IsNull() || !IsPlain(item.text)) return std::nullopt;
    list.push_back(item.text);
  }
  return list;
}

}  // namespace

std::string ExpectedOf(ParameterType type) {
  switch (type) {
    case ParameterType::kString:
      return absl::StrCat("a plain text of at most ", kBytesMax, " bytes");
    case ParameterType::kInteger:
      return "a whole number";
    case ParameterType::kNumber:
      return "a number";
    case ParameterType::kBoolean:
      return "true or false";
    case ParameterType::kDuration:
      return "a duration such as 90s, 15m, 24h or 1h30m";
    case ParameterType::kList:
      return "a list of texts";
  }
  return "a value";
}

std::optional<Json> ReadParameterValue(const Node& node, ParameterType type, const std::string& what, bool secret,
                                       Diagnostics& diagnostics) {
  Diagnostics unheard;  // One finding for one value: it is of the type or not.
  auto value = type == ParameterType::kList ? ListOf(node) : ScalarOf(node, type, unheard);
  if (value) return value;
  diagnostics
      .Error(node.place, absl::StrCat(what, " is ", secret ? "of another type (the value is secret)" : node.Describe()))
      .Expected(ExpectedOf(type))
      .Secret(secret);
  return std::nullopt;
}

bool CheckChoice(const ParameterSpec& spec, const Json& value, Place place, Diagnostics& diagnostics) {
  if (spec.choices.empty()) return true;
  const auto known = [&spec](const Json& one) {
    return std::find(spec.choices.begin(), spec.choices.end(), one) != spec.choices.end();
  };
  const Json* stranger = nullptr;
  if (!value.is_array()) {
    if (!known(value)) stranger = &value;
  } else {
    for (const Json& item : value) {
      if (stranger == nullptr && !known(item)) stranger = &item;
    }
  }
  if (stranger == nullptr) return true;
  std::vector<std::string> names;
  for (const Json& choice : spec.choices) names.push_back(ShownValue(choice));
  Finding& finding =
      diagnostics.Error(place, absl::StrCat("parameter ", spec.name, " is ",
                                            spec.secret ? "none of its values (it is secret)"
                                                        : absl::StrCat("\"", ShownValue(*stranger), "\"")));
  finding.Secret(spec.secret);
  if (!spec.secret) finding.ExpectedOneOf(names).Nearest(ShownValue(*stranger), names);
  return false;
}

std::string ShownValue(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace reprise::plan
