#include "core/cli/commands/plugin_signature.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/cli/signing.h"
#include "core/model/authorization.h"

namespace reprise::cli {

std::filesystem::path SignatureFile(const std::filesystem::path& library) {
  return library.string() + ".minisig";
}

absl::StatusOr<plan::v1::Signature> SignPlugin(Context& context, std::string_view bytes) {
  ASSIGN_OR_RETURN(const Profile* profile, context.profile());
  ASSIGN_OR_RETURN(const crypto::SecretKey key, LoadMySigningKey(context));
  return SignBytes(context, key, profile->operator_name, bytes, "plugin");
}

absl::StatusOr<std::string> SignerOfPlugin(const model::Keyring& keyring, std::string_view bytes,
                                           const plan::v1::Signature& signature) {
  plan::v1::SignedStatement whole;
  whole.set_statement(std::string(bytes));
  *whole.add_signatures() = signature;
  ASSIGN_OR_RETURN(const std::vector<std::string> names, keyring.Signers(whole));
  if (names.empty()) {
    return absl::PermissionDeniedError(
        "it is signed with a key that no active person of the keyring has; see `reprise key ls`");
  }
  if (!model::MaySignPlans(*keyring.Find(names.front()))) {
    return absl::PermissionDeniedError(absl::StrCat(
        names.front(), " signed it, and hosts run only what an operator, approver or admin signed; see `reprise key ls`"));
  }
  return names.front();
}

}  // namespace reprise::cli
