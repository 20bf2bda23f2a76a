// What the agent knows durably: the fold of its spool's records, as values that the rest of the engine reads.
// Changed by Apply alone, live and at restart, so that what a crash leaves is what was there.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/model/keyring.h"
#include "core/model/statements.h"
#include "reprise/agent/v1/spool.pb.h"

namespace reprise::agents {

struct TaskId {
  uint32_t stage = 0;
  uint32_t step = 0;
  bool rollback = false;
  auto operator<=>(const TaskId&) const = default;
};

struct TaskMemo {
  uint32_t attempts = 0;
  uint32_t last_attempt = 0;
  bool succeeded = false;
  bool intended = false;                    // Its effect was begun and has not been undone.
  std::optional<agent::v1::Finished> last;  // Without evidence and claims.
};

struct PlanMemo {
  uint64_t run = 0;
  UnixMs expires = 0;
  UnixMs created = 0;
  bool is_unsigned = false;  // It only reads, and nobody had signed it.
  plan::v1::PlanAuthority authority;
  std::vector<plan::v1::SignedStatement> gates;
  std::set<std::string> open_gates;
  std::map<TaskId, TaskMemo> tasks;

  const TaskMemo* Find(TaskId id) const;  // nullptr: no attempt was ever accepted.
};

struct AttemptId {
  std::string plan;
  TaskId task;
  uint32_t attempt = 0;
  auto operator<=>(const AttemptId&) const = default;
};
AttemptId IdOf(const agent::v1::TaskKey& key);
TaskId TaskOf(const agent::v1::TaskKey& key);
// "plan edr-7f3a91c2, stage 0, step 1, attempt 2": for messages to people.
std::string Describe(const agent::v1::TaskKey& key);

struct AttemptMemo {
  agent::v1::TaskKey key;
  UnixMs accepted = 0;
  bool intended = false;
  plan::v1::Signature plugin_signature;
  std::optional<agent::v1::Finished> finished;  // Kept whole until acknowledged.
};

class Memory {
 public:
  // FAILED_PRECONDITION: empty; DATA_LOSS: a record is not legal where it stands.
  static absl::StatusOr<Memory> Fold(const std::vector<agent::v1::SpoolRecord>& records);
  absl::Status Apply(const agent::v1::SpoolRecord& record);
  // The fewest records with the same fold.
  std::vector<agent::v1::SpoolRecord> Compact() const;

  const std::string& host() const { return enrolled_.host(); }
  const model::Keyring& keyring() const { return *keyring_; }
  // After version 1.
  const std::vector<plan::v1::SignedStatement>& keyring_chain() const { return keyring_chain_; }
  // The one in force; nullptr: nobody has admitted this host since it joined.
  const model::HostStatement* statement() const { return statement_ ? &*statement_ : nullptr; }
  // The highest that is known, in force or not; 0: none.
  uint64_t statement_serial() const { return statement_ ? statement_->serial : statements_ended_; }
  const agent::v1::StopKept& stop() const { return stop_; }
  UnixMs forgotten_until() const { return forgotten_until_; }                    // By the plan's expiry.
  UnixMs unsigned_forgotten_until() const { return unsigned_forgotten_until_; }  // By the plan's birth.
  const std::map<std::string, PlanMemo>& plans() const { return plans_; }
  const PlanMemo* FindPlan(const std::string& id) const;
  // Accepted and not yet acknowledged.
  const std::map<AttemptId, AttemptMemo>& attempts() const { return attempts_; }
  const AttemptMemo* FindAttempt(const agent::v1::TaskKey& key) const;

 private:
  absl::Status ApplyEnrolled(const agent::v1::Enrolled& enrolled);
  absl::Status ApplyHostStatement(const plan::v1::SignedStatement& statement);
  absl::Status ApplyPlan(const agent::v1::PlanKept& kept);
  absl::Status ApplyGates(const agent::v1::GatesKept& kept);
  absl::Status ApplyAccepted(const agent::v1::AttemptAccepted& accepted);
  absl::Status ApplyIntended(const agent::v1::AttemptIntended& intended);
  absl::Status ApplyFinished(const agent::v1::AttemptFinished& finished);
  absl::Status ApplyTasks(const agent::v1::TasksKept& kept);
  absl::Status ApplyForgotten(const agent::v1::PlansForgotten& forgotten);

  agent::v1::Enrolled enrolled_;
  std::optional<model::Keyring> keyring_;
  std::vector<plan::v1::SignedStatement> keyring_chain_;  // After version 1.
  std::optional<model::HostStatement> statement_;
  plan::v1::SignedStatement statement_bytes_;
  uint64_t statements_ended_ = 0;
  agent::v1::StopKept stop_;
  UnixMs forgotten_until_ = 0;
  UnixMs unsigned_forgotten_until_ = 0;
  std::map<std::string, PlanMemo> plans_;
  std::map<AttemptId, AttemptMemo> attempts_;
};

}  // namespace reprise::agents
