// A run as a stream of views: one at once, another whenever something changed (a few a second at most), until it ended.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "core/coordinator/feed.h"
#include "core/coordinator/loop.h"
#include "core/coordinator/operator_answers.h"
#include "core/coordinator/workers.h"

namespace reprise::coordinator {

// Knows how often each run changed, so that a view is made only when there is something new in it.
class RunWatch final : public LoopObserver {
 public:
  // All outlive the feeds.
  RunWatch(Loop& loop, Workers& workers, const Site& site) : loop_(loop), workers_(workers), site_(site) {}

  void Start(const operators::v1::GetRunRequest& request, std::shared_ptr<Feed<operators::v1::RunView>> feed);

  void OnEvents(const engine::Engine& engine, const std::vector<journal::v1::Event>& events) override;
  void OnCommit(double, double, size_t) override {}

 private:
  struct Watcher;
  void Look(std::shared_ptr<Watcher> watcher);
  uint64_t ChangesOf(uint64_t run) const;

  Loop& loop_;
  Workers& workers_;
  const Site& site_;
  std::atomic<int> watchers_{0};
  mutable std::mutex mutex_;
  std::unordered_map<uint64_t, uint64_t> changes_;  // By run; only while somebody watches.
};

}  // namespace reprise::coordinator
