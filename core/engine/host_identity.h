// Whether a host may speak with the certificate that it shows: the newest that was made for it, or one that is good
// until a session is opened with that. One that is newer than all on record is good too: only the site's authority can
// have made it, and a coordinator that was restored from an older copy has forgotten it. One rule, for whoever answers
// agents and for the engine itself.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "core/base/clock.h"
#include "reprise/journal/v1/state.pb.h"

namespace reprise::engine {

// By which a host speaks. TLS has verified it.
struct ShownCertificate {
  std::string sha256;     // Of its DER, 32 bytes.
  UnixMs valid_from = 0;
};

bool IsForgotten(const journal::v1::HostRecord& record, const ShownCertificate& shown);

// `record`: nullptr, the host is not known. PERMISSION_DENIED says why not, and what to do.
absl::Status CheckHostIdentity(const std::string& host, const journal::v1::HostRecord* record,
                               const ShownCertificate& shown);

}  // namespace reprise::engine
