#include "core/model/restoring.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/crypto/sha256.h"
#include "core/model/names.h"

namespace reprise::model {
namespace {

using plan::v1::RecoveryPoint;

std::string Named(const RecoveryPoint& point) {
  return absl::StrCat("the copy ", point.set(), "/", point.point());
}

std::string WhyNeeded(const RecoveryPoint& point, v1::Allowance allowance) {
  switch (allowance) {
    case v1::ALLOWANCE_SAMPLED:
      return absl::StrCat("its verdict is ", WordOf(point.verdict()), ", not INTACT");
    case v1::ALLOWANCE_AFTER_COMPROMISE:
      return absl::StrCat("it was taken at ", FormatTime(point.taken_ms()), ", after the first compromise at ",
                          FormatTime(point.compromised_ms()));
    default:
      return "nobody knows whether it was taken before the first compromise";
  }
}

absl::Status CheckConcession(const Keyring& keyring, const RecoveryPoint& point, const std::string& requester,
                             UnixMs now) {
  const plan::v1::Concession& concession = point.concession();
  const std::string what = absl::StrCat("concession ", concession.name(), " about ", Named(point));
  if (concession.expires_ms() <= now) {
    return absl::FailedPreconditionError(absl::StrCat(what, " expired at ", FormatTime(concession.expires_ms()),
                                                      "; it is ", FormatTime(now),
                                                      ". Decide anew, or choose another copy"));
  }
  const Operator* decider = keyring.Find(concession.decided_by());
  const bool may = decider != nullptr && decider->active &&
                   (decider->Has(v1::ROLE_APPROVER) || decider->Has(v1::ROLE_ADMIN));
  if (!may) {
    return absl::PermissionDeniedError(absl::StrCat(what, " is decided by \"", concession.decided_by(),
                                                    "\", who is no active approver or admin of the keyring"));
  }
  if (concession.decided_by() == requester) {
    return absl::PermissionDeniedError(
        absl::StrCat(what, " is decided by ", requester, ", who asked for the plan; another person must decide it"));
  }
  return absl::OkStatus();
}

}  // namespace

bool IsCopyName(std::string_view text) {
  constexpr size_t kCopyNameMax = 128;
  if (text.empty() || text.size() > kCopyNameMax || !absl::ascii_isalnum(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
  });
}

std::string WordOf(v1::BackupVerdict verdict) { return absl::AsciiStrToUpper(NameOf(verdict)); }

v1::PointTrust TrustOf(UnixMs taken, UnixMs compromised) {
  if (taken <= 0 || compromised <= 0) return v1::POINT_TRUST_UNKNOWN;
  return taken < compromised ? v1::POINT_TRUST_BEFORE_COMPROMISE : v1::POINT_TRUST_AFTER_COMPROMISE;
}

bool MayEverServe(v1::BackupVerdict verdict) {
  return verdict == v1::BACKUP_VERDICT_INTACT || verdict == v1::BACKUP_VERDICT_INTACT_SAMPLED;
}

std::vector<v1::Allowance> NeededAllowances(const RecoveryPoint& point) {
  std::vector<v1::Allowance> needed;
  if (point.verdict() != v1::BACKUP_VERDICT_INTACT) needed.push_back(v1::ALLOWANCE_SAMPLED);
  // The trust that the plan states must be that of its own dates: it is worked out again.
  switch (TrustOf(point.taken_ms(), point.compromised_ms())) {
    case v1::POINT_TRUST_BEFORE_COMPROMISE: break;
    case v1::POINT_TRUST_AFTER_COMPROMISE: needed.push_back(v1::ALLOWANCE_AFTER_COMPROMISE); break;
    default: needed.push_back(v1::ALLOWANCE_UNKNOWN_TRUST);
  }
  return needed;
}

absl::Status CheckRecoveryPoint(const Keyring& keyring, const RecoveryPoint& point, const std::string& requester,
                                UnixMs now) {
  if (point.manifest_sha256().size() != crypto::kSha256Size) {
    return absl::InvalidArgumentError(absl::StrCat(Named(point), " has no manifest: nothing tells which bytes were judged"));
  }
  if (!MayEverServe(point.verdict())) {
    return absl::FailedPreconditionError(
        absl::StrCat(Named(point), " was judged ", WordOf(point.verdict()),
                     ": nothing is restored from it, and no concession changes that. Choose another copy: `reprise backup ls`"));
  }
  const std::vector<v1::Allowance> needed = NeededAllowances(point);
  if (needed.empty()) return absl::OkStatus();
  const auto& allowed = point.concession().allows();
  for (const v1::Allowance allowance : needed) {
    if (std::find(allowed.begin(), allowed.end(), allowance) != allowed.end()) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        Named(point), ": ", WhyNeeded(point, allowance), ". That takes a concession that allows ", NameOf(allowance),
        point.has_concession() ? absl::StrCat(" (", point.concession().name(), " does not)") : "",
        "; or choose another copy: `reprise backup ls`"));
  }
  return CheckConcession(keyring, point, requester, now);
}

absl::Status CheckRestore(const Keyring& keyring, const RecoveryPoint& point, const std::string& requester,
                          const std::vector<std::string>& signers, UnixMs now) {
  RETURN_IF_ERROR(CheckRecoveryPoint(keyring, point, requester, now));
  if (NeededAllowances(point).empty()) return absl::OkStatus();
  const std::string& decider = point.concession().decided_by();
  if (std::find(signers.begin(), signers.end(), decider) != signers.end()) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat(
      "concession ", point.concession().name(), " about ", Named(point), " is decided by ", decider,
      ", who has not signed the plan; signed by: ", signers.empty() ? "nobody" : absl::StrJoin(signers, ", "),
      ". ", decider, " signs with `reprise approve`"));
}

}  // namespace reprise::model
