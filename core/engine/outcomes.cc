#include "core/engine/outcomes.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/base/planted.h"
#include "core/base/text.h"
#include "core/crypto/sha256.h"
#include "core/model/finding_limits.h"
#include "core/model/names.h"
#include "core/model/restoring.h"

namespace reprise::engine {
namespace {

using journal::v1::Event;
using journal::v1::TargetRecord;
using model::v1::TargetState;
using model::v1::TaskState;

bool Succeeded(const agent::v1::Finished& finished) {
  return finished.outcome() == model::v1::OUTCOME_CHANGED || finished.outcome() == model::v1::OUTCOME_UNCHANGED;
}

bool IsDone(const TargetRecord& target, uint32_t step) {
  const journal::v1::StepRecord* record = FindStep(target, step);
  return record != nullptr && record->done();
}

// The next step that is not done yet: what succeeded is never sent again.
std::optional<uint32_t> StepAfter(const StageBook& stage, const TargetRecord& target, uint32_t step) {
  for (uint32_t next = step + 1; next < static_cast<uint32_t>(stage.plan->steps_size()); ++next) {
    if (!IsDone(target, next)) return next;
  }
  return std::nullopt;
}

// The last step that changed something and can be undone, `but` not counted.
std::optional<uint32_t> StepToUndo(const StageBook& stage, const TargetRecord& target, std::optional<uint32_t> but) {
  for (int step = stage.plan->steps_size() - 1; step >= 0; --step) {
    const auto index = static_cast<uint32_t>(step);
    const journal::v1::StepRecord* record = FindStep(target, index);
    const bool undoable =
        stage.plan->steps(step).undoable() && stage.plan->steps(step).effect() > model::v1::EFFECT_READ;
    if (index != but && undoable && record != nullptr && record->changed()) return index;
  }
  return std::nullopt;
}

int64_t Backoff(const plan::v1::Step& step, uint32_t tries) {
  int64_t wait = std::max<int64_t>(step.backoff_ms(), 0);
  const int64_t most = step.backoff_max_ms() > 0 ? step.backoff_max_ms() : int64_t{24} * 3600 * 1000;
  for (uint32_t i = 1; i < tries && wait < most; ++i) wait *= 2;
  return std::min(wait, most);
}

constexpr size_t kReasonBytesMax = 4096;
constexpr size_t kHintBytesMax = 2048;
constexpr size_t kCodeBytesMax = 64;
constexpr int64_t kDurationMsMax = int64_t{30} * 24 * 3600 * 1000;

bool IsOwn(const std::string& name, const std::string& plugin) {
  return name.rfind(plugin + ".", 0) == 0 && name.size() <= 128;
}

// The names and numbers of a judgement, as agents bound them.
bool IsSensible(const agent::v1::Verdict& verdict) {
  return model::IsName(verdict.set()) && model::IsCopyName(verdict.point()) &&
         verdict.detail().size() <= kReasonBytesMax && verdict.coverage() >= 0 && verdict.coverage() <= 1 &&
         verdict.taken_ms() >= 0 && model::v1::BackupVerdict_IsValid(verdict.verdict()) &&
         verdict.verdict() != model::v1::BACKUP_VERDICT_UNSPECIFIED &&
         (verdict.manifest_sha256().size() == crypto::kSha256Size ||
          (verdict.manifest_sha256().empty() && !model::MayEverServe(verdict.verdict())));
}

// What an honest agent could have said: its host may be in other hands, and the journal keeps everything for ever. Claims
// and numbers are the plugin's own only.
agent::v1::Finished Bounded(agent::v1::Finished finished, const std::string& plugin) {
  if (finished.reason().size() > kReasonBytesMax) finished.set_reason(BoundedText(finished.reason(), kReasonBytesMax));
  if (finished.hint().size() > kHintBytesMax) finished.set_hint(BoundedText(finished.hint(), kHintBytesMax));
  if (finished.code().size() > kCodeBytesMax) finished.set_code(BoundedText(finished.code(), kCodeBytesMax));
  if (finished.evidence_json().size() > model::kEvidenceBytesMax) finished.clear_evidence_json();
  finished.set_duration_ms(std::clamp<int64_t>(finished.duration_ms(), 0, kDurationMsMax));
  finished.set_start_delay_us(std::clamp<int64_t>(finished.start_delay_us(), 0, kDurationMsMax * 1000));
  auto& claims = *finished.mutable_claims();
  claims.erase(std::remove_if(claims.begin(), claims.end(),
                              [&](const agent::v1::Claim& claim) {
                                return !IsOwn(claim.name(), plugin) || claim.detail().size() > kReasonBytesMax;
                              }),
               claims.end());
  while (claims.size() > model::kClaimsMax) claims.RemoveLast();
  auto& verdicts = *finished.mutable_verdicts();
  verdicts.erase(std::remove_if(verdicts.begin(), verdicts.end(), [](const auto& verdict) { return !IsSensible(verdict); }),
                 verdicts.end());
  while (verdicts.size() > model::kVerdictsMax) verdicts.RemoveLast();
  auto& measures = *finished.mutable_measures();
  measures.erase(std::remove_if(measures.begin(), measures.end(),
                                [&](const agent::v1::Measure& measure) {
                                  return !IsOwn(measure.name(), plugin) || measure.subject().size() > 64 ||
                                         !std::isfinite(measure.value());
                                }),
                 measures.end());
  while (measures.size() > model::kMeasuresMax) measures.RemoveLast();
  return finished;
}

// One outcome, judged: what is written into the event.
class Judgement {
 public:
  Judgement(const RunBook& run, const StageBook& stage, const TargetRecord& target, bool stopped, UnixMs now)
      : run_(run), stage_(stage), target_(target), stopped_(stopped), now_(now) {}

  // `event` holds what the agent said.
  void Judge(journal::v1::TaskFinished& event) {
    event_ = &event;
    const agent::v1::Finished& finished = event.finished();
    event.set_target_state(target_.state());  // Unless something follows.
    const bool aborting = run_.record->state() == model::v1::RUN_STATE_ABORTING;
    const bool by_stop = finished.code() == "stopped" &&
                         (stopped_ || finished.outcome() != model::v1::OUTCOME_REFUSED) && !Succeeded(finished);
    if (Succeeded(finished)) {
      event.set_task_state(model::v1::TASK_STATE_SUCCEEDED);
      if (!IsEnded(target_.state())) target_.rollback() ? Undone() : Done();
    } else if (finished.outcome() == model::v1::OUTCOME_CANCELLED && (aborting || IsEnded(target_.state()))) {
      event.set_task_state(model::v1::TASK_STATE_CANCELLED);
      if (!IsEnded(target_.state())) event.set_target_state(model::v1::TARGET_STATE_CANCELLED);
    } else if (IsEnded(target_.state())) {
      event.set_task_state(model::v1::TASK_STATE_FAILED);
    } else if (by_stop) {
      event.set_task_state(model::v1::TASK_STATE_PENDING);
    } else if (MayTryAgain(finished)) {
      event.set_task_state(model::v1::TASK_STATE_BACKING_OFF);
      event.set_retry_at_ms(now_ + Backoff(Step(), Tries()));
    } else {
      event.set_task_state(model::v1::TASK_STATE_FAILED);
      Failed();
    }
  }

 private:
  const plan::v1::Step& Step() const { return stage_.plan->steps(static_cast<int>(target_.step())); }
  uint32_t Tries() const { return target_.attempt() + 1 - target_.round_first_attempt(); }

  bool MayTryAgain(const agent::v1::Finished& finished) const {
    if (finished.outcome() == model::v1::OUTCOME_REFUSED || Tries() > Step().retries()) return false;
    return target_.rollback() || Step().attempts_max() == 0 || target_.attempt() < Step().attempts_max();
  }
  void GoOnWith(uint32_t step, bool rollback) {
    event_->mutable_next()->set_step(step);
    event_->mutable_next()->set_rollback(rollback);
    // One without a place (its word came late) goes on waiting for one.
    event_->set_target_state(!HoldsPlace(target_.state()) ? target_.state()
                             : rollback                   ? model::v1::TARGET_STATE_ROLLING_BACK
                                                          : model::v1::TARGET_STATE_ACTIVE);
  }
  void Done() {
    if (const auto next = StepAfter(stage_, target_, target_.step())) return GoOnWith(*next, false);
    event_->set_target_state(target_.continued() ? model::v1::TARGET_STATE_FAILED : model::v1::TARGET_STATE_SUCCEEDED);
  }
  void Undone() {
    if (const auto next = StepToUndo(stage_, target_, target_.step())) return GoOnWith(*next, true);
    event_->set_target_state(model::v1::TARGET_STATE_ROLLED_BACK);
  }
  void Failed() {
    event_->set_target_state(model::v1::TARGET_STATE_FAILED);
    if (target_.rollback()) return;
    if (Step().on_failure() == model::v1::ON_FAILURE_CONTINUE) {
      if (const auto next = StepAfter(stage_, target_, target_.step())) GoOnWith(*next, false);
    } else if (Step().on_failure() == model::v1::ON_FAILURE_ROLLBACK) {
      event_->set_target_state(model::v1::TARGET_STATE_ROLLED_BACK);
      if (const auto undo = StepToUndo(stage_, target_, std::nullopt)) GoOnWith(*undo, true);
    }
  }

  const RunBook& run_;
  const StageBook& stage_;
  const TargetRecord& target_;
  bool stopped_;
  UnixMs now_;
  journal::v1::TaskFinished* event_ = nullptr;
};

bool IsAtWork(const TargetRecord& target, const agent::v1::TaskKey& key) {
  const bool this_attempt = target.attempt() == key.attempt() || REPRISE_PLANTED(kOldOutcomeForNewTask);
  return target.step() == key.step() && this_attempt && target.rollback() == key.rollback() &&
         (IsInFlight(target.task()) || target.task() == model::v1::TASK_STATE_LOST);
}

}  // namespace

bool Outcomes::Find(const HostBook& host, const agent::v1::TaskKey& key, RunBook** run, TargetId* id) {
  *run = desk_.book().FindRun(key.run());
  if (*run == nullptr || (*run)->record->plan_id() != key.plan_id() || key.stage() >= (*run)->stages.size()) {
    return false;
  }
  const auto leaf = (*run)->plan->leaf_of_host.find(host.name);
  if (leaf == (*run)->plan->leaf_of_host.end()) return false;
  const int64_t target = (*run)->stages[key.stage()].target_of_leaf[leaf->second];
  if (target < 0) return false;
  *id = {key.run(), key.stage(), static_cast<uint32_t>(target)};
  return true;
}

void Outcomes::OnAccepted(HostBook& host, const agent::v1::TaskKey& key) {
  RunBook* run = nullptr;
  TargetId id;
  if (!Find(host, key, &run, &id)) return;
  const TargetRecord& target = run->Target(id.stage, id.target);
  if (!IsAtWork(target, key) || target.task() == model::v1::TASK_STATE_RUNNING) return;
  if (target.state() == model::v1::TARGET_STATE_DEFERRED) return;  // Its outcome will bring it back.
  // Given up: it is asked to end it, and is not waited for. Nothing would ever take it off the host's count again.
  if (IsEnded(target.state())) return;
  Event event;
  auto* accepted = event.mutable_task_accepted();
  accepted->set_run(id.run);
  accepted->set_stage(id.stage);
  accepted->set_host(target.host());
  accepted->set_step(key.step());
  accepted->set_attempt(key.attempt());
  accepted->set_rollback(key.rollback());
  desk_.Emit(std::move(event));
}

void Outcomes::OnFinished(HostBook& host, const agent::v1::Finished& finished) {
  RunBook* run = nullptr;
  TargetId id;
  const agent::v1::TaskKey& key = finished.key();
  if (!Find(host, key, &run, &id)) return;
  const TargetRecord& target = run->Target(id.stage, id.target);
  agent::v1::CoordinatorMessage answer;
  *answer.mutable_acknowledged()->mutable_key() = key;
  if (!IsAtWork(target, key)) {
    const journal::v1::StepRecord* step = FindStep(target, key.step());
    if (step != nullptr && key.attempt() <= step->attempts()) desk_.Send(host, std::move(answer));
    return;
  }
  if (REPRISE_PLANTED(kAcknowledgedUnwritten) && run->record->state() == model::v1::RUN_STATE_PAUSED) {
    return desk_.Send(host, std::move(answer));
  }
  if (target.state() == model::v1::TARGET_STATE_DEFERRED) {
    Event event;
    auto* moved = event.mutable_target_moved();
    moved->set_run(id.run);
    moved->set_stage(id.stage);
    moved->set_host(target.host());
    moved->set_to(model::v1::TARGET_STATE_WAITING);
    moved->set_code("returned");
    desk_.Emit(std::move(event));
  }
  Event event;
  auto* task_finished = event.mutable_task_finished();
  task_finished->set_run(id.run);
  task_finished->set_stage(id.stage);
  task_finished->set_host(target.host());
  const plan::v1::Step& step = run->stages[id.stage].plan->steps(static_cast<int>(key.step()));
  *task_finished->mutable_finished() =
      Bounded(finished, run->plan->header.plugins(static_cast<int>(step.plugin())).name());
  if (REPRISE_PLANTED(kOldOutcomeForNewTask)) {
    task_finished->mutable_finished()->mutable_key()->set_attempt(target.attempt());
  }
  Judgement(*run, run->stages[id.stage], target, desk_.stopped(), desk_.now()).Judge(*task_finished);
  desk_.Emit(std::move(event));
  if (REPRISE_PLANTED(kStateBesideJournal)) run->Target(id.stage, id.target).set_reason("tidied");
  desk_.Send(host, std::move(answer));
}

}  // namespace reprise::engine
