#include <memory>

#include "absl/strings/str_cat.h"
#include "core/base/files.h"
#include "core/base/status_macros.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/keyring_change.h"
#include "core/cli/signing.h"

namespace reprise::cli {
namespace {

absl::StatusOr<int> Sign(Context& context, const std::string& file) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(file));
  auto statement = ReadSignedFile(text);
  if (!statement.ok()) {
    return absl::Status(statement.status().code(), absl::StrCat(file, ": ", std::string(statement.status().message())));
  }
  ASSIGN_OR_RETURN(const SiteKeyring site, FetchSiteKeyring(context));
  ASSIGN_OR_RETURN(const Standing standing, SignKeyringChange(context, site, *std::move(statement), file));
  return ReportStanding(context, site, standing, file);
}

}  // namespace

Action DeclareKeySign(CommandLine& app) {
  auto file = std::make_shared<std::string>();
  app.Option("FILE", *file, "The statement, as `reprise key add` or `key revoke` wrote it").Required();
  app.Footer(
      "Examples:\n"
      "  reprise key sign keyring-3.statement\n"
      "What changes is shown before anything is signed. The last signature that is needed puts it in force; until then\n"
      "the file gets yours and goes on to the next admin (exit code 6).");
  return [file](Context& context) { return Sign(context, *file); };
}

}  // namespace reprise::cli
