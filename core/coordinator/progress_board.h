// The latest progress that each agent reported: for people who watch, never durable. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "core/coordinator/loop.h"
#include "reprise/operators/v1/operators.pb.h"

namespace reprise::coordinator {

class ProgressBoard final : public LoopObserver {
 public:
  void Heard(const std::string& host, agent::v1::Progress progress);
  // Puts what is known into the targets at work.
  void ShowIn(operators::v1::RunView& run) const;
  // Grows with everything heard.
  uint64_t Heard() const { return heard_; }

  // What ended is forgotten.
  void OnEvents(const engine::Engine& engine, const std::vector<journal::v1::Event>& events) override;
  void OnCommit(double, double, size_t) override {}

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, agent::v1::Progress> latest_;  // By host.
  std::atomic<uint64_t> heard_{0};
};

}  // namespace reprise::coordinator
