// The one thread that owns the engine and the journal. Everybody else hands it inputs and gets answers by callback.
//
// It drains all that waits, decides it, writes one transaction, and only then lets any effect out: what was sent or
// answered is always durable. When the journal refuses, it throws the engine away, reads the journal again, and answers
// UNAVAILABLE until it can write; no agent and no operator ever hears of something that did not last.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/engine/engine.h"
#include "core/journal/journal.h"

namespace reprise::coordinator {

// Carries out what the engine decided. Called on the loop's thread; must not block.
class EffectSink {
 public:
  virtual ~EffectSink() = default;
  virtual void Send(engine::SendToAgent&& effect) = 0;
  virtual void Drop(const engine::DropSession& effect) = 0;
  virtual void SetJoinWindow(UnixMs until) = 0;
  // After the last effect of a batch: what was gathered may go out.
  virtual void Flush() = 0;
  // Returns when what was flushed has left: whoever is answered after it knows that nothing older follows.
  virtual void Settle() = 0;
  // The engine was rebuilt: every session is over.
  virtual void DropAll(const std::string& reason) = 0;
};

// Sees what became durable. Called on the loop's thread; must not block.
class LoopObserver {
 public:
  virtual ~LoopObserver() = default;
  virtual void OnEvents(const engine::Engine& engine, const std::vector<journal::v1::Event>& events) = 0;
  // `seconds`: for the commit itself; `lag_seconds`: since the oldest of what it holds was handed to the loop.
  virtual void OnCommit(double seconds, double lag_seconds, size_t events) = 0;
};

class Loop {
 public:
  struct Options {
    // Events, at the least: a large state waits for more, so that saving it stays a small part of the work.
    uint64_t snapshot_every = 500'000;
    std::string version;
  };
  // Called on the loop's thread, after the command's events are durable.
  using OnReply = std::function<void(const engine::Engine&, const engine::Reply&)>;
  using OnEngine = std::function<void(const engine::Engine&)>;

  // Reads the journal. DATA_LOSS and others from it; the loop does not run yet.
  static absl::StatusOr<std::unique_ptr<Loop>> Open(std::unique_ptr<journal::Journal> journal, const Clock& clock,
                                                    const Options& options);
  // Stops it.
  ~Loop();

  // `sink` and `observers` outlive the loop's running.
  void Start(EffectSink& sink, std::vector<LoopObserver*> observers);
  // Decides what waits, saves a snapshot, and ends the thread. What comes later is answered UNAVAILABLE.
  void Stop();

  // What an agent said, in order. `taken` is called when all of it was decided: then its stream may be read on, so that
  // no more waits here than one batch per stream.
  void Post(std::vector<engine::Input> inputs, std::function<void()> taken);
  // The command's ticket is set here.
  void Call(engine::Command command, OnReply reply);
  void Enrol(engine::EnrolRequested request, OnReply reply);
  void Query(OnEngine query);

  UnixMs LastEventAt() const { return engine_.state().last_event_ms(); }  // 0: none yet. Before Start.
  size_t Waiting() const { return waiting_; }
  uint64_t LastSequence() const { return last_sequence_; }
  // False while the journal refuses.
  bool Writing() const { return writing_; }
  // Hash of the last record. Only inside a query or a reply.
  std::string Head() const { return journal_->Head(); }
  uint64_t EventsSinceSnapshot() const { return last_sequence_ - snapshot_sequence_; }  // Likewise.

 private:
  struct Item {
    std::vector<engine::Input> inputs;
    std::function<void()> taken;
    OnEngine query;
  };
  struct Batch;

  Loop(std::unique_ptr<journal::Journal> journal, const Clock& clock, Options options);
  // The newest snapshot and the events after it. `whole`: every event's hash is checked, those before the snapshot too.
  absl::Status Rebuild(bool whole = false);
  void Run();
  void Work(std::vector<Item> items);
  void Decide(const engine::Input& input, Batch& batch);
  bool WasAnswered(const engine::Input& input);
  void LetOut(Batch& batch);
  void OnJournalRefused(const absl::Status& status, Batch& batch);
  bool Recover();
  void SaveSnapshot();
  void Answer(const engine::Reply& reply);
  void AnswerAll(const absl::Status& status);
  uint64_t Register(OnReply reply);
  void Push(Item item);

  const Clock& clock_;
  const Options options_;
  std::unique_ptr<journal::Journal> journal_;
  engine::Engine engine_;
  EffectSink* sink_ = nullptr;
  std::vector<LoopObserver*> observers_;
  uint64_t snapshot_sequence_ = 0;
  size_t snapshot_bytes_ = 0;  // Of the newest.
  bool broken_ = false;  // The journal refused and the engine is not yet started again.
  std::chrono::steady_clock::time_point batch_since_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Item> items_;
  std::chrono::steady_clock::time_point oldest_;  // When the first of items_ came.
  bool stopping_ = false;
  bool stopped_ = false;
  std::atomic<size_t> waiting_{0};
  std::atomic<uint64_t> last_sequence_{0};
  std::atomic<bool> writing_{true};

  std::mutex replies_mutex_;
  std::unordered_map<uint64_t, OnReply> replies_;
  uint64_t next_ticket_ = 1;

  std::thread thread_;
};

}  // namespace reprise::coordinator
