#include "agents/engine/memory.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace reprise::agents {
namespace {

using agent::v1::Finished;
using agent::v1::SpoolRecord;

absl::Status Illegal(const std::string& what) {
  return absl::DataLossError(absl::StrCat("the spool's records do not make sense: ", what));
}

Finished WithoutEvidence(const Finished& finished) {
  Finished slim = finished;
  slim.clear_evidence_json();
  slim.clear_claims();
  slim.clear_verdicts();
  slim.clear_measures();
  return slim;
}

bool Succeeded(const Finished& finished) {
  return finished.outcome() == model::v1::OUTCOME_CHANGED || finished.outcome() == model::v1::OUTCOME_UNCHANGED;
}

}  // namespace

AttemptId IdOf(const agent::v1::TaskKey& key) {
  return {key.plan_id(), TaskOf(key), key.attempt()};
}

TaskId TaskOf(const agent::v1::TaskKey& key) {
  return {key.stage(), key.step(), key.rollback()};
}

std::string Describe(const agent::v1::TaskKey& key) {
  return absl::StrCat("plan ", key.plan_id(), ", stage ", key.stage(), ", step ", key.step(),
                      key.rollback() ? ", rollback" : "", ", attempt ", key.attempt());
}

const TaskMemo* PlanMemo::Find(TaskId id) const {
  const auto found = tasks.find(id);
  return found == tasks.end() ? nullptr : &found->second;
}

const PlanMemo* Memory::FindPlan(const std::string& id) const {
  const auto found = plans_.find(id);
  return found == plans_.end() ? nullptr : &found->second;
}

const AttemptMemo* Memory::FindAttempt(const agent::v1::TaskKey& key) const {
  const auto found = attempts_.find(IdOf(key));
  return found == attempts_.end() ? nullptr : &found->second;
}

absl::StatusOr<Memory> Memory::Fold(const std::vector<SpoolRecord>& records) {
  if (records.empty()) {
    return absl::FailedPreconditionError("this agent was never enrolled; run `reprise-agent join` with a join code");
  }
  Memory memory;
  for (size_t i = 0; i < records.size(); ++i) {
    if (absl::Status status = memory.Apply(records[i]); !status.ok()) {
      return absl::Status(status.code(),
                          absl::StrCat(std::string(status.message()), " (record ", i + 1, " of ", records.size(), ")"));
    }
  }
  return memory;
}

absl::Status Memory::Apply(const SpoolRecord& record) {
  if (!keyring_ && !record.has_enrolled()) return Illegal("the first does not say who this agent is");
  switch (record.kind_case()) {
    case SpoolRecord::kEnrolled:
      return ApplyEnrolled(record.enrolled());
    case SpoolRecord::kKeyringExtended:
      if (absl::Status status = keyring_->Extend(record.keyring_extended()); !status.ok()) {
        return Illegal(absl::StrCat("keyring: ", std::string(status.message())));
      }
      keyring_chain_.push_back(record.keyring_extended());
      return absl::OkStatus();
    case SpoolRecord::kHostStatement:
      return ApplyHostStatement(record.host_statement());
    case SpoolRecord::kPlanKept:
      return ApplyPlan(record.plan_kept());
    case SpoolRecord::kGatesKept:
      return ApplyGates(record.gates_kept());
    case SpoolRecord::kAttemptAccepted:
      return ApplyAccepted(record.attempt_accepted());
    case SpoolRecord::kAttemptIntended:
      return ApplyIntended(record.attempt_intended());
    case SpoolRecord::kAttemptFinished:
      return ApplyFinished(record.attempt_finished());
    case SpoolRecord::kAttemptAcknowledged:
      attempts_.erase(IdOf(record.attempt_acknowledged()));
      return absl::OkStatus();
    case SpoolRecord::kStopKept:
      stop_ = record.stop_kept();
      return absl::OkStatus();
    case SpoolRecord::kPlansForgotten:
      return ApplyForgotten(record.plans_forgotten());
    case SpoolRecord::kTasksKept:
      return ApplyTasks(record.tasks_kept());
    case SpoolRecord::kStatementsEnded:
      statements_ended_ = std::max<uint64_t>(statements_ended_, record.statements_ended().serial());
      if (statement_ && statement_->serial <= statements_ended_) statement_.reset();
      return absl::OkStatus();
    case SpoolRecord::KIND_NOT_SET:
      break;
  }
  return Illegal("one is of a kind that this version does not know; was the agent downgraded?");
}

absl::Status Memory::ApplyEnrolled(const agent::v1::Enrolled& enrolled) {
  if (keyring_) return Illegal("enrolled twice");
  auto keyring = model::Keyring::Found(enrolled.keyring(), enrolled.keyring_fingerprint());
  if (!keyring.ok()) return Illegal(absl::StrCat("keyring: ", std::string(keyring.status().message())));
  keyring_ = *std::move(keyring);
  enrolled_ = enrolled;
  return absl::OkStatus();
}

// The signature was checked before the record was made, under the keyring of that day; a key revoked since does not
// undo what was decided with it.
absl::Status Memory::ApplyHostStatement(const plan::v1::SignedStatement& statement) {
  auto read = model::HostStatement::Read(statement.statement());
  if (!read.ok()) return Illegal(absl::StrCat("host statement: ", std::string(read.status().message())));
  if (read->serial <= statement_serial()) return Illegal("host statement out of order");
  statement_ = *std::move(read);
  statement_bytes_ = statement;
  return absl::OkStatus();
}

absl::Status Memory::ApplyPlan(const agent::v1::PlanKept& kept) {
  PlanMemo& plan = plans_[kept.plan_id()];
  plan.run = kept.run();
  plan.expires = kept.expires_ms();
  plan.created = kept.created_ms();
  plan.is_unsigned = kept.unsigned_();
  plan.authority = kept.authority();
  return absl::OkStatus();
}

absl::Status Memory::ApplyGates(const agent::v1::GatesKept& kept) {
  const auto plan = plans_.find(kept.plan_id());
  if (plan == plans_.end()) return Illegal(absl::StrCat("gates of the unknown plan ", kept.plan_id()));
  plan->second.gates.insert(plan->second.gates.end(), kept.decisions().begin(), kept.decisions().end());
  return absl::OkStatus();
}

absl::Status Memory::ApplyTasks(const agent::v1::TasksKept& kept) {
  const auto plan = plans_.find(kept.plan_id());
  if (plan == plans_.end()) return Illegal(absl::StrCat("tasks of the unknown plan ", kept.plan_id()));
  plan->second.open_gates = {kept.open_gates().begin(), kept.open_gates().end()};
  plan->second.tasks.clear();
  for (const agent::v1::TaskMemory& task : kept.tasks()) {
    TaskMemo& memo = plan->second.tasks[{task.stage(), task.step(), task.rollback()}];
    memo.attempts = task.attempts();
    memo.last_attempt = task.last_attempt();
    memo.succeeded = task.succeeded();
    memo.intended = task.intended();
    if (task.has_last()) memo.last = task.last();
  }
  return absl::OkStatus();
}

absl::Status Memory::ApplyAccepted(const agent::v1::AttemptAccepted& accepted) {
  const agent::v1::TaskKey& key = accepted.key();
  const auto plan = plans_.find(key.plan_id());
  if (plan == plans_.end()) return Illegal(absl::StrCat("accepted without a plan: ", Describe(key)));
  AttemptMemo attempt;
  attempt.key = key;
  attempt.accepted = accepted.at_ms();
  attempt.plugin_signature = accepted.plugin_signature();
  if (!attempts_.emplace(IdOf(key), std::move(attempt)).second) {
    return Illegal(absl::StrCat("accepted twice: ", Describe(key)));
  }
  plan->second.open_gates.insert(accepted.open_gates().begin(), accepted.open_gates().end());
  TaskMemo& memo = plan->second.tasks[TaskOf(key)];
  memo.attempts += 1;
  memo.last_attempt = key.attempt();
  return absl::OkStatus();
}

absl::Status Memory::ApplyIntended(const agent::v1::AttemptIntended& intended) {
  const auto attempt = attempts_.find(IdOf(intended.key()));
  if (attempt == attempts_.end() || attempt->second.finished) {
    return Illegal(absl::StrCat("intended without being accepted: ", Describe(intended.key())));
  }
  attempt->second.intended = true;
  const auto plan = plans_.find(intended.key().plan_id());
  if (plan != plans_.end() && !intended.key().rollback()) plan->second.tasks[TaskOf(intended.key())].intended = true;
  return absl::OkStatus();
}

absl::Status Memory::ApplyFinished(const agent::v1::AttemptFinished& record) {
  const Finished& finished = record.finished();
  const auto attempt = attempts_.find(IdOf(finished.key()));
  if (attempt == attempts_.end() || attempt->second.finished) {
    return Illegal(absl::StrCat("finished without being in flight: ", Describe(finished.key())));
  }
  attempt->second.finished = finished;
  const auto plan = plans_.find(finished.key().plan_id());
  if (plan == plans_.end()) return absl::OkStatus();
  TaskId id = TaskOf(finished.key());
  plan->second.tasks[id].last = WithoutEvidence(finished);
  if (!Succeeded(finished)) return absl::OkStatus();
  if (id.rollback) {
    id.rollback = false;  // Undone: the step may be done again, and then undone again.
    plan->second.tasks[id].succeeded = false;
    plan->second.tasks[id].intended = false;
  } else {
    plan->second.tasks[id].succeeded = true;
  }
  return absl::OkStatus();
}

absl::Status Memory::ApplyForgotten(const agent::v1::PlansForgotten& forgotten) {
  for (const std::string& id : forgotten.plans()) {
    plans_.erase(id);
    std::erase_if(attempts_, [&](const auto& entry) { return entry.first.plan == id; });
  }
  forgotten_until_ = std::max<UnixMs>(forgotten_until_, forgotten.until_ms());
  unsigned_forgotten_until_ = std::max<UnixMs>(unsigned_forgotten_until_, forgotten.unsigned_until_ms());
  return absl::OkStatus();
}

std::vector<SpoolRecord> Memory::Compact() const {
  std::vector<SpoolRecord> records;
  const auto next = [&records]() -> SpoolRecord& { return records.emplace_back(); };
  *next().mutable_enrolled() = enrolled_;
  for (const auto& link : keyring_chain_) *next().mutable_keyring_extended() = link;
  if (statements_ended_ > 0) next().mutable_statements_ended()->set_serial(statements_ended_);
  if (statement_) *next().mutable_host_statement() = statement_bytes_;
  if (stop_.serial() > 0) *next().mutable_stop_kept() = stop_;
  if (forgotten_until_ > 0 || unsigned_forgotten_until_ > 0) {
    agent::v1::PlansForgotten& forgotten = *next().mutable_plans_forgotten();
    forgotten.set_until_ms(forgotten_until_);
    forgotten.set_unsigned_until_ms(unsigned_forgotten_until_);
  }
  for (const auto& [id, plan] : plans_) {
    agent::v1::PlanKept& kept = *next().mutable_plan_kept();
    kept.set_plan_id(id);
    kept.set_run(plan.run);
    kept.set_expires_ms(plan.expires);
    kept.set_created_ms(plan.created);
    kept.set_unsigned_(plan.is_unsigned);
    *kept.mutable_authority() = plan.authority;
    if (plan.gates.empty()) continue;
    agent::v1::GatesKept& gates = *next().mutable_gates_kept();
    gates.set_plan_id(id);
    for (const auto& gate : plan.gates) *gates.add_decisions() = gate;
  }
  for (const auto& [id, attempt] : attempts_) {
    agent::v1::AttemptAccepted& accepted = *next().mutable_attempt_accepted();
    *accepted.mutable_key() = attempt.key;
    accepted.set_at_ms(attempt.accepted);
    if (!attempt.plugin_signature.minisig().empty()) *accepted.mutable_plugin_signature() = attempt.plugin_signature;
    if (attempt.intended) *next().mutable_attempt_intended()->mutable_key() = attempt.key;
    if (attempt.finished) *next().mutable_attempt_finished()->mutable_finished() = *attempt.finished;
  }
  for (const auto& [id, plan] : plans_) {
    agent::v1::TasksKept& kept = *next().mutable_tasks_kept();
    kept.set_plan_id(id);
    for (const auto& gate : plan.open_gates) kept.add_open_gates(gate);
    for (const auto& [task, memo] : plan.tasks) {
      agent::v1::TaskMemory& kept_task = *kept.add_tasks();
      kept_task.set_stage(task.stage);
      kept_task.set_step(task.step);
      kept_task.set_rollback(task.rollback);
      kept_task.set_attempts(memo.attempts);
      kept_task.set_last_attempt(memo.last_attempt);
      kept_task.set_succeeded(memo.succeeded);
      kept_task.set_intended(memo.intended);
      if (memo.last) *kept_task.mutable_last() = *memo.last;
    }
  }
  return records;
}

}  // namespace reprise::agents
