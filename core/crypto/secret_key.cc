// A .key file is, in base64: "Ed", the key derivation ("Sc" or two zero bytes), "B2", salt, opslimit, memlimit (both
// little endian), and then key id, secret key and checksum, which the derived stream hides by XOR. Where nothing hides
// them, minisign writes a checksum of zeros.
#include <sodium.h>

#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/crypto/minisign.h"
#include "core/crypto/minisign_format.h"
#include "core/crypto/utf8.h"

namespace reprise::crypto {
namespace {

using internal::Raw;

constexpr std::string_view kScrypt = "Sc";
constexpr std::string_view kNoDerivation("\0\0", 2);
constexpr std::string_view kChecksum = "B2";
constexpr size_t kSaltSize = crypto_pwhash_scryptsalsa208sha256_SALTBYTES;
constexpr size_t kSecretSize = crypto_sign_SECRETKEYBYTES;
constexpr size_t kChecksumSize = crypto_generichash_BYTES;
constexpr size_t kHiddenSize = internal::kKeyIdSize + kSecretSize + kChecksumSize;
constexpr size_t kSaltAt = 6;
constexpr size_t kOpsAt = kSaltAt + kSaltSize;
constexpr size_t kHiddenAt = kOpsAt + 16;
constexpr size_t kFileSize = kHiddenAt + kHiddenSize;

// A quarter of what minisign's own keys ask (scrypt with N = 2^18, r = 8, p = 1): an old administration post must be
// able to open it, and every signature of a crisis pays it.
constexpr uint64_t kOps = crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_SENSITIVE / 4;
constexpr uint64_t kMemory = 256 << 20;
// What a file may ask of us.
constexpr uint64_t kOpsMax = crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_SENSITIVE * 2;
constexpr uint64_t kMemoryMax = crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_SENSITIVE;

// Bytes that do not outlive their use.
class Wiped {
 public:
  explicit Wiped(std::string& bytes) : bytes_(bytes) {}
  ~Wiped() { sodium_memzero(bytes_.data(), bytes_.size()); }
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;

 private:
  std::string& bytes_;
};

void Initialize() {
  static const int ready = sodium_init();
  if (ready < 0) std::abort();  // Without it there are no random keys.
}

std::string RandomBytes(size_t count) {
  Initialize();
  std::string bytes(count, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

std::string LittleEndian(uint64_t number) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(number >> (8 * i) & 0xFF));
  return bytes;
}

uint64_t FromLittleEndian(std::string_view bytes) {
  uint64_t number = 0;
  for (int i = 7; i >= 0; --i) number = number << 8 | static_cast<unsigned char>(bytes[static_cast<size_t>(i)]);
  return number;
}

std::string Checksum(std::string_view id, std::string_view secret) {
  std::string all = absl::StrCat(std::string(internal::kKeyAlgorithm), std::string(id), std::string(secret));
  const Wiped wiped(all);
  std::string sum(kChecksumSize, '\0');
  crypto_generichash(Raw(sum), sum.size(), Raw(std::string_view(all)), all.size(), nullptr, 0);
  return sum;
}

// XORs `hidden` with what the password and the salt derive. False: not enough memory.
bool Hide(std::string& hidden, std::string_view password, std::string_view salt, uint64_t ops, uint64_t memory) {
  std::string stream(hidden.size(), '\0');
  const Wiped wiped(stream);
  if (crypto_pwhash_scryptsalsa208sha256(Raw(stream), stream.size(), password.data(), password.size(), Raw(salt), ops,
                                         memory) != 0) {
    return false;
  }
  for (size_t i = 0; i < hidden.size(); ++i) hidden[i] = static_cast<char>(hidden[i] ^ stream[i]);
  return true;
}

absl::Status NoMemory(uint64_t memory) {
  return absl::ResourceExhaustedError(
      absl::StrCat("the password of a secret key needs ", memory >> 20, " MiB of free memory"));
}

}  // namespace

SecretKey SecretKey::Generate() {
  SecretKey key;
  key.id_ = RandomBytes(internal::kKeyIdSize);
  key.secret_.resize(kSecretSize);
  std::string public_key(crypto_sign_PUBLICKEYBYTES, '\0');
  crypto_sign_keypair(Raw(public_key), Raw(key.secret_));
  return key;
}

SecretKey::~SecretKey() {
  sodium_memzero(secret_.data(), secret_.size());
}

SecretKey& SecretKey::operator=(SecretKey&& other) noexcept {
  if (this != &other) {
    sodium_memzero(secret_.data(), secret_.size());
    id_ = std::move(other.id_);
    secret_ = std::move(other.secret_);
  }
  return *this;
}

absl::StatusOr<SecretKey> SecretKey::Parse(std::string_view file, std::string_view password) {
  const auto wrong = [](const auto&... what) {
    return absl::InvalidArgumentError(absl::StrCat("not a minisign secret key: ", what...));
  };
  Initialize();
  auto lines = internal::Lines(file, 4096);
  if (!lines.ok()) return wrong(std::string(lines.status().message()));
  if (lines->size() != 2 || !lines->front().starts_with("untrusted comment:")) {
    return wrong("expected a comment line and a line of base64");
  }
  const Wiped wiped_line(lines->back());
  auto bytes = internal::FromCanonicalBase64(lines->back(), "line 2");
  if (!bytes.ok()) return wrong(std::string(bytes.status().message()));
  const Wiped wiped_bytes(*bytes);
  if (bytes->size() != kFileSize) return wrong(bytes->size(), " bytes, not ", kFileSize);
  const std::string_view all = *bytes;
  const std::string_view derivation = all.substr(2, 2);
  if (all.substr(0, 2) != internal::kKeyAlgorithm || all.substr(4, 2) != kChecksum ||
      (derivation != kScrypt && derivation != kNoDerivation)) {
    return wrong("unknown algorithm");
  }
  std::string hidden(all.substr(kHiddenAt));
  const Wiped wiped_hidden(hidden);
  if (derivation == kScrypt) {
    if (password.empty())
      return absl::UnauthenticatedError("the secret key is protected by a password, and none was given");
    const uint64_t ops = FromLittleEndian(all.substr(kOpsAt, 8));
    const uint64_t memory = FromLittleEndian(all.substr(kOpsAt + 8, 8));
    if (ops > kOpsMax || memory > kMemoryMax) return wrong("its password asks for more work than a key should");
    if (!Hide(hidden, password, all.substr(kSaltAt, kSaltSize), ops, memory)) return NoMemory(memory);
  }
  SecretKey key;
  key.id_ = hidden.substr(0, internal::kKeyIdSize);
  key.secret_ = hidden.substr(internal::kKeyIdSize, kSecretSize);
  const std::string_view sum = std::string_view(hidden).substr(internal::kKeyIdSize + kSecretSize);
  const bool unsummed = derivation == kNoDerivation && sum == std::string(kChecksumSize, '\0');
  if (!unsummed && sum != Checksum(key.id_, key.secret_)) {
    return derivation == kScrypt ? absl::UnauthenticatedError("wrong password for this secret key")
                                 : wrong("its checksum does not match; the file is damaged");
  }
  // The second half of an Ed25519 secret is its public key; a false one would make signatures that leak the first.
  std::string public_key(crypto_sign_PUBLICKEYBYTES, '\0');
  std::string secret(kSecretSize, '\0');
  const Wiped wiped_secret(secret);
  crypto_sign_seed_keypair(Raw(public_key), Raw(secret), Raw(std::string_view(key.secret_)));
  if (secret != key.secret_) return wrong("its two halves do not belong together; the file is damaged");
  return key;
}

absl::StatusOr<std::string> SecretKey::File(std::string_view password) const {
  std::string hidden =
      absl::StrCat(id_, secret_, password.empty() ? std::string(kChecksumSize, '\0') : Checksum(id_, secret_));
  const Wiped wiped_hidden(hidden);
  std::string salt(kSaltSize, '\0');
  uint64_t ops = 0;
  uint64_t memory = 0;
  if (!password.empty()) {
    salt = RandomBytes(kSaltSize);
    ops = kOps;
    memory = kMemory;
    if (!Hide(hidden, password, salt, ops, memory)) return NoMemory(memory);
  }
  std::string bytes =
      absl::StrCat(std::string(internal::kKeyAlgorithm), std::string(password.empty() ? kNoDerivation : kScrypt),
                   std::string(kChecksum), salt, LittleEndian(ops), LittleEndian(memory), hidden);
  const Wiped wiped_bytes(bytes);
  const char* comment = password.empty() ? "minisign secret key" : "minisign encrypted secret key";
  return absl::StrCat(std::string(internal::kUntrustedComment), comment, "\n", ToBase64(bytes), "\n");
}

PublicKey SecretKey::Public() const {
  PublicKey key;
  key.id_ = id_;
  key.key_ = secret_.substr(kSecretSize - crypto_sign_PUBLICKEYBYTES);
  key.base64_ = ToBase64(absl::StrCat(std::string(internal::kKeyAlgorithm), key.id_, key.key_));
  return key;
}

std::string SecretKey::Sign(std::string_view message, std::string_view trusted_comment) const {
  const std::string hash = internal::Prehash(message);
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(Raw(signature), nullptr, Raw(std::string_view(hash)), hash.size(),
                       Raw(std::string_view(secret_)));
  const std::string comment = MakePlain(trusted_comment.substr(0, 4096));
  const std::string all = signature + comment;
  std::string global(crypto_sign_BYTES, '\0');
  crypto_sign_detached(Raw(global), nullptr, Raw(std::string_view(all)), all.size(), Raw(std::string_view(secret_)));
  return absl::StrCat(std::string(internal::kUntrustedComment), "signature from reprise key ", internal::KeyIdText(id_),
                      "\n", ToBase64(absl::StrCat(std::string(internal::kPrehashedAlgorithm), id_, signature)), "\n",
                      std::string(internal::kTrustedComment), comment, "\n", ToBase64(global), "\n");
}

}  // namespace reprise::crypto
