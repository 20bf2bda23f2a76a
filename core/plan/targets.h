// Which hosts a stage is for, and which of those are left out and why: a selector over the inventory, with what the
// coordinator knows of each host today laid over what was declared.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/clock.h"
#include "core/model/keyring.h"
#include "core/plan/inventory.h"
#include "core/plan/workflow.h"

namespace reprise::plan {

// What the coordinator knows of one host.
struct KnownHost {
  model::v1::Zone zone = model::v1::ZONE_UNSPECIFIED;
  model::v1::AssetClass asset_class = model::v1::ASSET_CLASS_UNSPECIFIED;
  model::v1::TrustState trust = model::v1::TRUST_STATE_UNSPECIFIED;
  std::string hold;         // Reason; empty: none.
  bool enrolled = false;
  bool admitted = false;
  bool connected = false;
  UnixMs last_contact = 0;  // 0: never.
};
using KnownHosts = std::unordered_map<std::string, KnownHost>;

// One host as the plan sees it: what people put in force when they admitted it, else what was declared.
struct Target {
  const Host* host = nullptr;
  model::v1::Zone zone = model::v1::ZONE_UNSPECIFIED;
  model::v1::AssetClass asset_class = model::v1::ASSET_CLASS_UNSPECIFIED;
  model::v1::TrustState trust = model::v1::TRUST_STATE_UNSPECIFIED;
  bool connected = false;
  UnixMs last_contact = 0;
};

// A host that the selector names and the plan does not touch. `code`: no_agent, not_enrolled, not_admitted, hold,
// protected_class, quarantine, zone, asset_class, trust.
struct LeftOut {
  const Host* host = nullptr;
  std::string code;
  std::string reason;
};

struct Selection {
  std::vector<Target> targets;    // In the inventory's order.
  std::vector<LeftOut> left_out;  // Likewise.
};

// `known` may be nullptr: the coordinator does not know the host, or was not asked.
Target TargetOf(const Host& host, const KnownHost* known);

// What the coordinator would not send and the agent would refuse is left out here already. `effect` is the gravest of the
// stage's steps: what only reads may look at hosts on hold, in quarantine or of a protected class. `protected_ok`: every
// action of the stage is made for protected classes; changes are refused there all the same, and the reason says so.
// `policy` may be nullptr (no keyring yet). Unless `coordinator_asked`, nobody is left out as not enrolled.
// REQUIRES: the stage's selector is bound.
Selection SelectTargets(const StageSpec& stage, const Inventory& inventory, const KnownHosts& known,
                        const model::SigningPolicy* policy, model::v1::Effect effect, bool protected_ok,
                        bool coordinator_asked = true);

}  // namespace reprise::plan
