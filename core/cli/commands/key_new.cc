#include <memory>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/person_profile.h"
#include "core/cli/signing.h"

namespace reprise::cli {
namespace {

struct KeyNewFlags {
  std::string file;
  bool no_password = false;
};

absl::StatusOr<int> Make(Context& context, const KeyNewFlags& flags) {
  const std::filesystem::path file =
      flags.file.empty() ? ProfileFolder(context.flags.profile) / "signing.key" : std::filesystem::path(flags.file);
  std::error_code error;
  if (std::filesystem::exists(file, error)) {
    return absl::AlreadyExistsError(
        absl::StrCat(file.string(), " is there already, and no key is ever written over. Give another FILE"));
  }
  std::string password;
  if (!flags.no_password) {
    ASSIGN_OR_RETURN(password, NewPassword(context, file.string()));
  }
  const crypto::SecretKey key = crypto::SecretKey::Generate();
  RETURN_IF_ERROR(WriteSigningKey(file, key, password));
  const crypto::PublicKey pub = key.Public();
  if (context.json()) {
    context.PrintJson(Json{{"file", file.string()}, {"public_key", pub.Base64()}, {"key_id", pub.KeyId()}});
    return kExitOk;
  }
  context.Say(absl::StrCat("Your signing key is in ", file.string(), "; it never leaves this machine."));
  context.Say(absl::StrCat("Public key:  ", pub.Base64()));
  context.Say(absl::StrCat("Key id:      ", pub.KeyId()));
  context.Say("Read both to an admin, who runs:");
  context.Say(absl::StrCat("  reprise key add YOUR-NAME --public ", pub.Base64(), " --roles operator"));
  return kExitOk;
}

}  // namespace

Action DeclareKeyNew(CommandLine& app) {
  auto flags = std::make_shared<KeyNewFlags>();
  app.Option("FILE", flags->file, "Where the secret key goes (default: signing.key of the profile)");
  app.Flag("--no-password", flags->no_password, "Keep the key in clear: who has the file can sign");
  app.Footer(
      "Examples:\n"
      "  reprise key new\n"
      "  reprise key new ~/usb/alice.key        alice.pub is written beside it\n"
      "The `minisign` program reads the same files. REPRISE_KEY_PASSWORD_FILE names a file with the password, where\n"
      "nobody can be asked.");
  return [flags](Context& context) { return Make(context, *flags); };
}

}  // namespace reprise::cli
