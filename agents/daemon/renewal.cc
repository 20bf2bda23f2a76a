#include "agents/daemon/renewal.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"

namespace reprise::daemon {
namespace {

constexpr auto kBetweenTries = std::chrono::seconds(60);

}  // namespace

absl::StatusOr<std::unique_ptr<Renewal>> Renewal::Open(const StateFolder& folder, const std::string& host,
                                                       const Clock& clock) {
  ASSIGN_OR_RETURN(Identity identity, folder.LoadIdentity());
  RETURN_IF_ERROR(CheckIdentity(identity, host));
  ASSIGN_OR_RETURN(const Validity validity, ReadValidity(identity.certificate));
  return std::unique_ptr<Renewal>(new Renewal(folder, host, clock, std::move(identity), validity));
}

Identity Renewal::Current() const {
  std::lock_guard lock(mutex_);
  return identity_;
}

Identity Renewal::ForSession() {
  std::lock_guard lock(mutex_);
  wants_session_ = false;
  return identity_;
}

bool Renewal::WantsSession() const {
  std::lock_guard lock(mutex_);
  return wants_session_;
}

bool Renewal::Due() {
  const auto now = std::chrono::steady_clock::now();
  std::lock_guard lock(mutex_);
  if (clock_.Now() < validity_.RenewAt() || now < next_try_) return false;
  next_try_ = now + kBetweenTries;
  return true;
}

absl::Status Renewal::Renew(CoordinatorLink& link) {
  Identity renewed = Current();
  ASSIGN_OR_RETURN(const std::string request, MakeHostRequest(renewed.key, host_));
  ASSIGN_OR_RETURN(renewed.certificate, link.Renew(request));
  RETURN_IF_ERROR(CheckIdentity(renewed, host_));
  ASSIGN_OR_RETURN(const Validity validity, ReadValidity(renewed.certificate));
  RETURN_IF_ERROR(folder_.SaveCertificate(renewed.certificate));
  std::lock_guard lock(mutex_);
  identity_ = std::move(renewed);
  validity_ = validity;
  wants_session_ = true;
  return absl::OkStatus();
}

std::string Renewal::Trouble() const {
  std::lock_guard lock(mutex_);
  const UnixMs now = clock_.Now();
  if (now < validity_.from) {
    return absl::StrCat("this host's clock says ", FormatTime(now), ", before the certificate's first moment, ",
                        FormatTime(validity_.from), "; set the clock");
  }
  if (now >= validity_.until) {
    return absl::StrCat("the certificate ended at ", FormatTime(validity_.until), " and it is ", FormatTime(now),
                        ": look at the clock; else get a join code (`reprise host token ", host_,
                        "`) and run `reprise-agent join` again: what the agent remembers is kept");
  }
  return "";
}

}  // namespace reprise::daemon
