// The coordinator's state and the counts over it: what the journal's events add up to. Folds one event at a time,
// live and in replay alike, by tables of legal moves; decides nothing, knows no time but the events' own.
// Internal to core/engine. Pointers that it gives stay valid as long as the book.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/engine/plan_index.h"
#include "core/model/keyring.h"
#include "core/model/moves.h"
#include "reprise/journal/v1/event.pb.h"
#include "reprise/journal/v1/state.pb.h"

namespace reprise::engine {

// One host's way through one stage of one run; `target` is its place in StageRecord.targets.
struct TargetId {
  uint64_t run = 0;
  uint32_t stage = 0;
  uint32_t target = 0;
  auto operator<=>(const TargetId&) const = default;
};

// A stage of one run.
struct StageId {
  uint64_t run = 0;
  uint32_t stage = 0;
};

struct HostBook {
  std::string name;
  journal::v1::HostRecord* record = nullptr;  // nullptr: a plan names it, and nothing else does yet.
  std::vector<TargetId> targets;              // Of active runs, in order.
  std::vector<StageId> awaited_by;            // Stages of active runs that require a claim of this host.
  uint32_t in_flight = 0;                     // Tasks sent and not ended, over all runs.
  bool touched = false;                       // Stands in Touched.
  bool crowded = false;                       // One of its targets waits until another's task ends.

  bool connected() const { return record != nullptr && record->session() != 0; }
};

struct WaveBook {
  std::vector<uint32_t> targets;
  uint32_t open = 0;  // Neither ended nor deferred.
  uint32_t failures = 0;
};

struct StageBook {
  const plan::v1::Stage* plan = nullptr;
  journal::v1::StageRecord* record = nullptr;
  std::vector<HostBook*> hosts;         // Beside record->targets.
  std::vector<int64_t> target_of_leaf;  // -1: not placed here.
  std::vector<uint32_t> ancestors;      // Stages that must have succeeded on the same host, all the way up.
  std::vector<uint32_t> descendants;
  std::vector<WaveBook> waves;
  std::vector<std::vector<std::pair<uint32_t, uint32_t>>> tokens;  // Of each step: index of the capacity, amount.
  std::vector<int64_t> grace_ms;  // Of each step: for its files to arrive, beside its timeout.
  bool changes_hosts = false;     // Some step does more than read.
  uint32_t places = 0;            // Hosts at work.
};

struct RunBook {
  uint64_t id = 0;
  journal::v1::RunRecord* record = nullptr;
  journal::v1::PlanRecord* plan_record = nullptr;
  std::shared_ptr<const PlanIndex> plan;
  std::vector<StageBook> stages;
  std::vector<uint32_t> tokens_used;  // Beside the header's capacities.
  uint32_t total = 0;
  uint32_t unended = 0;
  uint32_t succeeded = 0;
  uint32_t failures = 0;
  uint32_t places = 0;
  bool touched = false;  // Stands in Touched.

  journal::v1::TargetRecord& Target(uint32_t stage, uint32_t target) {
    return *stages[stage].record->mutable_targets(static_cast<int>(target));
  }
};

// What events touched since somebody looked: the only hint that decisions need.
struct Touched {
  std::vector<HostBook*> hosts;   // Something that all its targets may wait for.
  std::vector<TargetId> targets;  // Something that concerns nobody else. A target may stand here twice.
  std::vector<RunBook*> runs;
  bool everything = false;

  bool any_targets() const { return !hosts.empty() || !targets.empty(); }
};

// The code of a target whose step was tried as often as the plan allows.
inline constexpr char kAttemptsExhausted[] = "attempts_exhausted";

bool IsEnded(model::v1::TargetState state);
bool HoldsPlace(model::v1::TargetState state);
bool IsInFlight(model::v1::TaskState state);
bool IsActive(model::v1::RunState state);
// When its stage is done again, so is it: it came to an end there, and was not given up.
bool IsRepeated(const journal::v1::TargetRecord& target);
// Counts against the failure budgets.
bool IsFailure(const plan::v1::Stage& stage, const journal::v1::TargetRecord& target);
// nullptr: the step never ended on this target.
const journal::v1::StepRecord* FindStep(const journal::v1::TargetRecord& target, uint32_t step);

class Book {
 public:
  Book() = default;
  Book(const Book&) = delete;
  Book& operator=(const Book&) = delete;

  // Begins from a snapshot. DATA_LOSS when it does not make sense. REQUIRES: nothing was applied yet.
  absl::Status Restore(journal::v1::State snapshot);
  // DATA_LOSS: the event is not legal in this state; the book is of no use any more.
  absl::Status Apply(const journal::v1::Event& event);
  // From now on, what is touched is noted there. nullptr: nowhere.
  void NoteIn(Touched* touched) { touched_ = touched; }

  const journal::v1::State& state() const { return state_; }
  const model::Keyring* keyring() const { return keyring_ ? &*keyring_ : nullptr; }
  HostBook* FindHost(const std::string& name);
  const HostBook* FindHost(const std::string& name) const;
  RunBook* FindRun(uint64_t run);
  const RunBook* FindRun(uint64_t run) const;
  const PlanIndex* FindPlan(const std::string& plan_id) const;
  const journal::v1::PlanRecord* FindPlanRecord(const std::string& plan_id) const;
  const plan::v1::BlobInfo* FindBlob(const std::string& kind, const std::string& sha256) const;
  const std::vector<std::unique_ptr<RunBook>>& runs() const { return runs_; }
  const std::vector<std::unique_ptr<HostBook>>& hosts() const { return hosts_; }

 private:
  struct KnownPlan {
    std::shared_ptr<const PlanIndex> index;
    journal::v1::PlanRecord* record = nullptr;
  };
  struct Place {
    RunBook* run = nullptr;
    StageBook* stage = nullptr;
    journal::v1::TargetRecord* target = nullptr;
    TargetId id = {};
  };

  absl::Status Fold(const journal::v1::Event& event);
  // book_hosts.cc
  absl::Status On(const journal::v1::Event& event, const journal::v1::CoordinatorStarted& started);
  absl::Status On(const journal::v1::Event& event, const journal::v1::KeyringExtended& extended);
  absl::Status On(const journal::v1::Event& event, const journal::v1::InventoryImported& imported);
  absl::Status On(const journal::v1::Event& event, const journal::v1::TokensIssued& issued);
  absl::Status On(const journal::v1::Event& event, const journal::v1::JoinWindowOpened& opened);
  absl::Status On(const journal::v1::Event& event, const journal::v1::HostEnrolled& enrolled);
  absl::Status On(const journal::v1::Event& event, const journal::v1::HostRenewed& renewed);
  absl::Status On(const journal::v1::Event& event, const journal::v1::HostExpelled& expelled);
  absl::Status On(const journal::v1::Event& event, const journal::v1::HostStatementRecorded& recorded);
  absl::Status On(const journal::v1::Event& event, const journal::v1::BlobAdded& added);
  absl::Status On(const journal::v1::Event& event, const journal::v1::OperatorCertified& certified);
  absl::Status On(const journal::v1::Event& event, const journal::v1::FactsReported& reported);
  absl::Status On(const journal::v1::Event& event, const journal::v1::SessionOpened& opened);
  absl::Status On(const journal::v1::Event& event, const journal::v1::SessionClosed& closed);
  absl::Status On(const journal::v1::Event& event, const journal::v1::StopRaised& raised);
  absl::Status On(const journal::v1::Event& event, const journal::v1::StopConfirmed& confirmed);
  absl::Status On(const journal::v1::Event& event, const journal::v1::StopLifted& lifted);
  // book_runs.cc
  absl::Status On(const journal::v1::Event& event, const journal::v1::PlanSubmitted& submitted);
  absl::Status On(const journal::v1::Event& event, const journal::v1::PlanSigned& signed_by);
  absl::Status On(const journal::v1::Event& event, const journal::v1::RunStarted& started);
  absl::Status On(const journal::v1::Event& event, const journal::v1::GateReady& ready);
  absl::Status On(const journal::v1::Event& event, const journal::v1::GateSigned& signed_by);
  absl::Status On(const journal::v1::Event& event, const journal::v1::GateOpened& opened);
  absl::Status On(const journal::v1::Event& event, const journal::v1::StageStarted& started);
  absl::Status On(const journal::v1::Event& event, const journal::v1::WaveStarted& started);
  absl::Status On(const journal::v1::Event& event, const journal::v1::WaveEnded& ended);
  absl::Status On(const journal::v1::Event& event, const journal::v1::StageSettled& settled);
  absl::Status On(const journal::v1::Event& event, const journal::v1::StageRepeated& repeated);
  absl::Status On(const journal::v1::Event& event, const journal::v1::RunPaused& paused);
  absl::Status On(const journal::v1::Event& event, const journal::v1::RunResumed& resumed);
  absl::Status On(const journal::v1::Event& event, const journal::v1::RunAborting& aborting);
  absl::Status On(const journal::v1::Event& event, const journal::v1::RunRetried& retried);
  absl::Status On(const journal::v1::Event& event, const journal::v1::RunCatchingUp& catching_up);
  absl::Status On(const journal::v1::Event& event, const journal::v1::RunEnded& ended);
  // book_tasks.cc
  absl::Status On(const journal::v1::Event& event, const journal::v1::TaskDispatched& dispatched);
  absl::Status On(const journal::v1::Event& event, const journal::v1::TaskAccepted& accepted);
  absl::Status On(const journal::v1::Event& event, const journal::v1::TaskFinished& finished);
  absl::Status On(const journal::v1::Event& event, const journal::v1::TaskLost& lost);
  absl::Status On(const journal::v1::Event& event, const journal::v1::TargetMoved& moved);

  HostBook& HostNamed(const std::string& name);                // Made when missing, without a record.
  journal::v1::HostRecord& RecordOf(const std::string& name);  // Likewise, with one.
  void PutInForce(journal::v1::HostRecord& host);
  void Close(HostBook& host, int64_t at_ms);
  // book_claims.cc: what a plugin found out, of its host and of copies.
  struct Look {
    uint64_t run = 0;
    int64_t at_ms = 0;     // No later than it was.
    int64_t heard_ms = 0;  // When it was told.
    // What is known was found out later. What was found out in the future was so by a clock that was set back since.
    bool IsBefore(int64_t known_ms) const { return at_ms < known_ms && known_ms <= heard_ms; }
  };
  void NoteFindings(HostBook& host, const journal::v1::TargetRecord& target, uint64_t run,
                    const agent::v1::Finished& finished, int64_t heard_ms);
  void NoteClaims(HostBook& host, const Look& look, const agent::v1::Finished& finished);
  void NoteVerdicts(const HostBook& host, const Look& look, const agent::v1::Finished& finished);
  void NoteMeasures(HostBook& host, const Look& look, const agent::v1::Finished& finished);
  // Nothing that the host's agent found out is believed any more.
  void ForgetFindings(HostBook& host);

  absl::StatusOr<KnownPlan*> PlanNamed(const std::string& plan_id);
  absl::StatusOr<RunBook*> RunNumbered(uint64_t run);
  absl::StatusOr<journal::v1::WaveRecord*> WaveAt(RunBook& run, uint32_t stage, uint32_t wave);
  absl::StatusOr<journal::v1::GateRecord*> GateNamed(RunBook& run, const std::string& gate);
  absl::StatusOr<Place> TargetAt(uint64_t run, uint32_t stage, uint32_t leaf);
  absl::Status MoveRun(RunBook& run, model::RunEvent event);

  // Indexes a run whose record is complete, and counts it.
  absl::Status IndexRun(RunBook& run);
  void Enlist(RunBook& run);  // In the lists of its hosts and of those it requires claims of, while it is active.
  void Dismiss(RunBook& run);
  // Takes the target out of all counts (-1) or puts it in (+1).
  void Count(const Place& place, int sign);
  void AcceptNoMoreThanFailed(RunBook& run, StageBook& stage, uint32_t wave);
  template <typename Change>
  absl::Status Alter(const Place& place, Change change) {
    HostBook& host = *place.stage->hosts[place.id.target];
    const auto state = place.target->state();
    const uint32_t in_flight = host.in_flight;
    Count(place, -1);
    absl::Status status = change(*place.target);
    Count(place, +1);
    AcceptNoMoreThanFailed(*place.run, *place.stage, place.target->wave());
    // Later stages wait for the state; whoever found the host crowded, for a task's end. Nobody else is concerned.
    if (place.target->state() != state || (host.crowded && host.in_flight < in_flight)) {
      Touch(host);
    } else {
      Touch(place.id);
    }
    Touch(*place.run);
    return status;
  }

  void Touch(HostBook& host) {
    if (touched_ == nullptr || host.touched) return;
    host.touched = true;
    touched_->hosts.push_back(&host);
  }
  void Touch(const TargetId& target) {
    if (touched_ != nullptr) touched_->targets.push_back(target);
  }
  void Touch(RunBook& run) {
    if (touched_ == nullptr || run.touched) return;
    run.touched = true;
    touched_->runs.push_back(&run);
  }
  void TouchStage(RunBook& run, uint32_t stage);
  void TouchEverything() {
    if (touched_ != nullptr) touched_->everything = true;
  }

  journal::v1::State state_;
  std::optional<model::Keyring> keyring_;
  std::unordered_map<std::string, KnownPlan> plans_;
  std::vector<std::unique_ptr<HostBook>> hosts_;
  std::unordered_map<std::string, HostBook*> host_named_;
  std::vector<std::unique_ptr<RunBook>> runs_;                          // runs_[id - 1]
  std::unordered_map<std::string, const plan::v1::BlobInfo*> blob_of_;  // By kind and hash.
  Touched* touched_ = nullptr;
};

// "operator:alice" -> "alice"
std::string NameOfActor(const std::string& actor);

}  // namespace reprise::engine
