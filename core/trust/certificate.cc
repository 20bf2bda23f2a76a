#include "core/trust/certificate.h"

#include <arpa/inet.h>
#include <openssl/err.h>

#include <ctime>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/crypto/sha256.h"
#include "core/crypto/utf8.h"
#include "core/model/names.h"
#include "core/trust/openssl.h"

namespace reprise::trust {
namespace {

constexpr std::string_view kScheme = "reprise://";
constexpr std::string_view kHostUri = "reprise://host/";
constexpr std::string_view kOperatorUri = "reprise://operator/";
constexpr std::string_view kCoordinatorUri = "reprise://coordinator";

UnixMs TimeOf(const ASN1_TIME* time) {
  struct tm parts {};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<UnixMs>(timegm(&parts)) * 1000 : 0;
}

std::string TextOf(const ASN1_STRING* text) {
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                     static_cast<size_t>(ASN1_STRING_length(text)));
}

std::string AddressOf(const ASN1_STRING* bytes) {
  char text[INET6_ADDRSTRLEN] = "";
  const int family = ASN1_STRING_length(bytes) == 4 ? AF_INET : AF_INET6;
  if (family == AF_INET6 && ASN1_STRING_length(bytes) != 16) return "";
  return inet_ntop(family, ASN1_STRING_get0_data(bytes), text, sizeof text) == nullptr ? "" : text;
}

// Exactly one: with two, one reader may see a name and the next reader the other.
absl::StatusOr<std::string> CommonName(X509* certificate) {
  const X509_NAME* name = X509_get_subject_name(certificate);
  const int first = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (first < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, first) >= 0) {
    return absl::InvalidArgumentError("the certificate does not have exactly one common name");
  }
  unsigned char* bytes = nullptr;
  const int size = ASN1_STRING_to_UTF8(&bytes, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, first)));
  if (size < 0) return absl::InvalidArgumentError("the certificate's common name cannot be read");
  std::string text(reinterpret_cast<char*>(bytes), static_cast<size_t>(size));
  OPENSSL_free(bytes);
  return text;
}

absl::StatusOr<Certificate> Read(X509* x509) {
  Certificate certificate;
  ASSIGN_OR_RETURN(certificate.subject, CommonName(x509));
  certificate.fingerprint = ToHex(crypto::Sha256(internal::ToDer(x509)));
  certificate.not_before = TimeOf(X509_get0_notBefore(x509));
  certificate.not_after = TimeOf(X509_get0_notAfter(x509));
  certificate.authority = X509_check_ca(x509) == 1;
  int critical = -1;
  const internal::Names names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x509, NID_subject_alt_name, &critical, nullptr)));
  ERR_clear_error();
  if (names == nullptr && critical != -1) {
    return absl::InvalidArgumentError("the certificate's alternative names cannot be read, or stand in it twice");
  }
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_URI) certificate.uris.push_back(TextOf(name->d.uniformResourceIdentifier));
    if (name->type == GEN_DNS) certificate.dns_names.push_back(TextOf(name->d.dNSName));
    if (name->type == GEN_IPADD) certificate.addresses.push_back(AddressOf(name->d.iPAddress));
  }
  return certificate;
}

absl::StatusOr<PeerIdentity> FromUri(const std::string& uri) {
  PeerIdentity identity;
  std::string_view name;
  if (uri == kCoordinatorUri) {
    identity.kind = PeerIdentity::Kind::kCoordinator;
    return identity;
  }
  if (uri.starts_with(kHostUri)) {
    identity.kind = PeerIdentity::Kind::kHost;
    name = std::string_view(uri).substr(kHostUri.size());
  } else if (uri.starts_with(kOperatorUri)) {
    identity.kind = PeerIdentity::Kind::kOperator;
    name = std::string_view(uri).substr(kOperatorUri.size());
  }
  if (!model::IsName(name)) {
    return absl::UnauthenticatedError(
        absl::StrCat("the certificate's URI \"", crypto::MakePlain(uri.substr(0, 128)), "\" names nobody"));
  }
  identity.name = std::string(name);
  return identity;
}

}  // namespace

absl::StatusOr<Certificate> ReadCertificate(std::string_view pem) {
  ASSIGN_OR_RETURN(const internal::X509Handle x509, internal::ReadX509(pem, "the certificate"));
  return Read(x509.get());
}

absl::StatusOr<Certificate> ReadCertificateDer(std::string_view der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  const auto* const end = bytes + der.size();
  const internal::X509Handle x509(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
  ERR_clear_error();
  if (x509 == nullptr || bytes != end) return absl::InvalidArgumentError("the certificate cannot be read as DER");
  return Read(x509.get());
}

std::string PeerIdentity::Text() const {
  switch (kind) {
    case Kind::kHost:
      return absl::StrCat("host ", name);
    case Kind::kOperator:
      return absl::StrCat("operator ", name);
    case Kind::kCoordinator:
      break;
  }
  return "the coordinator";
}

absl::StatusOr<PeerIdentity> IdentityOf(const Certificate& certificate) {
  const std::string* found = nullptr;
  for (const auto& uri : certificate.uris) {
    if (!uri.starts_with(kScheme)) continue;
    if (found != nullptr) return absl::UnauthenticatedError("the certificate names more than one peer");
    found = &uri;
  }
  if (found == nullptr) {
    return absl::UnauthenticatedError("the certificate names no peer of this system (no URI reprise://…)");
  }
  ASSIGN_OR_RETURN(PeerIdentity identity, FromUri(*found));
  if (identity.kind != PeerIdentity::Kind::kCoordinator && certificate.subject != identity.name) {
    return absl::UnauthenticatedError(
        absl::StrCat("the certificate's URI says ", identity.name, ", its common name something else"));
  }
  identity.fingerprint = certificate.fingerprint;
  identity.valid_from = certificate.not_before;
  return identity;
}

absl::StatusOr<PeerIdentity> IdentityOfPem(std::string_view pem) {
  ASSIGN_OR_RETURN(const Certificate certificate, ReadCertificate(pem));
  return IdentityOf(certificate);
}

absl::StatusOr<PeerIdentity> IdentityOfDer(std::string_view der) {
  ASSIGN_OR_RETURN(const Certificate certificate, ReadCertificateDer(der));
  return IdentityOf(certificate);
}

}  // namespace reprise::trust
