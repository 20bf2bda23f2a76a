#include "agents/daemon/state_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "core/base/files.h"
#include "core/base/status_macros.h"

namespace reprise::daemon {

namespace fs = std::filesystem;

absl::Status StateFolder::Create() const {
  for (const fs::path& folder : {path_, Cache(), Work()}) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (!error) fs::permissions(folder, fs::perms::owner_all, error);
    if (error) {
      return absl::PermissionDeniedError(
          absl::StrCat(folder.string(), ": cannot make this folder mine alone: ", error.message()));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<AgentConfig> StateFolder::LoadConfig() const {
  const fs::path path = path_ / "agent.json";
  absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok() && text.status().code() == absl::StatusCode::kNotFound) {
    return absl::NotFoundError(absl::StrCat(path.string(),
                                            ": no agent is enrolled here; run `reprise-agent join` with a "
                                            "join code from `reprise host token`"));
  }
  RETURN_IF_ERROR(text.status());
  const auto json = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  AgentConfig config;
  for (const auto& [key, field] : {std::pair{"host", &config.host}, {"coordinator", &config.coordinator}}) {
    if (!json.is_object() || !json.contains(key) || !json[key].is_string()) {
      return absl::InvalidArgumentError(absl::StrCat(path.string(), ": expected an object with the text \"", key,
                                                     "\"; run `reprise-agent join` again to write it anew"));
    }
    *field = json[key].get<std::string>();
  }
  return config;
}

absl::Status StateFolder::SaveConfig(const AgentConfig& config) const {
  const nlohmann::json json = {{"host", config.host}, {"coordinator", config.coordinator}};
  return WriteFileDurably(path_ / "agent.json", json.dump(2) + "\n", 0600);
}

absl::StatusOr<Identity> StateFolder::LoadIdentity() const {
  Identity identity;
  ASSIGN_OR_RETURN(identity.ca, ReadFile(path_ / "ca.crt"));
  ASSIGN_OR_RETURN(identity.certificate, ReadFile(path_ / "agent.crt"));
  ASSIGN_OR_RETURN(identity.key, ReadFile(path_ / "agent.key"));
  return identity;
}

absl::Status StateFolder::SaveIdentity(const Identity& identity) const {
  RETURN_IF_ERROR(WriteFileDurably(path_ / "ca.crt", identity.ca, 0600));
  RETURN_IF_ERROR(WriteFileDurably(path_ / "agent.key", identity.key, 0600));
  return SaveCertificate(identity.certificate);
}

absl::Status StateFolder::SaveCertificate(const std::string& certificate) const {
  return WriteFileDurably(path_ / "agent.crt", certificate, 0600);
}

StateFolder::Lock::~Lock() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<StateFolder::Lock> StateFolder::TakeLock() const {
  const fs::path path = path_ / "lock";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat(path.string(), ": cannot open"));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    close(fd);
    return absl::FailedPreconditionError(absl::StrCat(
        path_.string(), ": another reprise-agent uses this folder; stop it first, or give another --state"));
  }
  return Lock(fd);
}

}  // namespace reprise::daemon
