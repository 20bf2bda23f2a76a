// What steps may name: the plugins with what they say of themselves, and the artifacts. Made from the coordinator's store,
// or from plugin files where there is no coordinator yet.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/model/names.h"
#include "core/plan/node.h"
#include "reprise/plan/v1/plan.pb.h"

namespace reprise::plan {

struct ActionSpec {
  std::string name;
  std::string summary;
  model::v1::Effect effect = model::v1::EFFECT_UNSPECIFIED;
  bool undoable = false;
  bool restores = false;         // Puts back data of a copy: only of one that was proven good.
  bool protected_class = false;  // May run on protected classes, by their own rules.
  int64_t timeout_ms = 0;
  Json params_schema;            // JSON Schema, draft 7.
};

struct PluginSpec {
  std::string name;
  std::string version;
  std::string sha256;  // 32 bytes
  std::vector<ActionSpec> actions;

  const ActionSpec* Find(std::string_view action) const;  // nullptr: none.
  std::vector<std::string> ActionNames() const;
};

struct Catalog {
  std::vector<PluginSpec> plugins;  // One for each name.
  std::vector<v1::ArtifactRef> artifacts;

  const PluginSpec* Find(std::string_view plugin) const;
  std::vector<std::string> PluginNames() const;
};

// What a plugin's descriptor says. INVALID_ARGUMENT names the field that is not as plugins/api describes it.
absl::StatusOr<PluginSpec> ReadDescriptor(std::string_view descriptor_json, std::string_view sha256);

// From the store's list, oldest first: of several versions of one plugin, or artifacts of one name, the newest counts.
absl::StatusOr<Catalog> MakeCatalog(const std::vector<v1::BlobInfo>& blobs);

}  // namespace reprise::plan
