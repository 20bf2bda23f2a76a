// Operators with real keys, at random moments and not always wisely: they start runs, pause, resume, abort, retry,
// approve gates, raise and lift the stop, hold and release hosts. Later, when the faults are over, they help the work
// to its end.
#pragma once

#include <string>
#include <vector>

#include "tests/sim/clockwork.h"
#include "tests/sim/coordinator_node.h"
#include "tests/sim/witness.h"
#include "tests/unit/core/engine/plan_draft.h"

namespace reprise::sim {

class PeopleAtWork {
 public:
  PeopleAtWork(Clockwork& clockwork, CoordinatorNode& coordinator, Witness& witness,
               std::vector<engine::testing::PlanDraft>& drafts, engine::testing::People& people)
      : clockwork_(clockwork), coordinator_(coordinator), witness_(witness), drafts_(drafts), people_(people) {}

  // One thing, of whatever sort.
  void DoSomething();
  // What the work needs to come to its end.
  // `late`: who waited long enough for a proof that does not come gives the run up.
  void Help(bool late);
  // Every plan had its run, and every run has ended.
  bool IsOver() const;
  // The statement that admits a host at first.
  plan::v1::SignedStatement Admit(const std::string& host, uint64_t serial, const std::string& hold,
                                  model::v1::Zone zone);
  // Of each run, by name.
  std::vector<std::string> RunStates() const;
  void SetHosts(std::vector<std::string> hosts) { hosts_ = std::move(hosts); }

 private:
  bool WaitsForProof(const std::string& plan_id) const;
  template <typename Request>
  void Say(const std::string& person, Request request) {
    engine::Command command;
    command.operator_name = person;
    command.request = std::move(request);
    coordinator_.Command(std::move(command));
  }
  // Submits, signs and starts what was not yet: each step as far as it got.
  void Launch(engine::testing::PlanDraft& draft);
  // `lasts`: of a waiver.
  void Decide(uint64_t run, const std::string& gate, const std::string& person, bool waive, int64_t lasts);
  void DecideSomeGate();
  void State(const std::string& host, const std::string& hold, model::v1::Zone zone = model::v1::ZONE_DIRTY);

  Clockwork& clockwork_;
  CoordinatorNode& coordinator_;
  Witness& witness_;
  std::vector<engine::testing::PlanDraft>& drafts_;
  engine::testing::People& people_;
  std::vector<std::string> hosts_;
  bool revoked_ = false;
};

}  // namespace reprise::sim
