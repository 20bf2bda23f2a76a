// The agent's folder on its host: who it is, what proves it, what it remembers. Everything in it is its owner's alone.
//
//   agent.json   {"host", "coordinator"}      agent.crt, agent.key, ca.crt   its identity
//   spool.db     what it remembers (agents/spool)      cache/   plugins and artifacts by hash
//   work/        the actions' scratch folders          lock     held by the one process that uses the folder
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agents/daemon/coordinator_link.h"

namespace reprise::daemon {

struct AgentConfig {
  std::string host;
  std::string coordinator;  // HOST:PORT of its gRPC port.
};

class StateFolder {
 public:
  explicit StateFolder(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path Spool() const { return path_ / "spool.db"; }
  std::filesystem::path Cache() const { return path_ / "cache"; }
  std::filesystem::path Work() const { return path_ / "work"; }

  // The folder and its sub-folders, mode 0700.
  absl::Status Create() const;
  absl::StatusOr<AgentConfig> LoadConfig() const;
  absl::Status SaveConfig(const AgentConfig& config) const;
  absl::StatusOr<Identity> LoadIdentity() const;
  absl::Status SaveIdentity(const Identity& identity) const;
  absl::Status SaveCertificate(const std::string& certificate) const;

  // While the value lives, no other process may use the folder. FAILED_PRECONDITION: one does.
  class Lock {
   public:
    explicit Lock(int fd) : fd_(fd) {}
    Lock(Lock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Lock& operator=(Lock&&) = delete;
    ~Lock();

   private:
    int fd_;
  };
  absl::StatusOr<Lock> TakeLock() const;

 private:
  std::filesystem::path path_;
};

}  // namespace reprise::daemon
