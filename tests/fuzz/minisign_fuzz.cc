// minisign's texts: any text is read as a public key, a secret key and a signature. No text but the true signature passes
// for one over our message.
#include "core/crypto/minisign.h"

#include "tests/fuzz/target.h"
#include "tests/fuzz/world.h"

namespace reprise::fuzz {
namespace {

constexpr char kMessage[] = "the message";

void Try(std::string_view text) {
  if (const auto key = crypto::PublicKey::Parse(text); key.ok()) {
    const auto again = crypto::PublicKey::Parse(key->Base64());
    Check(again.ok() && again->Bytes() == key->Bytes() && again->KeyId() == key->KeyId(),
          "a public key is written as it was read");
    const auto file = crypto::PublicKey::Parse(key->File("a comment"));
    Check(file.ok() && file->Base64() == key->Base64(), "a public key's file is read as it was written");
  }
  // Without a password: a key that has one is refused before anything costly is done.
  if (const auto key = crypto::SecretKey::Parse(text, ""); key.ok()) {
    const auto file = key->File("");
    Check(file.ok(), "a secret key can be written");
    const auto again = crypto::SecretKey::Parse(*file, "");
    Check(again.ok() && again->Public().Base64() == key->Public().Base64(), "a secret key is written as it was read");
    key->Sign(kMessage, "by any key");
  }
  const std::string id = TheWorld().people.key("alice").Public().KeyId();
  const crypto::PublicKey alice = TheWorld().people.key("alice").Public();
  const auto signer = crypto::SignerKeyId(text);
  if (!alice.Verify(kMessage, text).ok()) return;
  Check(signer.ok() && *signer == id, "what verifies names its key");
  Check(!alice.Verify("another message", text).ok(), "a signature is over one message");
}

}  // namespace
}  // namespace reprise::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size <= reprise::fuzz::kInputMax) reprise::fuzz::Try(reprise::fuzz::AsText(data, size));
  return 0;
}
