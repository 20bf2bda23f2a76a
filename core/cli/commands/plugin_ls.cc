#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/upload.h"
#include "core/cli/keyring_chain.h"
#include "core/cli/progress_bar.h"
#include "core/cli/table.h"
#include "core/crypto/minisign.h"

namespace reprise::cli {
namespace {

// Whose key the signature names; the bytes are not here to prove it, the agents have them.
Cell SignerCell(const model::Keyring& keyring, const plan::v1::BlobInfo& blob) {
  if (blob.signature().minisig().empty()) return {"nobody", Color::kBad};
  const auto id = crypto::SignerKeyId(blob.signature().minisig());
  if (!id.ok()) return {"unreadable", Color::kBad};
  for (const auto& [name, person] : keyring.operators()) {
    if (person.key.KeyId() != *id) continue;
    if (!person.active) return {absl::StrCat(name, ", revoked"), Color::kBad};
    return name;
  }
  return {absl::StrCat("unknown ", *id), Color::kBad};
}

absl::StatusOr<int> List(Context& context) {
  ASSIGN_OR_RETURN(const auto list, ListBlobs(context, "plugin"));
  if (context.json()) {
    context.PrintJson(list);
    return kExitOk;
  }
  if (list.blobs().empty()) {
    context.Say("No plugins. `reprise plugin add FILE.so` puts them into the store.");
    return kExitOk;
  }
  ASSIGN_OR_RETURN(const model::Keyring keyring, FetchKeyring(context));
  Table table({"NAME", "VERSION", "SIZE", "SIGNED WITH THE KEY OF", "SHA-256"});
  for (const auto& blob : list.blobs()) {
    table.Add({blob.name(), blob.version(), ByteText(blob.size()), SignerCell(keyring, blob), ToHex(blob.sha256())});
  }
  table.Print(context.terminal, context.cut());
  return kExitOk;
}

}  // namespace

Action DeclarePluginLs(CommandLine& app) {
  app.Footer(
      "Examples:\n"
      "  reprise plugin ls\n"
      "  reprise -o json plugin ls | jq -r '.blobs[] | .name + \" \" + .version'\n"
      "The oldest stands first; of one name, new plans take the newest.");
  return List;
}

}  // namespace reprise::cli
