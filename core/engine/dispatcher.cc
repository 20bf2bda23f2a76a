#include "core/engine/dispatcher.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/planted.h"
#include "core/base/text.h"
#include "core/engine/proofs.h"
#include "core/model/authorization.h"
#include "core/model/names.h"
#include "core/model/statements.h"

namespace reprise::engine {
namespace {

using journal::v1::Event;
using journal::v1::TargetRecord;
using model::NameOf;

// The agent measures the step's timeout itself; this much later the coordinator stops believing that it does.
constexpr int64_t kOutcomeGraceMs = 30'000;
// For the answer to a Cancel.
constexpr int64_t kCancelGraceMs = 30'000;

template <typename Message>
Message* About(const RunBook& run, const TargetId& id, Message* message) {
  message->set_run(id.run);
  message->set_stage(id.stage);
  message->set_host(run.stages[id.stage].record->targets(static_cast<int>(id.target)).host());
  return message;
}

const TargetRecord& TargetOf(const RunBook& run, const TargetId& id) {
  return run.stages[id.stage].record->targets(static_cast<int>(id.target));
}

// The agent has seen the gates open, and they stay so on its host: nothing is stranded half-way.
bool HasBegun(const TargetRecord& target) {
  return HoldsPlace(target.state()) || target.task() == model::v1::TASK_STATE_LOST ||
         std::any_of(target.steps().begin(), target.steps().end(),
                     [](const auto& step) { return step.last().outcome() != model::v1::OUTCOME_REFUSED; });
}

// It waits, and its record says for what.
bool IsHeldUp(const TargetRecord& target) {
  return target.state() == model::v1::TARGET_STATE_WAITING && !target.reason().empty();
}

// Of the waivers whose signers are admins still: the others' were signed once, and agents believe them no more. 0: there is
// none.
UnixMs WaiverEnds(const model::Keyring& keyring, const journal::v1::GateRecord& gate) {
  UnixMs ends = 0;
  for (int i = 0; i < gate.decisions_size(); ++i) {
    const model::Operator* signer = keyring.Find(gate.signers(i));
    if (signer == nullptr || !signer->active || !signer->Has(model::v1::ROLE_ADMIN)) continue;
    const auto statement = model::GateStatement::Read(gate.decisions(i).statement());
    if (statement.ok() && statement->waive) ends = std::max(ends, statement->expires);
  }
  return ends;
}

}  // namespace

agent::v1::TaskKey KeyOf(const RunBook& run, const TargetId& id) {
  const TargetRecord& target = TargetOf(run, id);
  agent::v1::TaskKey key;
  key.set_run(id.run);
  key.set_stage(id.stage);
  key.set_step(target.step());
  key.set_attempt(target.attempt());
  key.set_rollback(target.rollback());
  key.set_plan_id(run.record->plan_id());
  return key;
}

void Dispatcher::Move(RunBook& run, const TargetId& id, model::v1::TargetState to, const std::string& code,
                      const std::string& reason) {
  Event event;
  auto* moved = About(run, id, event.mutable_target_moved());
  moved->set_to(to);
  moved->set_code(code);
  moved->set_reason(reason);
  desk_.Emit(std::move(event));
}

UnixMs Dispatcher::Moved(RunBook& run, const TargetId& id, model::v1::TargetState to, const std::string& code,
                         const std::string& reason) {
  Move(run, id, to, code, reason);
  return kNever;
}

void Dispatcher::Lose(RunBook& run, const TargetId& id) {
  Event event;
  auto* lost = About(run, id, event.mutable_task_lost());
  lost->set_step(TargetOf(run, id).step());
  lost->set_attempt(TargetOf(run, id).attempt());
  desk_.Emit(std::move(event));
}

Dispatcher::Upstream Dispatcher::UpstreamOf(const StageBook& stage, RunBook& run, uint32_t leaf) const {
  Upstream worst = Upstream::kSucceeded;
  for (const uint32_t before : stage.ancestors) {
    const int64_t place = run.stages[before].target_of_leaf[leaf];
    if (place < 0) continue;
    const TargetRecord& other = run.stages[before].record->targets(static_cast<int>(place));
    const auto state = other.state();
    if (state == model::v1::TARGET_STATE_SUCCEEDED || other.succeeded_once()) continue;
    worst = std::max(worst, IsEnded(state)                              ? Upstream::kFailed
                            : state == model::v1::TARGET_STATE_DEFERRED ? Upstream::kDeferred
                                                                        : Upstream::kPending);
  }
  return worst;
}

// The agent's own rules (agents/engine/judge.h), seen from here: what it would refuse is not sent.
std::optional<Obstacle> Dispatcher::ObstacleTo(const RunBook& run, const StageBook& stage, const TargetId& id) const {
  const HostBook& host = *stage.hosts[id.target];
  if (!host.connected()) return Obstacle{"unreachable", "the host's agent is not connected"};
  const journal::v1::HostRecord& record = *host.record;
  const plan::v1::HostLeaf& leaf = run.plan->leaves[TargetOf(run, id).host()];
  if (stage.changes_hosts) {
    if (!record.has_statement()) return Obstacle{"not_admitted", "nobody has admitted the host"};
    if (record.zone() == model::v1::ZONE_QUARANTINE)
      return Obstacle{"quarantine", "the host is in the zone quarantine"};
    if (!record.hold().empty() && !REPRISE_PLANTED(kHoldPassedOver)) return Obstacle{"hold", absl::StrCat("evidence hold: ", record.hold())};
    const auto& policy = desk_.keyring()->policy();
    if (policy.Protects(record.asset_class()) || policy.Protects(leaf.asset_class())) {
      return Obstacle{"protected_class",
                      absl::StrCat("nothing but reading is done on a ", NameOf(record.asset_class()))};
    }
  }
  const TargetRecord& target = TargetOf(run, id);
  const plan::v1::Step& step = stage.plan->steps(static_cast<int>(target.step()));
  if (step.has_recovery_point() && !target.rollback()) {
    const std::string against = WhyNotRestore(desk_.book(), run, step, desk_.now());
    if (!against.empty()) return Obstacle{"verdict", against};
  }
  if (!record.has_statement()) return std::nullopt;
  if (record.zone() != leaf.zone()) {
    return Obstacle{"zone", absl::StrCat("the plan believes the host in zone ", NameOf(leaf.zone()), "; it is in ",
                                         NameOf(record.zone()))};
  }
  if (record.asset_class() != leaf.asset_class()) {
    return Obstacle{"asset_class", absl::StrCat("the plan believes the host a ", NameOf(leaf.asset_class()),
                                                "; it is a ", NameOf(record.asset_class()))};
  }
  return std::nullopt;
}

UnixMs Dispatcher::PatienceEnds(const RunBook& run, const TargetId& id, bool silent) const {
  const StageBook& stage = run.stages[id.stage];
  const TargetRecord& target = TargetOf(run, id);
  UnixMs since = stage.record->waves(static_cast<int>(target.wave())).started_ms();
  if (IsInFlight(target.task())) since = std::max<UnixMs>(since, target.dispatched_ms());
  if (silent) {
    // While the coordinator itself was away, nobody could be heard.
    since = std::max(since, desk_.started());
    if (const auto* record = stage.hosts[id.target]->record) since = std::max<UnixMs>(since, record->silent_since_ms());
  }
  return since + stage.plan->unreachable_after_ms();
}

bool Dispatcher::GatesAreOpen(RunBook& run, uint32_t stage, uint32_t wave) {
  if (run.record->gates().empty()) return true;
  bool open = true;
  for (const auto& gate : run.record->gates()) {
    if (gate.stage() != stage || gate.wave() > static_cast<int32_t>(wave)) continue;
    const bool ran_out = gate.state() == model::v1::GATE_STATE_WAIVED && WaiverEnds(*desk_.keyring(), gate) <= desk_.now();
    // Locked: nobody was left behind it when its turn came, and somebody was tried again since.
    if (ran_out || gate.state() == model::v1::GATE_STATE_LOCKED) {
      Event event;
      event.mutable_gate_ready()->set_run(run.id);
      event.mutable_gate_ready()->set_stage(stage);
      event.mutable_gate_ready()->set_wave(gate.wave());
      event.mutable_gate_ready()->set_gate(gate.name());
      desk_.Emit(std::move(event));
    }
    open = open && (gate.state() == model::v1::GATE_STATE_PASSED || gate.state() == model::v1::GATE_STATE_WAIVED);
  }
  return open;
}

void Dispatcher::Reconsider(const TargetId& id) {
  desk_.schedule().SetNotReady(id);
  // A timer that stays as it was costs nothing: most of what is looked at waits for the same moment as before.
  desk_.schedule().WakeAt(id, Consider(id));
}

UnixMs Dispatcher::Consider(const TargetId& id) {
  RunBook& run = *desk_.book().FindRun(id.run);
  StageBook& stage = run.stages[id.stage];
  const TargetRecord& target = TargetOf(run, id);
  if (IsEnded(target.state()) || !IsActive(run.record->state())) return kNever;
  if (!IsInFlight(target.task())) {
    if (run.record->state() == model::v1::RUN_STATE_ABORTING) {
      return Moved(run, id, model::v1::TARGET_STATE_CANCELLED, "aborted", run.record->end_reason());
    }
    if (IsExpired(run)) {
      return Moved(run, id, model::v1::TARGET_STATE_EXPIRED, "expired",
                   absl::StrCat("the plan expired at ", FormatTime(run.plan->statement.expires)));
    }
  }
  if (IsInFlight(target.task())) return Watch(run, id);
  const bool deferred = target.state() == model::v1::TARGET_STATE_DEFERRED;
  const Upstream upstream = UpstreamOf(stage, run, target.host());
  // Before its wave starts too: nobody is asked to open a gate for hosts that will not pass it.
  if (upstream == Upstream::kFailed) {
    return Moved(run, id, model::v1::TARGET_STATE_SKIPPED, "upstream_failed",
                 "the host did not succeed in a stage that comes before");
  }
  if (!model::HasStarted(stage.record->waves(static_cast<int>(target.wave())).state())) return kNever;
  if (upstream == Upstream::kDeferred) {
    if (deferred) return kNever;
    return Moved(run, id, model::v1::TARGET_STATE_DEFERRED, "upstream_deferred",
                 "the host was put off in a stage that comes before");
  }
  const auto obstacle = ObstacleTo(run, stage, id);
  if (deferred) {
    // One that gave no answer is believed again when it opens a new session, or answers.
    if (obstacle || target.code() == "no_answer") return kNever;
    return Moved(run, id, model::v1::TARGET_STATE_WAITING, "returned", "");
  }
  if (upstream == Upstream::kPending) return kNever;
  // It waits where it is: nothing is wrong with the host.
  if (!target.rollback() && !RequirementsHold(desk_.book(), *stage.plan, desk_.now())) return kNever;
  if (obstacle) return PutOff(run, id, *obstacle);
  if (IsHeldUp(target)) Move(run, id, model::v1::TARGET_STATE_WAITING, "returned", "");
  if (target.task() == model::v1::TASK_STATE_BACKING_OFF && target.retry_at_ms() > desk_.now()) {
    return target.retry_at_ms();
  }
  const uint32_t per_host_max =
      std::max(1u, run.plan->header.limits().per_host_max()) + (REPRISE_PLANTED(kPerHostOffByOne) ? 1 : 0);
  if (stage.hosts[id.target]->in_flight >= per_host_max) {
    stage.hosts[id.target]->crowded = true;  // Looked at again when one of them ends.
    return kNever;
  }
  if (!HasBegun(target) && !GatesAreOpen(run, id.stage, target.wave())) return kNever;
  desk_.schedule().SetReady(id, {!HoldsPlace(target.state()), target.step(), target.rollback()});
  return kNever;
}

// The task is sent: it ends, or its time does.
UnixMs Dispatcher::Watch(RunBook& run, const TargetId& id) {
  const TargetRecord& target = TargetOf(run, id);
  if (run.stages[id.stage].hosts[id.target]->connected()) {
    if (desk_.now() < target.deadline_ms()) return target.deadline_ms();
    if (desk_.now() < target.deadline_ms() + kCancelGraceMs) {
      SendCancel(run, id, "no outcome in time");
      return target.deadline_ms() + kCancelGraceMs;
    }
    Lose(run, id);
    return Moved(run, id, model::v1::TARGET_STATE_DEFERRED, "no_answer",
                 "the agent is connected and gives no outcome, not even when asked to end the task");
  }
  const UnixMs at = PatienceEnds(run, id, /*silent=*/true);
  if (desk_.now() < at) return at;
  Lose(run, id);
  return PutOff(run, id, {"unreachable", "the host fell silent in mid-task; what it reached is not known"});
}

UnixMs Dispatcher::PutOff(RunBook& run, const TargetId& id, const Obstacle& obstacle) {
  const TargetRecord& target = TargetOf(run, id);
  const bool silent = !run.stages[id.stage].hosts[id.target]->connected();
  const UnixMs at = PatienceEnds(run, id, silent);
  const bool told = target.reason() == obstacle.reason;
  if (desk_.now() < at) {
    // Silence may be over in a moment. Anything else is for people to see, and to mend before it is put off.
    if (!silent && !told && target.state() == model::v1::TARGET_STATE_WAITING) {
      Move(run, id, model::v1::TARGET_STATE_WAITING, obstacle.code, obstacle.reason);
    }
    return at;
  }
  if (run.stages[id.stage].plan->unreachable() != model::v1::UNREACHABLE_WAIT) {
    return Moved(run, id, model::v1::TARGET_STATE_DEFERRED, obstacle.code, obstacle.reason);
  }
  // The wave waits for it, but its place is free for others; why is there to be read.
  if (HoldsPlace(target.state()) || !told) {
    Move(run, id, model::v1::TARGET_STATE_WAITING, obstacle.code, obstacle.reason);
  }
  return kNever;
}

// ---- sending ----

bool Dispatcher::TokensAreFree(const RunBook& run, const StageBook& stage, uint32_t step) const {
  return std::all_of(stage.tokens[step].begin(), stage.tokens[step].end(), [&](const auto& token) {
    const uint32_t wanted = REPRISE_PLANTED(kTokenOverGiven) ? 0 : token.second;
    return run.tokens_used[token.first] + wanted <= run.plan->header.capacities(static_cast<int>(token.first)).amount();
  });
}

void Dispatcher::Dispatch(RunBook& run) {
  const auto may_send = [&] {
    const auto state = run.record->state();
    const bool spared = REPRISE_PLANTED(kPauseSparesTheBegun) && state == model::v1::RUN_STATE_PAUSED && run.places > 0;
    return (state == model::v1::RUN_STATE_RUNNING || state == model::v1::RUN_STATE_CATCHING_UP || spared) &&
           !desk_.stopped() && !IsExpired(run);
  };
  if (!may_send()) return;
  const auto full = [](uint32_t used, uint32_t max) { return max > 0 && used >= max; };
  for (uint32_t s = 0; s < run.stages.size(); ++s) {
    const StageBook& stage = run.stages[s];
    // A class may vanish while it is served, so the next one is looked up each time.
    ReadyClass next;
    for (const ReadySet* ready = &desk_.schedule().Ready(run.id, s);;) {
      const auto found = ready->lower_bound(next);
      if (found == ready->end()) break;
      const ReadyClass ready_class = found->first;
      const bool no_place = ready_class.needs_place && (full(stage.places, stage.plan->in_flight_max()) ||
                                                        full(run.places, run.plan->header.limits().in_flight_max()));
      if (no_place) break;  // All further classes need a place too.
      if (!TokensAreFree(run, stage, ready_class.step)) {
        const auto after = ready->upper_bound(ready_class);
        if (after == ready->end()) break;
        next = after->first;
        continue;
      }
      next = ready_class;
      const TargetId id = {run.id, s, *found->second.begin()};
      // Its host may have been given another task a moment ago, or a waiver run out.
      const auto before = TargetOf(run, id).state();
      Reconsider(id);
      // Put off instead, which may be a failure: the budget is looked at before anything else is sent.
      if (TargetOf(run, id).state() != before) return;
      const auto again = ready->find(ready_class);
      if (again == ready->end() || !again->second.contains(id.target)) continue;
      Start(run, id);
      // It failed instead: the budget is looked at before anything else is sent.
      if (IsEnded(TargetOf(run, id).state())) return;
    }
  }
}

void Dispatcher::Start(RunBook& run, const TargetId& id) {
  const TargetRecord& target = TargetOf(run, id);
  const StageBook& stage = run.stages[id.stage];
  const plan::v1::Step& step = stage.plan->steps(static_cast<int>(target.step()));
  // What is lost is sent again under its own number: the agent knows whether it had it.
  const bool again = target.task() == model::v1::TASK_STATE_LOST && !REPRISE_PLANTED(kLostSentAsNew);
  const uint32_t attempt = target.attempt() + (again ? 0 : 1);
  if (!target.rollback() && step.attempts_max() > 0 && attempt > step.attempts_max()) {
    desk_.schedule().SetNotReady(id);
    return Move(run, id, model::v1::TARGET_STATE_FAILED, kAttemptsExhausted,
                absl::StrCat("step ", step.name(), " was tried ", target.attempt(),
                             " times, which is all that the plan allows"));
  }
  Event event;
  auto* dispatched = About(run, id, event.mutable_task_dispatched());
  dispatched->set_step(target.step());
  dispatched->set_attempt(attempt);
  dispatched->set_rollback(target.rollback());
  dispatched->set_deadline_ms(desk_.now() + step.timeout_ms() + stage.grace_ms[target.step()] + kOutcomeGraceMs);
  desk_.Emit(std::move(event));
  desk_.schedule().SetNotReady(id);
  Send(run, id);
}

void Dispatcher::Send(RunBook& run, const TargetId& id) {
  const TargetRecord& target = TargetOf(run, id);
  const StageBook& stage = run.stages[id.stage];
  const HostBook& host = *stage.hosts[id.target];
  SessionMemory& session = desk_.SessionOf(host);
  agent::v1::CoordinatorMessage message;
  agent::v1::Task& task = *message.mutable_task();
  *task.mutable_key() = KeyOf(run, id);
  const auto& signatures = run.plan_record->signatures();
  if (session.plans.insert(run.record->plan_id()).second) {
    *task.mutable_authority() = run.plan->AuthorityFor(target.host(), {signatures.begin(), signatures.end()});
  }
  for (const auto& gate : run.record->gates()) {
    if (gate.stage() != id.stage || gate.wave() > static_cast<int32_t>(target.wave())) continue;
    int& sent = session.gates[{run.id, gate.name()}];
    for (; sent < gate.decisions_size(); ++sent) *task.add_gates() = gate.decisions(sent);
  }
  if (run.plan->header.effect() == model::v1::EFFECT_READ) {
    const auto& plugin =
        run.plan->header.plugins(static_cast<int>(stage.plan->steps(static_cast<int>(target.step())).plugin()));
    if (const plan::v1::BlobInfo* blob = desk_.book().FindBlob("plugin", plugin.sha256())) {
      *task.mutable_plugin() = *blob;
      task.mutable_plugin()->clear_descriptor_json();
    }
  }
  desk_.Send(host, std::move(message));
}

void Dispatcher::SendCancel(RunBook& run, const TargetId& id, const std::string& reason) {
  const HostBook& host = *run.stages[id.stage].hosts[id.target];
  const std::pair<uint32_t, uint32_t> attempt = {TargetOf(run, id).step(), TargetOf(run, id).attempt()};
  auto& asked = desk_.SessionOf(host).cancelled[id];
  if (asked == attempt) return;
  asked = attempt;
  agent::v1::CoordinatorMessage message;
  *message.mutable_cancel()->mutable_key() = KeyOf(run, id);
  message.mutable_cancel()->set_reason(reason);
  desk_.Send(host, std::move(message));
}

}  // namespace reprise::engine
