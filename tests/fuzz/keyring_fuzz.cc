// A chain of keyring statements with its signatures (the wire's KeyringUpdate): a chain that was not signed as it must be
// founds and extends nothing, and what is refused changes nothing.
#include "core/model/keyring.h"

#include "tests/fuzz/target.h"
#include "tests/fuzz/world.h"

namespace reprise::fuzz {
namespace {

void Try(std::string_view bytes) {
  agent::v1::KeyringUpdate update;
  if (!update.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || update.statements_size() == 0) return;
  const std::string fingerprint = TheWorld().people.Keyring().fingerprint();
  const auto pinned = model::Keyring::Found(update.statements(0), fingerprint);
  if (pinned.ok()) {
    Check(pinned->fingerprint() == fingerprint, "what is pinned is what was founded");
    Check(update.statements(0).statement() == TheWorld().people.chain().front().statement(),
          "one fingerprint is one text");
  }
  auto keyring = model::Keyring::Found(update.statements(0), "");
  if (!keyring.ok()) return;
  for (int i = 1; i < update.statements_size(); ++i) {
    const std::string head = keyring->head();
    const uint32_t version = keyring->version();
    const bool extended = keyring->Extend(update.statements(i)).ok();
    Check((keyring->head() != head) == extended && keyring->version() == version + (extended ? 1 : 0),
          "a version is taken or leaves the keyring as it was");
    const auto signers = keyring->Signers(update.statements(i));
    if (!signers.ok()) continue;
    for (const std::string& name : *signers) {
      const model::Operator* person = keyring->Find(name);
      Check(person != nullptr && person->active, "who counts as a signer is active:", name);
    }
  }
}

}  // namespace
}  // namespace reprise::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size <= reprise::fuzz::kInputMax) reprise::fuzz::Try(reprise::fuzz::AsText(data, size));
  return 0;
}
