// Mistakes that can be planted on purpose, to see whether the simulator notices them (tests/sim). In everything that
// people run, REPRISE_PLANTED is the constant false and leaves no code behind; only the simulator's own copy of the
// engines is compiled with REPRISE_PLANT_BUGS, and there `chosen` says which mistake is made.
#pragma once

namespace reprise::planted {

enum Bug {
  kNone = 0,
  // ---- the coordinator's engine ----
  kGateCountsRequester,    // Who asked for a plan opens its gates.
  kBudgetOffByOne,         // One failure more than allowed.
  kPauseSparesTheBegun,    // A paused run goes on with the hosts that it has begun.
  kPerHostOffByOne,        // One task more on a host than allowed.
  kTokenOverGiven,         // What a step needs is not counted in.
  kTokenNotGivenBack,      // A lost task keeps its tokens for ever.
  kLostSentAsNew,          // A task whose fate is unknown gets a new number.
  kAcknowledgedUnwritten,  // An outcome that comes in a pause is acknowledged and not journalled.
  kOldOutcomeForNewTask,   // An outcome is taken for that of the attempt at work, whichever it is of.
  kStateBesideJournal,     // An outcome changes the state by more than its event says.
  kReplayForgets,          // A count is kept live, and not in replay.
  kProofNeverAges,         // A claim that held is believed, however long ago it was proven.
  kHoldPassedOver,         // A host under an evidence hold is sent work.
  kOldJudgementServes,     // A copy is restored from although it was judged otherwise since.
  // ---- the agent's engine ----
  kDuplicateRunsAgain,     // A task delivered again after its end is done again.
  kIntentAfterApply,       // The intent is written when the effect has ended.
  kNoProbeAfterCrash,      // What was begun in a former life is begun again without a look.
  kStopForgetsTheMailbox,  // A stop ends what runs, and not what waits for its files.
  kNotJudgedAgain,         // Between acceptance and effect nobody looks at holds and expiry.
  kUnsignedBelieved,       // A plan with too few signatures is obeyed.
  kAnyPlanUnderItsName,    // A plan that is known here gives way to another of its name.
  kAnyBytesRestored,       // A host restores whatever bytes it is told to.
  kStopConfirmedTooEarly,  // A stop is confirmed while actions still run.
};

#ifdef REPRISE_PLANT_BUGS
inline Bug chosen = kNone;
#define REPRISE_PLANTED(bug) (::reprise::planted::chosen == ::reprise::planted::bug)
#else
#define REPRISE_PLANTED(bug) false
#endif

}  // namespace reprise::planted
