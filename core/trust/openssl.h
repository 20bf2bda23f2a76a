// OpenSSL's handles owned, and PEM in and out. Private to core/trust.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace reprise::trust::internal {

template <auto free>
struct Free {
  template <typename T>
  void operator()(T* thing) const {
    free(thing);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using X509Handle = std::unique_ptr<X509, Free<X509_free>>;
using Request = std::unique_ptr<X509_REQ, Free<X509_REQ_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>>;

// INTERNAL with OpenSSL's newest reason; empties its queue of errors.
absl::Status OpenSslError(std::string_view doing);

std::string Written(const Bio& bio);
// INVALID_ARGUMENT names `what`. Texts beyond 64 KiB are not looked at.
absl::StatusOr<Key> ReadKey(std::string_view pem, std::string_view what);
absl::StatusOr<X509Handle> ReadX509(std::string_view pem, std::string_view what);
absl::StatusOr<Request> ReadRequest(std::string_view pem);

absl::StatusOr<std::string> ToPem(X509* certificate);
absl::StatusOr<std::string> ToPem(EVP_PKEY* key);
std::string ToDer(X509* certificate);

// "Common name" and nothing else.
bool SetCommonName(X509_NAME* name, std::string_view text);

}  // namespace reprise::trust::internal
