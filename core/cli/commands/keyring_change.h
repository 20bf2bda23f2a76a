// A change of the site's keyring on its way from one admin's wish to a version in force: shown, signed, and submitted as soon
// as enough admins have signed; until then it is a file that people carry. Private to commands.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/cli/context.h"
#include "core/model/keyring.h"

namespace reprise::cli {

struct SiteKeyring {
  model::Keyring keyring;
  std::string text;  // The newest version's statement.
};
absl::StatusOr<SiteKeyring> FetchSiteKeyring(Context& context);

// What stands in the one statement and not in the other, line by line: "- operator: bob …", "+ operator: bob …".
std::vector<std::string> Changes(const std::string& before, const std::string& after);

enum class Standing { kInForce, kNeedsMore };

// Shows the change, asks, adds the signature of the profile's person. In force if that was enough; else the statement with
// its signatures is in `file`. PERMISSION_DENIED: not an admin, or the key is not the keyring's; FAILED_PRECONDITION: made
// upon another version than today's.
absl::StatusOr<Standing> SignKeyringChange(Context& context, const SiteKeyring& site, plan::v1::SignedStatement next,
                                           const std::string& file);

// "keyring-3.statement": where a change waits for more signatures unless another file is named.
std::string StatementFileName(const model::Keyring& keyring);

// kExitOk, or kExitPartial with a word on who has to sign still. Prints the new keyring with -o json.
absl::StatusOr<int> ReportStanding(Context& context, const SiteKeyring& before, Standing standing,
                                   const std::string& file);

}  // namespace reprise::cli
