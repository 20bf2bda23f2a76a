#include "plugins/sanitize/digest.h"

#include <unistd.h>

#include <cerrno>
#include <memory>

#include "plugins/sdk/error.h"
#include "plugins/sdk/file.h"

namespace reprise::sanitize {

std::string DigestOfFd(int fd, const EVP_MD* kind) {
  thread_local std::string buffer(1 << 18, '\0');
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (!hash || EVP_DigestInit_ex(hash.get(), kind, nullptr) != 1) throw sdk::Error("internal", "OpenSSL offers no digest");
  for (ssize_t count; (count = read(fd, buffer.data(), buffer.size())) != 0;) {
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) sdk::ThrowErrno(errno, "read");
    EVP_DigestUpdate(hash.get(), buffer.data(), static_cast<size_t>(count));
  }
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(hash.get(), digest, &size);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    hex += "0123456789abcdef"[digest[i] >> 4];
    hex += "0123456789abcdef"[digest[i] & 15];
  }
  return hex;
}

}  // namespace reprise::sanitize
