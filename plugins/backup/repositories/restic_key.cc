#include "plugins/backup/repositories/restic_key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

constexpr size_t kNonce = 16;
constexpr size_t kMac = 16;
constexpr uint64_t kScryptMemory = uint64_t{256} << 20;

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* Raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string Encrypt(const EVP_CIPHER* kind, std::string_view key, const unsigned char* iv, std::string_view text) {
  const Cipher cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  std::string out(text.size() + 16, '\0');
  int size = 0;
  EVP_EncryptInit_ex(cipher.get(), kind, nullptr, Raw(key), iv);
  EVP_CIPHER_CTX_set_padding(cipher.get(), 0);
  EVP_EncryptUpdate(cipher.get(), reinterpret_cast<unsigned char*>(out.data()), &size, Raw(text),
                    static_cast<int>(text.size()));
  out.resize(static_cast<size_t>(size));
  return out;
}

// Poly1305 with the key r || AES_k(nonce).
std::string MacOf(std::string_view k, std::string_view r, std::string_view nonce, std::string_view text) {
  const std::string key = std::string(r) + Encrypt(EVP_aes_128_ecb(), k, nullptr, nonce);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> poly(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_POLY1305, nullptr, Raw(key), key.size()), EVP_PKEY_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::string mac(kMac, '\0');
  size_t size = mac.size();
  if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, poly.get()) != 1 ||
      EVP_DigestSignUpdate(context.get(), text.data(), text.size()) != 1 ||
      EVP_DigestSignFinal(context.get(), reinterpret_cast<unsigned char*>(mac.data()), &size) != 1) {
    return "";
  }
  return mac;
}

std::optional<std::string> OpenSealed(std::string_view encrypt, std::string_view k, std::string_view r,
                                      std::string_view sealed) {
  if (sealed.size() < kNonce + kMac || encrypt.size() != 32 || k.size() != 16 || r.size() != 16) return std::nullopt;
  const std::string_view nonce = sealed.substr(0, kNonce);
  const std::string_view text = sealed.substr(kNonce, sealed.size() - kNonce - kMac);
  const std::string mac = MacOf(k, r, nonce, text);
  if (mac.size() != kMac || CRYPTO_memcmp(mac.data(), sealed.data() + sealed.size() - kMac, kMac) != 0)
    return std::nullopt;
  return Encrypt(EVP_aes_256_ctr(), encrypt, Raw(nonce), text);  // A counter mode is its own inverse.
}

std::string Base64(const nlohmann::json& object, const char* name) {
  std::string bytes;
  const auto found = object.is_object() ? object.find(name) : object.end();
  if (!object.is_object() || found == object.end() || !found->is_string()) return "";
  const std::string& text = found->get_ref<const std::string&>();
  if (text.empty() || text.size() % 4 != 0 || text.size() > 1 << 20) return "";
  bytes.resize(text.size() / 4 * 3);
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), Raw(text), static_cast<int>(text.size()));
  const auto padding = static_cast<size_t>(std::count(text.end() - 2, text.end(), '='));
  if (size < 0) return "";
  bytes.resize(static_cast<size_t>(size) - padding);
  return bytes;
}

uint64_t Number(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

}  // namespace

std::optional<ResticKey> ResticKey::Open(std::string_view key_file, const std::string& password) {
  const auto file = nlohmann::json::parse(key_file, nullptr, /*allow_exceptions=*/false);
  if (!file.is_object()) return std::nullopt;
  const std::string salt = Base64(file, "salt");
  const std::string data = Base64(file, "data");
  std::string user(64, '\0');
  if (EVP_PBE_scrypt(password.data(), password.size(), Raw(salt), salt.size(), Number(file, "N"), Number(file, "r"),
                     Number(file, "p"), kScryptMemory, reinterpret_cast<unsigned char*>(user.data()),
                     user.size()) != 1) {
    return std::nullopt;
  }
  const auto text = OpenSealed(std::string_view(user).substr(0, 32), std::string_view(user).substr(32, 16),
                               std::string_view(user).substr(48), data);
  OPENSSL_cleanse(user.data(), user.size());
  if (!text) return std::nullopt;
  const auto master = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!master.is_object() || !master.contains("mac")) return std::nullopt;
  ResticKey key;
  key.encrypt_ = Base64(master, "encrypt");
  key.mac_k_ = Base64(master["mac"], "k");
  key.mac_r_ = Base64(master["mac"], "r");
  return key;
}

std::optional<std::string> ResticKey::Decrypt(std::string_view sealed) const {
  return OpenSealed(encrypt_, mac_k_, mac_r_, sealed);
}

bool IsResticKeyFile(std::string_view text) {
  const auto file = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  return file.is_object() && !Base64(file, "salt").empty() && !Base64(file, "data").empty();
}

std::optional<std::string> ResticPassword(std::string* why) {
  *why = "no password given";
  if (const char* password = std::getenv("RESTIC_PASSWORD"); password != nullptr && *password != '\0') return password;
  const char* file = std::getenv("RESTIC_PASSWORD_FILE");
  if (file == nullptr || *file == '\0') return std::nullopt;
  std::ifstream in(file);
  std::string line;
  if (!std::getline(in, line)) {
    *why = Words("no first line to be read in ", file, in.is_open() ? "" : Words(": ", std::strerror(errno)));
    return std::nullopt;
  }
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.pop_back();
  return line;
}

std::optional<std::string> UnpackZstd(std::string_view packed, size_t max) {
  const unsigned long long size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_ERROR) return std::nullopt;
  // Streams do not say how much comes out.
  const std::unique_ptr<ZSTD_DStream, size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(), ZSTD_freeDStream);
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  std::string text;
  for (;;) {
    const size_t had = text.size();
    text.resize(had + (256 << 10));
    ZSTD_outBuffer out{text.data() + had, text.size() - had, 0};
    const size_t code = ZSTD_decompressStream(stream.get(), &out, &in);
    text.resize(had + out.pos);
    if (ZSTD_isError(code) || text.size() > max) return std::nullopt;
    if (code == 0) return in.pos == in.size ? std::optional(text) : std::nullopt;
    if (in.pos == in.size && out.pos < out.size) return std::nullopt;
  }
}

}  // namespace reprise::backup
