// Certificates and requests that the authority itself would never make, and a judge of those that it makes: OpenSSL's
// own verification, and a TLS 1.3 handshake in memory.
#pragma once

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"

namespace reprise::trust::testing {

template <auto free>
struct Free {
  template <typename T>
  void operator()(T* thing) const {
    free(thing);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Cert = std::unique_ptr<X509, Free<X509_free>>;
using Request = std::unique_ptr<X509_REQ, Free<X509_REQ_free>>;

inline std::string Text(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}
inline Bio Reading(const std::string& pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}
inline Cert ReadCert(const std::string& pem) {
  return Cert(PEM_read_bio_X509(Reading(pem).get(), nullptr, nullptr, nullptr));
}
inline Key ReadKey(const std::string& pem) {
  return Key(PEM_read_bio_PrivateKey(Reading(pem).get(), nullptr, nullptr, nullptr));
}
inline std::string Der(const std::string& pem) {
  const Cert cert = ReadCert(pem);
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(cert.get(), &bytes);
  std::string der(reinterpret_cast<char*>(bytes), static_cast<size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

// A request that asks for more than a key: a name, an alternative name and the right to be an authority.
inline std::string GreedyRequest(EVP_PKEY* key, EVP_PKEY* signer, const char* name = "admin") {
  const Request request(X509_REQ_new());
  X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_REQ_set_pubkey(request.get(), key);
  STACK_OF(X509_EXTENSION)* extensions = sk_X509_EXTENSION_new_null();
  sk_X509_EXTENSION_push(extensions, X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name,
                                                         "URI:reprise://operator/admin,URI:reprise://coordinator"));
  sk_X509_EXTENSION_push(extensions, X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE"));
  X509_REQ_add_extensions(request.get(), extensions);
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  X509_REQ_sign(request.get(), signer, EVP_sha256());
  const Bio out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_REQ(out.get(), request.get());
  return Text(out);
}

// A self-signed certificate with these common names and OpenSSL's text of alternative names. PEM.
inline std::string Forged(const std::vector<std::string>& common_names, const std::string& names) {
  const Key key(EVP_EC_gen("P-256"));
  const Cert cert(X509_new());
  X509_set_version(cert.get(), 2);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), 3600);
  for (const auto& name : common_names) {
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.data()), static_cast<int>(name.size()), -1,
                               0);
  }
  X509_set_issuer_name(cert.get(), X509_get_subject_name(cert.get()));
  X509_set_pubkey(cert.get(), key.get());
  if (!names.empty()) {
    const std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>> extension(
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str()));
    X509_add_ext(cert.get(), extension.get(), -1);
  }
  X509_sign(cert.get(), key.get(), EVP_sha256());
  const Bio out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), cert.get());
  return Text(out);
}

// What OpenSSL says of a certificate under one authority at one time: "ok", or its reason.
inline std::string Verify(const std::string& authority_pem, const std::string& pem, int purpose, UnixMs now,
                          const char* dns_name = nullptr) {
  const Cert authority = ReadCert(authority_pem);
  const Cert cert = ReadCert(pem);
  const std::unique_ptr<X509_STORE, Free<X509_STORE_free>> store(X509_STORE_new());
  const std::unique_ptr<X509_STORE_CTX, Free<X509_STORE_CTX_free>> check(X509_STORE_CTX_new());
  X509_STORE_add_cert(store.get(), authority.get());
  X509_STORE_CTX_init(check.get(), store.get(), cert.get(), nullptr);
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(check.get());
  X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(now / 1000));
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
  if (dns_name != nullptr) X509_VERIFY_PARAM_set1_host(parameters, dns_name, 0);
  X509_STORE_CTX_set_purpose(check.get(), purpose);
  return X509_verify_cert(check.get()) == 1 ? "ok"
                                            : X509_verify_cert_error_string(X509_STORE_CTX_get_error(check.get()));
}

// Both ends of TLS 1.3 in memory, each with its certificate and trusting one authority. True: both accepted.
struct TlsEnd {
  std::string key;
  std::string certificate;
  std::string trusted;
};
inline bool Handshake(const TlsEnd& server, const TlsEnd& client, const char* server_name) {
  using Context = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
  const auto context = [](const TlsEnd& end, const SSL_METHOD* method) {
    Context made(SSL_CTX_new(method));
    SSL_CTX_set_min_proto_version(made.get(), TLS1_3_VERSION);
    SSL_CTX_use_certificate(made.get(), ReadCert(end.certificate).get());
    SSL_CTX_use_PrivateKey(made.get(), ReadKey(end.key).get());
    X509_STORE_add_cert(SSL_CTX_get_cert_store(made.get()), ReadCert(end.trusted).get());
    SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    return made;
  };
  const Context server_context = context(server, TLS_server_method());
  const Context client_context = context(client, TLS_client_method());
  using Connection = std::unique_ptr<SSL, Free<SSL_free>>;
  const Connection a(SSL_new(server_context.get()));
  const Connection b(SSL_new(client_context.get()));
  BIO* to_server = BIO_new(BIO_s_mem());
  BIO* to_client = BIO_new(BIO_s_mem());
  BIO_up_ref(to_server);
  BIO_up_ref(to_client);
  SSL_set_bio(a.get(), to_server, to_client);
  SSL_set_bio(b.get(), to_client, to_server);
  SSL_set_accept_state(a.get());
  SSL_set_connect_state(b.get());
  SSL_set1_host(b.get(), server_name);
  for (int turn = 0; turn < 10; ++turn) {
    SSL_do_handshake(b.get());
    SSL_do_handshake(a.get());
  }
  return SSL_is_init_finished(a.get()) == 1 && SSL_is_init_finished(b.get()) == 1;
}

}  // namespace reprise::trust::testing
