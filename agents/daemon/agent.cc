#include "agents/daemon/agent.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "agents/daemon/agent_loop.h"
#include "agents/daemon/facts.h"
#include "agents/daemon/fetcher.h"
#include "agents/daemon/file_cache.h"
#include "agents/daemon/grpc_link.h"
#include "agents/daemon/inbox.h"
#include "agents/daemon/renewal.h"
#include "agents/daemon/worker.h"
#include "agents/engine/agent_engine.h"
#include "agents/spool/sqlite_spool.h"
#include "core/base/status_macros.h"

namespace reprise::daemon {
namespace {

constexpr char kVersion[] = REPRISE_VERSION;
constexpr uint64_t kCacheBytesMax = 4ull << 30;
constexpr int kCacheUnusedDays = 30;

}  // namespace

// Members are destroyed from the last to the first: whoever calls goes before whoever is called.
struct Agent::Parts {
  explicit Parts(StateFolder::Lock taken) : lock(std::move(taken)) {}
  // No answer may come in any more when the parts begin to go.
  ~Parts() {
    if (link) link->Close();
    remote.Stop();
    local.Stop();
    runner = {};
    link.reset();
  }

  AgentLoop::Hands MakeHands();

  StateFolder::Lock lock;
  SystemClock clock;
  SystemRandom random;
  Inbox inbox;
  std::unique_ptr<Renewal> renewal;
  std::unique_ptr<FileCache> cache;
  std::unique_ptr<CoordinatorLink> link;
  Worker local;   // Cache, facts.
  Worker remote;  // Downloads, renewal.
  std::unique_ptr<Fetcher> fetcher;
  VerbRunner runner;
  std::unique_ptr<AgentLoop> loop;
  std::string last_trouble;
};

AgentLoop::Hands Agent::Parts::MakeHands() {
  AgentLoop::Hands hands;
  hands.start_verb = [this](const agents::VerbRequest& request) {
    runner.start(
        request,
        [this](agents::VerbProgress progress) {
          inbox.PostIfRoom(agents::Input(agents::VerbProgressed{std::move(progress)}));
        },
        [this](agents::VerbResult result) { inbox.Post(agents::Input(agents::VerbEnded{std::move(result)})); });
  };
  hands.kill_verb = [this](uint64_t id) { runner.kill(id); };
  hands.fetch = [this](agents::FetchFiles request) { fetcher->Fetch(std::move(request)); };
  hands.drop_fetch = [this](uint64_t id) { fetcher->Drop(id); };
  hands.gather_facts = [this] {
    local.Post([this] { inbox.Post(agents::Input(agents::FactsGathered{GatherFacts()})); });
  };
  hands.identity = [this] {
    const std::string trouble = renewal->Trouble();
    if (trouble != last_trouble && !trouble.empty()) spdlog::error("{}", trouble);
    last_trouble = trouble;
    return renewal->ForSession();
  };
  hands.wants_session = [this] { return renewal->WantsSession(); };
  hands.online = [this] {
    fetcher->Online();
    if (!renewal->Due()) return;
    remote.Post([this] {
      const absl::Status status = renewal->Renew(*link);
      if (status.ok()) {
        spdlog::info("the certificate was renewed");
      } else {
        spdlog::warn("the certificate could not be renewed, trying again: {}", std::string(status.message()));
      }
    });
  };
  return hands;
}

absl::StatusOr<std::unique_ptr<Agent>> Agent::Start(const AgentOptions& options, const RunnerMaker& make_runner) {
  const StateFolder folder(options.state);
  ASSIGN_OR_RETURN(const AgentConfig config, folder.LoadConfig());
  // Held until the process ends: the former life is over.
  ASSIGN_OR_RETURN(StateFolder::Lock lock, folder.TakeLock());
  RETURN_IF_ERROR(folder.Create());
  auto parts = std::make_unique<Parts>(std::move(lock));
  Parts* const raw = parts.get();
  ASSIGN_OR_RETURN(parts->renewal, Renewal::Open(folder, config.host, parts->clock));
  auto opened = spool::SqliteSpool::Open(folder.Spool());
  if (absl::IsNotFound(opened.status())) {
    return absl::NotFoundError(absl::StrCat(
        std::string(opened.status().message()),
        ". Without it nobody knows what this agent has done: put the file back, or look at the host by hand and enrol "
        "again with a new join code (`reprise host token`, `reprise-agent join`)"));
  }
  RETURN_IF_ERROR(opened.status());
  spool::SqliteSpool::Opened spool = *std::move(opened);
  ASSIGN_OR_RETURN(auto engine, agents::AgentEngine::Restore(spool.records, {options.exercise}));
  if (engine.host() != config.host) {
    return absl::FailedPreconditionError(absl::StrCat(options.state.string(), ": agent.json names host ", config.host,
                                                      ", the spool host ", engine.host()));
  }
  // Before anything is started or looked at: what the former life left running is ended.
  ASSIGN_OR_RETURN(parts->runner, make_runner(options, folder, config.host));
  parts->cache = std::make_unique<FileCache>(folder.Cache());
  parts->cache->Tidy(kCacheBytesMax, kCacheUnusedDays);
  CoordinatorLink::Events events;
  events.said = [raw](uint64_t session, std::vector<agent::v1::CoordinatorMessage> messages,
                      std::function<void()> taken) {
    raw->inbox.Post(BatchArrived{session, std::move(messages), std::move(taken)});
  };
  events.closed = [raw](uint64_t session, absl::Status status) {
    raw->inbox.Post(SessionEnded{session, std::move(status)});
  };
  parts->link = MakeGrpcLink(config.coordinator, std::move(events));
  parts->fetcher =
      std::make_unique<Fetcher>(*parts->cache, *parts->link, parts->local, parts->remote,
                                [raw](agents::FilesReady ready) { raw->inbox.Post(agents::Input(std::move(ready))); });
  parts->loop = std::make_unique<AgentLoop>(std::move(engine), std::move(spool.spool), parts->inbox, *parts->link,
                                            parts->clock, parts->random, parts->MakeHands());
  spdlog::info("agent {} of host {}, {} records remembered, coordinator {}{}", kVersion, config.host,
               spool.records.size(), config.coordinator, options.exercise ? ", EXERCISE" : "");
  return std::unique_ptr<Agent>(new Agent(std::move(parts)));
}

Agent::Agent(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Agent::~Agent() = default;

void Agent::Run() {
  parts_->loop->Run(kVersion);
}
void Agent::Stop() {
  parts_->inbox.Stop();
}

}  // namespace reprise::daemon
