#include <memory>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/keyring_change.h"

namespace reprise::cli {
namespace {

struct KeyRevokeFlags {
  std::string name;
  std::string file;
};

absl::StatusOr<int> Revoke(Context& context, const KeyRevokeFlags& flags) {
  ASSIGN_OR_RETURN(const SiteKeyring site, FetchSiteKeyring(context));
  std::vector<model::Operator> people;
  std::vector<std::string> names;
  bool found = false;
  for (const auto& [name, person] : site.keyring.operators()) {
    people.push_back(person);
    names.push_back(name);
    if (name != flags.name) continue;
    if (!person.active) return absl::FailedPreconditionError(absl::StrCat("the key of ", name, " is revoked already"));
    people.back().active = false;
    found = true;
  }
  if (!found) {
    const std::string nearest = NearestName(flags.name, names);
    return absl::NotFoundError(absl::StrCat(flags.name, " is not in the keyring",
                                            nearest.empty() ? "; see `reprise key ls`"
                                                            : absl::StrCat("; did you mean ", nearest, "?")));
  }
  plan::v1::SignedStatement next;
  next.set_statement(site.keyring.Next(people, site.keyring.policy(), context.clock.Now()).Bytes());
  const std::string file = flags.file.empty() ? StatementFileName(site.keyring) : flags.file;
  ASSIGN_OR_RETURN(const Standing standing, SignKeyringChange(context, site, std::move(next), file));
  if (standing == Standing::kInForce) {
    context.Note("Agents learn of it as they speak with the coordinator; one that is cut off goes by the keyring it has");
  }
  return ReportStanding(context, site, standing, file);
}

}  // namespace

Action DeclareKeyRevoke(CommandLine& app) {
  auto flags = std::make_shared<KeyRevokeFlags>();
  app.Option("NAME", flags->name, "The person").Required();
  app.Option("--file", flags->file, "Where the change waits if it needs more signatures").TypeName("FILE");
  app.Footer(
      "Examples:\n"
      "  reprise key revoke bob\n"
      "A revoked key never comes back; `reprise key add bob --public NEW-KEY` gives the person another one.\n"
      "Exit code 6: signed, and more admins must sign before it is in force (`reprise key sign`).");
  return [flags](Context& context) { return Revoke(context, *flags); };
}

}  // namespace reprise::cli
