// One agent of a fleet: the stream and the answers. Owned by the fleet, driven by gRPC's threads.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "reprise/agent/v1/agent_service.grpc.pb.h"
#include "tests/bench/latencies.h"

namespace reprise::bench {

using SteadyTime = std::chrono::steady_clock::time_point;

// What all agents count together.
struct Counters {
  std::string facts_json;  // What each answers when it is asked what it is.
  std::atomic<uint32_t> welcomed{0};
  std::atomic<uint32_t> refused{0};  // Ended before they were welcomed.
  std::atomic<uint32_t> lost{0};     // Ended after.
  std::atomic<int64_t> last_welcome{0};

  // Of the work at hand.
  std::atomic<uint64_t> acknowledged{0};
  std::atomic<uint64_t> messages_in{0};
  std::atomic<uint64_t> task_bytes{0};
  std::atomic<uint64_t> first_task_bytes{0};
  std::atomic<int64_t> first_task{0};
  std::atomic<int64_t> last_acknowledged{0};
  Latencies latencies;

  std::mutex mutex;
  std::condition_variable done;
  uint32_t streams = 0;
  std::string first_fault;  // Why the first of those that ended did.
};

class SimulatedAgent final : public grpc::ClientBidiReactor<agent::v1::AgentBatch, agent::v1::CoordinatorBatch> {
 public:
  SimulatedAgent(std::shared_ptr<grpc::Channel> channel, Counters& counters)
      : channel_(std::move(channel)), stub_(agent::v1::AgentService::NewStub(channel_)), counters_(counters) {}

  void Start();
  void Beat();
  void End() { context_.TryCancel(); }

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  struct Open {
    uint32_t stage = 0;
    uint32_t step = 0;
    SteadyTime since;
  };
  void TakeLocked(const agent::v1::CoordinatorMessage& message);
  void CarryLocked(const agent::v1::Task& task);
  void AcknowledgedLocked(const agent::v1::TaskKey& key);
  void FlushLocked();

  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<agent::v1::AgentService::Stub> stub_;
  Counters& counters_;
  grpc::ClientContext context_;
  agent::v1::CoordinatorBatch reading_;
  agent::v1::AgentBatch writing_;

  std::mutex mutex_;
  agent::v1::AgentBatch waiting_;
  std::vector<Open> open_;  // Few.
  bool welcomed_ = false;
  bool busy_ = false;
  bool over_ = false;
};

}  // namespace reprise::bench
