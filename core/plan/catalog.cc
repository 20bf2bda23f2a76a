#include "core/plan/catalog.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/crypto/sha256.h"
#include "core/model/size_limits.h"

namespace reprise::plan {
namespace {

constexpr size_t kPluginNameMax = 64;
constexpr char kNameExpected[] = "a-z, 0-9, '_' and '-', at most 64";

absl::Status Wrong(const std::string& where, const std::string& found, const std::string& expected) {
  return absl::InvalidArgumentError(absl::StrCat("the descriptor's ", where, " is ", found, "; expected ", expected));
}

std::string Shown(const Json& object, const char* key) {
  constexpr size_t kShownMax = 60;
  const auto found = object.find(key);
  if (found == object.end()) return "missing";
  return found->dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, kShownMax);
}

absl::StatusOr<std::string> Text(const Json& object, const char* key, const std::string& where, bool name) {
  const auto found = object.find(key);
  const bool text = found != object.end() && found->is_string() && !found->get_ref<const std::string&>().empty();
  if (!text) return Wrong(where + key, Shown(object, key), name ? kNameExpected : "a text");
  const std::string& value = found->get_ref<const std::string&>();
  const bool good_name = value.size() <= kPluginNameMax &&
                         value.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string::npos;
  if (name && !good_name) return Wrong(where + key, Shown(object, key), kNameExpected);
  return value;
}

absl::StatusOr<bool> Bool(const Json& object, const char* key, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_boolean()) return Wrong(where + key, Shown(object, key), "true or false");
  return found->get<bool>();
}

absl::StatusOr<ActionSpec> ReadAction(const Json& object, size_t index) {
  std::string where = absl::StrCat("actions[", index, "]");
  if (!object.is_object()) return Wrong(where, object.type_name(), "an object");
  where += ".";
  ActionSpec action;
  ASSIGN_OR_RETURN(action.name, Text(object, "name", where, true));
  where = absl::StrCat("action ", action.name, ": ");
  ASSIGN_OR_RETURN(action.summary, Text(object, "summary", where, false));
  ASSIGN_OR_RETURN(const std::string effect, Text(object, "effect", where, false));
  const auto known = model::FromName<model::v1::Effect>(effect);
  if (!known) return Wrong(where + "effect", Shown(object, "effect"), "read, change or destroy");
  action.effect = *known;
  ASSIGN_OR_RETURN(action.undoable, Bool(object, "undoable", where));
  ASSIGN_OR_RETURN(action.protected_class, Bool(object, "protected", where));
  if (object.contains("restores")) {
    ASSIGN_OR_RETURN(action.restores, Bool(object, "restores", where));
  }
  ASSIGN_OR_RETURN(const std::string timeout, Text(object, "timeout", where, false));
  const auto timeout_ms = ParseDurationMs(timeout);
  if (!timeout_ms.ok() || *timeout_ms <= 0 || *timeout_ms > model::kDurationMax)
    return Wrong(where + "timeout", Shown(object, "timeout"),
                 absl::StrCat("a duration such as 5m, at most ", FormatDurationMs(model::kDurationMax)));
  action.timeout_ms = *timeout_ms;
  const auto params = object.find("params");
  if (params == object.end() || !params->is_object())
    return Wrong(where + "params", Shown(object, "params"), "a JSON Schema");
  action.params_schema = *params;
  return action;
}

}  // namespace

const ActionSpec* PluginSpec::Find(std::string_view action) const {
  for (const ActionSpec& spec : actions) {
    if (spec.name == action) return &spec;
  }
  return nullptr;
}

std::vector<std::string> PluginSpec::ActionNames() const {
  std::vector<std::string> names;
  for (const ActionSpec& spec : actions) names.push_back(spec.name);
  return names;
}

const PluginSpec* Catalog::Find(std::string_view plugin) const {
  for (const PluginSpec& spec : plugins) {
    if (spec.name == plugin) return &spec;
  }
  return nullptr;
}

std::vector<std::string> Catalog::PluginNames() const {
  std::vector<std::string> names;
  for (const PluginSpec& spec : plugins) names.push_back(spec.name);
  return names;
}

absl::StatusOr<PluginSpec> ReadDescriptor(std::string_view descriptor_json, std::string_view sha256) {
  const Json descriptor = Json::parse(descriptor_json, nullptr, /*allow_exceptions=*/false);
  if (!descriptor.is_object()) return absl::InvalidArgumentError("the descriptor is no JSON object");
  if (sha256.size() != crypto::kSha256Size) {
    return absl::InvalidArgumentError(
        absl::StrCat("the plugin's hash has ", sha256.size(), " bytes; expected ", crypto::kSha256Size));
  }
  PluginSpec plugin;
  plugin.sha256 = std::string(sha256);
  ASSIGN_OR_RETURN(plugin.name, Text(descriptor, "name", "", true));
  ASSIGN_OR_RETURN(plugin.version, Text(descriptor, "version", "", false));
  const auto actions = descriptor.find("actions");
  if (actions == descriptor.end() || !actions->is_array() || actions->empty()) {
    return Wrong("actions", Shown(descriptor, "actions"), "a list of at least one action");
  }
  for (const Json& object : *actions) {
    ASSIGN_OR_RETURN(ActionSpec action, ReadAction(object, plugin.actions.size()));
    if (plugin.Find(action.name) != nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("the descriptor has two actions called ", action.name));
    }
    plugin.actions.push_back(std::move(action));
  }
  return plugin;
}

absl::StatusOr<Catalog> MakeCatalog(const std::vector<v1::BlobInfo>& blobs) {
  Catalog catalog;
  for (const v1::BlobInfo& blob : blobs) {
    if (blob.kind() == "artifact") {
      const auto known = std::find_if(catalog.artifacts.begin(), catalog.artifacts.end(),
                                      [&](const v1::ArtifactRef& other) { return other.name() == blob.name(); });
      v1::ArtifactRef& artifact = known == catalog.artifacts.end() ? catalog.artifacts.emplace_back() : *known;
      artifact.set_name(blob.name());
      artifact.set_sha256(blob.sha256());
      artifact.set_size(blob.size());
      continue;
    }
    if (blob.kind() != "plugin") continue;
    auto plugin = ReadDescriptor(blob.descriptor_json(), blob.sha256());
    if (!plugin.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("plugin ", blob.name(), " of the store: ", std::string(plugin.status().message())));
    }
    const auto known = std::find_if(catalog.plugins.begin(), catalog.plugins.end(),
                                    [&](const PluginSpec& other) { return other.name == plugin->name; });
    if (known == catalog.plugins.end()) {
      catalog.plugins.push_back(*std::move(plugin));
    } else {
      *known = *std::move(plugin);
    }
  }
  return catalog;
}

}  // namespace reprise::plan
