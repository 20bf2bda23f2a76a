// A dossier: a folder of documents (YAML, `apiVersion: reprise/v1`), read as one: the hosts that people declared and the
// workflows that may be run on them. Reading is all it does; what a workflow means for these hosts is compile.h's matter.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "core/plan/backups.h"
#include "core/plan/diagnostics.h"
#include "core/plan/inventory.h"
#include "core/plan/workflow.h"

namespace reprise::plan {

inline constexpr char kApiVersion[] = "reprise/v1";

struct Dossier {
  Inventory inventory;              // Of all Inventory documents together.
  Backups backups;                  // Of all Backups documents together.
  std::vector<Workflow> workflows;  // In the order of the files' names, then of the documents.

  // nullptr: there is none of that name.
  const Workflow* FindWorkflow(std::string_view name) const;
};

// A folder (its *.yaml and *.yml, by name, without its sub-folders) or one file. Everything that is wrong is reported; the
// rest is still read, so that one reading tells it all. A dossier of which `diagnostics` has errors must not be used.
Dossier ReadDossier(const std::filesystem::path& path, Diagnostics& diagnostics);

// The documents of one source that `diagnostics` already knows, added to `dossier`. Any bytes may be read.
void ReadDocuments(uint32_t source, Dossier& dossier, Diagnostics& diagnostics);

}  // namespace reprise::plan
