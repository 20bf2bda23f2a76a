// The world that inputs fall into: people with keys, a keyring, three hosts, a plan that was signed and is under way. The
// same in every process (same_keys.h), made once.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/plan/catalog.h"
#include "reprise/agent/v1/spool.pb.h"
#include "reprise/journal/v1/event.pb.h"
#include "reprise/journal/v1/state.pb.h"
#include "tests/unit/core/engine/plan_draft.h"

namespace reprise::fuzz {

using agents::testing::kHour;
using agents::testing::kNoon;

struct World {
  World();

  agents::testing::People people;
  engine::testing::PlanDraft campaign;     // Two stages, a canary, a gate; its canary is under way.
  engine::testing::PlanDraft hunt;         // Only reads, on all three hosts; its tasks are under way.
  agents::testing::PlanMaker agents_plan;  // As the agent of ws-001 is sent it.

  // The coordinator.
  UnixMs now = 0;
  std::vector<journal::v1::Event> events;  // From the first on.
  journal::v1::State state;                // Their fold.
  std::map<std::string, uint64_t> sessions;
  std::map<std::string, agent::v1::Task> tasks;  // One for each host, sent and not answered.

  // The agent of ws-001: admitted.
  std::vector<agent::v1::SpoolRecord> spool;

  plan::Catalog catalog;                   // What the example workflows name.
};

const World& TheWorld();

}  // namespace reprise::fuzz
