#include "agents/engine/attempts.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/planted.h"
#include "core/base/text.h"
#include "core/model/size_limits.h"

namespace reprise::agents {
namespace {

using agent::v1::Finished;
using agent::v1::SpoolRecord;
using agent::v1::TaskKey;

constexpr int64_t kTimeoutDefaultMs = 10 * 60 * 1000;
constexpr int64_t kProgressEveryMs = 1000;
constexpr char kUnknownReach[] = " (in mid-action: what was reached is not known)";

Course::Purpose PurposeOf(const Permit& permit, bool rollback, bool intended) {
  if (rollback) return intended ? Course::Purpose::kRecoverUndo : Course::Purpose::kUndo;
  if (permit.effect == model::v1::EFFECT_READ) return Course::Purpose::kRead;
  return intended ? Course::Purpose::kRecover : Course::Purpose::kDo;
}

agent::v1::AgentMessage AcceptedMessage(const TaskKey& key) {
  agent::v1::AgentMessage message;
  *message.mutable_accepted()->mutable_key() = key;
  return message;
}

}  // namespace

void Attempts::OnTask(const agent::v1::Task& task) {
  const TaskKey& key = task.key();
  if (const Refusal another = plans_.CheckIdentity(task); !another.code.empty()) {
    // A refusal would be taken for the outcome of what is at work here by that number.
    if (desk_.memory().FindAttempt(key) != nullptr) return desk_.Note(absl::StrCat(Describe(key), ": ", another.reason));
    if (!refusals_.SayAgain(task)) refusals_.Refuse(task, another);
    return;
  }
  plans_.TakeOffer(task);
  if (Redelivered(key) || refusals_.SayAgain(task)) return;
  const Case the_case = plans_.CaseFor(key, task.plugin().signature());
  const Verdict verdict = Judge(the_case, key, desk_.now());
  if (const auto* refusal = std::get_if<Refusal>(&verdict)) return refusals_.Refuse(task, *refusal);
  const Permit& permit = std::get<Permit>(verdict);
  if (const Refusal refusal = JudgeHistory(desk_.memory(), permit, key); !refusal.code.empty()) {
    return refusals_.Refuse(task, refusal);
  }
  if (const Refusal refusal = JudgeRoom(key, permit); !refusal.code.empty()) return refusals_.Refuse(task, refusal);
  Accept(task, the_case, permit);
}

// Counted apart: what nobody signed leaves the room of what people signed alone.
Refusal Attempts::JudgeRoom(const TaskKey& key, const Permit& permit) {
  const bool is_unsigned = permit.plugin_signature_needed;
  const char* kind = is_unsigned ? " of unsigned plans" : "";
  const auto underway = static_cast<size_t>(std::count_if(underway_.begin(), underway_.end(), [&](const auto& entry) {
    return entry.second.permit.plugin_signature_needed == is_unsigned;
  }));
  if (underway >= (is_unsigned ? kUnsignedInFlightMax : kAttemptsInFlightMax)) {
    return {"busy", absl::StrCat(underway, " attempts", kind, " are under way on this host"), "retry later"};
  }
  if (!plans_.MakeRoom(key.plan_id(), is_unsigned)) {
    return {"busy", absl::StrCat(is_unsigned ? kUnsignedPlansMax : kPlansMax, " plans are remembered until they expire"),
            "retry later"};
  }
  return {};
}

// The same attempt again gets the same answer again, whatever has changed since.
bool Attempts::Redelivered(const TaskKey& key) {
  if (const AttemptMemo* attempt = desk_.memory().FindAttempt(key)) {
    if (attempt->key.run() != key.run()) return false;
    if (attempt->finished) {
      desk_.Say(*attempt->finished);
    } else {
      desk_.Say(AcceptedMessage(key));
    }
    return true;
  }
  if (REPRISE_PLANTED(kDuplicateRunsAgain)) return false;
  const PlanMemo* plan = desk_.memory().FindPlan(key.plan_id());
  const TaskMemo* task = plan == nullptr || plan->run != key.run() ? nullptr : plan->Find(TaskOf(key));
  if (task == nullptr || !task->last || task->last->key().attempt() != key.attempt()) return false;
  desk_.Say(*task->last);
  return true;
}

void Attempts::Accept(const agent::v1::Task& task, const Case& the_case, const Permit& permit) {
  plans_.Keep(task.key(), the_case, permit);
  SpoolRecord record;
  auto& accepted = *record.mutable_attempt_accepted();
  *accepted.mutable_key() = task.key();
  accepted.set_at_ms(desk_.now());
  for (const std::string& gate : permit.open_gates) accepted.add_open_gates(gate);
  if (permit.plugin_signature_needed) *accepted.mutable_plugin_signature() = task.plugin().signature();
  desk_.Keep(std::move(record));
  desk_.Say(AcceptedMessage(task.key()));
  Start(IdOf(task.key()), permit, task.plugin().signature(), PurposeOf(permit, task.key().rollback(), false),
        desk_.now());
}

void Attempts::Resume() {
  std::vector<AttemptId> ids;
  for (const auto& [id, attempt] : desk_.memory().attempts()) {
    if (!attempt.finished) ids.push_back(id);
  }
  for (const AttemptId& id : ids) {
    const AttemptMemo attempt = desk_.memory().attempts().at(id);
    const PlanMemo* plan = desk_.memory().FindPlan(id.plan);
    // It was judged when it was accepted; before an effect begins it is judged again. To look is always allowed.
    absl::StatusOr<Permit> permit =
        plan == nullptr ? absl::DataLossError("its plan is not kept") : ReadPermit(plan->authority, attempt.key);
    if (permit.ok() && !desk_.memory().stop().active()) {
      permit->plugin_signature_needed = !attempt.plugin_signature.minisig().empty();
      const auto purpose = PurposeOf(*permit, attempt.key.rollback(), attempt.intended);
      Start(id, *std::move(permit), attempt.plugin_signature, purpose, desk_.now());
      continue;
    }
    underway_.emplace(id, Underway{.key = attempt.key});
    Ending ending;
    ending.outcome = attempt.intended ? model::v1::OUTCOME_INTERRUPTED : model::v1::OUTCOME_CANCELLED;
    ending.code = permit.ok() ? "stopped" : "interrupted";
    ending.reason = permit.ok() ? absl::StrCat("emergency stop: ", desk_.memory().stop().reason())
                                : std::string(permit.status().message());
    if (attempt.intended) ending.reason += kUnknownReach;
    End(id, ending);
  }
}

void Attempts::Start(const AttemptId& id, Permit permit, const plan::v1::Signature& plugin_signature,
                     Course::Purpose purpose, UnixMs received) {
  const TaskKey key = desk_.memory().attempts().at(id).key;
  Underway attempt{.key = key, .permit = std::move(permit), .course = Course(purpose), .received = received};
  Fetch(underway_.emplace(id, std::move(attempt)).first->second, plugin_signature);
}

void Attempts::Fetch(Underway& attempt, const plan::v1::Signature& plugin_signature) {
  FetchFiles fetch;
  fetch.id = desk_.NextId();
  WantedFile plugin;
  plugin.name = attempt.permit.plugin_name;
  plugin.sha256 = attempt.permit.plugin_sha256;
  if (attempt.permit.plugin_signature_needed) {
    plugin.minisig = plugin_signature.minisig();
    plugin.keys = PluginKeys(desk_.memory().keyring());
  }
  fetch.files.push_back(std::move(plugin));
  for (const auto& artifact : attempt.permit.artifacts) {
    fetch.files.push_back({artifact.name(), artifact.sha256(), artifact.size(), "", {}});
  }
  attempt.waits_for = fetch.id;
  attempt.fetching = true;
  desk_.Do(std::move(fetch));
}

AttemptId Attempts::WaitingFor(uint64_t id, bool fetching) const {
  for (const auto& [attempt_id, attempt] : underway_) {
    if (attempt.waits_for == id && attempt.fetching == fetching) return attempt_id;
  }
  return {};
}

bool Attempts::OnFiles(const FilesReady& files) {
  const AttemptId id = WaitingFor(files.id, /*fetching=*/true);
  if (id.plan.empty()) return false;
  Underway& attempt = underway_.at(id);
  attempt.fetching = false;
  attempt.waits_for = 0;
  if (files.ok) {
    Take(id, attempt.course.Begin());
    return true;
  }
  Ending ending;
  // What an earlier life began cannot be looked at without the plugin: its fate stays unknown.
  const bool begun = desk_.memory().attempts().at(id).intended;
  ending.outcome = begun                              ? model::v1::OUTCOME_INTERRUPTED
                   : files.code == "plugin_signature" ? model::v1::OUTCOME_REFUSED
                                                      : model::v1::OUTCOME_FAILED;
  ending.code = files.code == "plugin_signature" ? "plugin_unsigned" : BoundedText(files.code, 64);
  ending.reason = BoundedText(absl::StrCat("files: ", files.message), 2048);
  End(id, ending);
  return true;
}

bool Attempts::OnVerbEnded(const VerbResult& result) {
  const AttemptId id = WaitingFor(result.id, /*fetching=*/false);
  if (id.plan.empty()) return false;
  Underway& attempt = underway_.at(id);
  attempt.waits_for = 0;
  if (attempt.start_delay_us == 0 && result.start_delay_us > 0) {
    attempt.start_delay_us = (attempt.began - attempt.received) * 1000 + result.start_delay_us;
  }
  if (REPRISE_PLANTED(kIntentAfterApply) && attempt.course.verb() > model::v1::VERB_PLAN) KeepIntent(attempt);
  CourseStep step = attempt.course.After(result);
  const bool natural_end = result.end == VerbEnd::kDone && step.kind == CourseStep::Kind::kEnd;
  if (!attempt.end_code.empty() && !natural_end) {
    step = {};
    step.ending.outcome = model::v1::OUTCOME_CANCELLED;
    step.ending.code = attempt.end_code;
    step.ending.reason = attempt.end_reason;
    if (desk_.memory().attempts().at(id).intended) step.ending.reason += kUnknownReach;
  }
  Take(id, step);
  return true;
}

bool Attempts::OnProgress(const VerbProgress& progress) {
  const AttemptId id = WaitingFor(progress.id, /*fetching=*/false);
  if (id.plan.empty()) return false;
  Underway& attempt = underway_.at(id);
  // The clock may have been set back: then say it at once rather than never.
  const int64_t since = desk_.now() - attempt.progress_said;
  if (since >= 0 && since < kProgressEveryMs) return true;
  attempt.progress_said = desk_.now();
  agent::v1::AgentMessage message;
  auto& said = *message.mutable_progress();
  *said.mutable_key() = attempt.key;
  said.set_verb(attempt.course.verb());
  said.set_fraction(progress.fraction);
  said.set_text(BoundedText(progress.text, 256));
  desk_.Say(std::move(message));
  return true;
}

void Attempts::Take(const AttemptId& id, const CourseStep& step) {
  Underway& attempt = underway_.at(id);
  switch (step.kind) {
    case CourseStep::Kind::kEnd:
      return End(id, step.ending);
    case CourseStep::Kind::kVerb:
      return StartVerb(attempt, step.verb);
    case CourseStep::Kind::kIntendThenVerb:
      break;
  }
  // Files and probe took their time: a hold, a stop, a revoked key or the expiry may have come since.
  const auto& memo = desk_.memory().attempts().at(id);
  const Verdict verdict = Judge(plans_.CaseFor(attempt.key, memo.plugin_signature), attempt.key, desk_.now());
  const bool unasked = REPRISE_PLANTED(kNotJudgedAgain) || REPRISE_PLANTED(kStopForgetsTheMailbox);
  if (const auto* refusal = std::get_if<Refusal>(&verdict); refusal != nullptr && !unasked) {
    Ending ending;
    ending.outcome = model::v1::OUTCOME_REFUSED;
    ending.code = refusal->code;
    ending.reason = refusal->reason;
    ending.hint = refusal->hint;
    return End(id, ending);
  }
  if (!REPRISE_PLANTED(kIntentAfterApply)) KeepIntent(attempt);
  StartVerb(attempt, step.verb);
}

void Attempts::KeepIntent(const Underway& attempt) {
  SpoolRecord record;
  *record.mutable_attempt_intended()->mutable_key() = attempt.key;
  desk_.Keep(std::move(record));
}

void Attempts::StartVerb(Underway& attempt, model::v1::Verb verb) {
  if (attempt.began == 0) {
    attempt.began = desk_.now();
    const int64_t wanted = attempt.permit.timeout_ms;
    const int64_t timeout = wanted > 0 ? std::min(wanted, model::kDurationMax) : kTimeoutDefaultMs;
    attempt.deadline = desk_.now() + timeout;
    // Nobody but the coordinator chose how long it takes: not beyond the plan's own end.
    if (attempt.permit.plugin_signature_needed) attempt.deadline = std::min(attempt.deadline, attempt.permit.expires);
  }
  VerbRequest request;
  request.id = desk_.NextId();
  request.verb = verb;
  request.plugin_sha256 = attempt.permit.plugin_sha256;
  request.action = attempt.permit.action;
  request.params_json = attempt.permit.params_json;
  for (const auto& artifact : attempt.permit.artifacts)
    request.artifacts.emplace_back(artifact.name(), artifact.sha256());
  request.attempt = attempt.key.attempt();
  request.effect_max = attempt.permit.effect;
  request.restores = attempt.permit.restores;
  request.deadline = attempt.deadline;
  attempt.waits_for = request.id;
  attempt.progress_said = 0;
  desk_.Do(agents::StartVerb{std::move(request)});
}

void Attempts::OnAcknowledged(const TaskKey& key) {
  const AttemptMemo* attempt = desk_.memory().FindAttempt(key);
  if (attempt == nullptr || !attempt->finished || attempt->key.run() != key.run()) return;
  SpoolRecord record;
  *record.mutable_attempt_acknowledged() = key;
  desk_.Keep(std::move(record));
}

void Attempts::OnCancel(const agent::v1::Cancel& cancel) {
  const AttemptId id = IdOf(cancel.key());
  const auto attempt = underway_.find(id);
  if (attempt == underway_.end() || attempt->second.key.run() != cancel.key().run()) {
    Redelivered(cancel.key());  // It has ended: the outcome answers.
    return;
  }
  EndEarly(id, "cancelled", BoundedText(cancel.reason(), 512));
}

void Attempts::EndEarly(const AttemptId& id, const std::string& code, const std::string& reason) {
  Underway& attempt = underway_.at(id);
  if (!attempt.end_code.empty() && code != "stopped") return;
  const bool first = attempt.end_code.empty();
  attempt.end_code = code;
  attempt.end_reason = reason;
  if (!attempt.fetching) {
    if (first) desk_.Do(KillVerb{attempt.waits_for, reason});
    return;
  }
  desk_.Do(DropFetch{attempt.waits_for});
  Ending ending;
  ending.outcome = model::v1::OUTCOME_CANCELLED;
  ending.code = code;
  ending.reason = reason;
  if (desk_.memory().attempts().at(id).intended) ending.reason += kUnknownReach;
  End(id, ending);
}

uint32_t Attempts::StopAll(const std::string& reason) {
  const uint32_t running = static_cast<uint32_t>(VerbsRunning());
  std::vector<AttemptId> ids;
  for (const auto& [id, attempt] : underway_) {
    if (REPRISE_PLANTED(kStopForgetsTheMailbox) && attempt.fetching) continue;
    ids.push_back(id);
  }
  for (const AttemptId& id : ids) EndEarly(id, "stopped", reason);
  return running;
}

void Attempts::End(const AttemptId& id, const Ending& ending) {
  const Underway attempt = std::move(underway_.at(id));
  underway_.erase(id);
  SpoolRecord record;
  Finished& finished = *record.mutable_attempt_finished()->mutable_finished();
  *finished.mutable_key() = attempt.key;
  Tell(ending, attempt.permit.plugin_name, finished);
  finished.set_started_ms(attempt.began != 0 ? attempt.began : desk_.now());
  finished.set_duration_ms(attempt.began != 0 ? std::max<int64_t>(0, desk_.now() - attempt.began) : 0);
  finished.set_start_delay_us(attempt.start_delay_us);
  desk_.Say(finished);
  desk_.Keep(std::move(record));
}

std::vector<TaskKey> Attempts::InFlight() const {
  std::vector<TaskKey> keys;
  for (const auto& [id, attempt] : desk_.memory().attempts()) {
    if (!attempt.finished) keys.push_back(attempt.key);
  }
  return keys;
}

std::vector<Finished> Attempts::Unacknowledged() const {
  std::vector<Finished> all;
  for (const auto& [id, attempt] : desk_.memory().attempts()) {
    if (attempt.finished) all.push_back(*attempt.finished);
  }
  // What a later look found is to be believed over an earlier one.
  std::stable_sort(all.begin(), all.end(), [](const Finished& a, const Finished& b) {
    return a.started_ms() + a.duration_ms() < b.started_ms() + b.duration_ms();
  });
  return all;
}

size_t Attempts::VerbsRunning() const {
  return static_cast<size_t>(std::count_if(underway_.begin(), underway_.end(), [](const auto& entry) {
    return !entry.second.fetching && entry.second.waits_for != 0;
  }));
}

}  // namespace reprise::agents
