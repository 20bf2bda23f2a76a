#include "core/trust/openssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "absl/strings/str_cat.h"

namespace reprise::trust::internal {
namespace {

constexpr size_t kPemMax = 64 << 10;

// A password would be asked for on the terminal otherwise.
int NoPassword(char*, int, int, void*) {
  return -1;
}

absl::StatusOr<Bio> Reading(std::string_view pem, std::string_view what) {
  if (pem.size() > kPemMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(std::string(what), ": ", pem.size(), " bytes; expected at most ", kPemMax));
  }
  Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (bio == nullptr) return OpenSslError("no memory");
  return bio;
}

template <typename Handle>
absl::StatusOr<Handle> Read(std::string_view pem, std::string_view what, auto read) {
  auto bio = Reading(pem, what);
  if (!bio.ok()) return bio.status();
  Handle handle(read(bio->get(), nullptr, &NoPassword, nullptr));
  ERR_clear_error();
  if (handle == nullptr) return absl::InvalidArgumentError(absl::StrCat(std::string(what), " cannot be read as PEM"));
  return handle;
}

}  // namespace

absl::Status OpenSslError(std::string_view doing) {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return absl::InternalError(
      absl::StrCat(std::string(doing), ": OpenSSL says ", reason == nullptr ? "nothing more" : reason));
}

std::string Written(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, size > 0 ? static_cast<size_t>(size) : 0);
}

absl::StatusOr<Key> ReadKey(std::string_view pem, std::string_view what) {
  return Read<Key>(pem, what, PEM_read_bio_PrivateKey);
}

absl::StatusOr<X509Handle> ReadX509(std::string_view pem, std::string_view what) {
  return Read<X509Handle>(pem, what, PEM_read_bio_X509);
}

absl::StatusOr<Request> ReadRequest(std::string_view pem) {
  return Read<Request>(pem, "the certificate request", PEM_read_bio_X509_REQ);
}

absl::StatusOr<std::string> ToPem(X509* certificate) {
  const Bio out(BIO_new(BIO_s_mem()));
  if (out == nullptr || PEM_write_bio_X509(out.get(), certificate) != 1) return OpenSslError("writing a certificate");
  return Written(out);
}

absl::StatusOr<std::string> ToPem(EVP_PKEY* key) {
  const Bio out(BIO_new(BIO_s_secmem()));  // Wiped when freed.
  if (out == nullptr || PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return OpenSslError("writing a private key");
  }
  return Written(out);
}

std::string ToDer(X509* certificate) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(certificate, &bytes);
  std::string der(reinterpret_cast<char*>(bytes), size > 0 ? static_cast<size_t>(size) : 0);
  OPENSSL_free(bytes);
  return der;
}

bool SetCommonName(X509_NAME* name, std::string_view text) {
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

}  // namespace reprise::trust::internal
