// Runs each verb in a process of its own (`reprise-plugin-host`), confined, bounded, and killed as a whole when its time
// is over. One supervising thread spawns and watches them all; nothing here forks the agent.
//
// What a verb meets:
//   - the library loaded is the content that was asked for: it is read once, hashed, and sealed in memory;
//   - with bubblewrap (where it works: see HowConfined()): PID and IPC namespaces of its own, so that nothing survives
//     it. For probe, plan and verify the whole file system is read-only, with a small /dev of its own; only
//     work_dir (also TMPDIR) is writable. apply and rollback write the real one. The agent's own folders (`hidden`) are masked;
//   - without network where its action declares needs.network false;
//   - address space (memory_mb of the action), open files, file size and core files limited; system calls that no action
//     needs are refused; with cgroups, the number of processes and real memory are limited too;
//   - a deadline: asked to end, and 2 seconds later killed with everything that it started.
//
// Without bubblewrap the file system is not read-only and a child that leaves its process group may survive: Create()
// warns in the log, and HowConfined() says so.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/runner/runner.h"

namespace reprise::runner {

struct ProcessRunnerOptions {
  std::filesystem::path plugin_host;  // The program `reprise-plugin-host`.
  std::filesystem::path cache;        // Libraries and artifacts, each named by its SHA-256 in hex.
  std::filesystem::path work;         // Scratch folders, one a verb, removed after it. Owned by this runner.
  std::string host;                   // This host's name, for the plugins.
  std::vector<std::filesystem::path> hidden;  // Folders that no plugin may see (the agent's own state).
  bool bubblewrap = true;             // False: never use it, as where it is missing.
  int memory_mb_max = 4096;           // Above what a descriptor may ask.
  int processes_max = 512;            // A verb, where cgroups can be written.
  int64_t file_mb_max = 16384;        // The largest file that a verb may write.
  // Every verb meets a writable file system: for the conformance kit, which looks at what was written.
  bool every_verb_writes = false;
  // Also gets what plugins log, on a thread of the runner.
  std::function<void(int level, const std::string& text)> on_log;
};

enum class Confinement {
  kNamespaces,  // bubblewrap
  kProcess,     // rlimits, refused system calls and the process group only
};

using OnDescribed = std::function<void(absl::StatusOr<std::string>)>;

class ProcessRunner : public Runner {
 public:
  // Waits for what a former life of the agent may have left running in `work`. UNAVAILABLE: it does not end;
  // NOT_FOUND: the plugin host is missing.
  static absl::StatusOr<std::unique_ptr<ProcessRunner>> Create(const ProcessRunnerOptions& options);

  virtual Confinement HowConfined() const = 0;

  // The descriptor of the library with this SHA-256 (32 bytes), asked once and remembered. NOT_FOUND: not in the cache;
  // FAILED_PRECONDITION: refused, the message says why. Returns at once; calls back on a thread of the runner.
  virtual void Describe(const std::string& plugin_sha256, OnDescribed on_described) = 0;
};

}  // namespace reprise::runner
