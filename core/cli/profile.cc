#include "core/cli/profile.h"

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/files.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/trust/certificate.h"

namespace reprise::cli {
namespace {

using nlohmann::json;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

absl::StatusOr<std::string> TextAt(const json& object, const char* key, const std::filesystem::path& file, bool need) {
  const auto found = object.find(key);
  if (found == object.end()) {
    if (!need) return std::string();
    return absl::InvalidArgumentError(absl::StrCat(file.string(), ": \"", key, "\" is missing"));
  }
  if (!found->is_string()) return absl::InvalidArgumentError(absl::StrCat(file.string(), ": \"", key, "\" is no text"));
  return found->get<std::string>();
}

}  // namespace

std::filesystem::path ProfileFolder(const std::string& flag) {
  if (!flag.empty()) return flag;
  if (const std::string chosen = Environment("REPRISE_PROFILE"); !chosen.empty()) return chosen;
  if (const std::string config = Environment("XDG_CONFIG_HOME"); !config.empty()) {
    return std::filesystem::path(config) / "reprise";
  }
  return std::filesystem::path(Environment("HOME")) / ".config" / "reprise";
}

absl::StatusOr<Profile> LoadProfile(const std::filesystem::path& folder, UnixMs now) {
  Profile profile;
  profile.folder = folder;
  const auto file = folder / "profile.json";
  auto text = ReadFile(file);
  if (absl::IsNotFound(text.status())) {
    return absl::NotFoundError(
        absl::StrCat("there is no profile in ", folder.string(),
                     "\n  try: --profile FOLDER or REPRISE_PROFILE; `reprise init` makes the first one of a site, "
                     "`reprise key add` one for each further person"));
  }
  if (!text.ok()) return text.status();
  const json object = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return absl::InvalidArgumentError(absl::StrCat(file.string(), ": not a JSON object"));
  ASSIGN_OR_RETURN(profile.coordinator, TextAt(object, "coordinator", file, true));
  ASSIGN_OR_RETURN(profile.operator_name, TextAt(object, "operator", file, true));
  ASSIGN_OR_RETURN(profile.join, TextAt(object, "join", file, false));
  ASSIGN_OR_RETURN(profile.web, TextAt(object, "web", file, false));
  ASSIGN_OR_RETURN(profile.keyring_fingerprint, TextAt(object, "keyring", file, false));
  ASSIGN_OR_RETURN(profile.ca_pem, ReadFile(folder / "ca.crt"));
  ASSIGN_OR_RETURN(profile.certificate_pem, ReadFile(folder / "client.crt"));
  ASSIGN_OR_RETURN(profile.key_pem, ReadFile(folder / "client.key"));
  ASSIGN_OR_RETURN(const trust::Certificate certificate, trust::ReadCertificate(profile.certificate_pem));
  if (certificate.not_after <= now) {
    return absl::UnauthenticatedError(
        absl::StrCat("the certificate of ", profile.operator_name, " expired at ", FormatTime(certificate.not_after),
                     "\n  try: `reprise key certify ", profile.operator_name, " --update ", folder.string(),
                     "` by an admin, or with --data DIR on the coordinator's machine"));
  }
  return profile;
}

absl::Status SaveProfile(const Profile& profile) {
  std::error_code error;
  std::filesystem::create_directories(profile.folder, error);
  if (error) return absl::InternalError(absl::StrCat(profile.folder.string(), ": ", error.message()));
  std::filesystem::permissions(profile.folder, std::filesystem::perms::owner_all, error);
  nlohmann::ordered_json object = {{"coordinator", profile.coordinator}, {"operator", profile.operator_name}};
  if (!profile.join.empty()) object["join"] = profile.join;
  if (!profile.web.empty()) object["web"] = profile.web;
  if (!profile.keyring_fingerprint.empty()) object["keyring"] = profile.keyring_fingerprint;
  RETURN_IF_ERROR(WriteFileDurably(profile.folder / "ca.crt", profile.ca_pem));
  RETURN_IF_ERROR(WriteFileDurably(profile.folder / "client.crt", profile.certificate_pem));
  RETURN_IF_ERROR(WriteFileDurably(profile.folder / "client.key", profile.key_pem, 0600));
  return WriteFileDurably(profile.folder / "profile.json", object.dump(2) + "\n");
}

std::string HostOf(const std::string& address) { return address.substr(0, address.rfind(':')); }

std::string PortOf(const std::string& address) {
  const size_t colon = address.rfind(':');
  return colon == std::string::npos ? "" : address.substr(colon + 1);
}

}  // namespace reprise::cli
