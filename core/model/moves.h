// The state machines of a run and of its parts, as tables: every legal move is a row; a pair that is missing is an
// error. Used by the coordinator's engine to fold events; docs/ARCHITECTURE.md shows the same tables as drawn here.
// Pure; may be called from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "reprise/model/v1/model.pb.h"

namespace reprise::model {

enum class TaskEvent {
  kDispatched,  // Sent; the same attempt again when its fate is not known.
  kAccepted,    // The agent has it, durably.
  kSucceeded,
  kFailed,     // No try is left in this round.
  kBackedOff,  // Failed; to be tried again later.
  kReleased,   // Ended by an emergency stop: no failure, and free to be done again.
  kCancelled,
  kLost,     // Its fate is unknown until the agent speaks.
  kNext,     // The target goes on to another step, whose task begins.
  kRetried,  // An operator has failed targets done again; or a stage is repeated.
};

enum class TargetEvent {
  kStarted,
  kUndoing,   // Its finished steps are being undone.
  kReleased,  // Gives its place back without having ended.
  kSucceeded,
  kFailed,
  kUndone,
  kDeferred,
  kReturned,
  kSkipped,
  kCancelled,
  kExpired,
  kRetried,
};

enum class WaveEvent { kGated, kStarted, kSettled, kBreached, kResumed, kRetried };
enum class StageEvent { kGated, kStarted, kSettled, kRetried };
enum class GateEvent { kReady, kPassed, kWaived };
enum class RunEvent { kPaused, kResumed, kAborting, kCatchingUp, kSucceeded, kPartial, kFailed, kAborted, kRetried };

// FAILED_PRECONDITION naming the thing, its state and the event when there is no such row.
absl::StatusOr<v1::TaskState> Move(v1::TaskState from, TaskEvent event);
absl::StatusOr<v1::TargetState> Move(v1::TargetState from, TargetEvent event);
absl::StatusOr<v1::WaveState> Move(v1::WaveState from, WaveEvent event);
absl::StatusOr<v1::StageState> Move(v1::StageState from, StageEvent event);
absl::StatusOr<v1::GateState> Move(v1::GateState from, GateEvent event);
absl::StatusOr<v1::RunState> Move(v1::RunState from, RunEvent event);

// Past its gates: running, halted or at its end.
bool HasStarted(v1::WaveState state);
bool HasStarted(v1::StageState state);

// One row of a table as words.
struct DrawnMove {
  std::string from;
  std::string event;
  std::string to;
};
std::vector<std::string> MachineNames();                   // task, target, wave, stage, gate, run
std::vector<DrawnMove> MovesOf(std::string_view machine);  // Empty: no such machine.
// A Markdown table of the machine's rows, grouped by state, with a heading.
std::string DrawMoves(std::string_view machine);

}  // namespace reprise::model
