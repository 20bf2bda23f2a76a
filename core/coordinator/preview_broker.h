// Dry runs: asks the connected hosts of a plan what each step would do there, and gathers the answers until all are in
// or the time is up. Nothing of it is durable; only `plan` verbs of plugins that an operator signed are run.
// Any thread.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "core/coordinator/feed.h"
#include "core/coordinator/loop.h"
#include "core/coordinator/session_table.h"
#include "core/coordinator/workers.h"
#include "reprise/operators/v1/operators.pb.h"

namespace reprise::coordinator {

class PreviewBroker {
 public:
  using HostFeed = Feed<operators::v1::HostPreview>;

  // All outlive the broker. `first`: numbers of requests of an earlier life are below it.
  PreviewBroker(Loop& loop, SessionTable& sessions, Workers& workers, uint64_t first)
      : loop_(loop), sessions_(sessions), workers_(workers), next_(first) {}

  void Start(const operators::v1::PreviewPlanRequest& request, std::shared_ptr<HostFeed> feed);
  void Answered(const std::string& host, agent::v1::Preview preview);

 private:
  struct Round;
  void Ask(std::shared_ptr<Round> round, const engine::Engine& engine);
  void GiveUp(uint64_t number);
  void EndLocked(Round& round);

  Loop& loop_;
  SessionTable& sessions_;
  Workers& workers_;
  std::mutex mutex_;
  uint64_t next_;
  std::unordered_map<uint64_t, std::shared_ptr<Round>> rounds_;
};

}  // namespace reprise::coordinator
