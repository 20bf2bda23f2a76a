// What was encrypted on purpose, by its own key: recognised, so that nobody is accused, and never called sound, because
// without the key nothing can be decoded.
#include "plugins/backup/formats/all.h"
#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

struct Seal {
  std::string_view magic;
  const char* what;
};
constexpr Seal kSeals[] = {
    {"Salted__", "openssl enc"},
    {"age-encryption.org/", "age"},
    {std::string_view("LUKS\xba\xbe", 6), "a LUKS volume"},
    {"-----BEGIN PGP MESSAGE-----", "OpenPGP, armoured"},
    {"-----BEGIN AGE ENCRYPTED FILE-----", "age, armoured"},
    {"$ANSIBLE_VAULT;", "ansible-vault"},
    {"\x03\xd9\xa2\x9a", "KeePass"},
    {"AES\x02", "AES Crypt"},
    {"-----BEGIN ENCRYPTED PRIVATE KEY-----", "a private key under a password"},
    {"RCLONE\0\0", "rclone crypt"},
};

// A session key packet as gpg writes it first: public-key (tag 1) or password (tag 3), version and a possible size.
bool IsOpenPgp(std::string_view head) {
  if (head.size() < 16) return false;
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(head[i]); };
  if (byte(0) == 0x8c || byte(0) == 0xc3)
    return byte(1) >= 4 && byte(1) < 64 && (byte(2) == 4 || byte(2) == 5) && byte(3) < 14;
  if (byte(0) == 0x84) return byte(2) == 3 && byte(1) > 10;
  if (byte(0) == 0x85) return byte(3) == 3 && byte(1) < 5;
  if (byte(0) == 0xc1) return byte(1) < 192 ? byte(2) == 3 : byte(3) == 3 && byte(1) < 200;
  return false;
}

const char* SealOf(std::string_view head) {
  for (const Seal& seal : kSeals) {
    if (StartsWith(head, seal.magic)) return seal.what;
  }
  return IsOpenPgp(head) ? "OpenPGP" : nullptr;
}

class Sealed final : public Decoder {
 public:
  const char* name() const override { return "sealed"; }
  bool Dense() const override { return true; }
  bool Recognises(std::string_view head) const override { return SealOf(head) != nullptr; }
  void Decode(Source& source, Report& report) const override {
    report.Unreadable(0, "the key or password that this was encrypted with", SealOf(source.ReadString(0, 64)));
  }
};

}  // namespace

std::unique_ptr<Decoder> MakeSealed() {
  return std::make_unique<Sealed>();
}

}  // namespace reprise::backup
