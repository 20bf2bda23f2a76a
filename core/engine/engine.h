// The coordinator's mind: what happens next, decided from what happened before.
//
// Pure: no I/O, no clock, no chance, no threads. `now` and every id come from outside; the state is the fold of the
// journal's events and of nothing else, so that a replayed engine equals the live one byte for byte.
// Not thread-safe: one owner, the coordinator's loop (or the simulator).
//
// The owner's duty, in this order:  Decide -> journal the events, durably -> carry out the effects.
// If the journal refuses, the owner throws this engine away, replays the journal into a new one and answers nobody.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/engine/host_identity.h"
#include "core/engine/plan_index.h"
#include "core/model/keyring.h"
#include "reprise/agent/v1/agent.pb.h"
#include "reprise/journal/v1/event.pb.h"
#include "reprise/journal/v1/state.pb.h"
#include "reprise/operators/v1/operators.pb.h"

namespace reprise::engine {

// ---- inputs ----

// The process began: whatever was connected is not any more.
struct Started {
  std::string version;
};
// An agent's stream opened and said hello. `session` is unique over the coordinator's life (> 0).
struct SessionOpened {
  std::string host;
  uint64_t session = 0;
  agent::v1::Hello hello;
  std::string address;
  ShownCertificate certificate = {};
};
struct SessionClosed {
  std::string host;
  uint64_t session = 0;
  std::string reason;
};
// Anything after hello. Ignored when `session` is not the host's present one.
struct AgentSaid {
  std::string host;
  uint64_t session = 0;
  agent::v1::AgentMessage message;
};
// A host presents its one-time token: it is spent, and the reply says whether the certificate may leave. Without a
// token, of a host that is enrolled and speaks by `shown`: its certificate is renewed.
struct EnrolRequested {
  uint64_t ticket = 0;
  std::string host;
  std::string token_sha256;
  std::string certificate_sha256;
  std::string address;
  UnixMs certificate_valid_from = 0;
  ShownCertificate shown = {};
};
// An operator's command, already authenticated and permitted; the engine judges whether it makes sense.
struct Command {
  struct Issue {  // Tokens, made outside: the engine sees only their hashes.
    std::vector<journal::v1::Token> tokens;
    UnixMs join_until = 0;
  };
  struct SignPlan {
    std::string plan_id;
    plan::v1::Signature signature;
  };
  struct StartRun {
    std::string plan_id;
  };
  struct Pause {
    uint64_t run = 0;
    std::string reason;
  };
  struct Resume {
    uint64_t run = 0;
  };
  struct Abort {
    uint64_t run = 0;
    std::string reason;
  };
  struct Retry {
    uint64_t run = 0;
  };
  struct RaiseStop {
    std::string reason;
  };
  struct LiftStop {
    std::string reason;
  };
  struct CertifyOperator {
    std::string name;
    std::string certificate_sha256;
  };

  uint64_t ticket = 0;
  std::string operator_name;
  std::variant<operators::v1::ImportInventoryRequest, Issue, operators::v1::HostStatementsRequest,
               operators::v1::ExtendKeyringRequest, CertifyOperator, plan::v1::BlobInfo,
               operators::v1::SubmitPlanRequest, SignPlan, StartRun, Pause, Resume, Abort, Retry,
               operators::v1::SignGateRequest, RaiseStop, LiftStop, operators::v1::ExpelHostRequest>
      request;
};
// Time has passed; see NextWake.
struct Tick {};

using Input = std::variant<Started, SessionOpened, SessionClosed, AgentSaid, EnrolRequested, Command, Tick>;

// ---- effects: carried out only when the decision's events are durable ----

struct SendToAgent {
  std::string host;
  uint64_t session = 0;
  agent::v1::CoordinatorMessage message;
};
// Ends a session: replaced by a newer one, or its host may not speak.
struct DropSession {
  std::string host;
  uint64_t session = 0;
  std::string reason;
};
// Answers a ticket. `subject`: the run's number, the plan's or gate's id, where one was made or changed; of an
// inventory
// "<added> <changed> <unchanged> <absent>"; of a stop its serial; of a join the highest serial of statements made before.
struct Reply {
  uint64_t ticket = 0;
  absl::Status status;
  std::string subject;
};
// The join port is to be open until then (past: closed).
struct SetJoinWindow {
  UnixMs until = 0;
};

using Effect = std::variant<SendToAgent, DropSession, Reply, SetJoinWindow>;

struct Decision {
  std::vector<journal::v1::Event> events;  // Already applied to state(), in this order.
  std::vector<Effect> effects;
};

class Engine {
 public:
  Engine();
  ~Engine();
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;

  // From a snapshot; every index is rebuilt. DATA_LOSS when it does not make sense.
  static absl::StatusOr<Engine> Restore(journal::v1::State snapshot);

  // Folds one event of the journal (replay). DATA_LOSS: the event is not legal in this state.
  absl::Status Apply(const journal::v1::Event& event);

  Decision Decide(const Input& input, UnixMs now);

  // When Tick is wanted next, if nothing else happens; INT64_MAX: never; 0 (at once) after a replay or a restore.
  UnixMs NextWake() const;

  const journal::v1::State& state() const;
  // nullptr before the first keyring statement.
  const model::Keyring* keyring() const;
  // nullptr: unknown.
  const PlanIndex* FindPlan(const std::string& plan_id) const;
  const journal::v1::HostRecord* FindHost(const std::string& host) const;
  const journal::v1::RunRecord* FindRun(uint64_t run) const;

  // Deterministic bytes of the state: the snapshot, and what is compared after a replay.
  std::string Snapshot() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reprise::engine
