// How a new host comes in: POST /v1/join with its name, the secret of its join code and a request for a certificate.
// The engine spends the token, durably, before the certificate leaves. On the join port only, which is open only during
// a join window.
//
//   {"host": "ws-001", "secret": "…", "csr": "<PEM>"}
//   200 {"certificate": "<PEM>", "ca": "<PEM>", "coordinator": "0.0.0.0:7443", "statement_serial": 3,
//        "keyring": [{"statement_b64": "…", "signatures": ["<minisig>", …]}, …]}      else {"error": "…"}
// Statements up to `statement_serial` were signed before this join and are not in force: the agent believes none of them.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/coordinator/loop.h"
#include "core/trust/certificate_authority.h"
#include "core/web/https_server.h"

namespace reprise::coordinator {

struct HostCertificate {
  std::string pem;
  std::string sha256;  // 32 bytes
  UnixMs valid_from = 0;
};
using CertificateMaker = std::function<absl::StatusOr<HostCertificate>(const std::string& host, const std::string& csr)>;
CertificateMaker MakeCertificateMaker(const trust::CertificateAuthority& authority, const Clock& clock);

// How often one address may fail, and all together may try: what a search for codes, or a broken script, costs is bounded.
class JoinLimits {
 public:
  static constexpr int kFailuresMax = 20;        // Of one address, in a window …
  static constexpr UnixMs kWindow = 60'000;
  static constexpr int kTriesMax = 6'000;        // … and tries of all.
  static constexpr size_t kAddressesMax = 10'000;

  bool MayTry(const std::string& address, UnixMs now);
  void Failed(const std::string& address, UnixMs now);

 private:
  void Turn(UnixMs now);
  UnixMs window_began_ = 0;
  int tries_ = 0;
  std::map<std::string, int> failures_;
};

class Enrolment {
 public:
  // `agents_connect`: "address:port" of the agents' port, as it listens. All outlive it.
  Enrolment(Loop& loop, const trust::CertificateAuthority& authority, const Clock& clock, std::string agents_connect)
      : loop_(loop),
        clock_(clock),
        ca_(authority.certificate()),
        issue_(MakeCertificateMaker(authority, clock)),
        agents_connect_(std::move(agents_connect)) {}

  // The web server's handler.
  void Handle(web::Request request, web::Respond respond);

 private:
  void Refuse(const std::string& address, const absl::Status& status, const web::Respond& respond);

  Loop& loop_;
  const Clock& clock_;
  const std::string ca_;
  const CertificateMaker issue_;
  const std::string agents_connect_;
  std::mutex mutex_;
  JoinLimits limits_;
};

}  // namespace reprise::coordinator
