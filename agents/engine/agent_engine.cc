#include "agents/engine/agent_engine.h"

#include <algorithm>
#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "agents/engine/attempts.h"
#include "agents/engine/desk.h"
#include "agents/engine/memory.h"
#include "agents/engine/previews.h"
#include "core/base/planted.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/model/authorization.h"

namespace reprise::agents {
namespace {

using agent::v1::AgentMessage;
using agent::v1::CoordinatorMessage;
using agent::v1::SpoolRecord;

constexpr UnixMs kNever = std::numeric_limits<UnixMs>::max();
constexpr int64_t kHeartbeatMinMs = 100;
constexpr int64_t kHeartbeatMaxMs = 60 * 60 * 1000;

// The largest number when it cannot be read: Extend says what is wrong with it.
uint32_t KeyringVersion(const plan::v1::SignedStatement& statement) {
  uint32_t version = 0;
  const auto text = crypto::Statement::Parse(statement.statement());
  const auto number = text.ok() ? text->Get("version") : text.status();
  if (number.ok() && absl::SimpleAtoi(*number, &version)) return version;
  return std::numeric_limits<uint32_t>::max();
}

}  // namespace

struct AgentEngine::Impl {
  Impl(Memory memory, AgentOptions options) : desk(std::move(memory), options), attempts(desk), previews(desk) {}

  void On(const Started& started);
  void On(const Connected& connected);
  void On(const Disconnected& disconnected);
  void On(const CoordinatorSaid& said);
  void On(const FilesReady& files) { attempts.OnFiles(files) || previews.OnFiles(files); }
  void On(const VerbEnded& ended);
  void On(const VerbProgressed& progressed) { attempts.OnProgress(progressed.progress); }
  void On(const FactsGathered& gathered);
  void On(const Tick&);

  void OnWelcome(const agent::v1::Welcome& welcome);
  void BringKeyringBack(uint32_t known);
  void OnStop(const agent::v1::Stop& stop);
  void ConfirmStop();
  void OnKeyring(const agent::v1::KeyringUpdate& update);
  void OnHostStatement(const plan::v1::SignedStatement& statement);
  void SayHello();
  // A clock that was set back must not silence the heart.
  void MendHeartbeat() {
    if (heartbeat_at != kNever) heartbeat_at = std::min(heartbeat_at, desk.now() + HeartbeatEvery());
  }
  int64_t HeartbeatEvery() const { return std::max(heartbeat_ms, kHeartbeatMinMs); }

  Desk desk;
  Attempts attempts;
  Previews previews;
  std::string version;
  int64_t heartbeat_ms = 0;
  UnixMs heartbeat_at = kNever;
  bool stop_to_confirm = false;
  uint32_t stop_killed = 0;
};

void AgentEngine::Impl::On(const Started& started) {
  version = started.version;
  attempts.plans().Forget();
  attempts.Resume();
}

void AgentEngine::Impl::On(const Connected& connected) {
  if (desk.session() != 0) On(Disconnected{desk.session()});
  desk.SetSession(connected.session);
  attempts.plans().Forget();
  SayHello();
  for (const auto& finished : attempts.Unacknowledged()) desk.Say(finished);
}

void AgentEngine::Impl::SayHello() {
  const Memory& memory = desk.memory();
  AgentMessage message;
  auto& hello = *message.mutable_hello();
  hello.set_agent_version(version);
  hello.set_keyring_version(memory.keyring().version());
  hello.set_host_statement_serial(memory.statement_serial());
  hello.set_stop_serial(memory.stop().serial());
  hello.set_stopped(memory.stop().active());
  for (const auto& key : attempts.InFlight()) *hello.add_in_flight() = key;
  for (const auto& [id, plan] : memory.plans()) hello.add_plans(id);
  hello.set_exercise(desk.options().exercise);
  desk.Say(std::move(message));
}

void AgentEngine::Impl::On(const Disconnected& disconnected) {
  if (disconnected.session != desk.session()) return;
  desk.SetSession(0);
  heartbeat_at = kNever;
  attempts.OnDisconnected();
  previews.OnDisconnected();
}

void AgentEngine::Impl::On(const CoordinatorSaid& said) {
  if (said.session != desk.session()) return;
  switch (said.message.kind_case()) {
    case CoordinatorMessage::kWelcome:
      return OnWelcome(said.message.welcome());
    case CoordinatorMessage::kTask:
      return attempts.OnTask(said.message.task());
    case CoordinatorMessage::kAcknowledged:
      return attempts.OnAcknowledged(said.message.acknowledged().key());
    case CoordinatorMessage::kCancel:
      return attempts.OnCancel(said.message.cancel());
    case CoordinatorMessage::kStop:
      return OnStop(said.message.stop());
    case CoordinatorMessage::kKeyring:
      return OnKeyring(said.message.keyring());
    case CoordinatorMessage::kHostStatement:
      return OnHostStatement(said.message.host_statement());
    case CoordinatorMessage::kPreview:
      return previews.OnRequest(said.message.preview());
    case CoordinatorMessage::kReadFacts:
      return desk.Do(GatherFacts{});
    case CoordinatorMessage::KIND_NOT_SET:
      return desk.Note("the coordinator said something that this version does not know; it may be newer");
  }
}

void AgentEngine::Impl::OnWelcome(const agent::v1::Welcome& welcome) {
  heartbeat_ms = std::min<int64_t>(welcome.heartbeat_ms(), kHeartbeatMaxMs);
  heartbeat_at = heartbeat_ms > 0 ? desk.now() + HeartbeatEvery() : kNever;
  if (welcome.keyring_version() > 0) BringKeyringBack(welcome.keyring_version());
}

// A coordinator restored from an older copy does not know every version: it checks what it is given, as this agent did.
void AgentEngine::Impl::BringKeyringBack(uint32_t known) {
  const auto& chain = desk.memory().keyring_chain();  // From version 2 on.
  for (size_t i = known - 1; i < chain.size(); ++i) {
    AgentMessage message;
    *message.mutable_keyring()->add_statements() = chain[i];
    desk.Say(std::move(message));
  }
}

// A stop is believed from the coordinator without a signature: the worst that a stolen one can do is to stop work.
void AgentEngine::Impl::OnStop(const agent::v1::Stop& stop) {
  const agent::v1::StopKept& known = desk.memory().stop();
  // To stop is always allowed; with a serial beyond all likelihood a thief would make the agent deaf to every later stop.
  if (stop.serial() > known.serial() && stop.serial() - known.serial() > model::kStopSerialStepMax) {
    desk.Note(absl::StrCat("a stop's serial jumped from ", known.serial(), " to ", stop.serial(),
                           stop.active() ? ": work is stopped, and the serial is not kept" : ": it is passed over"));
    if (!stop.active()) return;
    agent::v1::Stop nearer = stop;
    nearer.set_serial(known.serial() + 1);
    return OnStop(nearer);
  }
  const bool older = stop.serial() < known.serial();
  const bool revived = stop.serial() == known.serial() && stop.active() && !known.active();
  if (older || revived) {
    return desk.Note(absl::StrCat("a stop of serial ", stop.serial(), " was passed over: serial ", known.serial(),
                                  known.active() ? " is in force" : " is lifted"));
  }
  if (stop.serial() > known.serial() || stop.active() != known.active()) {
    SpoolRecord record;
    record.mutable_stop_kept()->set_serial(stop.serial());
    record.mutable_stop_kept()->set_active(stop.active());
    record.mutable_stop_kept()->set_reason(BoundedText(stop.reason(), 512));
    desk.Keep(std::move(record));
    stop_killed = 0;
  }
  stop_to_confirm = stop.active();
  if (!stop.active()) return;
  const std::string reason = absl::StrCat("emergency stop: ", desk.memory().stop().reason());
  const uint32_t killed = attempts.StopAll(reason) + previews.StopAll(reason);
  stop_killed = std::max(stop_killed, killed);
  ConfirmStop();
}

// Said only when nothing runs any more: a confirmation is a fact, not an intention.
void AgentEngine::Impl::ConfirmStop() {
  const bool early = REPRISE_PLANTED(kStopConfirmedTooEarly);
  if (!stop_to_confirm || (attempts.VerbsRunning() + previews.VerbsRunning() > 0 && !early)) return;
  if (desk.session() == 0) return;  // The coordinator repeats the stop at the next session.
  stop_to_confirm = false;
  AgentMessage message;
  message.mutable_stop_confirmed()->set_serial(desk.memory().stop().serial());
  message.mutable_stop_confirmed()->set_killed(stop_killed);
  desk.Say(std::move(message));
}

void AgentEngine::Impl::OnKeyring(const agent::v1::KeyringUpdate& update) {
  for (const auto& statement : update.statements()) {
    // The coordinator may not know how far this agent is: what is not newer is no fault.
    if (KeyringVersion(statement) <= desk.memory().keyring().version()) continue;
    model::Keyring longer = desk.memory().keyring();
    if (absl::Status status = longer.Extend(statement); !status.ok()) {
      return desk.Note(absl::StrCat("a keyring statement was passed over: ", std::string(status.message())));
    }
    SpoolRecord record;
    *record.mutable_keyring_extended() = statement;
    desk.Keep(std::move(record));
  }
}

void AgentEngine::Impl::OnHostStatement(const plan::v1::SignedStatement& statement) {
  const Memory& memory = desk.memory();
  const auto checked = model::CheckHostStatement(memory.keyring(), statement);
  if (!checked.ok()) {
    return desk.Note(absl::StrCat("a host statement was passed over: ", std::string(checked.status().message())));
  }
  if (checked->host != memory.host()) {
    return desk.Note(
        absl::StrCat("a host statement about ", checked->host, " was passed over: this is ", memory.host()));
  }
  if (checked->serial <= memory.statement_serial()) return;
  SpoolRecord record;
  *record.mutable_host_statement() = statement;
  desk.Keep(std::move(record));
}

void AgentEngine::Impl::On(const VerbEnded& ended) {
  attempts.OnVerbEnded(ended.result) || previews.OnVerbEnded(ended.result);
  ConfirmStop();
}

void AgentEngine::Impl::On(const FactsGathered& gathered) {
  AgentMessage message;
  message.mutable_facts()->set_facts_json(gathered.facts_json);
  desk.Say(std::move(message));
}

void AgentEngine::Impl::On(const Tick&) {
  attempts.plans().Forget();
  if (desk.now() < heartbeat_at) return;
  AgentMessage message;
  message.mutable_heartbeat();
  desk.Say(std::move(message));
  heartbeat_at = desk.now() + HeartbeatEvery();
}

AgentEngine::AgentEngine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AgentEngine::AgentEngine(AgentEngine&&) noexcept = default;
AgentEngine& AgentEngine::operator=(AgentEngine&&) noexcept = default;
AgentEngine::~AgentEngine() = default;

absl::StatusOr<std::vector<SpoolRecord>> AgentEngine::Enrol(const std::string& host, const std::string& fingerprint,
                                                            const std::vector<plan::v1::SignedStatement>& keyring) {
  if (keyring.empty()) return absl::PermissionDeniedError("the coordinator sent no keyring");
  if (fingerprint.empty()) return absl::PermissionDeniedError("no fingerprint to pin the keyring to");
  ASSIGN_OR_RETURN(model::Keyring checked, model::Keyring::Found(keyring.front(), fingerprint));
  std::vector<SpoolRecord> records(1);
  records[0].mutable_enrolled()->set_host(host);
  records[0].mutable_enrolled()->set_keyring_fingerprint(fingerprint);
  *records[0].mutable_enrolled()->mutable_keyring() = keyring.front();
  for (size_t i = 1; i < keyring.size(); ++i) {
    RETURN_IF_ERROR(checked.Extend(keyring[i]));
    *records.emplace_back().mutable_keyring_extended() = keyring[i];
  }
  return records;
}

absl::StatusOr<std::vector<SpoolRecord>> AgentEngine::JoinAnew(const std::vector<SpoolRecord>& records,
                                                               uint64_t statement_serial) {
  ASSIGN_OR_RETURN(const Memory memory, Memory::Fold(records));
  const uint64_t ended = std::max(statement_serial, memory.statement_serial());
  if (ended == 0) return std::vector<SpoolRecord>();
  std::vector<SpoolRecord> more(1);
  more[0].mutable_statements_ended()->set_serial(ended);
  return more;
}

absl::StatusOr<AgentEngine> AgentEngine::Restore(const std::vector<SpoolRecord>& records, AgentOptions options) {
  ASSIGN_OR_RETURN(Memory memory, Memory::Fold(records));
  return AgentEngine(std::make_unique<Impl>(std::move(memory), options));
}

Decision AgentEngine::Decide(const Input& input, UnixMs now) {
  impl_->desk.Begin(now);
  impl_->MendHeartbeat();
  std::visit([this](const auto& known) { impl_->On(known); }, input);
  return impl_->desk.Finish();
}

UnixMs AgentEngine::NextWake() const {
  return std::min(impl_->heartbeat_at, impl_->attempts.plans().NextForgetting());
}

std::vector<SpoolRecord> AgentEngine::Compact() const {
  return impl_->desk.memory().Compact();
}
const std::string& AgentEngine::host() const {
  return impl_->desk.memory().host();
}
const model::Keyring& AgentEngine::keyring() const {
  return impl_->desk.memory().keyring();
}
const model::HostStatement* AgentEngine::statement() const {
  return impl_->desk.memory().statement();
}
bool AgentEngine::stopped() const {
  return impl_->desk.memory().stop().active();
}
std::vector<agent::v1::TaskKey> AgentEngine::InFlight() const {
  return impl_->attempts.InFlight();
}
std::vector<agent::v1::Finished> AgentEngine::Unacknowledged() const {
  return impl_->attempts.Unacknowledged();
}
size_t AgentEngine::VerbsRunning() const {
  return impl_->attempts.VerbsRunning() + impl_->previews.VerbsRunning();
}

}  // namespace reprise::agents
