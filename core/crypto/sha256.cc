#include "core/crypto/sha256.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

#include "absl/strings/str_cat.h"

namespace reprise::crypto {
namespace {

void OrAbort(int result) {
  // SHA-256 fails only without memory or without OpenSSL's default provider: no digest can be trusted then.
  if (result != 1) std::abort();
}

// Fetched once: the look-up costs more than hashing a short message.
const EVP_MD* Algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  OrAbort(algorithm != nullptr);
  return algorithm;
}

}  // namespace

struct Sha256Hasher::Context {
  Context() : evp(EVP_MD_CTX_new()) { Start(); }
  ~Context() { EVP_MD_CTX_free(evp); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  void Start() { OrAbort(EVP_DigestInit_ex2(evp, Algorithm(), nullptr)); }

  EVP_MD_CTX* evp;
};

Sha256Hasher::Sha256Hasher() : context_(std::make_unique<Context>()) {}
Sha256Hasher::~Sha256Hasher() = default;
Sha256Hasher::Sha256Hasher(Sha256Hasher&&) noexcept = default;
Sha256Hasher& Sha256Hasher::operator=(Sha256Hasher&&) noexcept = default;

void Sha256Hasher::Update(std::string_view bytes) {
  OrAbort(EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size()));
}

std::string Sha256Hasher::Finish() {
  std::string digest(kSha256Size, '\0');
  OrAbort(EVP_DigestFinal_ex(context_->evp, reinterpret_cast<unsigned char*>(digest.data()), nullptr));
  context_->Start();
  return digest;
}

std::string Sha256(std::string_view bytes) {
  // One per thread: making a context costs more than hashing a short message.
  thread_local Sha256Hasher hasher;
  hasher.Update(bytes);
  return hasher.Finish();
}

absl::StatusOr<std::string> Sha256OfFile(const std::filesystem::path& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    const int error = errno;
    return absl::ErrnoToStatus(error, absl::StrCat(path.string(), ": cannot open"));
  }
  Sha256Hasher hasher;
  std::vector<char> buffer(1 << 18);
  for (;;) {
    const ssize_t got = read(file, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int error = errno;
      close(file);
      return absl::ErrnoToStatus(error, absl::StrCat(path.string(), ": cannot read"));
    }
    if (got == 0) break;
    hasher.Update({buffer.data(), static_cast<size_t>(got)});
  }
  close(file);
  return hasher.Finish();
}

}  // namespace reprise::crypto
