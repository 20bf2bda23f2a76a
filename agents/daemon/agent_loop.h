// The one thread that owns the agent's engine and spool: takes inputs, decides, makes records durable, then carries out
// the effects. Wiring only: it decides nothing itself but when to connect again.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agents/daemon/backoff.h"
#include "agents/daemon/coordinator_link.h"
#include "agents/daemon/inbox.h"
#include "agents/engine/agent_engine.h"
#include "agents/spool/spool.h"
#include "core/base/clock.h"
#include "core/base/random.h"

namespace reprise::daemon {

class AgentLoop {
 public:
  // What carries out the effects. None may block; answers come through the inbox.
  struct Hands {
    std::function<void(const agents::VerbRequest&)> start_verb;
    std::function<void(uint64_t)> kill_verb;
    std::function<void(agents::FetchFiles)> fetch;
    std::function<void(uint64_t)> drop_fetch;
    std::function<void()> gather_facts;
    std::function<Identity()> identity;  // For the next session.
    std::function<void()> online;        // A session stands: now and then, while it does.
    // The identity is newer than the session: it is opened anew when nothing is under way. Empty: never.
    std::function<bool()> wants_session = {};
  };

  AgentLoop(agents::AgentEngine engine, std::unique_ptr<spool::Spool> spool, Inbox& inbox, CoordinatorLink& link,
            const Clock& clock, Random& random, Hands hands);

  // Until the inbox is stopped.
  void Run(const std::string& version);

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  void Handle(Inbox::Item item);
  void Decide(const agents::Input& input);
  // KillVerb does not wait for the spool.
  void KillNow(uint64_t id);
  void Flush();
  void CarryOut(std::vector<agents::Effect> effects);
  void Compact();
  void Connect();
  void CheckSession();
  bool IsQuiet() const;
  std::chrono::milliseconds UntilNext() const;

  agents::AgentEngine engine_;
  std::unique_ptr<spool::Spool> spool_;
  Inbox& inbox_;
  CoordinatorLink& link_;
  const Clock& clock_;
  Hands hands_;

  // Decided, not yet durable.
  std::vector<agent::v1::SpoolRecord> records_;
  std::vector<agents::Effect> effects_;
  std::vector<std::function<void()>> taken_;
  Backoff spool_backoff_;
  SteadyTime flush_at_ = {};
  bool spool_failing_ = false;
  size_t appended_since_compaction_ = 0;

  uint64_t last_session_ = 0;
  uint64_t session_ = 0;  // 0: none.
  bool welcomed_ = false;
  bool reopening_ = false;  // Closed by this agent, to use a new identity.
  SteadyTime connect_at_ = {};
  SteadyTime welcome_by_ = {};
  SteadyTime online_at_ = {};
  Backoff connect_backoff_;
  std::string last_trouble_;
};

}  // namespace reprise::daemon
