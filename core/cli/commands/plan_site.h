// What a dossier is compiled against: the site as the coordinator tells it, or plugin files on this machine.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/cli/context.h"
#include "core/model/keyring.h"
#include "core/plan/catalog.h"
#include "core/plan/recovery_points.h"
#include "core/plan/targets.h"

namespace reprise::cli {

struct PlanSite {
  bool asked = false;  // The coordinator was.
  plan::Catalog catalog;
  plan::KnownHosts known;
  std::vector<plan::KnownPoint> points;
  std::optional<model::Keyring> keyring;  // Checked against the fingerprint that the profile pins.
  std::vector<ops::HostView> hosts;
};

absl::StatusOr<PlanSite> AskSite(Context& context);
// Plugins are asked what they can do in a process of their own.
absl::StatusOr<PlanSite> SiteOfFiles(const std::vector<std::string>& plugins,
                                     const std::vector<std::string>& artifacts);

}  // namespace reprise::cli
