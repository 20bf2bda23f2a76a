// Every mistake that can be planted, and what the witness must say when it is made.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/planted.h"
#include "tests/sim/faults.h"

namespace reprise::sim {

struct PlantedBug {
  const char* name;
  planted::Bug in_engine;  // kNone: in a process around the engines, see in_process.
  bool Bugs::*in_process;
  const char* complaint;  // A part of it.
};

inline const std::vector<PlantedBug>& PlantedBugs() {
  static const auto& bugs = *new std::vector<PlantedBug>{
      {"gate_counts_requester", planted::kGateCountsRequester, nullptr, "without its quorum"},
      {"budget_off_by_one", planted::kBudgetOffByOne, nullptr, "over the failure budget"},
      {"pause_spares_the_begun", planted::kPauseSparesTheBegun, nullptr, "after a pause or an abort"},
      {"per_host_off_by_one", planted::kPerHostOffByOne, nullptr, "too much at once on one host"},
      {"token_over_given", planted::kTokenOverGiven, nullptr, "tokens"},
      {"token_not_given_back", planted::kTokenNotGivenBack, nullptr, "does not come to its end"},
      {"lost_sent_as_new", planted::kLostSentAsNew, nullptr, "acknowledged what is not in the journal"},
      {"acknowledged_unwritten", planted::kAcknowledgedUnwritten, nullptr, "acknowledged what is not in the journal"},
      {"old_outcome_for_new_task", planted::kOldOutcomeForNewTask, nullptr, "outcome that no agent made"},
      {"state_beside_journal", planted::kStateBesideJournal, nullptr, "replay does not give the live state"},
      {"replay_forgets", planted::kReplayForgets, nullptr, "replay does not give the live state"},
      {"proof_never_ages", planted::kProofNeverAges, nullptr, "without a fresh proof"},
      {"hold_passed_over", planted::kHoldPassedOver, nullptr, "to a host that is held"},
      {"old_judgement_serves", planted::kOldJudgementServes, nullptr, "judged otherwise since"},
      {"duplicate_runs_again", planted::kDuplicateRunsAgain, nullptr, "accepted one attempt twice"},
      {"intent_after_apply", planted::kIntentAfterApply, nullptr, "before its intent was durable"},
      {"no_probe_after_crash", planted::kNoProbeAfterCrash, nullptr, "without a probe"},
      {"stop_forgets_the_mailbox", planted::kStopForgetsTheMailbox, nullptr, "on a stopped host"},
      {"not_judged_again", planted::kNotJudgedAgain, nullptr, "an effect intended"},
      {"unsigned_believed", planted::kUnsignedBelieved, nullptr, "a plan that nobody made"},
      {"any_plan_under_its_name", planted::kAnyPlanUnderItsName, nullptr, "what was never sent"},
      {"any_bytes_restored", planted::kAnyBytesRestored, nullptr, "other bytes than those that were judged"},
      {"stop_confirmed_too_early", planted::kStopConfirmedTooEarly, nullptr, "confirmed a stop while"},
      {"coordinator_effects_before_append", planted::kNone, &Bugs::coordinator_effects_before_append, "that is not"},
      {"agent_effects_before_append", planted::kNone, &Bugs::agent_effects_before_append, "not durable"},
      {"journal_drops_events", planted::kNone, &Bugs::journal_drops_events, "replay"},
  };
  return bugs;
}

}  // namespace reprise::sim
