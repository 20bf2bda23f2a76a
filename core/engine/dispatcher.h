// Which target may go on, waits, is put off or given up, and the sending of what may go. Looks at one target at a time,
// whenever something about it, its host or its run was touched, or its time has come.
// Internal to core/engine.
#pragma once

#include <optional>
#include <string>

#include "core/engine/desk.h"

namespace reprise::engine {

// Why a host cannot be worked on now: for programs and for people.
struct Obstacle {
  const char* code = "";
  std::string reason;
};

class Dispatcher {
 public:
  explicit Dispatcher(Desk& desk) : desk_(desk) {}

  // Moves the target where it belongs now, and puts it into the schedule.
  void Reconsider(const TargetId& id);
  // Sends what the run's limits allow.
  void Dispatch(RunBook& run);
  void SendCancel(RunBook& run, const TargetId& id, const std::string& reason);
  void Move(RunBook& run, const TargetId& id, model::v1::TargetState to, const std::string& code,
            const std::string& reason);
  // Its fate is unknown until the agent speaks.
  void Lose(RunBook& run, const TargetId& id);
  bool IsExpired(const RunBook& run) const { return desk_.now() >= run.plan->statement.expires; }

 private:
  // Of the same host in the stages before.
  enum class Upstream { kSucceeded, kPending, kDeferred, kFailed };
  Upstream UpstreamOf(const StageBook& stage, RunBook& run, uint32_t leaf) const;
  std::optional<Obstacle> ObstacleTo(const RunBook& run, const StageBook& stage, const TargetId& id) const;
  // Each gives when time alone will change something for the target; kNever: what changes it will touch it.
  UnixMs Consider(const TargetId& id);
  UnixMs Watch(RunBook& run, const TargetId& id);
  UnixMs PutOff(RunBook& run, const TargetId& id, const Obstacle& obstacle);
  UnixMs Moved(RunBook& run, const TargetId& id, model::v1::TargetState to, const std::string& code,
               const std::string& reason);
  UnixMs PatienceEnds(const RunBook& run, const TargetId& id, bool silent) const;
  // Every gate in front of the target's wave. One whose waiver ran out closes again.
  bool GatesAreOpen(RunBook& run, uint32_t stage, uint32_t wave);
  bool TokensAreFree(const RunBook& run, const StageBook& stage, uint32_t step) const;
  void Start(RunBook& run, const TargetId& id);
  void Send(RunBook& run, const TargetId& id);

  Desk& desk_;
};

// The key by which coordinator and agent call the task at work on a target.
agent::v1::TaskKey KeyOf(const RunBook& run, const TargetId& id);

}  // namespace reprise::engine
