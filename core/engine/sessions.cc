#include "core/engine/sessions.h"

#include <algorithm>
#include <limits>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/base/text.h"
#include "core/engine/host_identity.h"
#include "core/engine/keyring_change.h"
#include "core/model/authorization.h"

namespace reprise::engine {
namespace {

using agent::v1::AgentMessage;
using agent::v1::CoordinatorMessage;
using journal::v1::Event;
using journal::v1::TargetRecord;

constexpr int64_t kHeartbeatMs = 15'000;
// The journal keeps facts for ever, and a host in other hands has new ones each moment. So many at once; and as long since
// the last as so many take at this pace: a mebibyte every nine minutes, the twenty kilobytes of a common host every ten
// seconds. What comes sooner is passed over; the agent says its facts again in its next session.
constexpr size_t kFactsBytesMax = 1 << 20;
constexpr int64_t kFactsBytesPerSecond = 2048;
constexpr size_t kVersionBytesMax = 64;
// In one hello. An agent takes 80 tasks at once and remembers 256 plans; see agents/engine.
constexpr int kTasksSaidMax = 1024;
constexpr int kPlansSaidMax = 4096;
// So many sessions of one host that ended one from another address, within so long: a warning.
constexpr uint32_t kContestedFrom = 3;
constexpr int64_t kContestWindowMs = 600'000;

bool ComeTooSoon(const journal::v1::HostRecord& host, const std::string& facts, UnixMs now) {
  const int64_t since = now - host.facts_ms();  // Negative: the clock was set back.
  return since >= 0 && since < static_cast<int64_t>(facts.size()) * 1000 / kFactsBytesPerSecond;
}

}  // namespace

// An agent passes over what is older than what it knows, and what is further beyond it than a step. So each is told the
// coordinator's own serial where it believes that, and else the nearest that it does: one that was away, or joined, after
// many stops; one that knows more than a coordinator which was restored from an older copy. What another host says of its
// serial is then of no consequence to it.
void SendStop(Desk& desk, const HostBook& host) {
  if (!host.connected()) return;
  const journal::v1::StopRecord& stop = desk.book().state().stop();
  SessionMemory& session = desk.SessionOf(host);
  const uint64_t room = std::numeric_limits<uint64_t>::max() - session.stop_serial;
  const uint64_t least = session.stop_serial + std::min<uint64_t>(session.stopped == stop.active() ? 0 : 1, room);
  const uint64_t most = session.stop_serial + std::min(model::kStopSerialStepMax, room);
  session.stop_serial = std::clamp(stop.serial(), least, most);
  session.stopped = stop.active();
  CoordinatorMessage message;
  message.mutable_stop()->set_serial(session.stop_serial);
  message.mutable_stop()->set_active(stop.active());
  message.mutable_stop()->set_reason(stop.reason());
  desk.Send(host, std::move(message));
}

bool SomebodyStandsStill(Desk& desk) {
  const auto& hosts = desk.book().hosts();
  return std::any_of(hosts.begin(), hosts.end(),
                     [&](const auto& host) { return host->connected() && desk.SessionOf(*host).stopped; });
}

void Sessions::On(const Started& started) {
  Event event;
  event.mutable_coordinator_started()->set_version(started.version);
  desk_.Emit(std::move(event));
  desk_.SetStarted();
  desk_.touched().everything = true;  // Everybody's time to come back begins anew.
  desk_.ForgetSessions();
  if (desk_.book().state().join_until_ms() > desk_.now()) {
    desk_.Do(SetJoinWindow{desk_.book().state().join_until_ms()});
  }
}

void Sessions::On(const SessionOpened& opened) {
  HostBook* host = desk_.book().FindHost(opened.host);
  const auto* record = host == nullptr ? nullptr : host->record;
  if (const auto good = CheckHostIdentity(opened.host, record, opened.certificate); !good.ok()) {
    return desk_.Do(DropSession{opened.host, opened.session, std::string(good.message())});
  }
  if (host->record->session() == opened.session) return;
  if (opened.hello.in_flight_size() > kTasksSaidMax || opened.hello.plans_size() > kPlansSaidMax) {
    return desk_.Do(DropSession{opened.host, opened.session,
                                "its hello names more tasks or plans than an agent can have: is it one of another version?"});
  }
  desk_.SetActor(absl::StrCat("host:", opened.host));
  Event event;
  auto* made = event.mutable_session_opened();
  if (host->connected()) {
    NoteContest(*host->record, opened, *made);
    desk_.Do(DropSession{opened.host, host->record->session(), "the agent opened another session"});
    desk_.CloseSession(*host, "replaced by a newer session");
  }
  made->set_certificate_sha256(opened.certificate.sha256);
  made->set_certificate_ms(opened.certificate.valid_from);
  made->set_host(opened.host);
  made->set_session(opened.session);
  made->set_agent_version(BoundedText(opened.hello.agent_version(), kVersionBytesMax));
  made->set_keyring_version(opened.hello.keyring_version());
  made->set_address(opened.address);
  made->set_stop_serial(opened.hello.stop_serial());
  made->set_statement_serial(opened.hello.host_statement_serial());
  made->set_unknown_tasks(CountUnknown(opened.hello));
  desk_.Emit(std::move(event));
  SessionMemory& session = desk_.SessionOf(*host);
  session = {};
  session.plans.insert(opened.hello.plans().begin(), opened.hello.plans().end());
  session.stop_serial = opened.hello.stop_serial();
  session.stopped = opened.hello.stopped();
  Greet(*host, opened.hello);
  Compare(*host, opened.hello);
}

// One host has one agent at one address. One that comes from elsewhere while the other still stands may have moved;
// when that goes to and fro, there are two.
void Sessions::NoteContest(const journal::v1::HostRecord& host, const SessionOpened& opened,
                           journal::v1::SessionOpened& event) const {
  if (host.address() == opened.address || host.address().empty() || opened.address.empty()) return;
  const int64_t since = host.replaced_since_ms();
  const bool goes_on = host.replaced() > 0 && desk_.now() >= since && desk_.now() - since <= kContestWindowMs;
  event.set_replaced_address(host.address());
  event.set_replaced(goes_on ? host.replaced() + 1 : 1);
  event.set_contested(event.replaced() >= kContestedFrom);
}

uint32_t Sessions::CountUnknown(const agent::v1::Hello& hello) const {
  const auto unknown = [&](const agent::v1::TaskKey& key) {
    const RunBook* run = desk_.book().FindRun(key.run());
    return run == nullptr || run->record->plan_id() != key.plan_id();
  };
  return static_cast<uint32_t>(std::count_if(hello.in_flight().begin(), hello.in_flight().end(), unknown));
}

void Sessions::Greet(const HostBook& host, const agent::v1::Hello& hello) {
  const journal::v1::State& state = desk_.book().state();
  CoordinatorMessage welcome;
  welcome.mutable_welcome()->set_keyring_version(static_cast<uint32_t>(state.keyring_size()));
  welcome.mutable_welcome()->set_heartbeat_ms(kHeartbeatMs);
  desk_.Send(host, std::move(welcome));
  // First of all: nothing must start before it is known. Repeated to one that has it, so that it confirms.
  if (state.stop().active() || state.stop().serial() > hello.stop_serial()) SendStop(desk_, host);
  // One by one: a chain of years may not fit into a message.
  for (auto known = static_cast<int>(std::min<uint32_t>(hello.keyring_version(), static_cast<uint32_t>(state.keyring_size())));
       known < state.keyring_size(); ++known) {
    CoordinatorMessage update;
    *update.mutable_keyring()->add_statements() = state.keyring(known);
    desk_.Send(host, std::move(update));
  }
  if (host.record->has_statement() && hello.host_statement_serial() < host.record->statement_serial()) {
    CoordinatorMessage statement;
    *statement.mutable_host_statement() = host.record->statement();
    desk_.Send(host, std::move(statement));
  }
  CoordinatorMessage facts;
  facts.mutable_read_facts();
  desk_.Send(host, std::move(facts));
}

void Sessions::Compare(HostBook& host, const agent::v1::Hello& hello) {
  std::set<std::string> listed;
  for (const agent::v1::TaskKey& key : hello.in_flight()) listed.insert(key.SerializeAsString());
  const std::vector<TargetId> targets = host.targets;
  for (const TargetId& id : targets) {
    RunBook& run = *desk_.book().FindRun(id.run);
    const TargetRecord& target = run.Target(id.stage, id.target);
    const bool has_it = listed.contains(KeyOf(run, id).SerializeAsString());
    // Also what it has: heard of below, and given its full time again, for it may have waited for its files.
    if (IsInFlight(target.task())) dispatcher_.Lose(run, id);
    if (IsEnded(target.state())) continue;
    if (target.state() == model::v1::TARGET_STATE_DEFERRED && (has_it || target.code() == "no_answer")) {
      dispatcher_.Move(run, id, model::v1::TARGET_STATE_WAITING, "returned", "");
    }
  }
  if (host.in_flight > 0) LoseWhatEndedRunsLeft(host);
  for (const agent::v1::TaskKey& key : hello.in_flight()) {
    outcomes_.OnAccepted(host, key);
    RunBook* run = nullptr;
    TargetId id;
    if (!outcomes_.Find(host, key, &run, &id)) continue;
    const bool given_up = !IsActive(run->record->state()) || run->record->state() == model::v1::RUN_STATE_ABORTING ||
                          IsEnded(run->Target(id.stage, id.target).state());
    if (!given_up) continue;
    CoordinatorMessage cancel;
    *cancel.mutable_cancel()->mutable_key() = key;
    cancel.mutable_cancel()->set_reason("the run was ended");
    desk_.Send(host, std::move(cancel));
  }
}

// Nobody watches over the tasks of a run that has ended, and the host has room for few at once.
void Sessions::LoseWhatEndedRunsLeft(const HostBook& host) {
  for (const auto& run : desk_.book().runs()) {
    for (uint32_t s = 0; s < run->stages.size(); ++s) {
      for (uint32_t t = 0; t < run->stages[s].hosts.size(); ++t) {
        if (run->stages[s].hosts[t] == &host && IsInFlight(run->Target(s, t).task())) dispatcher_.Lose(*run, {run->id, s, t});
      }
    }
  }
}

void Sessions::On(const SessionClosed& closed) {
  HostBook* host = desk_.book().FindHost(closed.host);
  if (host == nullptr || !host->connected() || host->record->session() != closed.session) return;
  desk_.SetActor(absl::StrCat("host:", closed.host));
  desk_.CloseSession(*host, closed.reason);
}

void Sessions::On(const AgentSaid& said) {
  HostBook* host = desk_.book().FindHost(said.host);
  if (host == nullptr || !host->connected() || host->record->session() != said.session) return;
  desk_.SetActor(absl::StrCat("host:", said.host));
  switch (said.message.kind_case()) {
    case AgentMessage::kAccepted:
      return outcomes_.OnAccepted(*host, said.message.accepted().key());
    case AgentMessage::kFinished:
      return outcomes_.OnFinished(*host, said.message.finished());
    case AgentMessage::kStopConfirmed:
      return OnStopConfirmed(*host, said.message.stop_confirmed());
    case AgentMessage::kFacts: {
      const std::string& facts = said.message.facts().facts_json();
      // The same again is no news.
      if (facts.size() > kFactsBytesMax || facts == host->record->facts_json() || ComeTooSoon(*host->record, facts, desk_.now())) {
        return;
      }
      Event event;
      event.mutable_facts_reported()->set_host(said.host);
      event.mutable_facts_reported()->set_facts_json(said.message.facts().facts_json());
      return desk_.Emit(std::move(event));
    }
    case AgentMessage::kKeyring:
      return TakeKeyringBack(desk_, said.message.keyring());
    case AgentMessage::kHello:     // Once, at the opening.
    case AgentMessage::kProgress:  // Not durable: shown by whoever holds the stream.
    case AgentMessage::kPreview:   // Likewise.
    case AgentMessage::kHeartbeat:
    case AgentMessage::KIND_NOT_SET:
      return;
  }
}

void Sessions::OnStopConfirmed(HostBook& host, const agent::v1::StopConfirmed& confirmed) {
  const journal::v1::StopRecord& stop = desk_.book().state().stop();
  const bool known = std::any_of(stop.confirmed().begin(), stop.confirmed().end(),
                                 [&](const auto& other) { return other.host() == host.name; });
  if (!stop.active() || confirmed.serial() != desk_.SessionOf(host).stop_serial || known) return;
  Event event;
  auto* made = event.mutable_stop_confirmed();
  made->set_serial(stop.serial());
  made->set_host(host.name);
  made->set_killed(confirmed.killed());
  made->set_latency_ms(desk_.now() - stop.raised_ms());
  desk_.Emit(std::move(event));
}

}  // namespace reprise::engine
