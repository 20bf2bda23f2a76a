#include "core/engine/host_identity.h"

#include "absl/strings/str_cat.h"

namespace reprise::engine {

bool IsForgotten(const journal::v1::HostRecord& record, const ShownCertificate& shown) {
  // Never lowered, not by expulsion nor by a clock that was set back: what was on record once is not newer.
  return record.certificate_ms() != 0 && shown.valid_from > record.certificate_ms();
}

absl::Status CheckHostIdentity(const std::string& host, const journal::v1::HostRecord* record,
                               const ShownCertificate& shown) {
  if (record != nullptr && record->expelled_ms() != 0) {
    // By whom and why is not told to whoever may have stolen it.
    return absl::PermissionDeniedError(absl::StrCat(
        host, " was expelled; an admin lets it in again: re-join the host with a new join code (`reprise host token ",
        host, "`)"));
  }
  if (record == nullptr || !record->enrolled()) {
    return absl::PermissionDeniedError(
        absl::StrCat(host, " is not enrolled here; make a join code with `reprise host token ", host, "`"));
  }
  if (shown.sha256 == record->certificate_sha256() || IsForgotten(*record, shown)) return absl::OkStatus();
  if (!shown.sha256.empty() && (shown.sha256 == record->previous_certificate_sha256() ||
                                shown.sha256 == record->session_certificate_sha256())) {
    return absl::OkStatus();
  }
  return absl::PermissionDeniedError(absl::StrCat(
      "this identity was replaced by a newer one of ", host, ": the folder was copied, restored, or the key was stolen; "
      "re-join the host with a new join code (`reprise host token ", host, "`)"));
}

}  // namespace reprise::engine
