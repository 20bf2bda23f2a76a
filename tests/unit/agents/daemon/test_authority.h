// A certificate authority of a test: makes keys and certificates that last from an hour ago to an hour from now.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "core/base/text.h"
#include "core/crypto/sha256.h"

namespace reprise::daemon::testing {

class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name = "Reprise CA test")
      : key_(NewKey()), certificate_(X509_new(), X509_free) {
    Fill(certificate_.get(), name, key_.get(), 1, "critical,CA:TRUE", "", -3600, 3600);
  }

  std::string Pem() const { return PemOf(certificate_.get()); }
  std::string Fingerprint() const {
    unsigned char* bytes = nullptr;
    const int size = i2d_X509(certificate_.get(), &bytes);
    const std::string der(reinterpret_cast<char*>(bytes), static_cast<size_t>(size));
    OPENSSL_free(bytes);
    return ToHex(crypto::Sha256(der));
  }

  struct Issued {
    std::string certificate;
    std::string key;
  };
  // `names` as OpenSSL's subjectAltName, e.g. "DNS:reprise-coordinator,URI:reprise://coordinator".
  Issued Issue(const std::string& common_name, const std::string& names) {
    const auto key = NewKey();
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
    PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return {IssueFor(key.get(), common_name, names), Text(out.get())};
  }
  Issued IssueServer() { return Issue("coordinator", "DNS:reprise-coordinator,URI:reprise://coordinator"); }
  Issued IssueHost(const std::string& host) { return Issue(host, "URI:reprise://host/" + host); }
  // What the coordinator does with a request: takes its key and nothing else.
  std::string IssueFromRequest(const std::string& csr, const std::string& host, long from_s = -3600,
                               long until_s = 3600) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> in(BIO_new_mem_buf(csr.data(), static_cast<int>(csr.size())),
                                                       BIO_free);
    const std::unique_ptr<X509_REQ, decltype(&X509_REQ_free)> request(
        PEM_read_bio_X509_REQ(in.get(), nullptr, nullptr, nullptr), X509_REQ_free);
    if (request == nullptr || X509_REQ_verify(request.get(), X509_REQ_get0_pubkey(request.get())) != 1) return "";
    return IssueFor(X509_REQ_get0_pubkey(request.get()), host, "URI:reprise://host/" + host, from_s, until_s);
  }

 private:
  using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
  static Key NewKey() { return Key(EVP_EC_gen("P-256"), EVP_PKEY_free); }
  static std::string Text(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return std::string(data, static_cast<size_t>(size));
  }
  static std::string PemOf(X509* certificate) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
    PEM_write_bio_X509(out.get(), certificate);
    return Text(out.get());
  }
  std::string IssueFor(EVP_PKEY* key, const std::string& common_name, const std::string& names, long from_s = -3600,
                       long until_s = 3600) {
    const std::unique_ptr<X509, decltype(&X509_free)> issued(X509_new(), X509_free);
    Fill(issued.get(), common_name, key, ++serial_, "critical,CA:FALSE", names, from_s, until_s);
    return PemOf(issued.get());
  }
  void Fill(X509* certificate, const std::string& name, EVP_PKEY* key, long serial, const char* constraints,
            const std::string& names, long from_s, long until_s) {
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), from_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate), until_s);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.data()), static_cast<int>(name.size()), -1,
                               0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate_ ? certificate_.get() : certificate));
    Extend(certificate, NID_basic_constraints, constraints);
    if (!names.empty()) Extend(certificate, NID_subject_alt_name, names.c_str());
    X509_sign(certificate, key_.get(), EVP_sha256());
  }
  static void Extend(X509* certificate, int nid, const char* value) {
    const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
        X509V3_EXT_conf_nid(nullptr, nullptr, nid, value), X509_EXTENSION_free);
    X509_add_ext(certificate, extension.get(), -1);
  }

  Key key_;
  std::unique_ptr<X509, decltype(&X509_free)> certificate_;
  long serial_ = 1;
};

}  // namespace reprise::daemon::testing
