// The agent's mind: what it accepts, refuses, does next and reports, decided from what it remembers.
//
// Pure: no I/O, no clock, no chance, no threads. `now` comes from outside; the durable state is the fold of the spool's
// records and of nothing else. Not thread-safe: one owner, the agent's loop (or the simulator).
//
// The owner's duty, in this order:  Decide -> append the records to the spool, durably -> carry out the effects.
// KillVerb alone may be carried out at once. While the spool refuses (disk full), effects wait; or the owner kills
// every verb, throws this engine away and restores another from the spool: both are safe.
// At the start of a process: end what a former life left running, Restore, then Decide(Started) before anything else.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/engine/verb.h"
#include "core/base/clock.h"
#include "core/model/keyring.h"
#include "core/model/statements.h"
#include "reprise/agent/v1/agent.pb.h"
#include "reprise/agent/v1/spool.pb.h"

namespace reprise::agents {

// Accepted and not ended; more are refused as `busy`. Those of plans that nobody signed have their own small share: whoever
// owns the coordinator can make such plans, and must not keep people's own work out.
inline constexpr size_t kAttemptsInFlightMax = 64;
inline constexpr size_t kUnsignedInFlightMax = 16;
// Plans remembered at once; more are refused as `busy`. Of the unsigned ones the oldest that has ended gives way.
inline constexpr size_t kPlansMax = 256;
inline constexpr size_t kUnsignedPlansMax = 32;
static_assert(kUnsignedInFlightMax < kUnsignedPlansMax, "some unsigned plan has always ended");

// ---- inputs ----

// The process began: attempts of the former life are taken up again, each with a probe.
struct Started {
  std::string version;
};
// A stream to the coordinator is open. `session` grows within the life of the process (> 0).
struct Connected {
  uint64_t session = 0;
};
struct Disconnected {
  uint64_t session = 0;
};
// Ignored when `session` is not the present one.
struct CoordinatorSaid {
  uint64_t session = 0;
  agent::v1::CoordinatorMessage message;
};
// Answers FetchFiles. `code` for programs: not_found, bad_content, too_large, plugin_signature, disk_full, files
struct FilesReady {
  uint64_t id = 0;
  bool ok = false;
  std::string code;
  std::string message;
};
struct VerbEnded {
  VerbResult result;
};
struct VerbProgressed {
  VerbProgress progress;
};
struct FactsGathered {
  std::string facts_json;
};
// Time has passed; see NextWake.
struct Tick {};

using Input = std::variant<Started, Connected, Disconnected, CoordinatorSaid, FilesReady, VerbEnded, VerbProgressed,
                           FactsGathered, Tick>;

// ---- effects: carried out only when the decision's records are durable ----

// Dropped by the owner when `session` is not the open one any more: what matters is said again at the next.
struct SendToCoordinator {
  uint64_t session = 0;
  agent::v1::AgentMessage message;
};
// Answered by exactly one VerbEnded.
struct StartVerb {
  VerbRequest request;
};
// The verb still ends with a VerbEnded, when all its processes are gone.
struct KillVerb {
  uint64_t id = 0;
  std::string reason;
};
struct WantedFile {
  std::string name;
  std::string sha256;  // 32 bytes
  uint64_t size = 0;   // 0: not known.
  // Where not empty: the content must also bear this signature, by one of these keys (minisign's base64 line).
  std::string minisig;
  std::vector<std::string> keys;
};
// Bring these into the cache; patient while there is no coordinator. Answered by one FilesReady unless dropped.
struct FetchFiles {
  uint64_t id = 0;
  std::vector<WantedFile> files;
};
struct DropFetch {
  uint64_t id = 0;
};
// Answered by one FactsGathered.
struct GatherFacts {};
// For the log: something that a person should know and that no message carries.
struct Warn {
  std::string text;
};

using Effect = std::variant<SendToCoordinator, StartVerb, KillVerb, FetchFiles, DropFetch, GatherFacts, Warn>;

struct Decision {
  std::vector<agent::v1::SpoolRecord> records;  // Already folded into this engine, in this order.
  std::vector<Effect> effects;
};

struct AgentOptions {
  bool exercise = false;  // Takes part in rehearsals, and in nothing else.
};

class AgentEngine {
 public:
  AgentEngine(AgentEngine&&) noexcept;
  AgentEngine& operator=(AgentEngine&&) noexcept;
  ~AgentEngine();

  // The first records of a new agent. `keyring` is the chain from version 1 on.
  // PERMISSION_DENIED when it does not begin with the pinned fingerprint or a link is not signed.
  static absl::StatusOr<std::vector<agent::v1::SpoolRecord>> Enrol(
      const std::string& host, const std::string& keyring_fingerprint,
      const std::vector<plan::v1::SignedStatement>& keyring);

  // What to add to `records` of an agent that joined again, with another key: what people signed about the host before,
  // up to `statement_serial` by the coordinator's word, is in force no more. Errors as Restore's.
  static absl::StatusOr<std::vector<agent::v1::SpoolRecord>> JoinAnew(
      const std::vector<agent::v1::SpoolRecord>& records, uint64_t statement_serial);

  // FAILED_PRECONDITION: never enrolled; DATA_LOSS: the records do not make sense.
  static absl::StatusOr<AgentEngine> Restore(const std::vector<agent::v1::SpoolRecord>& records,
                                             AgentOptions options = {});

  Decision Decide(const Input& input, UnixMs now);

  // When Tick is wanted next, if nothing else happens; INT64_MAX: never.
  UnixMs NextWake() const;

  // The fewest records with the same fold: what compaction puts in the place of all.
  // Deterministic: two engines with the same durable state give the same bytes.
  std::vector<agent::v1::SpoolRecord> Compact() const;

  const std::string& host() const;
  const model::Keyring& keyring() const;
  const model::HostStatement* statement() const;  // nullptr: never admitted.
  bool stopped() const;
  std::vector<agent::v1::TaskKey> InFlight() const;         // Accepted, not ended.
  std::vector<agent::v1::Finished> Unacknowledged() const;  // Ended, not acknowledged.
  size_t VerbsRunning() const;

 private:
  struct Impl;
  explicit AgentEngine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace reprise::agents
