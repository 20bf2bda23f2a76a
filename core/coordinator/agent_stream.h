// One agent's open stream: batches in, handed whole to the loop; batches out, packed from what waits. One read and one
// write under way; while the loop has not taken a batch, no further one is read.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/coordinator/agent_service.h"
#include "core/coordinator/loop.h"
#include "core/coordinator/session_table.h"

namespace reprise::coordinator {

class AgentStream final : public grpc::ServerBidiReactor<agent::v1::AgentBatch, agent::v1::CoordinatorBatch>,
                          public Outbox,
                          public std::enable_shared_from_this<AgentStream> {
 public:
  // Owned by itself until gRPC is done with it.
  static AgentStream* Start(AgentCaller caller, Loop& loop, SessionTable& sessions, const SideTalk& side_talk);

  void Deliver(std::vector<agent::v1::CoordinatorMessage> messages) override;
  void End(const std::string& reason) override;

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  AgentStream(AgentCaller caller, Loop& loop, SessionTable& sessions, const SideTalk& side_talk);
  // INVALID_ARGUMENT: the peer does not follow the protocol.
  absl::Status Take(std::vector<engine::Input>& inputs);
  void ReadOn();
  void WriteLocked();
  void FinishLocked(const absl::Status& status);
  // Once: the host counts as not connected from then on.
  void LeaveSession();

  const std::string host_;
  const engine::ShownCertificate certificate_;
  const std::string address_;
  Loop& loop_;
  SessionTable& sessions_;
  const SideTalk& side_talk_;
  std::shared_ptr<AgentStream> self_;
  std::atomic<uint64_t> session_ = 0;  // 0 before hello.
  std::atomic<bool> left_ = false;
  agent::v1::AgentBatch incoming_;
  agent::v1::CoordinatorBatch outgoing_;

  std::mutex mutex_;
  std::deque<agent::v1::CoordinatorMessage> queue_;
  size_t queued_bytes_ = 0;
  bool writing_ = false;
  bool finished_ = false;
};

}  // namespace reprise::coordinator
