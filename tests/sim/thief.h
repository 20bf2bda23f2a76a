// Whoever stole the coordinator. It hears all that the coordinator says and may say anything to any agent: old tasks
// again, plans that nobody or a stranger signed, plans with a changed part, steps behind gates that nobody opened,
// stops that were lifted long ago. It has no key of the hospital's but the requester's. No agent may do anything for
// it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/sim/clockwork.h"
#include "tests/sim/network.h"
#include "tests/sim/witness.h"
#include "tests/unit/core/engine/plan_draft.h"

namespace reprise::sim {

class Thief {
 public:
  Thief(Clockwork& clockwork, Network& network, Witness& witness, const std::vector<engine::testing::PlanDraft>& drafts,
        const engine::testing::People& people)
      : clockwork_(clockwork), network_(network), witness_(witness), drafts_(drafts), people_(people) {}

  void Overhear(const std::string& host, const agent::v1::CoordinatorMessage& message);
  void SaySomething(const std::string& host);

 private:
  void SayOldTask(const std::string& host);
  void SayOldStop(const std::string& host);
  void SayPlanOfOwn(const std::string& host, bool strange_signature);
  void SayPlanOfTheName(const std::string& host);
  void SayChangedPlan(const std::string& host);
  void SayClosedGate(const std::string& host);
  // A task of the host that was overheard with its plan; nullptr: none yet.
  const agent::v1::Task* SomeTask(const std::string& host, bool whole);
  void Say(const std::string& host, const char* what, const agent::v1::CoordinatorMessage& message);

  Clockwork& clockwork_;
  Network& network_;
  Witness& witness_;
  const std::vector<engine::testing::PlanDraft>& drafts_;
  const engine::testing::People& people_;
  std::map<std::string, std::vector<agent::v1::Task>> tasks_;
  std::map<std::string, std::vector<agent::v1::Stop>> stops_;
};

}  // namespace reprise::sim
