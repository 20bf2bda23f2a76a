// Folding what happens to one host's way through one stage, and to the task at work there.
#include "absl/strings/str_cat.h"
#include "core/base/planted.h"
#include "core/base/status_macros.h"
#include "core/engine/book.h"

namespace reprise::engine {
namespace {

using journal::v1::Event;
using journal::v1::StepRecord;
using journal::v1::TargetRecord;
using model::TargetEvent;
using model::TaskEvent;

absl::Status MoveTask(TargetRecord& target, TaskEvent event) {
  ASSIGN_OR_RETURN(const auto next, model::Move(target.task(), event));
  target.set_task(next);
  return absl::OkStatus();
}

absl::Status MoveTarget(TargetRecord& target, TargetEvent event) {
  ASSIGN_OR_RETURN(const auto next, model::Move(target.state(), event));
  target.set_state(next);
  return absl::OkStatus();
}

// Which event brings a target from one state to another; the table says whether it may.
absl::StatusOr<TargetEvent> EventBetween(model::v1::TargetState from, model::v1::TargetState to) {
  switch (to) {
    case model::v1::TARGET_STATE_WAITING:
      return from == model::v1::TARGET_STATE_DEFERRED ? TargetEvent::kReturned : TargetEvent::kReleased;
    case model::v1::TARGET_STATE_ACTIVE:
      return TargetEvent::kStarted;
    case model::v1::TARGET_STATE_SUCCEEDED:
      return TargetEvent::kSucceeded;
    case model::v1::TARGET_STATE_FAILED:
      return TargetEvent::kFailed;
    case model::v1::TARGET_STATE_ROLLING_BACK:
      return TargetEvent::kUndoing;
    case model::v1::TARGET_STATE_ROLLED_BACK:
      return TargetEvent::kUndone;
    case model::v1::TARGET_STATE_DEFERRED:
      return TargetEvent::kDeferred;
    case model::v1::TARGET_STATE_SKIPPED:
      return TargetEvent::kSkipped;
    case model::v1::TARGET_STATE_CANCELLED:
      return TargetEvent::kCancelled;
    case model::v1::TARGET_STATE_EXPIRED:
      return TargetEvent::kExpired;
    default:
      return absl::InvalidArgumentError("a target cannot move to nowhere");
  }
}

absl::StatusOr<TaskEvent> EventTo(model::v1::TaskState to) {
  switch (to) {
    case model::v1::TASK_STATE_PENDING:
      return TaskEvent::kReleased;
    case model::v1::TASK_STATE_BACKING_OFF:
      return TaskEvent::kBackedOff;
    case model::v1::TASK_STATE_SUCCEEDED:
      return TaskEvent::kSucceeded;
    case model::v1::TASK_STATE_FAILED:
      return TaskEvent::kFailed;
    case model::v1::TASK_STATE_CANCELLED:
      return TaskEvent::kCancelled;
    default:
      return absl::InvalidArgumentError("an outcome cannot leave a task in that state");
  }
}

absl::Status CheckTask(const TargetRecord& target, uint32_t step, uint32_t attempt, bool rollback) {
  if (target.step() == step && target.attempt() == attempt && target.rollback() == rollback) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("it is about step ", step, ", attempt ", attempt, rollback ? " (undoing)" : "", "; at work is step ",
                   target.step(), ", attempt ", target.attempt(), target.rollback() ? " (undoing)" : ""));
}

// The target has a place again, or for the first time.
absl::Status Begin(TargetRecord& target) {
  if (HoldsPlace(target.state())) return absl::OkStatus();
  return MoveTarget(target, target.rollback() ? TargetEvent::kUndoing : TargetEvent::kStarted);
}

StepRecord& StepOf(TargetRecord& target, uint32_t step) {
  for (StepRecord& record : *target.mutable_steps()) {
    if (record.step() == step) return record;
  }
  StepRecord& record = *target.add_steps();
  record.set_step(step);
  return record;
}

void NoteStep(StepRecord& step, const agent::v1::Finished& finished, bool succeeded) {
  step.set_attempts(finished.key().attempt());
  *step.mutable_last() = finished;
  if (!succeeded) return;
  step.set_done(!finished.key().rollback());
  step.set_rolled_back(finished.key().rollback());
  step.set_changed(!finished.key().rollback() && finished.outcome() == model::v1::OUTCOME_CHANGED);
}

}  // namespace

absl::Status Book::On(const Event& event, const journal::v1::TaskDispatched& e) {
  ASSIGN_OR_RETURN(Place place, TargetAt(e.run(), e.stage(), e.host()));
  return Alter(place, [&](TargetRecord& target) -> absl::Status {
    if (target.task() == model::v1::TASK_STATE_LOST && !REPRISE_PLANTED(kLostSentAsNew)) {
      RETURN_IF_ERROR(CheckTask(target, e.step(), e.attempt(), e.rollback()));
    } else {
      RETURN_IF_ERROR(CheckTask(target, e.step(), e.attempt() - 1, e.rollback()));
    }
    RETURN_IF_ERROR(MoveTask(target, TaskEvent::kDispatched));
    RETURN_IF_ERROR(Begin(target));
    // One sent again may have been carried out since it was sent first.
    if (target.attempt() != e.attempt()) target.set_sent_ms(event.at_ms());
    target.set_attempt(e.attempt());
    target.set_dispatched_ms(event.at_ms());
    target.set_deadline_ms(e.deadline_ms());
    target.clear_retry_at_ms();
    target.set_cancel_sent(false);
    return absl::OkStatus();
  });
}

absl::Status Book::On(const Event& event, const journal::v1::TaskAccepted& e) {
  ASSIGN_OR_RETURN(Place place, TargetAt(e.run(), e.stage(), e.host()));
  return Alter(place, [&](TargetRecord& target) -> absl::Status {
    RETURN_IF_ERROR(CheckTask(target, e.step(), e.attempt(), e.rollback()));
    // It takes what it was sent last, for it had it not before: it would have said so in its hello.
    if (target.task() == model::v1::TASK_STATE_DISPATCHED) target.set_sent_ms(target.dispatched_ms());
    RETURN_IF_ERROR(MoveTask(target, TaskEvent::kAccepted));
    target.set_deadline_ms(event.at_ms() + target.deadline_ms() - target.dispatched_ms());
    target.set_dispatched_ms(event.at_ms());
    return IsEnded(target.state()) ? absl::OkStatus() : Begin(target);
  });
}

absl::Status Book::On(const Event& event, const journal::v1::TaskFinished& e) {
  ASSIGN_OR_RETURN(Place place, TargetAt(e.run(), e.stage(), e.host()));
  const agent::v1::Finished& finished = e.finished();
  NoteFindings(*place.stage->hosts[place.id.target], *place.target, e.run(), finished, event.at_ms());
  return Alter(place, [&](TargetRecord& target) -> absl::Status {
    const agent::v1::TaskKey& key = finished.key();
    RETURN_IF_ERROR(CheckTask(target, key.step(), key.attempt(), key.rollback()));
    ASSIGN_OR_RETURN(const TaskEvent task_event, EventTo(e.task_state()));
    RETURN_IF_ERROR(MoveTask(target, task_event));
    if (e.target_state() != target.state()) {
      ASSIGN_OR_RETURN(const TargetEvent moved, EventBetween(target.state(), e.target_state()));
      RETURN_IF_ERROR(MoveTarget(target, moved));
    }
    const bool succeeded = e.task_state() == model::v1::TASK_STATE_SUCCEEDED;
    NoteStep(StepOf(target, key.step()), finished, succeeded);
    target.clear_deadline_ms();
    target.set_retry_at_ms(e.retry_at_ms());
    target.set_cancel_sent(false);
    if (e.task_state() == model::v1::TASK_STATE_PENDING) {
      target.set_round_first_attempt(target.round_first_attempt() + 1);  // It used up a number, not a try.
    } else if (!succeeded && target.state() != model::v1::TARGET_STATE_CANCELLED &&
               target.state() != model::v1::TARGET_STATE_EXPIRED) {
      target.set_code(finished.code());
      target.set_reason(finished.reason());
    } else if (target.state() == model::v1::TARGET_STATE_SUCCEEDED) {
      target.clear_code();
      target.clear_reason();
    }
    if (!e.has_next()) return absl::OkStatus();
    RETURN_IF_ERROR(MoveTask(target, TaskEvent::kNext));
    if (!succeeded && !e.next().rollback()) target.set_continued(true);
    const StepRecord* next = FindStep(target, e.next().step());
    target.set_step(e.next().step());
    target.set_rollback(e.next().rollback());
    target.set_attempt(next == nullptr ? 0 : next->attempts());
    target.set_round_first_attempt(target.attempt() + 1);
    return absl::OkStatus();
  });
}

absl::Status Book::On(const Event&, const journal::v1::TaskLost& e) {
  ASSIGN_OR_RETURN(Place place, TargetAt(e.run(), e.stage(), e.host()));
  return Alter(place, [&](TargetRecord& target) -> absl::Status {
    RETURN_IF_ERROR(CheckTask(target, e.step(), e.attempt(), target.rollback()));
    if (REPRISE_PLANTED(kTokenNotGivenBack)) {
      for (const auto& [capacity, amount] : place.stage->tokens[target.step()])
        place.run->tokens_used[capacity] += amount;
    }
    return MoveTask(target, TaskEvent::kLost);
  });
}

absl::Status Book::On(const Event&, const journal::v1::TargetMoved& e) {
  ASSIGN_OR_RETURN(Place place, TargetAt(e.run(), e.stage(), e.host()));
  return Alter(place, [&](TargetRecord& target) -> absl::Status {
    const bool waits = e.to() == model::v1::TARGET_STATE_WAITING;
    // One that waits may learn for what, and that it no longer does.
    if (!waits || target.state() != e.to()) {
      ASSIGN_OR_RETURN(const TargetEvent moved, EventBetween(target.state(), e.to()));
      RETURN_IF_ERROR(MoveTarget(target, moved));
    }
    const bool untried =
        target.task() == model::v1::TASK_STATE_PENDING || target.task() == model::v1::TASK_STATE_BACKING_OFF;
    if (e.to() == model::v1::TARGET_STATE_FAILED && untried) RETURN_IF_ERROR(MoveTask(target, TaskEvent::kFailed));
    if (e.to() == model::v1::TARGET_STATE_CANCELLED && untried) {
      RETURN_IF_ERROR(MoveTask(target, TaskEvent::kCancelled));
    }
    target.set_code(waits && e.reason().empty() ? "" : e.code());
    target.set_reason(e.reason());
    if (IsEnded(target.state())) target.clear_retry_at_ms();
    return absl::OkStatus();
  });
}

}  // namespace reprise::engine
