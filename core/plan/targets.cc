#include "core/plan/targets.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace reprise::plan {
namespace {

using model::NameOf;

struct Obstacle {
  std::string code;
  std::string reason;
};

template <typename Enum>
bool Allows(const std::vector<Enum>& allowed, Enum value) {
  return allowed.empty() || std::find(allowed.begin(), allowed.end(), value) != allowed.end();
}

template <typename Enum>
std::string Names(const std::vector<Enum>& values) {
  return absl::StrJoin(values, ", ", [](std::string* out, Enum value) { out->append(NameOf(value)); });
}

// In the order in which a person would mend them: enrol, admit, release, then move or reclassify.
std::optional<Obstacle> ObstacleTo(const StageSpec& stage, const Target& target, const KnownHost* known, bool asked,
                                   const model::SigningPolicy* policy, model::v1::Effect effect, bool protected_ok) {
  if (!target.host->agent) {
    return Obstacle{"no_agent", absl::StrCat("a ", NameOf(target.asset_class), " that carries no agent")};
  }
  if (asked && (known == nullptr || !known->enrolled)) return Obstacle{"not_enrolled", "its agent is not enrolled"};
  if (effect > model::v1::EFFECT_READ) {
    if (known != nullptr && !known->admitted) return Obstacle{"not_admitted", "nobody has admitted the host"};
    if (target.zone == model::v1::ZONE_QUARANTINE) return Obstacle{"quarantine", "the host is in the zone quarantine"};
    if (known != nullptr && !known->hold.empty()) return Obstacle{"hold", absl::StrCat("evidence hold: ", known->hold)};
    if (policy != nullptr && policy->Protects(target.asset_class)) {
      return Obstacle{"protected_class",
                      absl::StrCat("nothing but reading is done on a ", NameOf(target.asset_class),
                                   protected_ok ? ", not even by an action made for its class" : "")};
    }
  }
  if (!Allows(stage.allow.zones, target.zone)) {
    return Obstacle{"zone",
                    absl::StrCat("in zone ", NameOf(target.zone), "; the stage allows ", Names(stage.allow.zones))};
  }
  if (!Allows(stage.allow.classes, target.asset_class)) {
    return Obstacle{"asset_class",
                    absl::StrCat("a ", NameOf(target.asset_class), "; the stage allows ", Names(stage.allow.classes))};
  }
  if (!Allows(stage.allow.trust, target.trust)) {
    return Obstacle{
        "trust", absl::StrCat("its trust is ", NameOf(target.trust), "; the stage allows ", Names(stage.allow.trust))};
  }
  return std::nullopt;
}

}  // namespace

Target TargetOf(const Host& host, const KnownHost* known) {
  Target target{.host = &host, .zone = host.zone, .asset_class = host.asset_class, .trust = host.trust};
  if (known == nullptr) return target;
  target.connected = known->connected;
  target.last_contact = known->last_contact;
  if (!known->admitted) return target;
  if (known->zone != model::v1::ZONE_UNSPECIFIED) target.zone = known->zone;
  if (known->asset_class != model::v1::ASSET_CLASS_UNSPECIFIED) target.asset_class = known->asset_class;
  if (known->trust != model::v1::TRUST_STATE_UNSPECIFIED) target.trust = known->trust;
  return target;
}

Selection SelectTargets(const StageSpec& stage, const Inventory& inventory, const KnownHosts& known,
                        const model::SigningPolicy* policy, model::v1::Effect effect, bool protected_ok,
                        bool coordinator_asked) {
  Selection selection;
  for (const Host& host : inventory.hosts) {
    const auto found = known.find(host.name);
    const KnownHost* today = found == known.end() ? nullptr : &found->second;
    const Target target = TargetOf(host, today);
    const HostFacts facts{.name = host.name,
                          .zone = target.zone,
                          .asset_class = target.asset_class,
                          .trust = target.trust,
                          .agent = host.agent,
                          .label = [&host](std::string_view key) { return host.Label(key); }};
    if (!stage.selector.Matches(facts)) continue;
    if (auto obstacle = ObstacleTo(stage, target, today, coordinator_asked, policy, effect, protected_ok)) {
      selection.left_out.push_back({&host, std::move(obstacle->code), std::move(obstacle->reason)});
    } else {
      selection.targets.push_back(target);
    }
  }
  return selection;
}

}  // namespace reprise::plan
