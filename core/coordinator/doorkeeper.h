// Which hosts may speak, by which certificates and how often. Holds a copy of what is durable about identities, so that a
// call is refused before it costs a decision or an event; the engine judges again when it decides.
// Any thread asks; the loop's thread tells.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <unordered_map>

#include "absl/status/status.h"
#include "core/base/clock.h"
#include "core/coordinator/host_rates.h"
#include "core/coordinator/loop.h"

namespace reprise::coordinator {

class Doorkeeper final : public LoopObserver {
 public:
  // An agent that is restarted by hand or by a crash comes in at once; one that comes and goes does so slowly.
  static constexpr int kSessionBurst = 10;
  static constexpr std::chrono::seconds kSessionEvery{6};
  static constexpr int kRenewalBurst = 5;
  static constexpr std::chrono::seconds kRenewalEvery{60};

  explicit Doorkeeper(const Clock& clock) : clock_(clock) {}

  // PERMISSION_DENIED as core/engine/host_identity.h says; UNAVAILABLE before anything was learnt.
  absl::Status Check(const std::string& host, const engine::ShownCertificate& shown);
  // RESOURCE_EXHAUSTED says when to come again. REQUIRES: checked.
  absl::Status TakeSession(const std::string& host);
  absl::Status TakeRenewal(const std::string& host);

  uint64_t Refused() const { return refused_; }      // By Check.
  uint64_t Throttled() const { return throttled_; }  // By Take….

  // Everything, at the start.
  void Learn(const engine::Engine& engine);
  void OnEvents(const engine::Engine& engine, const std::vector<journal::v1::Event>& events) override;
  void OnCommit(double, double, size_t) override {}

 private:
  void LearnOf(const engine::Engine& engine, const std::string& host);
  absl::Status Take(HostRates& rates, const std::string& host, const char* what);
  // Somebody who is refused comes again and again: said once a minute of each host.
  void Warn(const std::string& host, const absl::Status& status);

  const Clock& clock_;
  HostRates sessions_{kSessionBurst, kSessionEvery};
  HostRates renewals_{kRenewalBurst, kRenewalEvery};
  std::mutex mutex_;
  bool learnt_ = false;
  std::unordered_map<std::string, journal::v1::HostRecord> known_;  // Of each, only what identifies it.
  std::unordered_map<std::string, UnixMs> warned_;
  std::atomic<uint64_t> refused_{0};
  std::atomic<uint64_t> throttled_{0};
};

}  // namespace reprise::coordinator
