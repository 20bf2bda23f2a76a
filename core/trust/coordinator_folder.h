// The coordinator's data folder as files: configuration, authority, server certificate. Made once by `reprise init`,
// opened by the coordinator at every start. The journal and the blobs in it belong to other rooms; this one only knows
// where they stand. Restoring a site is copying this folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/trust/certificate_authority.h"

namespace reprise::trust {

// coordinator.json
struct CoordinatorConfig {
  std::string site;
  std::string listen = "0.0.0.0:7443";       // Agents and operators, gRPC.
  std::string web_listen = "0.0.0.0:7444";   // Console, JSON and metrics, HTTPS.
  std::string join_listen = "0.0.0.0:7445";  // Enrolment, HTTPS; open only during a join window.
  std::vector<std::string> names;            // DNS names and addresses at which it is reached.
  uint64_t bandwidth_bytes_per_s = 0;        // For plugins and artifacts, all agents together; 0: no cap.

  std::string Json() const;
  // INVALID_ARGUMENT names the file's field.
  static absl::StatusOr<CoordinatorConfig> Parse(std::string_view json);
};

class CoordinatorFolder {
 public:
  explicit CoordinatorFolder(std::filesystem::path path) : path_(std::move(path)) {}

  // Makes the folder (0700), the authority, the server's key and certificate, and coordinator.json, which comes last:
  // a folder with it is whole. ALREADY_EXISTS: there is a coordinator in it.
  absl::Status Create(const CoordinatorConfig& config, UnixMs now) const;

  absl::StatusOr<CoordinatorConfig> ReadConfig() const;
  absl::StatusOr<CertificateAuthority> LoadAuthority() const;
  // The server's key and its certificate chain (with the authority, which a joining agent must see), PEM. Made anew
  // when half of its life is over or the names of the configuration changed.
  struct ServerIdentity {
    std::string key;
    std::string certificate_chain;
  };
  absl::StatusOr<ServerIdentity> LoadServerIdentity(UnixMs now) const;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path Config() const { return path_ / "coordinator.json"; }
  std::filesystem::path Journal() const { return path_ / "journal.db"; }
  std::filesystem::path Blobs() const { return path_ / "blobs"; }
  std::filesystem::path AuthorityCertificate() const { return path_ / "ca.crt"; }
  std::filesystem::path AuthorityKey() const { return path_ / "ca.key"; }
  std::filesystem::path ServerCertificate() const { return path_ / "server.crt"; }
  std::filesystem::path ServerKey() const { return path_ / "server.key"; }

 private:
  absl::Status WriteServer(const CertificateAuthority& authority, const CoordinatorConfig& config, UnixMs now) const;

  std::filesystem::path path_;
};

}  // namespace reprise::trust
