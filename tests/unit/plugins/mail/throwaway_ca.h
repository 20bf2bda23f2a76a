// A certificate authority for one test, and certificates of it that are good, expired, or of another name.
#pragma once

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "tests/unit/plugins/throwaway_host.h"

namespace reprise::mail {

namespace fs = std::filesystem;

class ThrowawayCa {
 public:
  // Writes ca.pem into `folder`.
  explicit ThrowawayCa(const fs::path& folder) : file(folder / "ca.pem"), key_(NewKey()) {
    fs::create_directories(folder);
    certificate_ = Make("Throw-away mail CA", key_.get(), "", 86400);
    Write(file, [&](BIO* out) { return PEM_write_bio_X509(out, certificate_.get()); });
  }

  struct Asked {
    std::string names = "DNS:localhost,IP:127.0.0.1";  // subjectAltName
    long seconds = 86400;                              // Valid for so long from now on; negative: since so long no more.
  };
  void Issue(const fs::path& certificate_file, const fs::path& key_file, const Asked& asked) const {
    const Key key = NewKey();
    const Certificate certificate = Make("mail server", key.get(), asked.names, asked.seconds);
    Write(certificate_file, [&](BIO* out) { return PEM_write_bio_X509(out, certificate.get()); });
    Write(key_file, [&](BIO* out) {
      return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
    fs::permissions(key_file, fs::perms::owner_read | fs::perms::owner_write);
  }

  const fs::path file;

 private:
  using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
  using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

  static Key NewKey() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }

  template <typename Body>
  static void Write(const fs::path& path, const Body& body) {
    std::unique_ptr<BIO, decltype(&BIO_free_all)> out(BIO_new_file(path.c_str(), "w"), BIO_free_all);
    if (!out || body(out.get()) != 1) throw std::runtime_error("cannot write " + path.string());
  }

  // Without names: the authority's own.
  Certificate Make(const std::string& subject, EVP_PKEY* key, const std::string& names, long seconds) const {
    Certificate made(X509_new(), X509_free);
    static long serial = 1;
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -30 * 86400);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), seconds);
    X509_set_pubkey(made.get(), key);
    X509_NAME* name = X509_get_subject_name(made.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1, 0);
    X509_set_issuer_name(made.get(), certificate_ ? X509_get_subject_name(certificate_.get()) : name);
    Extend(made.get(), NID_basic_constraints, names.empty() ? "critical,CA:TRUE" : "CA:FALSE");
    if (!names.empty()) Extend(made.get(), NID_subject_alt_name, names);
    if (X509_sign(made.get(), key_.get(), EVP_sha256()) == 0) throw std::runtime_error("cannot sign a certificate");
    return made;
  }
  static void Extend(X509* certificate, int what, const std::string& value) {
    std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> made(
        X509V3_EXT_conf_nid(nullptr, nullptr, what, value.c_str()), X509_EXTENSION_free);
    if (!made || X509_add_ext(certificate, made.get(), -1) != 1) throw std::runtime_error("bad extension " + value);
  }

  Key key_;
  Certificate certificate_{nullptr, X509_free};
};

}  // namespace reprise::mail
