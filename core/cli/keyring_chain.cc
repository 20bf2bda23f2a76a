#include "core/cli/keyring_chain.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace reprise::cli {

absl::StatusOr<model::Keyring> FoldKeyring(const ops::KeyringView& view, const std::string& pinned_fingerprint) {
  if (view.chain().empty()) return absl::FailedPreconditionError("the coordinator has no keyring yet");
  auto keyring = model::Keyring::Found(view.chain(0), pinned_fingerprint);
  if (!keyring.ok()) {
    return absl::Status(keyring.status().code(),
                        absl::StrCat("the coordinator's keyring is not this site's: ",
                                     std::string(keyring.status().message()),
                                     "\n  Do not sign anything; compare the fingerprint with the one on paper"));
  }
  for (int i = 1; i < view.chain_size(); ++i) RETURN_IF_ERROR(keyring->Extend(view.chain(i)));
  return keyring;
}

absl::StatusOr<model::Keyring> FetchKeyring(Context& context) {
  ASSIGN_OR_RETURN(const Profile* profile, context.profile());
  ASSIGN_OR_RETURN(Client* client, context.client());
  ASSIGN_OR_RETURN(const auto view, client->Call<ops::KeyringView>("GetKeyring", ops::Empty()));
  return FoldKeyring(view, profile->keyring_fingerprint);
}

}  // namespace reprise::cli
