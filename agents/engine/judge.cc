#include "agents/engine/judge.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/base/planted.h"
#include "core/base/text.h"
#include "core/crypto/sha256.h"
#include "core/model/authorization.h"
#include "core/model/names.h"
#include "core/model/restoring.h"

namespace reprise::agents {
namespace {

using model::NameOf;
using model::v1::Effect;
using Checked = std::optional<Refusal>;  // Absent: nothing against it.

constexpr char kAskForPlan[] = "make a new plan with `reprise plan`, have it signed, and start it";

std::string Text(const absl::Status& status) {
  return std::string(status.message());
}

Effect Gravest(const plan::v1::PlanHeader& header) {
  Effect gravest = model::v1::EFFECT_READ;
  for (const auto& stage : header.stages()) {
    for (const auto& step : stage.steps()) gravest = std::max(gravest, step.effect());
  }
  return gravest;
}

Checked CheckSignatures(const Case& c, const agent::v1::TaskKey& key, UnixMs now, model::AuthorizedPlan* authorized) {
  const model::Keyring& keyring = c.memory.keyring();
  const auto& plan = c.authority.plan();
  if (plan.statement().empty()) {
    return Refusal{"unsigned", absl::StrCat("no signed statement of plan ", key.plan_id(), " came with the task"),
                   "reconnect the agent; the coordinator sends the statement at the first task of a session"};
  }
  const auto statement = model::PlanStatement::Read(plan.statement());
  if (!statement.ok())
    return Refusal{"bad_proof", absl::StrCat("the plan's statement: ", Text(statement.status())), ""};
  if (statement->plan_id != key.plan_id()) {
    return Refusal{"bad_proof",
                   absl::StrCat("the task names plan ", key.plan_id(), ", its statement plan ", statement->plan_id),
                   ""};
  }
  if (crypto::Sha256(c.authority.header()) != statement->header_sha256) {
    return Refusal{"bad_proof", "the plan's header is not the one whose hash people signed", ""};
  }
  if (statement->expires <= now) {
    return Refusal{"expired",
                   absl::StrCat("the plan expired at ", FormatTime(statement->expires), "; it is ", FormatTime(now),
                                " on this host"),
                   absl::StrCat("check the host's clock; else ", kAskForPlan)};
  }
  if (c.memory.FindPlan(key.plan_id()) == nullptr && statement->expires <= c.memory.forgotten_until()) {
    return Refusal{"expired",
                   absl::StrCat("plans that expire at or before ", FormatTime(c.memory.forgotten_until()),
                                " are past on this host, whatever its clock says now"),
                   absl::StrCat("check the host's clock; else ", kAskForPlan)};
  }
  if (statement->keyring_version > keyring.version()) {
    return Refusal{"keyring",
                   absl::StrCat("the plan was made under keyring version ", statement->keyring_version,
                                "; this agent has version ", keyring.version()),
                   "let the agent reconnect, then retry"};
  }
  const uint32_t needed = keyring.policy().SignaturesFor(statement->effect);
  if (needed > 0 && plan.signatures().empty() && !REPRISE_PLANTED(kUnsignedBelieved)) {
    return Refusal{"unsigned",
                   absl::StrCat("nobody signed plan ", key.plan_id(), ", which needs ", needed,
                                " signature(s) for its effect ", NameOf(statement->effect)),
                   "sign it with `reprise approve`"};
  }
  if (const auto signers = keyring.Signers(plan); !signers.ok()) {
    return Refusal{"bad_signature", Text(signers.status()), kAskForPlan};
  }
  auto checked = model::CheckPlan(keyring, plan, c.authority.header(), now);
  if (!checked.ok()) {
    const auto code = checked.status().code();
    const char* name = code == absl::StatusCode::kPermissionDenied     ? needed > 0 ? "too_few_signatures" : "unsigned"
                       : code == absl::StatusCode::kFailedPrecondition ? "expired"
                                                                       : "bad_proof";
    return Refusal{name, Text(checked.status()), "see `reprise plan` for who must sign, and `reprise approve`"};
  }
  // Signatures are asked for the statement's effect: its steps may not go beyond.
  if (Gravest(checked->header) > statement->effect) {
    return Refusal{"bad_proof",
                   absl::StrCat("the statement says ", NameOf(statement->effect), ", a step says ",
                                NameOf(Gravest(checked->header))),
                   kAskForPlan};
  }
  // What it did here was forgotten with it: it must not be done again.
  if (checked->signers.empty() && c.memory.FindPlan(key.plan_id()) == nullptr &&
      statement->created <= c.memory.unsigned_forgotten_until()) {
    return Refusal{"expired",
                   absl::StrCat("unsigned plans made at or before ", FormatTime(c.memory.unsigned_forgotten_until()),
                                " have given way to newer ones on this host; this one was made at ",
                                FormatTime(statement->created)),
                   "make a new plan with `reprise plan`; one that is signed never gives way"};
  }
  *authorized = *std::move(checked);
  return std::nullopt;
}

Checked CheckLeaf(const Case& c, const model::AuthorizedPlan& plan, plan::v1::HostLeaf* leaf) {
  auto checked = model::CheckLeaf(plan, c.authority, c.memory.host());
  if (checked.ok()) {
    *leaf = *std::move(checked);
    return std::nullopt;
  }
  plan::v1::HostLeaf stranger;
  if (stranger.ParseFromString(c.authority.leaf()) && stranger.host() != c.memory.host()) {
    return Refusal{"wrong_host",
                   absl::StrCat("this part of the plan is for ", stranger.host(), "; this host is ", c.memory.host()),
                   ""};
  }
  return Refusal{"bad_proof", Text(checked.status()), ""};
}

// REQUIRES: effect is more than read.
Checked CheckHostMayChange(const Case& c, const plan::v1::HostLeaf& leaf, Effect effect) {
  const model::HostStatement* own = c.memory.statement();
  const std::string doing = absl::StrCat("a step that does ", NameOf(effect));
  if (own == nullptr) {
    return Refusal{"quarantine", absl::StrCat(doing, " on a host that nobody has admitted"),
                   absl::StrCat("admit it: `reprise host admit ", c.memory.host(), "`")};
  }
  if (own->zone == model::v1::ZONE_QUARANTINE) {
    return Refusal{"quarantine", absl::StrCat(doing, " on a host in the zone quarantine"),
                   absl::StrCat("move it: `reprise host zone ", c.memory.host(), " ZONE`")};
  }
  if (!own->hold.empty()) {
    return Refusal{"hold", absl::StrCat(doing, " on a host under evidence hold: ", own->hold),
                   absl::StrCat("release it when the evidence is kept: `reprise host release ", c.memory.host(), "`")};
  }
  for (const auto asset_class : {own->asset_class, leaf.asset_class()}) {
    if (c.memory.keyring().policy().Protects(asset_class)) {
      return Refusal{
          "protected_class",
          absl::StrCat(doing, " on a ", NameOf(asset_class), ", a class on which nothing but reading is done"),
          "leave it out of the stage's targets, or change policy.protected-classes of the keyring"};
    }
  }
  return std::nullopt;
}

Checked CheckPlace(const Case& c, const plan::v1::HostLeaf& leaf) {
  const model::HostStatement* own = c.memory.statement();
  if (own == nullptr) return std::nullopt;  // Not admitted: only reads come this far, and nothing is known to differ.
  if (own->zone != leaf.zone()) {
    return Refusal{
        "zone",
        absl::StrCat("the plan believes this host in zone ", NameOf(leaf.zone()), "; it is in ", NameOf(own->zone)),
        kAskForPlan};
  }
  if (own->asset_class != leaf.asset_class()) {
    return Refusal{"asset_class",
                   absl::StrCat("the plan believes this host a ", NameOf(leaf.asset_class()), "; it is a ",
                                NameOf(own->asset_class)),
                   kAskForPlan};
  }
  return std::nullopt;
}

// A gate once found open for this plan stays open here: a waiver that runs out does not strand a host half-way.
Checked CheckGates(const Case& c, const model::AuthorizedPlan& plan, const plan::v1::Stage& stage, uint32_t wave,
                   const agent::v1::TaskKey& key, UnixMs now, std::vector<std::string>* open) {
  const PlanMemo* kept = c.memory.FindPlan(key.plan_id());
  for (const plan::v1::Gate* gate : model::GatesBefore(stage, wave)) {
    const bool seen_open = kept != nullptr && kept->run == key.run() && kept->open_gates.contains(gate->name());
    if (!seen_open) {
      const auto verdict = model::CheckGate(c.memory.keyring(), plan.statement, *gate, key.run(), c.gates, now);
      if (!verdict.ok()) {
        return Refusal{"gate_closed", absl::StrCat("gate ", gate->name(), ": ", Text(verdict.status())),
                       absl::StrCat("decide it: `reprise gate approve ", key.run(), " ", gate->name(), "`")};
      }
    }
    open->push_back(gate->name());
  }
  return std::nullopt;
}

// The step and the host's own parameters. REQUIRES: nothing; every index is checked.
struct Found {
  const plan::v1::Stage* stage = nullptr;
  const plan::v1::Step* step = nullptr;
  uint32_t wave = 0;
  Permit permit;
};

absl::StatusOr<Found> FindStep(const plan::v1::PlanHeader& header, const plan::v1::HostLeaf& leaf,
                               const agent::v1::TaskKey& key) {
  const auto missing = [](auto&&... what) { return absl::NotFoundError(absl::StrCat(what...)); };
  const auto placement = std::find_if(leaf.placements().begin(), leaf.placements().end(),
                                      [&](const auto& p) { return p.stage() == key.stage(); });
  if (placement == leaf.placements().end() || key.stage() >= static_cast<uint32_t>(header.stages_size())) {
    return missing("the plan gives this host nothing to do in stage ", key.stage());
  }
  Found found;
  found.wave = placement->wave();
  found.stage = &header.stages(static_cast<int>(key.stage()));
  if (key.step() >= static_cast<uint32_t>(found.stage->steps_size())) {
    return missing("stage ", found.stage->name(), " has no step ", key.step());
  }
  const plan::v1::Step& step = found.stage->steps(static_cast<int>(key.step()));
  found.step = &step;
  if (step.plugin() >= static_cast<uint32_t>(header.plugins_size())) {
    return missing("step ", step.name(), " names a plugin that the plan does not have");
  }
  if (step.effect() == model::v1::EFFECT_UNSPECIFIED) {
    return missing("step ", step.name(), " does not say what its effect is");
  }
  if (key.rollback() && (!step.undoable() || step.effect() == model::v1::EFFECT_READ)) {
    return missing("step ", step.name(), " cannot be undone");
  }
  for (uint32_t after = key.step(); key.rollback() && after < static_cast<uint32_t>(found.stage->steps_size()); ++after) {
    const plan::v1::Step& failing = found.stage->steps(static_cast<int>(after));
    if (failing.on_failure() == model::v1::ON_FAILURE_ROLLBACK) found.permit.undone_after.push_back(after);
  }
  if (key.rollback() && found.permit.undone_after.empty()) {
    return missing("people signed no undoing of step ", step.name(), ": no step from it on says on_failure: rollback");
  }
  const plan::v1::PluginRef& plugin = header.plugins(static_cast<int>(step.plugin()));
  Permit& permit = found.permit;
  permit.effect = step.effect();
  permit.plugin_name = plugin.name();
  permit.plugin_sha256 = plugin.sha256();
  permit.action = step.action();
  permit.params_json = step.params_json();
  for (const auto& own : placement->overrides()) {
    if (own.step() == key.step()) permit.params_json = own.params_json();
  }
  permit.restores = step.has_recovery_point();
  for (const uint32_t index : step.artifacts()) {
    if (index >= static_cast<uint32_t>(header.artifacts_size())) {
      return missing("step ", step.name(), " names an artifact that the plan does not have");
    }
    permit.artifacts.push_back(header.artifacts(static_cast<int>(index)));
  }
  permit.timeout_ms = step.timeout_ms();
  permit.attempts_max = step.attempts_max();
  permit.expires = header.expires_ms();
  return found;
}

// Whatever the coordinator says of backups: the plan itself must name a copy that was proven good, and hold the plugin to it.
Checked CheckRestoring(const Case& c, const model::AuthorizedPlan& plan, const plan::v1::Step& step,
                       const std::string& params_json, UnixMs now) {
  if (!step.has_recovery_point()) return std::nullopt;
  const plan::v1::RecoveryPoint& point = step.recovery_point();
  const absl::Status allowed =
      model::CheckRestore(c.memory.keyring(), point, plan.statement.requester, plan.signers, now);
  if (!allowed.ok()) return Refusal{"verdict", Text(allowed), "see the judged copies: `reprise backup ls`"};
  const auto params = nlohmann::json::parse(params_json, nullptr, /*allow_exceptions=*/false);
  const auto told = params.is_object() ? params.find(model::kManifestParam) : params.end();
  const bool as_judged = params.is_object() && told != params.end() && *told == ToHex(point.manifest_sha256());
  if (!as_judged && !REPRISE_PLANTED(kAnyBytesRestored)) {
    return Refusal{"verdict",
                   absl::StrCat("step ", step.name(), " would restore other bytes than those of ", point.set(), "/",
                                point.point(), ", which were judged"),
                   kAskForPlan};
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<Permit> ReadPermit(const plan::v1::PlanAuthority& authority, const agent::v1::TaskKey& key) {
  plan::v1::PlanHeader header;
  plan::v1::HostLeaf leaf;
  if (!header.ParseFromString(authority.header()) || !leaf.ParseFromString(authority.leaf())) {
    return absl::DataLossError(absl::StrCat("the kept plan cannot be read: ", Describe(key)));
  }
  auto found = FindStep(header, leaf, key);
  if (!found.ok()) return absl::DataLossError(Text(found.status()));
  return std::move(found->permit);
}

Verdict Judge(const Case& c, const agent::v1::TaskKey& key, UnixMs now) {
  if (c.memory.stop().active()) {
    return Refusal{"stopped", absl::StrCat("emergency stop: ", c.memory.stop().reason()),
                   "lift it with `reprise stop lift` when it is safe"};
  }
  model::AuthorizedPlan plan;
  if (Checked against = CheckSignatures(c, key, now, &plan)) return *against;
  if (plan.statement.exercise != c.exercise) {
    return Refusal{"exercise",
                   c.exercise ? "this agent takes part in exercises only, and the plan is for the real thing"
                              : "the plan is an exercise, and this host is the real thing",
                   ""};
  }
  plan::v1::HostLeaf leaf;
  if (Checked against = CheckLeaf(c, plan, &leaf)) return *against;
  absl::StatusOr<Found> found = FindStep(plan.header, leaf, key);
  if (!found.ok()) return Refusal{"unknown_step", Text(found.status()), ""};
  if (found->step->effect() > model::v1::EFFECT_READ) {
    if (Checked against = CheckHostMayChange(c, leaf, found->step->effect())) return *against;
  }
  if (Checked against = CheckPlace(c, leaf)) return *against;

  Permit& permit = found->permit;
  // Undoing goes back through gates that were open when the step was done.
  if (!key.rollback()) {
    if (Checked against = CheckGates(c, plan, *found->stage, found->wave, key, now, &permit.open_gates))
      return *against;
  }
  // What was restored may be undone, whatever is known of the copy by now.
  if (!key.rollback()) {
    if (Checked against = CheckRestoring(c, plan, *found->step, permit.params_json, now)) return *against;
  }
  permit.plugin_signature_needed = plan.signers.empty();
  if (permit.plugin_signature_needed && c.plugin_signature.minisig().empty()) {
    return Refusal{"plugin_unsigned", absl::StrCat("nobody signed this plan nor the plugin ", permit.plugin_name),
                   "sign either: `reprise approve` the plan, or `reprise plugin sign` and `reprise plugin add` again"};
  }
  permit.expires = plan.statement.expires;
  permit.created = plan.statement.created;
  return std::move(permit);
}

Refusal JudgeHistory(const Memory& memory, const Permit& permit, const agent::v1::TaskKey& key) {
  const PlanMemo* plan = memory.FindPlan(key.plan_id());
  const auto undone = [&]() -> Refusal {
    return {"unknown_step", "there is nothing to undo: under this plan the step has changed nothing on this host", ""};
  };
  if (key.attempt() == 0) return {"replayed", "attempts are counted from 1", ""};
  if (!key.rollback() && permit.attempts_max > 0 && key.attempt() > permit.attempts_max) {
    return {"replayed", absl::StrCat("attempt ", key.attempt(), "; this plan allows ", permit.attempts_max),
            kAskForPlan};
  }
  if (plan == nullptr) return key.rollback() ? undone() : Refusal{};
  if (plan->run != key.run()) {
    return {"replayed", absl::StrCat("the plan serves run ", plan->run, " on this host, not run ", key.run()),
            kAskForPlan};
  }
  TaskId id = TaskOf(key);
  if (key.rollback()) {
    const TaskMemo* done = plan->Find({id.stage, id.step, false});
    if (done == nullptr || !done->intended) return undone();
    // Where all is well there is no failure to undo it for.
    const bool all_well = std::all_of(permit.undone_after.begin(), permit.undone_after.end(), [&](uint32_t step) {
      const TaskMemo* after = plan->Find({id.stage, step, false});
      return after != nullptr && after->succeeded;
    });
    if (all_well) {
      return {"unknown_step", "nothing failed on this host after which the step is undone", ""};
    }
  }
  // One attempt at a step at a time, its undoing included.
  for (const auto& [other, attempt] : memory.attempts()) {
    if (other.plan == key.plan_id() && other.task.stage == id.stage && other.task.step == id.step &&
        !attempt.finished) {
      return {"busy", absl::StrCat("still under way: ", Describe(attempt.key)), ""};
    }
  }
  const TaskMemo* task = plan->Find(id);
  if (task == nullptr || REPRISE_PLANTED(kDuplicateRunsAgain)) return {};
  // What only looks may look again, as often as people signed.
  if (task->succeeded && permit.effect != model::v1::EFFECT_READ) {
    return {"replayed", absl::StrCat("already done on this host at attempt ", task->last_attempt), ""};
  }
  if (key.attempt() <= task->last_attempt) {
    return {"replayed", absl::StrCat("attempt ", key.attempt(), " came after attempt ", task->last_attempt), ""};
  }
  if (permit.attempts_max > 0 && task->attempts >= permit.attempts_max) {
    return {"replayed", absl::StrCat("all ", permit.attempts_max, " attempts of this plan are used up"), kAskForPlan};
  }
  return {};
}

std::vector<std::string> PluginKeys(const model::Keyring& keyring) {
  std::vector<std::string> keys;
  for (const auto& [name, person] : keyring.operators()) {
    if (person.active && model::MaySignPlans(person)) keys.push_back(person.key.Base64());
  }
  return keys;
}

}  // namespace reprise::agents
