#include "core/coordinator/doorkeeper.h"

#include <spdlog/spdlog.h>

#include "absl/strings/str_cat.h"
#include "core/engine/host_identity.h"

namespace reprise::coordinator {
namespace {

using journal::v1::Event;
using journal::v1::HostRecord;

constexpr UnixMs kWarnEvery = 60'000;

HostRecord IdentityPart(const HostRecord& record) {
  HostRecord part;
  part.set_enrolled(record.enrolled());
  part.set_expelled_ms(record.expelled_ms());
  part.set_certificate_sha256(record.certificate_sha256());
  part.set_previous_certificate_sha256(record.previous_certificate_sha256());
  part.set_session_certificate_sha256(record.session_certificate_sha256());
  part.set_certificate_ms(record.certificate_ms());
  return part;
}

}  // namespace

absl::Status Doorkeeper::Check(const std::string& host, const engine::ShownCertificate& shown) {
  absl::Status status;
  {
    std::lock_guard lock(mutex_);
    if (!learnt_) return absl::UnavailableError("the coordinator is starting; try again");
    const auto found = known_.find(host);
    status = engine::CheckHostIdentity(host, found == known_.end() ? nullptr : &found->second, shown);
  }
  if (status.ok()) return status;
  refused_ += 1;
  Warn(host, status);
  return status;
}

absl::Status Doorkeeper::TakeSession(const std::string& host) { return Take(sessions_, host, "sessions"); }

absl::Status Doorkeeper::TakeRenewal(const std::string& host) { return Take(renewals_, host, "renewals"); }

absl::Status Doorkeeper::Take(HostRates& rates, const std::string& host, const char* what) {
  const auto wait = rates.Take(host, HostRates::Clock::now());
  if (wait.count() == 0) return absl::OkStatus();
  throttled_ += 1;
  const absl::Status status = absl::ResourceExhaustedError(
      absl::StrCat("too many ", what, " of ", host, " within a short time; come again in ",
                   std::chrono::ceil<std::chrono::seconds>(wait).count(), " s"));
  Warn(host, status);
  return status;
}

void Doorkeeper::Warn(const std::string& host, const absl::Status& status) {
  {
    std::lock_guard lock(mutex_);
    const UnixMs now = clock_.Now();
    const auto [last, first] = warned_.try_emplace(host, now);
    if (!first && now >= last->second && now < last->second + kWarnEvery) return;
    last->second = now;
  }
  spdlog::warn("agent {}: refused: {}", host, std::string(status.message()));
}

void Doorkeeper::Learn(const engine::Engine& engine) {
  std::lock_guard lock(mutex_);
  for (const HostRecord& record : engine.state().hosts()) known_[record.declared().name()] = IdentityPart(record);
  learnt_ = true;
}

void Doorkeeper::LearnOf(const engine::Engine& engine, const std::string& host) {
  const HostRecord* record = engine.FindHost(host);
  if (record == nullptr) return;
  std::lock_guard lock(mutex_);
  known_[host] = IdentityPart(*record);
}

void Doorkeeper::OnEvents(const engine::Engine& engine, const std::vector<Event>& events) {
  for (const Event& event : events) {
    switch (event.kind_case()) {
      case Event::kHostEnrolled:
        LearnOf(engine, event.host_enrolled().host());
        break;
      case Event::kHostRenewed:
        LearnOf(engine, event.host_renewed().host());
        break;
      case Event::kHostExpelled:
        LearnOf(engine, event.host_expelled().host());
        spdlog::warn("host {}: expelled by {}", event.host_expelled().host(), event.actor());
        break;
      case Event::kSessionOpened: {
        const auto& opened = event.session_opened();
        LearnOf(engine, opened.host());
        if (!opened.contested()) break;
        spdlog::warn(
            "host {}: {} sessions within minutes, each ending one from another address (now {}, before {}). Two agents "
            "seem to have one identity: find out which is the host's, `reprise host expel {}`, and join it anew",
            opened.host(), opened.replaced(), opened.address(), opened.replaced_address(), opened.host());
        break;
      }
      default:
        break;
    }
  }
}

}  // namespace reprise::coordinator
