// An event of the journal in one line that a person can read. Events name hosts, stages and steps by their numbers in a
// plan: PlanNames knows the plans that were seen.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "reprise/journal/v1/event.pb.h"

namespace reprise::cli {

class PlanNames {
 public:
  // Learns from an event that brings a plan or begins a run.
  void See(const journal::v1::Event& event);
  void AddPlan(const plan::v1::PlanBundle& bundle);
  void AddRun(uint64_t run, const std::string& plan_id);
  bool Knows(uint64_t run) const;

  // The names, or "host 3" where the plan is not known.
  std::string Host(uint64_t run, uint32_t host) const;
  std::string Stage(uint64_t run, uint32_t stage) const;
  std::string Wave(uint64_t run, uint32_t stage, uint32_t wave) const;
  std::string Step(uint64_t run, uint32_t stage, uint32_t step) const;

 private:
  struct Plan {
    plan::v1::PlanHeader header;
    std::vector<std::string> hosts;
  };
  const Plan* Of(uint64_t run) const;
  const plan::v1::Stage* StageOf(uint64_t run, uint32_t stage) const;

  std::map<std::string, Plan> plans_;
  std::map<uint64_t, std::string> plan_of_run_;
};

// 0: the event belongs to no run.
uint64_t RunOfEvent(const journal::v1::Event& event);

// "run 7: ws-001 protect/install ended changed in 1.2 s". Without time and actor.
std::string TextOfEvent(const journal::v1::Event& event, const PlanNames& names);

}  // namespace reprise::cli
