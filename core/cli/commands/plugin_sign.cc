#include <memory>

#include "absl/strings/str_cat.h"
#include "core/base/files.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/plugin_signature.h"
#include "core/crypto/sha256.h"

namespace reprise::cli {
namespace {

absl::StatusOr<int> Sign(Context& context, const std::string& file) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(file));
  ASSIGN_OR_RETURN(const plan::v1::Signature signature, SignPlugin(context, bytes));
  const std::filesystem::path beside = SignatureFile(file);
  RETURN_IF_ERROR(WriteFileDurably(beside, signature.minisig()));
  const std::string sha256 = ToHex(crypto::Sha256(bytes));
  if (context.json()) {
    context.PrintJson(Json{{"file", file}, {"sha256", sha256}, {"signature", beside.string()}});
    return kExitOk;
  }
  context.Say(absl::StrCat(beside.string(), " is your signature over ", file, " (SHA-256 ", sha256, ")."));
  return kExitOk;
}

}  // namespace

Action DeclarePluginSign(CommandLine& app) {
  auto file = std::make_shared<std::string>();
  app.Option("FILE", *file, "The plugin's library (.so)").Required();
  app.Footer(
      "Examples:\n"
      "  reprise plugin verify build/edr.so && reprise plugin sign build/edr.so\n"
      "  minisign -Vm build/edr.so -p signing.pub       the same signature, verified from outside\n"
      "Needs no coordinator. `reprise plugin add` takes the signature that stands beside the file.");
  return [file](Context& context) { return Sign(context, *file); };
}

}  // namespace reprise::cli
