#include "agents/daemon/agent_loop.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace reprise::daemon {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds kWelcomeWait(20);
constexpr seconds kOnlineEvery(10);
constexpr seconds kLookAgain(30);  // The wall clock may be moved while we sleep.
constexpr size_t kCompactAfter = 500;
constexpr size_t kCompactFactor = 4;

}  // namespace

AgentLoop::AgentLoop(agents::AgentEngine engine, std::unique_ptr<spool::Spool> spool, Inbox& inbox,
                     CoordinatorLink& link, const Clock& clock, Random& random, Hands hands)
    : engine_(std::move(engine)),
      spool_(std::move(spool)),
      inbox_(inbox),
      link_(link),
      clock_(clock),
      hands_(std::move(hands)),
      spool_backoff_(milliseconds(200), milliseconds(5000), random),
      connect_backoff_(milliseconds(200), milliseconds(30000), random) {}

void AgentLoop::Run(const std::string& version) {
  Decide(agents::Started{version});
  Compact();
  while (!inbox_.Stopped()) {
    CheckSession();
    Flush();
    for (Inbox::Item& item : inbox_.Take(UntilNext())) Handle(std::move(item));
    if (clock_.Now() >= engine_.NextWake()) Decide(agents::Tick{});
  }
  Flush();
  link_.Close();
}

void AgentLoop::Handle(Inbox::Item item) {
  if (auto* input = std::get_if<agents::Input>(&item)) return Decide(*input);
  if (auto* batch = std::get_if<BatchArrived>(&item)) {
    for (agent::v1::CoordinatorMessage& message : batch->messages) {
      if (batch->session == session_ && message.has_welcome() && !welcomed_) {
        welcomed_ = true;
        connect_backoff_.Reset();
        last_trouble_.clear();
        spdlog::info("connected to the coordinator");
      }
      Decide(agents::CoordinatorSaid{batch->session, std::move(message)});
    }
    taken_.push_back(std::move(batch->taken));
    return;
  }
  const SessionEnded& ended = std::get<SessionEnded>(item);
  if (ended.session != session_) return;
  Decide(agents::Disconnected{session_});
  session_ = 0;
  const milliseconds wait = connect_backoff_.Next();
  connect_at_ = steady_clock::now() + wait;
  const std::string trouble(ended.status.message());
  if (std::exchange(reopening_, false)) {
    spdlog::info("the session is opened anew, with the certificate that was renewed");
    welcomed_ = false;
    return;
  }
  // Said once, not at every try of a night.
  if (welcomed_ || trouble != last_trouble_) {
    spdlog::warn("no connection to the coordinator: {}; work goes on, next try in {} ms", trouble, wait.count());
    last_trouble_ = trouble;
  }
  welcomed_ = false;
}

void AgentLoop::Decide(const agents::Input& input) {
  agents::Decision decision = engine_.Decide(input, clock_.Now());
  std::move(decision.records.begin(), decision.records.end(), std::back_inserter(records_));
  for (agents::Effect& effect : decision.effects) {
    if (const auto* kill = std::get_if<agents::KillVerb>(&effect)) {
      KillNow(kill->id);
    } else {
      effects_.push_back(std::move(effect));
    }
  }
}

void AgentLoop::KillNow(uint64_t id) {
  // Decided but held back by the spool: it never starts.
  const auto held = std::find_if(effects_.begin(), effects_.end(), [id](const agents::Effect& effect) {
    const auto* start = std::get_if<agents::StartVerb>(&effect);
    return start != nullptr && start->request.id == id;
  });
  if (held == effects_.end()) return hands_.kill_verb(id);
  effects_.erase(held);
  agents::VerbResult result;
  result.id = id;
  result.end = agents::VerbEnd::kCancelled;
  result.message = "it had not begun";
  inbox_.Post(agents::Input(agents::VerbEnded{std::move(result)}));
}

void AgentLoop::Flush() {
  if (!records_.empty()) {
    if (spool_failing_ && steady_clock::now() < flush_at_) return;
    if (absl::Status status = spool_->Append(records_); !status.ok()) {
      const milliseconds wait = spool_backoff_.Next();
      flush_at_ = steady_clock::now() + wait;
      if (!spool_failing_) {
        spdlog::error("{}; nothing is begun or reported until this can be made durable; trying again",
                      std::string(status.message()));
      }
      spool_failing_ = true;
      return;
    }
    if (spool_failing_) spdlog::info("the spool takes records again");
    spool_failing_ = false;
    spool_backoff_.Reset();
    appended_since_compaction_ += records_.size();
    records_.clear();
  }
  CarryOut(std::exchange(effects_, {}));
  for (const auto& taken : std::exchange(taken_, {})) taken();
  if (appended_since_compaction_ >= kCompactAfter) Compact();
}

void AgentLoop::CarryOut(std::vector<agents::Effect> effects) {
  std::vector<agent::v1::AgentMessage> messages;
  for (agents::Effect& effect : effects) {
    if (auto* send = std::get_if<agents::SendToCoordinator>(&effect)) {
      if (send->session == session_) messages.push_back(std::move(send->message));
    } else if (auto* start = std::get_if<agents::StartVerb>(&effect)) {
      hands_.start_verb(start->request);
    } else if (auto* fetch = std::get_if<agents::FetchFiles>(&effect)) {
      hands_.fetch(std::move(*fetch));
    } else if (auto* drop = std::get_if<agents::DropFetch>(&effect)) {
      hands_.drop_fetch(drop->id);
    } else if (std::holds_alternative<agents::GatherFacts>(effect)) {
      hands_.gather_facts();
    } else if (auto* warn = std::get_if<agents::Warn>(&effect)) {
      spdlog::warn("{}", warn->text);
    }
  }
  if (!messages.empty()) link_.Send(session_, std::move(messages));
}

// REQUIRES: everything decided is durable, else the spool would get ahead of it.
void AgentLoop::Compact() {
  if (!records_.empty()) return;
  appended_since_compaction_ = 0;
  const auto fewest = engine_.Compact();
  if (spool_->Count() < kCompactAfter || spool_->Count() < kCompactFactor * fewest.size()) return;
  if (absl::Status status = spool_->Replace(fewest); !status.ok()) {
    spdlog::warn("the spool could not be compacted, which does no harm yet: {}", std::string(status.message()));
  }
}

void AgentLoop::CheckSession() {
  const auto now = steady_clock::now();
  if (session_ == 0) {
    if (now >= connect_at_) Connect();
    return;
  }
  if (!welcomed_) {
    if (now >= welcome_by_) {
      welcome_by_ = now + kWelcomeWait;
      link_.Close();  // SessionEnded follows.
    }
    return;
  }
  if (now < online_at_) return;
  online_at_ = now + kOnlineEvery;
  if (hands_.wants_session && hands_.wants_session() && IsQuiet()) {
    reopening_ = true;
    return link_.Close();  // SessionEnded follows.
  }
  hands_.online();
}

bool AgentLoop::IsQuiet() const {
  return records_.empty() && engine_.InFlight().empty() && engine_.Unacknowledged().empty();
}

void AgentLoop::Connect() {
  session_ = ++last_session_;
  welcomed_ = false;
  welcome_by_ = steady_clock::now() + kWelcomeWait;
  online_at_ = {};
  link_.Open(session_, hands_.identity());
  Decide(agents::Connected{session_});
}

milliseconds AgentLoop::UntilNext() const {
  const auto now = steady_clock::now();
  milliseconds wait = kLookAgain;
  const auto sooner = [&](SteadyTime at) {
    wait = std::min(wait, std::max(milliseconds(0), std::chrono::ceil<milliseconds>(at - now)));
  };
  if (session_ == 0) {
    sooner(connect_at_);
  } else {
    sooner(welcomed_ ? online_at_ : welcome_by_);
  }
  if (!records_.empty()) sooner(flush_at_);
  const UnixMs wake = engine_.NextWake();
  const UnixMs wall = clock_.Now();
  if (wake <= wall) return milliseconds(0);
  return std::min(wait, milliseconds(std::min<UnixMs>(wake - wall, wait.count())));
}

}  // namespace reprise::daemon
