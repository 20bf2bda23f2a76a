#include "core/coordinator/permissions.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/model/names.h"

namespace reprise::coordinator {
namespace {

using model::v1::Role;

using Roles = std::vector<Role>;

// Any active operator of the keyring.
const Roles kAnybody = {model::v1::ROLE_VIEWER, model::v1::ROLE_OPERATOR, model::v1::ROLE_APPROVER,
                        model::v1::ROLE_ADMIN};
const Roles kOperate = {model::v1::ROLE_OPERATOR, model::v1::ROLE_ADMIN};
const Roles kSign = {model::v1::ROLE_OPERATOR, model::v1::ROLE_APPROVER, model::v1::ROLE_ADMIN};
const Roles kDecide = {model::v1::ROLE_APPROVER, model::v1::ROLE_ADMIN};
const Roles kAdminister = {model::v1::ROLE_ADMIN};

const std::map<std::string, Roles>& Table() {
  static const std::map<std::string, Roles> table = {
      {"GetStatus", kAnybody},
      {"ImportInventory", kOperate},
      {"ListHosts", kAnybody},
      {"GetHost", kAnybody},
      {"IssueTokens", kAdminister},
      {"RecordHostStatements", kAdminister},
      {"ExpelHost", kAdminister},
      {"GetCoverage", kAnybody},
      {"ListRecoveryPoints", kAnybody},
      {"GetBoard", kAnybody},
      {"GetKeyring", kAnybody},
      {"ExtendKeyring", kAdminister},
      {"CertifyOperator", kAdminister},
      {"UploadBlob", kOperate},
      {"ListBlobs", kAnybody},
      {"SubmitPlan", kOperate},
      {"SignPlan", kSign},
      {"GetPlan", kAnybody},
      {"ListPlans", kAnybody},
      {"PreviewPlan", kOperate},
      {"StartRun", kOperate},
      {"ListRuns", kAnybody},
      {"GetRun", kAnybody},
      {"WatchRun", kAnybody},
      {"PauseRun", kOperate},
      {"ResumeRun", kOperate},
      {"AbortRun", kOperate},
      {"RetryRun", kOperate},
      {"ListGates", kAnybody},
      {"SignGate", kDecide},
      {"RaiseStop", kSign},  // Whoever may begin something may stop everything.
      {"LiftStop", kAdminister},
      {"GetStop", kAnybody},
      {"ReadJournal", kAnybody},
  };
  return table;
}

}  // namespace

absl::Status CheckPermission(const model::Keyring* keyring, const std::string& person, const std::string& method) {
  const auto row = Table().find(method);
  if (row == Table().end()) return absl::UnimplementedError(absl::StrCat(method, ": not a method of this coordinator"));
  const model::Operator* found = keyring == nullptr ? nullptr : keyring->Find(person);
  if (found == nullptr) {
    return absl::PermissionDeniedError(absl::StrCat(person, " is not in the site's keyring; an admin adds people with "
                                                            "`reprise key add`"));
  }
  if (!found->active) return absl::PermissionDeniedError(absl::StrCat("the key of ", person, " was revoked"));
  const Roles& roles = row->second;
  if (std::any_of(roles.begin(), roles.end(), [&](Role role) { return found->Has(role); })) return absl::OkStatus();
  std::vector<std::string> words;
  for (const Role role : roles) words.push_back(model::NameOf(role));
  return absl::PermissionDeniedError(
      absl::StrCat(method, " takes the role ", absl::StrJoin(words, " or "), ", which ", person, " does not have"));
}

std::set<std::string> PermittedMethods() {
  std::set<std::string> methods;
  for (const auto& [method, roles] : Table()) methods.insert(method);
  return methods;
}

}  // namespace reprise::coordinator
