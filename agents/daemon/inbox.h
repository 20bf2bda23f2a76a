// Where every other thread leaves what the loop has to hear. The loop takes all that waits at once.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "agents/engine/agent_engine.h"

namespace reprise::daemon {

// A batch from the coordinator. `taken` lets the next one be read.
struct BatchArrived {
  uint64_t session = 0;
  std::vector<agent::v1::CoordinatorMessage> messages;
  std::function<void()> taken;
};
struct SessionEnded {
  uint64_t session = 0;
  absl::Status status;
};

class Inbox {
 public:
  using Item = std::variant<agents::Input, BatchArrived, SessionEnded>;

  void Post(Item item);  // [any thread]
  // For what may be lost: dropped when much waits already.
  void PostIfRoom(Item item);  // [any thread]
  void Stop();                 // [any thread]
  bool Stopped() const;
  // All that waits, when there is something, or nothing when the time is over. Stopping ends the wait.
  std::vector<Item> Take(std::chrono::milliseconds wait);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Item> items_;
  bool stopped_ = false;
};

}  // namespace reprise::daemon
