#include "agents/daemon/host_certificate.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace reprise::daemon {
namespace {

template <auto free>
struct Free {
  template <typename T>
  void operator()(T* thing) const {
    free(thing);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Request = std::unique_ptr<X509_REQ, Free<X509_REQ_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>>;

std::string Written(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

Bio Reading(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

absl::StatusOr<Key> ReadKey(const std::string& pem) {
  Key key(PEM_read_bio_PrivateKey(Reading(pem).get(), nullptr, nullptr, nullptr));
  if (key == nullptr) return absl::InvalidArgumentError("the agent's key cannot be read as PEM");
  return key;
}

absl::StatusOr<Certificate> ReadCertificate(const std::string& pem, const char* whose) {
  Certificate certificate(PEM_read_bio_X509(Reading(pem).get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(whose, " certificate cannot be read as PEM"));
  }
  return certificate;
}

UnixMs TimeOf(const ASN1_TIME* time) {
  struct tm parts {};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<UnixMs>(timegm(&parts)) * 1000 : 0;
}

bool NamesOnly(X509* certificate, const std::string& uri) {
  const Names names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  bool found = false;
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* text = name->d.uniformResourceIdentifier;
    if (std::string_view(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                         static_cast<size_t>(ASN1_STRING_length(text))) != uri) {
      return false;
    }
    found = true;
  }
  return found;
}

}  // namespace

absl::StatusOr<std::string> NewHostKey() {
  const Key key(EVP_EC_gen("P-256"));
  const Bio out(BIO_new(BIO_s_mem()));
  if (key == nullptr || PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return absl::InternalError("OpenSSL cannot make a key");
  }
  return Written(out);
}

absl::StatusOr<std::string> MakeHostRequest(const std::string& key_pem, const std::string& host) {
  ASSIGN_OR_RETURN(const Key key, ReadKey(key_pem));
  const Request request(X509_REQ_new());
  X509_NAME* subject = X509_REQ_get_subject_name(request.get());
  const bool named =
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(host.data()),
                                 static_cast<int>(host.size()), -1, 0) == 1;
  const Bio out(BIO_new(BIO_s_mem()));
  if (!named || X509_REQ_set_pubkey(request.get(), key.get()) != 1 ||
      X509_REQ_sign(request.get(), key.get(), EVP_sha256()) <= 0 ||
      PEM_write_bio_X509_REQ(out.get(), request.get()) != 1) {
    return absl::InternalError(absl::StrCat("OpenSSL cannot make a certificate request for ", host));
  }
  return Written(out);
}

absl::StatusOr<Validity> ReadValidity(const std::string& pem) {
  ASSIGN_OR_RETURN(const Certificate certificate, ReadCertificate(pem, "the agent's"));
  return Validity{TimeOf(X509_get0_notBefore(certificate.get())), TimeOf(X509_get0_notAfter(certificate.get()))};
}

absl::Status CheckIdentity(const Identity& identity, const std::string& host) {
  ASSIGN_OR_RETURN(const Key key, ReadKey(identity.key));
  ASSIGN_OR_RETURN(const Certificate certificate, ReadCertificate(identity.certificate, "the agent's"));
  ASSIGN_OR_RETURN(const Certificate authority, ReadCertificate(identity.ca, "the authority's"));
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return absl::UnauthenticatedError("the certificate is for another key than this agent's");
  }
  if (X509_verify(certificate.get(), X509_get0_pubkey(authority.get())) != 1) {
    return absl::UnauthenticatedError("the certificate was not made by the authority of the join code");
  }
  if (!NamesOnly(certificate.get(), absl::StrCat("reprise://host/", host))) {
    return absl::UnauthenticatedError(absl::StrCat("the certificate does not name host ", host));
  }
  return absl::OkStatus();
}

}  // namespace reprise::daemon
