// The attempts under way: judged, accepted, carried through their course, ended, acknowledged.
// Internal to agents/engine; what it knows beyond the memory (which verb runs, what was fetched) dies with the process.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agents/engine/course.h"
#include "agents/engine/desk.h"
#include "agents/engine/judge.h"
#include "agents/engine/plan_keeper.h"
#include "agents/engine/refusals.h"

namespace reprise::agents {

class Attempts {
 public:
  explicit Attempts(Desk& desk) : desk_(desk), refusals_(desk), plans_(desk) {}

  // Takes up what the former life accepted and did not end.
  void Resume();
  void OnTask(const agent::v1::Task& task);
  void OnAcknowledged(const agent::v1::TaskKey& key);
  void OnCancel(const agent::v1::Cancel& cancel);
  // Ends everything; gives the number of verbs that were running.
  uint32_t StopAll(const std::string& reason);
  // False: not one of its own.
  bool OnFiles(const FilesReady& files);
  bool OnVerbEnded(const VerbResult& result);
  bool OnProgress(const VerbProgress& progress);
  void OnDisconnected() {
    plans_.DropOffers();
    refusals_.Forget();
  }

  PlanKeeper& plans() { return plans_; }

  std::vector<agent::v1::TaskKey> InFlight() const;
  std::vector<agent::v1::Finished> Unacknowledged() const;
  size_t VerbsRunning() const;

 private:
  struct Underway {
    agent::v1::TaskKey key = {};
    Permit permit = {};
    Course course = Course(Course::Purpose::kDo);
    uint64_t waits_for = 0;  // Id of a fetch or of a verb.
    bool fetching = false;
    UnixMs received = 0;
    UnixMs began = 0;  // First verb; 0: none yet.
    UnixMs deadline = 0;
    int64_t start_delay_us = 0;
    UnixMs progress_said = 0;
    std::string end_code = {};  // Not empty: it is being ended (cancelled, stopped).
    std::string end_reason = {};
  };
  bool Redelivered(const agent::v1::TaskKey& key);
  // Empty code: there is room, made if need be.
  Refusal JudgeRoom(const agent::v1::TaskKey& key, const Permit& permit);
  void Accept(const agent::v1::Task& task, const Case& the_case, const Permit& permit);
  void Start(const AttemptId& id, Permit permit, const plan::v1::Signature& plugin_signature, Course::Purpose purpose,
             UnixMs received);
  void Fetch(Underway& attempt, const plan::v1::Signature& plugin_signature);
  void Take(const AttemptId& id, const CourseStep& step);
  void KeepIntent(const Underway& attempt);
  void StartVerb(Underway& attempt, model::v1::Verb verb);
  void EndEarly(const AttemptId& id, const std::string& code, const std::string& reason);
  void End(const AttemptId& id, const Ending& ending);
  AttemptId WaitingFor(uint64_t id, bool fetching) const;

  Desk& desk_;
  std::map<AttemptId, Underway> underway_;
  Refusals refusals_;
  PlanKeeper plans_;
};

}  // namespace reprise::agents
