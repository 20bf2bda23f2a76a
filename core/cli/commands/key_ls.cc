#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/keyring_chain.h"
#include "core/cli/table.h"

namespace reprise::cli {
namespace {

template <typename Enum>
std::vector<std::string> Words(const std::vector<Enum>& values) {
  std::set<std::string> words;
  for (const Enum value : values) words.insert(model::NameOf(value));
  return {words.begin(), words.end()};
}

Json JsonOf(const model::Keyring& keyring) {
  Json people = Json::array();
  for (const auto& [name, person] : keyring.operators()) {
    people.push_back({{"name", name},
                      {"roles", Words(person.roles)},
                      {"active", person.active},
                      {"key_id", person.key.KeyId()},
                      {"public_key", person.key.Base64()}});
  }
  const model::SigningPolicy& policy = keyring.policy();
  return {{"version", keyring.version()},
          {"fingerprint", keyring.fingerprint()},
          {"head", keyring.head()},
          {"policy",
           {{"change_signatures", policy.change_signatures},
            {"destroy_signatures", policy.destroy_signatures},
            {"keyring_signatures", policy.keyring_signatures},
            {"protected_classes", Words(policy.protected_classes)}}},
          {"operators", std::move(people)}};
}

absl::StatusOr<int> List(Context& context) {
  ASSIGN_OR_RETURN(const model::Keyring keyring, FetchKeyring(context));
  if (context.json()) {
    context.PrintJson(JsonOf(keyring));
    return kExitOk;
  }
  ASSIGN_OR_RETURN(const Profile* profile, context.profile());
  Table table({"NAME", "ROLES", "STATE", "KEY ID", "PUBLIC KEY"});
  for (const auto& [name, person] : keyring.operators()) {
    table.Add({name == profile->operator_name ? name + " (you)" : name, absl::StrJoin(Words(person.roles), ","),
               person.active ? Cell("active", Color::kGood) : Cell("revoked", Color::kBad), person.key.KeyId(),
               person.key.Base64()});
  }
  table.Print(context.terminal, context.cut());
  const model::SigningPolicy& policy = keyring.policy();
  context.Say("");
  context.Say(absl::StrCat("Signatures: ", policy.change_signatures, " to change, ", policy.destroy_signatures,
                           " to destroy, ", policy.keyring_signatures, " to alter this keyring."));
  context.Say(absl::StrCat("Never touched: ", policy.protected_classes.empty()
                                                  ? "no class is protected"
                                                  : absl::StrJoin(Words(policy.protected_classes), ", ")));
  context.Say(absl::StrCat("Version ", keyring.version(), ", head ", keyring.head()));
  context.Say(absl::StrCat("Fingerprint (of version 1, on paper): ", keyring.fingerprint()));
  return kExitOk;
}

}  // namespace

Action DeclareKeyLs(CommandLine& app) {
  app.Footer(
      "Examples:\n"
      "  reprise key ls\n"
      "  reprise -o json key ls | jq -r '.operators[] | select(.active) | .name'\n"
      "Every version was checked here, from the fingerprint that the profile pins.");
  return List;
}

}  // namespace reprise::cli
