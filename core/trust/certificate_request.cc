#include "core/trust/certificate_request.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/trust/openssl.h"

namespace reprise::trust {

absl::StatusOr<std::string> NewKey() {
  const internal::Key key(EVP_EC_gen("P-256"));
  if (key == nullptr) return internal::OpenSslError("making a key");
  return internal::ToPem(key.get());
}

absl::StatusOr<std::string> NewRequest(std::string_view key_pem, std::string_view common_name) {
  ASSIGN_OR_RETURN(const internal::Key key, internal::ReadKey(key_pem, "the private key"));
  const internal::Request request(X509_REQ_new());
  const internal::Bio out(BIO_new(BIO_s_mem()));
  if (request == nullptr || out == nullptr ||
      !internal::SetCommonName(X509_REQ_get_subject_name(request.get()), common_name) ||
      X509_REQ_set_pubkey(request.get(), key.get()) != 1 ||
      X509_REQ_sign(request.get(), key.get(), EVP_sha256()) <= 0 ||
      PEM_write_bio_X509_REQ(out.get(), request.get()) != 1) {
    return internal::OpenSslError(absl::StrCat("making a certificate request for ", std::string(common_name)));
  }
  return internal::Written(out);
}

absl::Status CheckKeyBelongs(std::string_view key_pem, std::string_view certificate_pem) {
  ASSIGN_OR_RETURN(const internal::Key key, internal::ReadKey(key_pem, "the private key"));
  ASSIGN_OR_RETURN(const internal::X509Handle certificate, internal::ReadX509(certificate_pem, "the certificate"));
  const bool belongs = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return belongs ? absl::OkStatus() : absl::UnauthenticatedError("the certificate is for another key than this one");
}

}  // namespace reprise::trust
