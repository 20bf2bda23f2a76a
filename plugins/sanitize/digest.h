// The digests that dpkg and golden manifests know: MD5 and SHA-256 of what a file holds.
#pragma once

#include <openssl/evp.h>

#include <string>

namespace reprise::sanitize {

// From where `fd` stands to its end, as lower-case hex. Throws Error when it cannot be read.
std::string DigestOfFd(int fd, const EVP_MD* kind);

}  // namespace reprise::sanitize
