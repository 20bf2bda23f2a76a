// Which agent is reached by which open stream. The loop's effects go in, packed messages come out: all that one batch
// of decisions has for an agent leaves as one message.
// Any thread may open and close; sending is the loop's, and carried out by a courier, so that the loop need not wait for
// encryption and sockets.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/coordinator/courier.h"
#include "core/coordinator/loop.h"
#include "reprise/agent/v1/agent.pb.h"

namespace reprise::coordinator {

// One agent's stream, as the table sees it. Neither call blocks.
class Outbox {
 public:
  virtual ~Outbox() = default;
  // Queued in order. An outbox that is full ends its stream: the agent comes back and is told anew.
  virtual void Deliver(std::vector<agent::v1::CoordinatorMessage> messages) = 0;
  virtual void End(const std::string& reason) = 0;
};

class SessionTable final : public EffectSink {
 public:
  // `join_window` is told when the engine opens or closes it. `first_session`: greater than any of an earlier life.
  SessionTable(uint64_t first_session, std::function<void(UnixMs)> join_window);

  // A number for a stream that said hello.
  uint64_t Open(const std::string& host, std::weak_ptr<Outbox> outbox);
  void Close(uint64_t session);
  size_t Count() const { return count_; }
  // Of the host's newest open stream; 0: none.
  uint64_t SessionOf(const std::string& host) const;
  // What does not come from the engine: dry runs. False: not connected.
  bool SendBeside(const std::string& host, agent::v1::CoordinatorMessage message);
  uint64_t Dropped() const { return dropped_; }

  void Send(engine::SendToAgent&& effect) override;
  void Drop(const engine::DropSession& effect) override;
  void SetJoinWindow(UnixMs until) override { join_window_(until); }
  void Flush() override;
  void Settle() override { courier_.Settle(); }
  void DropAll(const std::string& reason) override;

 private:
  struct Session {
    std::string host;
    std::weak_ptr<Outbox> outbox;
  };
  std::shared_ptr<Outbox> Find(uint64_t session) const;

  const std::function<void(UnixMs)> join_window_;
  mutable std::mutex mutex_;
  uint64_t next_;
  std::unordered_map<uint64_t, Session> sessions_;
  std::unordered_map<std::string, uint64_t> newest_;  // By host.
  std::atomic<size_t> count_{0};
  std::atomic<uint64_t> dropped_{0};

  using Gathered = std::unordered_map<uint64_t, std::vector<agent::v1::CoordinatorMessage>>;
  Gathered gathered_;  // The loop's alone.
  Courier courier_;    // Last: it ends before what it works on.
};

}  // namespace reprise::coordinator
