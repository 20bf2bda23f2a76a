#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/coordinator/operator_answers.h"
#include "core/trust/certificate.h"

namespace reprise::coordinator {

absl::Status GetKeyring(const Asked& asked, const ops::Empty&, ops::KeyringView* view) {
  const journal::v1::State& state = asked.engine.state();
  view->set_version(static_cast<uint32_t>(state.keyring_size()));
  *view->mutable_chain() = state.keyring();
  return absl::OkStatus();
}

absl::StatusOr<CommandRequest> MakeKeyring(const Asked&, const ops::ExtendKeyringRequest& request, ops::KeyringView*) {
  return request;
}

absl::Status AnswerKeyring(const Asked& asked, const ops::ExtendKeyringRequest&, const std::string&,
                           ops::KeyringView* view) {
  return GetKeyring(asked, {}, view);
}

// The certificate says who somebody is; what he may do, the keyring says.
absl::StatusOr<CommandRequest> MakeOperatorCertificate(const Asked& asked, const ops::CertifyOperatorRequest& request,
                                                       ops::CertifyOperatorResponse* response) {
  const trust::CertificateAuthority& authority = asked.site.authority;
  ASSIGN_OR_RETURN(const std::string pem,
                   authority.IssueOperator(request.csr_pem(), request.operator_(), asked.site.clock.Now()));
  ASSIGN_OR_RETURN(const trust::Certificate certificate, trust::ReadCertificate(pem));
  ASSIGN_OR_RETURN(const std::string fingerprint, FromHex(certificate.fingerprint));
  response->set_certificate_pem(pem);
  response->set_ca_pem(authority.certificate());
  return engine::Command::CertifyOperator{request.operator_(), fingerprint};
}

}  // namespace reprise::coordinator
