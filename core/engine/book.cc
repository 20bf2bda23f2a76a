#include "core/engine/book.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/planted.h"
#include "core/base/status_macros.h"

namespace reprise::engine {

using journal::v1::Event;
using journal::v1::TargetRecord;

bool IsEnded(model::v1::TargetState state) {
  switch (state) {
    case model::v1::TARGET_STATE_SUCCEEDED:
    case model::v1::TARGET_STATE_FAILED:
    case model::v1::TARGET_STATE_ROLLED_BACK:
    case model::v1::TARGET_STATE_SKIPPED:
    case model::v1::TARGET_STATE_CANCELLED:
    case model::v1::TARGET_STATE_EXPIRED:
      return true;
    default:
      return false;
  }
}

bool HoldsPlace(model::v1::TargetState state) {
  return state == model::v1::TARGET_STATE_ACTIVE || state == model::v1::TARGET_STATE_ROLLING_BACK;
}

bool IsInFlight(model::v1::TaskState state) {
  return state == model::v1::TASK_STATE_DISPATCHED || state == model::v1::TASK_STATE_RUNNING;
}

bool IsActive(model::v1::RunState state) {
  return state == model::v1::RUN_STATE_RUNNING || state == model::v1::RUN_STATE_PAUSED ||
         state == model::v1::RUN_STATE_CATCHING_UP || state == model::v1::RUN_STATE_ABORTING;
}

bool IsRepeated(const TargetRecord& target) {
  return (target.state() == model::v1::TARGET_STATE_SUCCEEDED || target.state() == model::v1::TARGET_STATE_FAILED) &&
         target.code() != kAttemptsExhausted &&
         (target.task() == model::v1::TASK_STATE_SUCCEEDED || target.task() == model::v1::TASK_STATE_FAILED);
}

bool IsFailure(const plan::v1::Stage& stage, const TargetRecord& target) {
  switch (target.state()) {
    case model::v1::TARGET_STATE_SUCCEEDED:
    case model::v1::TARGET_STATE_SKIPPED:
    case model::v1::TARGET_STATE_CANCELLED:
    case model::v1::TARGET_STATE_EXPIRED:
      return false;
    case model::v1::TARGET_STATE_FAILED:
    case model::v1::TARGET_STATE_ROLLED_BACK:
      return true;
    case model::v1::TARGET_STATE_DEFERRED:
      // Where the upstream stage counted it already, once is enough.
      return target.rollback() ||
             (stage.unreachable() == model::v1::UNREACHABLE_FAIL && target.code() != "upstream_deferred");
    default:
      return target.rollback();  // It failed, and is being undone.
  }
}

const journal::v1::StepRecord* FindStep(const TargetRecord& target, uint32_t step) {
  for (const auto& record : target.steps()) {
    if (record.step() == step) return &record;
  }
  return nullptr;
}

std::string NameOfActor(const std::string& actor) {
  const size_t colon = actor.find(':');
  return colon == std::string::npos ? actor : actor.substr(colon + 1);
}

absl::Status Book::Restore(journal::v1::State snapshot) {
  state_ = std::move(snapshot);
  for (const auto& statement : state_.keyring()) {
    if (keyring_) {
      RETURN_IF_ERROR(keyring_->Extend(statement));
      continue;
    }
    ASSIGN_OR_RETURN(model::Keyring keyring, model::Keyring::Found(statement, ""));
    keyring_ = std::move(keyring);
  }
  // Nothing was ever decided but under a keyring.
  if (!keyring_ && (state_.plans_size() > 0 || state_.runs_size() > 0)) {
    return absl::DataLossError("the snapshot has plans or runs, and no keyring");
  }
  for (auto& host : *state_.mutable_hosts()) HostNamed(host.declared().name()).record = &host;
  for (const auto& blob : state_.blobs()) blob_of_[blob.kind() + "/" + blob.sha256()] = &blob;
  for (auto& plan : *state_.mutable_plans()) {
    ASSIGN_OR_RETURN(PlanIndex index, PlanIndex::Read(plan.bundle()));
    plans_[plan.plan_id()] = {std::make_shared<const PlanIndex>(std::move(index)), &plan};
  }
  for (auto& record : *state_.mutable_runs()) {
    auto run = std::make_unique<RunBook>();
    run->id = runs_.size() + 1;
    run->record = &record;
    if (record.id() != run->id) return absl::DataLossError("the snapshot's runs are not numbered from 1");
    RETURN_IF_ERROR(IndexRun(*run));
    runs_.push_back(std::move(run));
  }
  TouchEverything();
  return absl::OkStatus();
}

absl::Status Book::Apply(const Event& event) {
  if (absl::Status status = Fold(event); !status.ok()) {
    const auto* kind = event.GetDescriptor()->FindFieldByNumber(static_cast<int>(event.kind_case()));
    return absl::DataLossError(absl::StrCat("event ", state_.events() + 1, " (",
                                            kind == nullptr ? "of an unknown kind" : kind->name(),
                                            ") is not legal here: ", std::string(status.message())));
  }
  state_.set_events(state_.events() + 1);
  state_.set_last_event_ms(event.at_ms());
  return absl::OkStatus();
}

absl::Status Book::Fold(const Event& e) {
  switch (e.kind_case()) {
    case Event::kCoordinatorStarted:
      return On(e, e.coordinator_started());
    case Event::kKeyringExtended:
      return On(e, e.keyring_extended());
    case Event::kInventoryImported:
      return On(e, e.inventory_imported());
    case Event::kTokensIssued:
      return On(e, e.tokens_issued());
    case Event::kJoinWindowOpened:
      return On(e, e.join_window_opened());
    case Event::kHostEnrolled:
      return On(e, e.host_enrolled());
    case Event::kHostRenewed:
      return On(e, e.host_renewed());
    case Event::kHostExpelled:
      return On(e, e.host_expelled());
    case Event::kHostStatementRecorded:
      return On(e, e.host_statement_recorded());
    case Event::kBlobAdded:
      return On(e, e.blob_added());
    case Event::kOperatorCertified:
      return On(e, e.operator_certified());
    case Event::kFactsReported:
      return On(e, e.facts_reported());
    case Event::kSessionOpened:
      return On(e, e.session_opened());
    case Event::kSessionClosed:
      return On(e, e.session_closed());
    case Event::kPlanSubmitted:
      return On(e, e.plan_submitted());
    case Event::kPlanSigned:
      return On(e, e.plan_signed());
    case Event::kRunStarted:
      return On(e, e.run_started());
    case Event::kGateReady:
      return On(e, e.gate_ready());
    case Event::kGateSigned:
      return On(e, e.gate_signed());
    case Event::kGateOpened:
      return On(e, e.gate_opened());
    case Event::kStageStarted:
      return On(e, e.stage_started());
    case Event::kWaveStarted:
      return On(e, e.wave_started());
    case Event::kTaskDispatched:
      return On(e, e.task_dispatched());
    case Event::kTaskAccepted:
      return On(e, e.task_accepted());
    case Event::kTaskFinished:
      return On(e, e.task_finished());
    case Event::kTaskLost:
      return On(e, e.task_lost());
    case Event::kTargetMoved:
      return On(e, e.target_moved());
    case Event::kWaveEnded:
      return On(e, e.wave_ended());
    case Event::kStageRepeated:
      return On(e, e.stage_repeated());
    case Event::kStageSettled:
      return On(e, e.stage_settled());
    case Event::kRunPaused:
      return On(e, e.run_paused());
    case Event::kRunResumed:
      return On(e, e.run_resumed());
    case Event::kRunAborting:
      return On(e, e.run_aborting());
    case Event::kRunRetried:
      return On(e, e.run_retried());
    case Event::kRunCatchingUp:
      return On(e, e.run_catching_up());
    case Event::kRunEnded:
      return On(e, e.run_ended());
    case Event::kStopRaised:
      return On(e, e.stop_raised());
    case Event::kStopConfirmed:
      return On(e, e.stop_confirmed());
    case Event::kStopLifted:
      return On(e, e.stop_lifted());
    case Event::KIND_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("this version does not know it; was the journal written by a newer one?");
}

HostBook* Book::FindHost(const std::string& name) {
  const auto found = host_named_.find(name);
  return found == host_named_.end() ? nullptr : found->second;
}

const HostBook* Book::FindHost(const std::string& name) const {
  const auto found = host_named_.find(name);
  return found == host_named_.end() ? nullptr : found->second;
}

RunBook* Book::FindRun(uint64_t run) {
  return run == 0 || run > runs_.size() ? nullptr : runs_[run - 1].get();
}

const RunBook* Book::FindRun(uint64_t run) const {
  return run == 0 || run > runs_.size() ? nullptr : runs_[run - 1].get();
}

const PlanIndex* Book::FindPlan(const std::string& plan_id) const {
  const auto found = plans_.find(plan_id);
  return found == plans_.end() ? nullptr : found->second.index.get();
}

const journal::v1::PlanRecord* Book::FindPlanRecord(const std::string& plan_id) const {
  const auto found = plans_.find(plan_id);
  return found == plans_.end() ? nullptr : found->second.record;
}

const plan::v1::BlobInfo* Book::FindBlob(const std::string& kind, const std::string& sha256) const {
  const auto found = blob_of_.find(kind + "/" + sha256);
  return found == blob_of_.end() ? nullptr : found->second;
}

HostBook& Book::HostNamed(const std::string& name) {
  HostBook*& host = host_named_[name];
  if (host == nullptr) {
    host = hosts_.emplace_back(std::make_unique<HostBook>()).get();
    host->name = name;
  }
  return *host;
}

journal::v1::HostRecord& Book::RecordOf(const std::string& name) {
  HostBook& host = HostNamed(name);
  if (host.record == nullptr) {
    host.record = state_.add_hosts();
    host.record->mutable_declared()->set_name(name);
  }
  return *host.record;
}

absl::StatusOr<Book::KnownPlan*> Book::PlanNamed(const std::string& plan_id) {
  const auto found = plans_.find(plan_id);
  if (found == plans_.end()) return absl::NotFoundError(absl::StrCat("there is no plan ", plan_id));
  return &found->second;
}

absl::StatusOr<RunBook*> Book::RunNumbered(uint64_t run) {
  RunBook* found = FindRun(run);
  if (found == nullptr) return absl::NotFoundError(absl::StrCat("there is no run ", run));
  return found;
}

absl::StatusOr<Book::Place> Book::TargetAt(uint64_t run, uint32_t stage, uint32_t leaf) {
  Place place;
  ASSIGN_OR_RETURN(place.run, RunNumbered(run));
  if (stage >= place.run->stages.size()) return absl::NotFoundError(absl::StrCat("run ", run, " has no stage ", stage));
  place.stage = &place.run->stages[stage];
  const bool placed = leaf < place.stage->target_of_leaf.size() && place.stage->target_of_leaf[leaf] >= 0;
  if (!placed) return absl::NotFoundError(absl::StrCat("stage ", stage, " of run ", run, " has no host ", leaf));
  place.id = {run, stage, static_cast<uint32_t>(place.stage->target_of_leaf[leaf])};
  place.target = place.stage->record->mutable_targets(static_cast<int>(place.id.target));
  return place;
}

// ---- counting ----

void Book::Count(const Place& place, int sign) {
  const TargetRecord& target = *place.target;
  WaveBook& wave = place.stage->waves[target.wave()];
  const auto add = [sign](uint32_t& count, bool counts) {
    if (counts) count += static_cast<uint32_t>(sign);
  };
  const bool ended = IsEnded(target.state());
  add(place.run->unended, !ended);
  add(place.run->succeeded, target.state() == model::v1::TARGET_STATE_SUCCEEDED);
  add(wave.open, !ended && target.state() != model::v1::TARGET_STATE_DEFERRED);
  const bool failure = IsFailure(*place.stage->plan, target);
  add(wave.failures, failure);
  add(place.run->failures, failure);
  add(place.stage->places, HoldsPlace(target.state()));
  add(place.run->places, HoldsPlace(target.state()));
  if (IsInFlight(target.task())) {
    add(place.stage->hosts[place.id.target]->in_flight, true);
    if (target.step() < place.stage->tokens.size()) {
      for (const auto& [capacity, amount] : place.stage->tokens[target.step()]) {
        place.run->tokens_used[capacity] += static_cast<uint32_t>(sign) * amount;
      }
    }
  }
}

// A failure that was made good must not leave room for another one.
void Book::AcceptNoMoreThanFailed(RunBook& run, StageBook& stage, uint32_t wave) {
  if (REPRISE_PLANTED(kReplayForgets) && touched_ == nullptr) return;
  journal::v1::WaveRecord& record = *stage.record->mutable_waves(static_cast<int>(wave));
  if (record.failures_accepted() > stage.waves[wave].failures) {
    record.set_failures_accepted(stage.waves[wave].failures);
  }
  if (run.record->failures_accepted() > run.failures) run.record->set_failures_accepted(run.failures);
}

}  // namespace reprise::engine
