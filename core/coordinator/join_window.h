// Opens the join port when the engine says so, and closes it when the time is over. Any thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <utility>

#include "core/base/clock.h"
#include "core/coordinator/workers.h"
#include "core/web/https_server.h"

namespace reprise::coordinator {

class JoinWindow {
 public:
  // All outlive it.
  JoinWindow(const Clock& clock, Workers& workers) : clock_(clock), workers_(workers) {}

  // Before this, only the time is kept.
  void Serve(web::HttpsServer& server) {
    std::lock_guard lock(mutex_);
    server_ = &server;
    Look();
  }

  void Set(UnixMs until) {
    std::lock_guard lock(mutex_);
    until_ = until;
    Look();
  }

 private:
  void Look() {
    if (server_ == nullptr) return;
    const UnixMs left = until_ - clock_.Now();
    if (left <= 0) return server_->Close();
    server_->Open();
    if (std::exchange(waiting_, true)) return;
    // Looked at when it should be over, and now and then: clocks are set right in these weeks.
    workers_.RunAfter(std::chrono::milliseconds(std::min<UnixMs>(left + 1, 30'000)), [this] {
      std::lock_guard lock(mutex_);
      waiting_ = false;
      Look();
    });
  }

  const Clock& clock_;
  Workers& workers_;
  std::mutex mutex_;
  web::HttpsServer* server_ = nullptr;
  UnixMs until_ = 0;
  bool waiting_ = false;
};

}  // namespace reprise::coordinator
