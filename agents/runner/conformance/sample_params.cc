#include "agents/runner/conformance/sample_params.h"

#include "absl/strings/str_cat.h"

namespace reprise::conformance {
namespace {

using nlohmann::json;

json Sample(const std::string& name, const json& property) {
  if (property.contains("default")) return property["default"];
  if (property.contains("enum") && !property["enum"].empty()) return property["enum"][0];
  const std::string type = property.value("type", json("string")).is_string() ? property.value("type", "string") : "";
  if (type == "integer" || type == "number") return property.value("minimum", json(1));
  if (type == "boolean") return false;
  if (type == "array") return json::array();
  if (type == "object") return json::object();
  const std::string pattern = property.value("pattern", "");
  if (pattern.rfind("^/", 0) == 0) return absl::StrCat(kSampleFolder, "/", name);
  return pattern.find("ms|s|m|h") != std::string::npos ? "5s" : "sample";
}

json Nested(int depth) {
  json inner = "deep";
  for (int i = 0; i < depth; ++i) inner = json::array({std::move(inner)});
  return inner;
}

}  // namespace

json SampleParams(const json& schema, const json& given) {
  json params = given.is_object() ? given : json::object();
  for (const json& name : schema.value("required", json::array())) {
    if (!name.is_string() || params.contains(name.get<std::string>())) continue;
    params[name.get<std::string>()] =
        Sample(name, schema.value("properties", json::object()).value(name.get<std::string>(), json::object()));
  }
  return params;
}

std::vector<std::string> SecretNames(const json& schema) {
  std::vector<std::string> names;
  const json properties = schema.value("properties", json::object());
  for (const auto& [name, property] : properties.items()) {
    if (property.is_object() && property.value("writeOnly", false)) names.push_back(name);
  }
  return names;
}

std::vector<Hostile> HostileParams(const json& schema, const json& sample) {
  const std::pair<const char*, json> values[] = {
      {"null", nullptr},
      {"true", true},
      {"a huge number", 1e300},
      {"a negative number", -1},
      {"a list", json::array({1, "two"})},
      {"an object", json{{"a", 1}}},
      {"60 lists deep", Nested(58)},
      {"an empty string", ""},
      {"a string of 900 KB", std::string(900'000, 'A')},
      {"a path that climbs", "/tmp/../../../../../etc/shadow"},
      {"a string with NUL", std::string("/tmp/a\0b", 8)},
      {"a string with control characters", "a\nb\x1b[31m\r"},
      {"a string like an option", "--help"},
      {"a string like a command", "$(touch /reprise-hostile); `id` | cat"},
      {"a format", "%s%n%s%n{}"},
  };
  std::vector<Hostile> all;
  const json properties = schema.value("properties", json::object());
  for (const auto& [name, property] : properties.items()) {
    for (const auto& [what, value] : values) {
      json params = sample;
      params[name] = value;
      all.push_back({absl::StrCat(name, " is ", what), std::move(params)});
    }
  }
  return all;
}

}  // namespace reprise::conformance
