#include "core/coordinator/loop.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace reprise::coordinator {
namespace {

constexpr auto kRecoverEvery = std::chrono::seconds(1);
constexpr UnixMs kSleepMax = 60'000;
// Decided before a commit at most: a flood must not make one transaction of everything.
constexpr size_t kEventsPerCommitMax = 20'000;
// Writing so much of a snapshot takes about as long as deciding and replaying one event: of a state of 32 MB one is
// saved every half million events, and a restart replays them in about a second.
constexpr size_t kSnapshotBytesPerEvent = 64;

std::string Text(const absl::Status& status) { return std::string(status.message()); }

absl::Status Unavailable(const absl::Status& cause) {
  return absl::UnavailableError(
      absl::StrCat("nothing was done: the journal cannot be written (", Text(cause), "). Try again when it can"));
}

}  // namespace

struct Loop::Batch {
  std::vector<journal::v1::Event> events;
  std::vector<engine::Effect> effects;
  std::vector<std::function<void()>> taken;
};

Loop::Loop(std::unique_ptr<journal::Journal> journal, const Clock& clock, Options options)
    : clock_(clock), options_(std::move(options)), journal_(std::move(journal)) {}

Loop::~Loop() { Stop(); }

absl::StatusOr<std::unique_ptr<Loop>> Loop::Open(std::unique_ptr<journal::Journal> journal, const Clock& clock,
                                                 const Options& options) {
  std::unique_ptr<Loop> loop(new Loop(std::move(journal), clock, options));
  RETURN_IF_ERROR(loop->Rebuild(/*whole=*/true));
  return loop;
}

absl::Status Loop::Rebuild(bool whole) {
  engine::Engine engine;
  uint64_t from = 1;
  if (auto snapshot = journal_->LoadSnapshot(); snapshot.ok()) {
    journal::v1::State state;
    auto restored = state.ParseFromString(snapshot->state) ? engine::Engine::Restore(std::move(state))
                                                           : absl::DataLossError("it cannot be read");
    if (restored.ok()) {
      engine = *std::move(restored);
      snapshot_bytes_ = snapshot->state.size();
      from = snapshot->sequence + 1;
      snapshot_sequence_ = snapshot->sequence;
    } else {
      // The events say the same, and take longer.
      spdlog::warn("journal: the snapshot at event {} is passed over: {}", snapshot->sequence, Text(restored.status()));
    }
  } else if (snapshot.status().code() != absl::StatusCode::kNotFound) {
    return snapshot.status();
  }
  RETURN_IF_ERROR(journal_->Read(whole ? 1 : from, [&](const journal::Record& record) -> absl::Status {
    if (record.sequence < from) return absl::OkStatus();
    journal::v1::Event event;
    if (!event.ParseFromString(record.payload)) {
      return absl::DataLossError(absl::StrCat("event ", record.sequence, " of the journal cannot be read"));
    }
    if (absl::Status applied = engine.Apply(event); !applied.ok()) {
      return absl::DataLossError(absl::StrCat("event ", record.sequence, " of the journal: ", Text(applied)));
    }
    return absl::OkStatus();
  }));
  engine_ = std::move(engine);
  last_sequence_ = journal_->LastSequence();
  return absl::OkStatus();
}

void Loop::Start(EffectSink& sink, std::vector<LoopObserver*> observers) {
  sink_ = &sink;
  observers_ = std::move(observers);
  Push({{engine::Started{options_.version}}, nullptr, nullptr});
  thread_ = std::thread([this] { Run(); });
}

void Loop::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Loop::Post(std::vector<engine::Input> inputs, std::function<void()> taken) {
  Push({std::move(inputs), std::move(taken), nullptr});
}

void Loop::Query(OnEngine query) { Push({{}, nullptr, std::move(query)}); }

void Loop::Call(engine::Command command, OnReply reply) {
  command.ticket = Register(std::move(reply));
  Push({{std::move(command)}, nullptr, nullptr});
}

void Loop::Enrol(engine::EnrolRequested request, OnReply reply) {
  request.ticket = Register(std::move(reply));
  Push({{std::move(request)}, nullptr, nullptr});
}

uint64_t Loop::Register(OnReply reply) {
  std::lock_guard lock(replies_mutex_);
  const uint64_t ticket = next_ticket_++;
  replies_.emplace(ticket, std::move(reply));
  return ticket;
}

void Loop::Push(Item item) {
  {
    std::lock_guard lock(mutex_);
    if (!stopped_) {
      if (items_.empty()) oldest_ = std::chrono::steady_clock::now();
      items_.push_back(std::move(item));
      waiting_ = items_.size();
      if (items_.size() > 1) return;  // Somebody woke it already.
    }
  }
  wake_.notify_one();
}

void Loop::Run() {
  for (;;) {
    std::vector<Item> items;
    {
      std::unique_lock lock(mutex_);
      const UnixMs wake = engine_.NextWake();
      const UnixMs sleep = std::clamp<UnixMs>(wake - std::min(wake, clock_.Now()), 0, kSleepMax);
      const auto ready = [this] { return !items_.empty() || stopping_; };
      if (broken_) {
        wake_.wait_for(lock, kRecoverEvery, ready);
      } else if (sleep > 0) {
        wake_.wait_for(lock, std::chrono::milliseconds(sleep), ready);
      }
      if (items_.empty() && stopping_) {
        stopped_ = true;
        break;
      }
      batch_since_ = items_.empty() ? std::chrono::steady_clock::now() : oldest_;
      items.swap(items_);
      waiting_ = 0;
    }
    Work(std::move(items));
  }
  AnswerAll(absl::UnavailableError("the coordinator is stopping"));
  if (!broken_) SaveSnapshot();
}

void Loop::Work(std::vector<Item> items) {
  if (broken_ && !Recover()) {
    // Queries still see the state that is durable.
    for (Item& item : items) {
      if (item.query) item.query(engine_);
      if (item.taken) item.taken();
    }
    AnswerAll(absl::UnavailableError("the journal cannot be written; try again when it can"));
    return;
  }
  Batch batch;
  for (Item& item : items) {
    for (const engine::Input& input : item.inputs) Decide(input, batch);
    if (item.taken) batch.taken.push_back(std::move(item.taken));
    if (item.query) {
      // It may see only what is durable.
      LetOut(batch);
      item.query(engine_);
    } else if (batch.events.size() >= kEventsPerCommitMax) {
      LetOut(batch);
    }
  }
  if (engine_.NextWake() <= clock_.Now()) Decide(engine::Tick{}, batch);
  LetOut(batch);
  const uint64_t enough = std::max<uint64_t>(options_.snapshot_every, snapshot_bytes_ / kSnapshotBytesPerEvent);
  if (!broken_ && journal_->LastSequence() >= snapshot_sequence_ + enough) SaveSnapshot();
}

void Loop::Decide(const engine::Input& input, Batch& batch) {
  if (broken_ || WasAnswered(input)) return;
  engine::Decision decision = engine_.Decide(input, clock_.Now());
  std::move(decision.events.begin(), decision.events.end(), std::back_inserter(batch.events));
  std::move(decision.effects.begin(), decision.effects.end(), std::back_inserter(batch.effects));
}

// A command that waited while the journal refused was told that nothing was done: then nothing is.
bool Loop::WasAnswered(const engine::Input& input) {
  uint64_t ticket = 0;
  if (const auto* command = std::get_if<engine::Command>(&input)) ticket = command->ticket;
  if (const auto* enrol = std::get_if<engine::EnrolRequested>(&input)) ticket = enrol->ticket;
  if (ticket == 0) return false;
  std::lock_guard lock(replies_mutex_);
  return !replies_.contains(ticket);
}

void Loop::LetOut(Batch& batch) {
  Batch out;
  std::swap(out, batch);
  if (!out.events.empty()) {
    const auto began = std::chrono::steady_clock::now();
    if (absl::Status appended = journal_->Append(out.events); !appended.ok()) return OnJournalRefused(appended, out);
    last_sequence_ = journal_->LastSequence();
    const auto ended = std::chrono::steady_clock::now();
    const std::chrono::duration<double> took = ended - began, lag = ended - batch_since_;
    for (LoopObserver* observer : observers_) {
      observer->OnCommit(took.count(), lag.count(), out.events.size());
      observer->OnEvents(engine_, out.events);
    }
  }
  std::vector<engine::Reply> replies;
  for (engine::Effect& effect : out.effects) {
    if (auto* send = std::get_if<engine::SendToAgent>(&effect)) {
      sink_->Send(std::move(*send));
    } else if (const auto* drop = std::get_if<engine::DropSession>(&effect)) {
      sink_->Drop(*drop);
    } else if (const auto* window = std::get_if<engine::SetJoinWindow>(&effect)) {
      sink_->SetJoinWindow(window->until);
    } else {
      replies.push_back(std::move(std::get<engine::Reply>(effect)));
    }
  }
  sink_->Flush();
  if (!replies.empty()) {
    // A person who hears that all stands still may trust that nothing of before is still on its way out.
    sink_->Settle();
    for (const engine::Reply& reply : replies) Answer(reply);
  }
  for (const auto& taken : out.taken) taken();
}

void Loop::OnJournalRefused(const absl::Status& status, Batch& batch) {
  spdlog::error("journal: {}; going back to what is durable, trying again every second", Text(status));
  broken_ = true;
  writing_ = false;
  if (absl::Status rebuilt = Rebuild(); !rebuilt.ok()) {
    spdlog::critical("journal: {}", Text(rebuilt));
    engine_ = engine::Engine();
  }
  sink_->DropAll("the coordinator's journal cannot be written");
  AnswerAll(Unavailable(status));
  for (const auto& taken : batch.taken) taken();
}

// A new life of the same process: every session is over, then on as after a start.
bool Loop::Recover() {
  if (absl::Status rebuilt = Rebuild(); !rebuilt.ok()) return false;
  engine::Decision decision = engine_.Decide(engine::Started{options_.version}, clock_.Now());
  if (absl::Status appended = journal_->Append(decision.events); !appended.ok()) {
    if (!Rebuild().ok()) engine_ = engine::Engine();
    return false;
  }
  broken_ = false;
  writing_ = true;
  spdlog::info("journal: writing again");
  Batch batch;
  batch.effects = std::move(decision.effects);
  LetOut(batch);
  return true;
}

void Loop::SaveSnapshot() {
  const uint64_t sequence = journal_->LastSequence();
  if (sequence == snapshot_sequence_) return;
  std::string state = engine_.Snapshot();
  snapshot_bytes_ = state.size();
  if (absl::Status saved = journal_->SaveSnapshot({sequence, std::move(state)}); !saved.ok()) {
    spdlog::warn("journal: no snapshot saved: {}", Text(saved));
  }
  // Also after a failure: not again at each event.
  snapshot_sequence_ = sequence;
}

void Loop::Answer(const engine::Reply& reply) {
  OnReply waiting;
  {
    std::lock_guard lock(replies_mutex_);
    const auto found = replies_.find(reply.ticket);
    if (found == replies_.end()) return;
    waiting = std::move(found->second);
    replies_.erase(found);
  }
  waiting(engine_, reply);
}

void Loop::AnswerAll(const absl::Status& status) {
  std::unordered_map<uint64_t, OnReply> waiting;
  {
    std::lock_guard lock(replies_mutex_);
    waiting.swap(replies_);
  }
  for (const auto& [ticket, reply] : waiting) reply(engine_, {ticket, status, ""});
}

}  // namespace reprise::coordinator
