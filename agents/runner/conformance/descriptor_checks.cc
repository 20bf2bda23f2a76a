#include "agents/runner/conformance/descriptor_checks.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agents/runner/conformance/schema.h"
#include "core/base/text.h"

namespace reprise::conformance {
namespace {

using nlohmann::json;

bool IsText(const json& object, const char* key) {
  return object.contains(key) && object[key].is_string() && !object[key].get_ref<const std::string&>().empty();
}

bool IsName(const json& object) {
  if (!IsText(object, "name")) return false;
  const std::string& name = object["name"].get_ref<const std::string&>();
  return name.size() <= 64 && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string::npos;
}

bool Is(const json& object, const char* key, bool (json::*type)() const noexcept) {
  return object.contains(key) && (object[key].*type)();
}

Check Made(const std::string& action, const char* name, const std::vector<std::string>& missing) {
  if (missing.empty()) return {action, name, Verdict::kPass, ""};
  return {action, name, Verdict::kFail, absl::StrCat("expected ", absl::StrJoin(missing, "; "))};
}

Check CheckPlugin(const json& descriptor) {
  std::vector<std::string> missing;
  if (!IsName(descriptor)) missing.push_back("name: a-z 0-9 _ -, at most 64");
  if (!IsText(descriptor, "version")) missing.push_back("version: a text");
  if (!IsText(descriptor, "summary")) missing.push_back("summary: a text");
  if (!Is(descriptor, "actions", &json::is_array) || descriptor["actions"].empty()) {
    missing.push_back("actions: at least one");
  } else {
    std::set<std::string> names;
    for (const json& action : descriptor["actions"]) {
      if (IsText(action, "name") && !names.insert(action["name"]).second) {
        missing.push_back(absl::StrCat("one action named ", action["name"].get<std::string>()));
      }
    }
  }
  return Made("", "descriptor is complete", missing);
}

Check CheckAction(const std::string& name, const json& action) {
  std::vector<std::string> missing;
  if (!IsName(action)) missing.push_back("name: a-z 0-9 _ -, at most 64");
  if (!IsText(action, "summary")) missing.push_back("summary: a text");
  const std::set<std::string> effects = {"read", "change", "destroy"};
  if (!IsText(action, "effect") || !effects.contains(action["effect"])) missing.push_back("effect: read, change or destroy");
  for (const char* key : {"undoable", "idempotent", "protected"}) {
    if (!Is(action, key, &json::is_boolean)) missing.push_back(absl::StrCat(key, ": true or false"));
  }
  const json needs = action.value("needs", json());
  if (!needs.is_object() || !Is(needs, "root", &json::is_boolean) || !Is(needs, "network", &json::is_boolean) ||
      !Is(needs, "paths", &json::is_array)) {
    missing.push_back("needs: {root, network, paths}");
  }
  if (!IsText(action, "timeout") || !ParseDurationMs(action["timeout"].get<std::string>()).ok()) {
    missing.push_back("timeout: a duration such as 5m");
  }
  if (!Is(action, "memory_mb", &json::is_number_integer) || action["memory_mb"] < 1) missing.push_back("memory_mb: MiB");
  return Made(name, "descriptor is complete", missing);
}

Check CheckParams(const std::string& name, const json& action) {
  const json params = action.value("params", json());
  std::vector<std::string> missing;
  if (!params.is_object() || params.value("type", json()) != "object" || !params.value("properties", json()).is_object()) {
    missing.push_back("params: a JSON Schema of an object with properties");
  } else {
    if (params.value("additionalProperties", json()) != false) missing.push_back("additionalProperties: false");
    if (const std::string wrong = WhyNotASchema(params); !wrong.empty()) missing.push_back("a valid schema: " + wrong);
  }
  return Made(name, "parameters have a schema", missing);
}

}  // namespace

std::vector<Check> CheckDescriptor(const json& descriptor) {
  std::vector<Check> checks = {CheckPlugin(descriptor)};
  if (!Is(descriptor, "actions", &json::is_array)) return checks;
  for (const json& action : descriptor["actions"]) {
    const std::string name = action.is_object() && IsText(action, "name") ? action["name"].get<std::string>() : "?";
    checks.push_back(CheckAction(name, action.is_object() ? action : json::object()));
    checks.push_back(CheckParams(name, action.is_object() ? action : json::object()));
  }
  return checks;
}

}  // namespace reprise::conformance
