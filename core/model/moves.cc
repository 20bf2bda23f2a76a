#include "core/model/moves.h"

#include <algorithm>
#include <span>

#include "absl/strings/str_cat.h"
#include "core/model/names.h"

namespace reprise::model {
namespace {

template <typename State, typename Event>
struct Row {
  State from;
  Event event;
  State to;
};

constexpr Row<v1::TaskState, TaskEvent> kTaskMoves[] = {
    {v1::TASK_STATE_PENDING, TaskEvent::kDispatched, v1::TASK_STATE_DISPATCHED},
    {v1::TASK_STATE_PENDING, TaskEvent::kFailed, v1::TASK_STATE_FAILED},
    {v1::TASK_STATE_PENDING, TaskEvent::kCancelled, v1::TASK_STATE_CANCELLED},
    {v1::TASK_STATE_PENDING, TaskEvent::kRetried, v1::TASK_STATE_PENDING},

    {v1::TASK_STATE_BACKING_OFF, TaskEvent::kDispatched, v1::TASK_STATE_DISPATCHED},
    {v1::TASK_STATE_BACKING_OFF, TaskEvent::kCancelled, v1::TASK_STATE_CANCELLED},

    {v1::TASK_STATE_DISPATCHED, TaskEvent::kAccepted, v1::TASK_STATE_RUNNING},
    {v1::TASK_STATE_DISPATCHED, TaskEvent::kSucceeded, v1::TASK_STATE_SUCCEEDED},
    {v1::TASK_STATE_DISPATCHED, TaskEvent::kFailed, v1::TASK_STATE_FAILED},
    {v1::TASK_STATE_DISPATCHED, TaskEvent::kBackedOff, v1::TASK_STATE_BACKING_OFF},
    {v1::TASK_STATE_DISPATCHED, TaskEvent::kReleased, v1::TASK_STATE_PENDING},
    {v1::TASK_STATE_DISPATCHED, TaskEvent::kCancelled, v1::TASK_STATE_CANCELLED},
    {v1::TASK_STATE_DISPATCHED, TaskEvent::kLost, v1::TASK_STATE_LOST},

    {v1::TASK_STATE_RUNNING, TaskEvent::kSucceeded, v1::TASK_STATE_SUCCEEDED},
    {v1::TASK_STATE_RUNNING, TaskEvent::kFailed, v1::TASK_STATE_FAILED},
    {v1::TASK_STATE_RUNNING, TaskEvent::kBackedOff, v1::TASK_STATE_BACKING_OFF},
    {v1::TASK_STATE_RUNNING, TaskEvent::kReleased, v1::TASK_STATE_PENDING},
    {v1::TASK_STATE_RUNNING, TaskEvent::kCancelled, v1::TASK_STATE_CANCELLED},
    {v1::TASK_STATE_RUNNING, TaskEvent::kLost, v1::TASK_STATE_LOST},

    {v1::TASK_STATE_LOST, TaskEvent::kDispatched, v1::TASK_STATE_DISPATCHED},
    {v1::TASK_STATE_LOST, TaskEvent::kAccepted, v1::TASK_STATE_RUNNING},
    {v1::TASK_STATE_LOST, TaskEvent::kSucceeded, v1::TASK_STATE_SUCCEEDED},
    {v1::TASK_STATE_LOST, TaskEvent::kFailed, v1::TASK_STATE_FAILED},
    {v1::TASK_STATE_LOST, TaskEvent::kBackedOff, v1::TASK_STATE_BACKING_OFF},
    {v1::TASK_STATE_LOST, TaskEvent::kReleased, v1::TASK_STATE_PENDING},
    {v1::TASK_STATE_LOST, TaskEvent::kCancelled, v1::TASK_STATE_CANCELLED},

    {v1::TASK_STATE_SUCCEEDED, TaskEvent::kNext, v1::TASK_STATE_PENDING},
    {v1::TASK_STATE_SUCCEEDED, TaskEvent::kRetried, v1::TASK_STATE_PENDING},
    {v1::TASK_STATE_FAILED, TaskEvent::kNext, v1::TASK_STATE_PENDING},
    {v1::TASK_STATE_FAILED, TaskEvent::kRetried, v1::TASK_STATE_PENDING},
};

constexpr Row<v1::TargetState, TargetEvent> kTargetMoves[] = {
    {v1::TARGET_STATE_WAITING, TargetEvent::kStarted, v1::TARGET_STATE_ACTIVE},
    {v1::TARGET_STATE_WAITING, TargetEvent::kUndoing, v1::TARGET_STATE_ROLLING_BACK},
    // A late outcome, told before the target had a place again.
    {v1::TARGET_STATE_WAITING, TargetEvent::kSucceeded, v1::TARGET_STATE_SUCCEEDED},
    {v1::TARGET_STATE_WAITING, TargetEvent::kFailed, v1::TARGET_STATE_FAILED},
    {v1::TARGET_STATE_WAITING, TargetEvent::kUndone, v1::TARGET_STATE_ROLLED_BACK},
    {v1::TARGET_STATE_WAITING, TargetEvent::kDeferred, v1::TARGET_STATE_DEFERRED},
    {v1::TARGET_STATE_WAITING, TargetEvent::kSkipped, v1::TARGET_STATE_SKIPPED},
    {v1::TARGET_STATE_WAITING, TargetEvent::kCancelled, v1::TARGET_STATE_CANCELLED},
    {v1::TARGET_STATE_WAITING, TargetEvent::kExpired, v1::TARGET_STATE_EXPIRED},

    {v1::TARGET_STATE_ACTIVE, TargetEvent::kUndoing, v1::TARGET_STATE_ROLLING_BACK},
    {v1::TARGET_STATE_ACTIVE, TargetEvent::kReleased, v1::TARGET_STATE_WAITING},
    {v1::TARGET_STATE_ACTIVE, TargetEvent::kSucceeded, v1::TARGET_STATE_SUCCEEDED},
    {v1::TARGET_STATE_ACTIVE, TargetEvent::kFailed, v1::TARGET_STATE_FAILED},
    {v1::TARGET_STATE_ACTIVE, TargetEvent::kUndone, v1::TARGET_STATE_ROLLED_BACK},
    {v1::TARGET_STATE_ACTIVE, TargetEvent::kDeferred, v1::TARGET_STATE_DEFERRED},
    {v1::TARGET_STATE_ACTIVE, TargetEvent::kCancelled, v1::TARGET_STATE_CANCELLED},
    {v1::TARGET_STATE_ACTIVE, TargetEvent::kExpired, v1::TARGET_STATE_EXPIRED},

    {v1::TARGET_STATE_ROLLING_BACK, TargetEvent::kReleased, v1::TARGET_STATE_WAITING},
    {v1::TARGET_STATE_ROLLING_BACK, TargetEvent::kFailed, v1::TARGET_STATE_FAILED},
    {v1::TARGET_STATE_ROLLING_BACK, TargetEvent::kUndone, v1::TARGET_STATE_ROLLED_BACK},
    {v1::TARGET_STATE_ROLLING_BACK, TargetEvent::kDeferred, v1::TARGET_STATE_DEFERRED},
    {v1::TARGET_STATE_ROLLING_BACK, TargetEvent::kCancelled, v1::TARGET_STATE_CANCELLED},
    {v1::TARGET_STATE_ROLLING_BACK, TargetEvent::kExpired, v1::TARGET_STATE_EXPIRED},

    {v1::TARGET_STATE_DEFERRED, TargetEvent::kReturned, v1::TARGET_STATE_WAITING},
    {v1::TARGET_STATE_DEFERRED, TargetEvent::kSkipped, v1::TARGET_STATE_SKIPPED},
    {v1::TARGET_STATE_DEFERRED, TargetEvent::kCancelled, v1::TARGET_STATE_CANCELLED},
    {v1::TARGET_STATE_DEFERRED, TargetEvent::kExpired, v1::TARGET_STATE_EXPIRED},

    // Of a stage that is repeated.
    {v1::TARGET_STATE_SUCCEEDED, TargetEvent::kRetried, v1::TARGET_STATE_WAITING},
    {v1::TARGET_STATE_FAILED, TargetEvent::kRetried, v1::TARGET_STATE_WAITING},
    {v1::TARGET_STATE_ROLLED_BACK, TargetEvent::kRetried, v1::TARGET_STATE_WAITING},
    {v1::TARGET_STATE_SKIPPED, TargetEvent::kRetried, v1::TARGET_STATE_WAITING},
};

constexpr Row<v1::WaveState, WaveEvent> kWaveMoves[] = {
    {v1::WAVE_STATE_PENDING, WaveEvent::kGated, v1::WAVE_STATE_GATED},
    {v1::WAVE_STATE_PENDING, WaveEvent::kStarted, v1::WAVE_STATE_RUNNING},
    {v1::WAVE_STATE_GATED, WaveEvent::kStarted, v1::WAVE_STATE_RUNNING},
    {v1::WAVE_STATE_RUNNING, WaveEvent::kSettled, v1::WAVE_STATE_SETTLED},
    {v1::WAVE_STATE_RUNNING, WaveEvent::kBreached, v1::WAVE_STATE_BREACHED},
    {v1::WAVE_STATE_RUNNING, WaveEvent::kRetried, v1::WAVE_STATE_RUNNING},
    // Hosts that came back late may still fail.
    {v1::WAVE_STATE_SETTLED, WaveEvent::kBreached, v1::WAVE_STATE_BREACHED},
    {v1::WAVE_STATE_SETTLED, WaveEvent::kRetried, v1::WAVE_STATE_RUNNING},
    {v1::WAVE_STATE_BREACHED, WaveEvent::kResumed, v1::WAVE_STATE_RUNNING},
    {v1::WAVE_STATE_BREACHED, WaveEvent::kRetried, v1::WAVE_STATE_RUNNING},
};

constexpr Row<v1::StageState, StageEvent> kStageMoves[] = {
    {v1::STAGE_STATE_PENDING, StageEvent::kGated, v1::STAGE_STATE_GATED},
    {v1::STAGE_STATE_PENDING, StageEvent::kStarted, v1::STAGE_STATE_RUNNING},
    {v1::STAGE_STATE_GATED, StageEvent::kStarted, v1::STAGE_STATE_RUNNING},
    {v1::STAGE_STATE_RUNNING, StageEvent::kSettled, v1::STAGE_STATE_SETTLED},
    {v1::STAGE_STATE_RUNNING, StageEvent::kRetried, v1::STAGE_STATE_RUNNING},
    {v1::STAGE_STATE_SETTLED, StageEvent::kRetried, v1::STAGE_STATE_RUNNING},
};

constexpr Row<v1::GateState, GateEvent> kGateMoves[] = {
    {v1::GATE_STATE_LOCKED, GateEvent::kReady, v1::GATE_STATE_READY},
    {v1::GATE_STATE_READY, GateEvent::kPassed, v1::GATE_STATE_PASSED},
    {v1::GATE_STATE_READY, GateEvent::kWaived, v1::GATE_STATE_WAIVED},
    // Before anything went through, a waiver ran out or a signer was revoked.
    {v1::GATE_STATE_PASSED, GateEvent::kReady, v1::GATE_STATE_READY},
    {v1::GATE_STATE_WAIVED, GateEvent::kReady, v1::GATE_STATE_READY},
};

constexpr Row<v1::RunState, RunEvent> kRunMoves[] = {
    {v1::RUN_STATE_RUNNING, RunEvent::kPaused, v1::RUN_STATE_PAUSED},
    {v1::RUN_STATE_RUNNING, RunEvent::kAborting, v1::RUN_STATE_ABORTING},
    {v1::RUN_STATE_RUNNING, RunEvent::kCatchingUp, v1::RUN_STATE_CATCHING_UP},
    {v1::RUN_STATE_RUNNING, RunEvent::kSucceeded, v1::RUN_STATE_SUCCEEDED},
    {v1::RUN_STATE_RUNNING, RunEvent::kPartial, v1::RUN_STATE_PARTIAL},
    {v1::RUN_STATE_RUNNING, RunEvent::kFailed, v1::RUN_STATE_FAILED},
    {v1::RUN_STATE_RUNNING, RunEvent::kRetried, v1::RUN_STATE_RUNNING},

    {v1::RUN_STATE_PAUSED, RunEvent::kResumed, v1::RUN_STATE_RUNNING},
    {v1::RUN_STATE_PAUSED, RunEvent::kAborting, v1::RUN_STATE_ABORTING},
    {v1::RUN_STATE_PAUSED, RunEvent::kSucceeded, v1::RUN_STATE_SUCCEEDED},
    {v1::RUN_STATE_PAUSED, RunEvent::kPartial, v1::RUN_STATE_PARTIAL},
    {v1::RUN_STATE_PAUSED, RunEvent::kFailed, v1::RUN_STATE_FAILED},
    {v1::RUN_STATE_PAUSED, RunEvent::kRetried, v1::RUN_STATE_PAUSED},

    {v1::RUN_STATE_CATCHING_UP, RunEvent::kPaused, v1::RUN_STATE_PAUSED},
    {v1::RUN_STATE_CATCHING_UP, RunEvent::kAborting, v1::RUN_STATE_ABORTING},
    {v1::RUN_STATE_CATCHING_UP, RunEvent::kSucceeded, v1::RUN_STATE_SUCCEEDED},
    {v1::RUN_STATE_CATCHING_UP, RunEvent::kPartial, v1::RUN_STATE_PARTIAL},
    {v1::RUN_STATE_CATCHING_UP, RunEvent::kFailed, v1::RUN_STATE_FAILED},
    {v1::RUN_STATE_CATCHING_UP, RunEvent::kRetried, v1::RUN_STATE_RUNNING},

    {v1::RUN_STATE_ABORTING, RunEvent::kAborted, v1::RUN_STATE_ABORTED},
    {v1::RUN_STATE_PARTIAL, RunEvent::kRetried, v1::RUN_STATE_RUNNING},
    {v1::RUN_STATE_FAILED, RunEvent::kRetried, v1::RUN_STATE_RUNNING},
};

constexpr const char* kTaskWords[] = {"dispatched", "accepted",  "succeeded", "failed", "backed_off",
                                      "released",   "cancelled", "lost",      "next",   "retried"};
constexpr const char* kTargetWords[] = {"started",  "undoing",  "released", "succeeded", "failed",  "undone",
                                        "deferred", "returned", "skipped",  "cancelled", "expired", "retried"};
constexpr const char* kWaveWords[] = {"gated", "started", "settled", "breached", "resumed", "retried"};
constexpr const char* kStageWords[] = {"gated", "started", "settled", "retried"};
constexpr const char* kGateWords[] = {"ready", "passed", "waived"};
constexpr const char* kRunWords[] = {"paused",  "resumed", "aborting", "catching_up", "succeeded",
                                     "partial", "failed",  "aborted",  "retried"};

template <typename State, typename Event>
absl::StatusOr<State> Take(const char* thing, std::span<const Row<State, Event>> rows,
                           std::span<const char* const> words, State from, Event event) {
  for (const auto& row : rows) {
    if (row.from == from && row.event == event) return row.to;
  }
  return absl::FailedPreconditionError(
      absl::StrCat("a ", thing, " that is ", NameOf(from), " got ", words[static_cast<size_t>(event)]));
}

template <typename State, typename Event>
std::vector<DrawnMove> Drawn(std::span<const Row<State, Event>> rows, std::span<const char* const> words) {
  std::vector<DrawnMove> moves;
  for (const auto& row : rows) {
    moves.push_back({NameOf(row.from), words[static_cast<size_t>(row.event)], NameOf(row.to)});
  }
  return moves;
}

}  // namespace

absl::StatusOr<v1::TaskState> Move(v1::TaskState from, TaskEvent event) {
  return Take<v1::TaskState, TaskEvent>("task", kTaskMoves, kTaskWords, from, event);
}
absl::StatusOr<v1::TargetState> Move(v1::TargetState from, TargetEvent event) {
  return Take<v1::TargetState, TargetEvent>("target", kTargetMoves, kTargetWords, from, event);
}
absl::StatusOr<v1::WaveState> Move(v1::WaveState from, WaveEvent event) {
  return Take<v1::WaveState, WaveEvent>("wave", kWaveMoves, kWaveWords, from, event);
}
absl::StatusOr<v1::StageState> Move(v1::StageState from, StageEvent event) {
  return Take<v1::StageState, StageEvent>("stage", kStageMoves, kStageWords, from, event);
}
absl::StatusOr<v1::GateState> Move(v1::GateState from, GateEvent event) {
  return Take<v1::GateState, GateEvent>("gate", kGateMoves, kGateWords, from, event);
}
absl::StatusOr<v1::RunState> Move(v1::RunState from, RunEvent event) {
  return Take<v1::RunState, RunEvent>("run", kRunMoves, kRunWords, from, event);
}

bool HasStarted(v1::WaveState state) {
  return state != v1::WAVE_STATE_PENDING && state != v1::WAVE_STATE_GATED;
}
bool HasStarted(v1::StageState state) {
  return state != v1::STAGE_STATE_PENDING && state != v1::STAGE_STATE_GATED;
}

std::vector<std::string> MachineNames() {
  return {"task", "target", "wave", "stage", "gate", "run"};
}

std::vector<DrawnMove> MovesOf(std::string_view machine) {
  if (machine == "task") return Drawn<v1::TaskState, TaskEvent>(kTaskMoves, kTaskWords);
  if (machine == "target") return Drawn<v1::TargetState, TargetEvent>(kTargetMoves, kTargetWords);
  if (machine == "wave") return Drawn<v1::WaveState, WaveEvent>(kWaveMoves, kWaveWords);
  if (machine == "stage") return Drawn<v1::StageState, StageEvent>(kStageMoves, kStageWords);
  if (machine == "gate") return Drawn<v1::GateState, GateEvent>(kGateMoves, kGateWords);
  if (machine == "run") return Drawn<v1::RunState, RunEvent>(kRunMoves, kRunWords);
  return {};
}

std::string DrawMoves(std::string_view machine) {
  const std::vector<DrawnMove> moves = MovesOf(machine);
  std::string text = absl::StrCat("#### ", std::string(machine), "\n\n| state | event ▶ state |\n|---|---|\n");
  for (size_t i = 0; i < moves.size();) {
    const std::string& from = moves[i].from;
    absl::StrAppend(&text, "| ", from, " | ");
    for (size_t first = i; i < moves.size() && moves[i].from == from; ++i) {
      absl::StrAppend(&text, i == first ? "" : " · ", moves[i].event, " ▶ ", moves[i].to);
    }
    absl::StrAppend(&text, " |\n");
  }
  return text;
}

}  // namespace reprise::model
