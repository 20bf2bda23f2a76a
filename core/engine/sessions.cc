#include "core/engine/sessions.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/engine/host_identity.h"
#include "core/engine/keyring_change.h"

namespace reprise::engine {
namespace {

using agent::v1::AgentMessage;
using agent::v1::CoordinatorMessage;
using journal::v1::Event;
using journal::v1::TargetRecord;

constexpr int64_t kHeartbeatMs = 15'000;
constexpr size_t kFactsBytesMax = 1 << 20;  // The journal keeps them for ever.
constexpr size_t kVersionBytesMax = 64;
// So many sessions of one host that ended one from another address, within so long: a warning.
constexpr uint32_t kContestedFrom = 3;
constexpr int64_t kContestWindowMs = 600'000;

}  // namespace

CoordinatorMessage StopMessage(const journal::v1::StopRecord& stop) {
  CoordinatorMessage message;
  message.mutable_stop()->set_serial(stop.serial());
  message.mutable_stop()->set_active(stop.active());
  message.mutable_stop()->set_reason(stop.reason());
  return message;
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
  made->set_agent_version(opened.hello.agent_version().substr(0, kVersionBytesMax));
  made->set_keyring_version(opened.hello.keyring_version());
  made->set_address(opened.address);
  made->set_stop_serial(opened.hello.stop_serial());
  made->set_statement_serial(opened.hello.host_statement_serial());
  made->set_unknown_tasks(CountUnknown(opened.hello));
  desk_.Emit(std::move(event));
  SessionMemory& session = desk_.SessionOf(*host);
  session = {};
  session.plans.insert(opened.hello.plans().begin(), opened.hello.plans().end());
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
  if (state.stop().active() || state.stop().serial() > hello.stop_serial()) desk_.Send(host, StopMessage(state.stop()));
  if (hello.keyring_version() < static_cast<uint32_t>(state.keyring_size())) {
    CoordinatorMessage update;
    for (int i = static_cast<int>(hello.keyring_version()); i < state.keyring_size(); ++i) {
      *update.mutable_keyring()->add_statements() = state.keyring(i);
    }
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
  const auto listed = [&](const agent::v1::TaskKey& key) {
    const std::string bytes = key.SerializeAsString();
    return std::any_of(hello.in_flight().begin(), hello.in_flight().end(),
                       [&](const auto& known) { return known.SerializeAsString() == bytes; });
  };
  const std::vector<TargetId> targets = host.targets;
  for (const TargetId& id : targets) {
    RunBook& run = *desk_.book().FindRun(id.run);
    const TargetRecord& target = run.Target(id.stage, id.target);
    if (IsEnded(target.state())) continue;
    const bool has_it = listed(KeyOf(run, id));
    // Also what it has: heard of below, and given its full time again, for it may have waited for its files.
    if (IsInFlight(target.task())) dispatcher_.Lose(run, id);
    if (target.state() == model::v1::TARGET_STATE_DEFERRED && (has_it || target.code() == "no_answer")) {
      dispatcher_.Move(run, id, model::v1::TARGET_STATE_WAITING, "returned", "");
    }
  }
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
      // No honest agent has so many, and the same again is no news.
      if (facts.size() > kFactsBytesMax || facts == host->record->facts_json()) return;
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
  if (!stop.active() || confirmed.serial() != stop.serial() || known) return;
  Event event;
  auto* made = event.mutable_stop_confirmed();
  made->set_serial(confirmed.serial());
  made->set_host(host.name);
  made->set_killed(confirmed.killed());
  made->set_latency_ms(desk_.now() - stop.raised_ms());
  desk_.Emit(std::move(event));
}

}  // namespace reprise::engine
