#include "core/trust/certificate_authority.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/crypto/sha256.h"
#include "core/crypto/utf8.h"
#include "core/model/names.h"
#include "core/trust/openssl.h"

namespace reprise::trust {

struct CertificateAuthority::Parts {
  internal::Key key;
  internal::X509Handle certificate;
};

namespace {

using internal::Key;
using internal::Names;
using internal::OpenSslError;
using internal::X509Handle;

constexpr size_t kSiteMax = 50;  // A common name has room for 64.
constexpr size_t kDnsNameMax = 253;
// Hosts check the authority and the server by their own clocks, which may be a day behind when no time server is left.
constexpr UnixMs kServerClockTolerance = 24 * kHour;

bool IsP256(EVP_PKEY* key) {
  char group[64] = "";
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
         EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, nullptr) == 1 &&
         std::string_view(group) == "prime256v1";
}

bool SetSerial(X509* certificate) {
  const std::unique_ptr<BIGNUM, internal::Free<BN_free>> number(BN_new());
  return number != nullptr && BN_rand(number.get(), 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool SetTimes(X509* certificate, UnixMs from, UnixMs until) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), static_cast<time_t>(from / 1000)) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), static_cast<time_t>(until / 1000)) != nullptr;
}

// `value` is always one of our own constants: nothing that came from outside is read as configuration.
bool Extend(X509* certificate, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, internal::Free<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool AddName(GENERAL_NAMES* names, int type, std::string_view bytes) {
  std::unique_ptr<GENERAL_NAME, internal::Free<GENERAL_NAME_free>> name(GENERAL_NAME_new());
  std::unique_ptr<ASN1_STRING, internal::Free<ASN1_STRING_free>> text(
      ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING));
  if (name == nullptr || text == nullptr ||
      ASN1_STRING_set(text.get(), bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return false;
  }
  GENERAL_NAME_set0_value(name.get(), type, text.release());
  return sk_GENERAL_NAME_push(names, name.release()) > 0;
}

bool IsDnsName(std::string_view name) {
  return !name.empty() && name.size() <= kDnsNameMax && name.front() != '-' && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
         });
}

absl::Status AddServerName(GENERAL_NAMES* names, const std::string& name) {
  unsigned char address[16];
  bool added;
  if (inet_pton(AF_INET, name.c_str(), address) == 1) {
    added = AddName(names, GEN_IPADD, {reinterpret_cast<char*>(address), 4});
  } else if (inet_pton(AF_INET6, name.c_str(), address) == 1) {
    added = AddName(names, GEN_IPADD, {reinterpret_cast<char*>(address), 16});
  } else if (IsDnsName(name)) {
    added = AddName(names, GEN_DNS, name);
  } else {
    return absl::InvalidArgumentError(absl::StrCat("\"", crypto::MakePlain(name.substr(0, 80)),
                                                   "\" is neither an IP address nor a DNS name (without port)"));
  }
  return added ? absl::OkStatus() : OpenSslError("adding a name to a certificate");
}

// What a certificate says besides its key.
struct Content {
  std::string common_name;
  Names names;
  const char* purpose;
  UnixMs from = 0;
  UnixMs until = 0;
};

absl::StatusOr<Key> KeyOfRequest(std::string_view request_pem) {
  ASSIGN_OR_RETURN(const internal::Request request, internal::ReadRequest(request_pem));
  Key key(X509_REQ_get_pubkey(request.get()));
  if (key == nullptr || !IsP256(key.get())) {
    ERR_clear_error();
    return absl::InvalidArgumentError("the certificate request does not hold an ECDSA key on P-256");
  }
  if (X509_REQ_verify(request.get(), key.get()) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError("the certificate request is not signed by the key that it holds");
  }
  return key;
}

absl::StatusOr<std::string> Issue(EVP_PKEY* authority_key, X509* authority, EVP_PKEY* key, const Content& content) {
  const X509Handle certificate(X509_new());
  X509* x509 = certificate.get();
  const bool made = x509 != nullptr && X509_set_version(x509, X509_VERSION_3) == 1 && SetSerial(x509) &&
                    SetTimes(x509, content.from, content.until) && X509_set_pubkey(x509, key) == 1 &&
                    internal::SetCommonName(X509_get_subject_name(x509), content.common_name) &&
                    X509_set_issuer_name(x509, X509_get_subject_name(authority)) == 1 &&
                    Extend(x509, authority, NID_basic_constraints, "critical,CA:FALSE") &&
                    Extend(x509, authority, NID_key_usage, "critical,digitalSignature") &&
                    Extend(x509, authority, NID_ext_key_usage, content.purpose) &&
                    Extend(x509, authority, NID_subject_key_identifier, "hash") &&
                    Extend(x509, authority, NID_authority_key_identifier, "keyid:always") &&
                    X509_add1_ext_i2d(x509, NID_subject_alt_name, content.names.get(), 0, 0) == 1 &&
                    X509_sign(x509, authority_key, EVP_sha256()) > 0;
  if (!made) return OpenSslError(absl::StrCat("making a certificate for ", content.common_name));
  return internal::ToPem(x509);
}

UnixMs EndOf(X509* certificate) {
  struct tm parts {};
  ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts);
  return static_cast<UnixMs>(timegm(&parts)) * 1000;
}

absl::StatusOr<Content> ClientContent(std::string_view uri, std::string_view name, UnixMs from, UnixMs until) {
  if (!model::IsName(name)) {
    return absl::InvalidArgumentError(absl::StrCat("\"", crypto::MakePlain(name.substr(0, 80)),
                                                   "\" is not a name of a-z, 0-9, '-' and '.', at most 64"));
  }
  Content content{std::string(name), Names(GENERAL_NAMES_new()), "clientAuth", from, until};
  if (content.names == nullptr ||
      !AddName(content.names.get(), GEN_URI, absl::StrCat(std::string(uri), std::string(name)))) {
    return OpenSslError("naming a certificate");
  }
  return content;
}

}  // namespace

CertificateAuthority::CertificateAuthority(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
CertificateAuthority::CertificateAuthority(CertificateAuthority&&) noexcept = default;
CertificateAuthority& CertificateAuthority::operator=(CertificateAuthority&&) noexcept = default;
CertificateAuthority::~CertificateAuthority() = default;

absl::StatusOr<CertificateAuthority> CertificateAuthority::Create(std::string_view site, UnixMs now) {
  if (site.empty() || site.size() > kSiteMax || crypto::FindUnplain(site) != std::string_view::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("the site's name must be plain text of 1 to ", kSiteMax, " bytes; this one has ", site.size()));
  }
  const Key key(EVP_EC_gen("P-256"));
  const X509Handle certificate(X509_new());
  X509* x509 = certificate.get();
  const bool made =
      key != nullptr && x509 != nullptr && X509_set_version(x509, X509_VERSION_3) == 1 && SetSerial(x509) &&
      SetTimes(x509, now - kServerClockTolerance, now + kAuthorityLife) && X509_set_pubkey(x509, key.get()) == 1 &&
      internal::SetCommonName(X509_get_subject_name(x509), absl::StrCat("Reprise CA ", std::string(site))) &&
      X509_set_issuer_name(x509, X509_get_subject_name(x509)) == 1 &&
      Extend(x509, x509, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
      Extend(x509, x509, NID_key_usage, "critical,keyCertSign,cRLSign") &&
      Extend(x509, x509, NID_subject_key_identifier, "hash") && X509_sign(x509, key.get(), EVP_sha256()) > 0;
  if (!made) return OpenSslError("making the certificate authority");
  ASSIGN_OR_RETURN(const std::string certificate_pem, internal::ToPem(x509));
  ASSIGN_OR_RETURN(const std::string key_pem, internal::ToPem(key.get()));
  return Load(certificate_pem, key_pem);
}

absl::StatusOr<CertificateAuthority> CertificateAuthority::Load(std::string_view certificate_pem,
                                                                std::string_view key_pem) {
  auto parts = std::make_unique<Parts>();
  ASSIGN_OR_RETURN(parts->certificate, internal::ReadX509(certificate_pem, "the authority's certificate"));
  ASSIGN_OR_RETURN(parts->key, internal::ReadKey(key_pem, "the authority's key"));
  X509* x509 = parts->certificate.get();
  const bool belongs = X509_check_private_key(x509, parts->key.get()) == 1;
  const bool authority = X509_check_ca(x509) == 1;
  ERR_clear_error();
  if (!belongs) return absl::InvalidArgumentError("the authority's key is not the one of its certificate");
  if (!authority) return absl::InvalidArgumentError("the authority's certificate is not one that may sign others");
  CertificateAuthority loaded(std::move(parts));
  ASSIGN_OR_RETURN(loaded.certificate_pem_, internal::ToPem(x509));
  loaded.fingerprint_ = ToHex(crypto::Sha256(internal::ToDer(x509)));
  return loaded;
}

absl::StatusOr<std::string> CertificateAuthority::KeyPem() const {
  return internal::ToPem(parts_->key.get());
}

absl::StatusOr<std::string> CertificateAuthority::IssueHost(std::string_view request_pem, std::string_view host,
                                                            UnixMs now, UnixMs life) const {
  ASSIGN_OR_RETURN(const Key key, KeyOfRequest(request_pem));
  const UnixMs until = std::min(now + life, EndOf(parts_->certificate.get()));
  ASSIGN_OR_RETURN(const Content content, ClientContent("reprise://host/", host, now - kClockTolerance, until));
  return Issue(parts_->key.get(), parts_->certificate.get(), key.get(), content);
}

absl::StatusOr<std::string> CertificateAuthority::IssueOperator(std::string_view request_pem, std::string_view name,
                                                                UnixMs now, UnixMs life) const {
  ASSIGN_OR_RETURN(const Key key, KeyOfRequest(request_pem));
  const UnixMs until = std::min(now + life, EndOf(parts_->certificate.get()));
  ASSIGN_OR_RETURN(const Content content, ClientContent("reprise://operator/", name, now - kClockTolerance, until));
  return Issue(parts_->key.get(), parts_->certificate.get(), key.get(), content);
}

absl::StatusOr<std::string> CertificateAuthority::IssueServer(std::string_view request_pem,
                                                              const std::vector<std::string>& names, UnixMs now,
                                                              UnixMs life) const {
  ASSIGN_OR_RETURN(const Key key, KeyOfRequest(request_pem));
  const UnixMs until = std::min(now + life, EndOf(parts_->certificate.get()));
  const Content content{kServerDnsName, Names(GENERAL_NAMES_new()), "serverAuth", now - kServerClockTolerance, until};
  if (content.names == nullptr || !AddName(content.names.get(), GEN_URI, "reprise://coordinator")) {
    return OpenSslError("naming a certificate");
  }
  RETURN_IF_ERROR(AddServerName(content.names.get(), kServerDnsName));
  for (const auto& name : names) {
    if (name != kServerDnsName) RETURN_IF_ERROR(AddServerName(content.names.get(), name));
  }
  return Issue(parts_->key.get(), parts_->certificate.get(), key.get(), content);
}

}  // namespace reprise::trust
