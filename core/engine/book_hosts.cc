// Folding what happens to people's keys, hosts, files and the emergency stop.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/engine/book.h"
#include "core/engine/host_identity.h"
#include "core/engine/hosts_ahead.h"
#include "core/model/authorization.h"
#include "core/model/statements.h"

namespace reprise::engine {

using journal::v1::Event;
using journal::v1::HostRecord;

namespace {

// A plugin is known by its bytes, an artifact by its name too.
bool SameBlob(const plan::v1::BlobInfo& a, const plan::v1::BlobInfo& b) {
  return a.kind() == b.kind() && a.sha256() == b.sha256() && (a.kind() == "plugin" || a.name() == b.name());
}

}  // namespace

absl::Status Book::On(const Event& event, const journal::v1::CoordinatorStarted&) {
  for (auto& host : hosts_) Close(*host, event.at_ms());
  return absl::OkStatus();
}

absl::Status Book::On(const Event&, const journal::v1::KeyringExtended& extended) {
  if (keyring_) {
    RETURN_IF_ERROR(keyring_->Extend(extended.statement()));
  } else {
    ASSIGN_OR_RETURN(model::Keyring keyring, model::Keyring::Found(extended.statement(), ""));
    keyring_ = std::move(keyring);
  }
  *state_.add_keyring() = extended.statement();
  TouchEverything();  // Protected classes and gates' signers may have changed.
  return absl::OkStatus();
}

absl::Status Book::On(const Event&, const journal::v1::InventoryImported& imported) {
  for (HostRecord& host : *state_.mutable_hosts()) host.set_in_inventory(false);
  for (const auto& declared : imported.hosts()) {
    HostRecord& host = RecordOf(declared.name());
    *host.mutable_declared() = declared;
    host.set_in_inventory(true);
    PutInForce(host);
  }
  TouchEverything();
  return absl::OkStatus();
}

// What people signed; else nothing is believed of a host that joined, and all that was declared of one that did not.
// A class and a hold that people signed protect the host: they outlive their statement, until there is another.
void Book::PutInForce(HostRecord& host) {
  if (host.has_statement()) return;
  const bool joined = host.enrolled() || host.expelled_ms() != 0;
  host.set_zone(joined ? model::v1::ZONE_QUARANTINE : host.declared().zone());
  if (host.statement_serial() == 0) host.set_asset_class(host.declared().asset_class());
  host.set_trust(joined ? model::v1::TRUST_STATE_UNKNOWN : host.declared().trust());
}

namespace {

// What was said of the key before, and who else used it, is over with that key.
void ForgetKey(HostRecord& host) {
  host.clear_previous_certificate_sha256();
  host.clear_session_certificate_sha256();
  host.clear_expelled_ms();
  host.clear_expelled_by();
  host.clear_expelled_reason();
  host.clear_replaced_since_ms();
  host.clear_replaced();
  host.clear_contested_ms();
  host.clear_contested_between();
}

void NoteCertificate(HostRecord& host, const std::string& sha256, int64_t valid_from) {
  if (!sha256.empty()) host.set_certificate_sha256(sha256);
  host.set_certificate_ms(std::max<int64_t>(host.certificate_ms(), valid_from));
}

}  // namespace

absl::Status Book::On(const Event& event, const journal::v1::TokensIssued& issued) {
  auto& tokens = *state_.mutable_tokens();
  const auto replaced = [&](const journal::v1::Token& old) {
    return old.expires_ms() <= event.at_ms() ||
           std::any_of(issued.tokens().begin(), issued.tokens().end(),
                       [&](const auto& token) { return token.host() == old.host(); });
  };
  tokens.erase(std::remove_if(tokens.begin(), tokens.end(), replaced), tokens.end());
  for (const auto& token : issued.tokens()) *tokens.Add() = token;
  return absl::OkStatus();
}

absl::Status Book::On(const Event&, const journal::v1::JoinWindowOpened& opened) {
  state_.set_join_until_ms(opened.until_ms());
  return absl::OkStatus();
}

absl::Status Book::On(const Event&, const journal::v1::HostEnrolled& enrolled) {
  auto& tokens = *state_.mutable_tokens();
  tokens.erase(std::remove_if(tokens.begin(), tokens.end(),
                              [&](const auto& token) { return token.secret_sha256() == enrolled.token_sha256(); }),
               tokens.end());
  HostRecord& host = RecordOf(enrolled.host());
  host.set_enrolled(true);
  if (!enrolled.token_sha256().empty()) {
    ForgetKey(host);
    ForgetFindings(HostNamed(enrolled.host()));  // Another machine may stand behind the name.
  }
  if (enrolled.ends_admission()) host.clear_statement();
  NoteCertificate(host, enrolled.certificate_sha256(), enrolled.certificate_ms());
  if (!enrolled.address().empty()) host.set_address(enrolled.address());
  PutInForce(host);
  Touch(HostNamed(enrolled.host()));
  return absl::OkStatus();
}

absl::Status Book::On(const Event&, const journal::v1::HostRenewed& renewed) {
  HostRecord& host = RecordOf(renewed.host());
  if (!host.enrolled()) return absl::FailedPreconditionError(absl::StrCat(renewed.host(), " is not enrolled"));
  host.set_previous_certificate_sha256(host.certificate_sha256());
  NoteCertificate(host, renewed.certificate_sha256(), renewed.certificate_ms());
  return absl::OkStatus();
}

absl::Status Book::On(const Event& event, const journal::v1::HostExpelled& expelled) {
  HostBook& book = HostNamed(expelled.host());
  if (book.connected()) {
    return absl::FailedPreconditionError(absl::StrCat("a session of ", expelled.host(), " is still open"));
  }
  auto& tokens = *state_.mutable_tokens();
  tokens.erase(std::remove_if(tokens.begin(), tokens.end(),
                              [&](const auto& token) { return token.host() == expelled.host(); }),
               tokens.end());
  HostRecord& host = RecordOf(expelled.host());
  ForgetKey(host);
  host.set_enrolled(false);
  host.clear_certificate_sha256();
  host.clear_statement();
  ForgetFindings(book);  // Whoever held the key may have said it.
  host.clear_keyring_version();
  host.clear_unknown_tasks();
  host.set_expelled_ms(event.at_ms());
  host.set_expelled_by(NameOfActor(event.actor()));
  host.set_expelled_reason(expelled.reason());
  PutInForce(host);
  Touch(book);
  return absl::OkStatus();
}

absl::Status Book::On(const Event&, const journal::v1::HostStatementRecorded& recorded) {
  ASSIGN_OR_RETURN(const auto statement, model::HostStatement::Read(recorded.statement().statement()));
  HostRecord& host = RecordOf(statement.host);
  if (statement.serial <= host.statement_serial()) {
    return absl::FailedPreconditionError(absl::StrCat("statement ", statement.serial, " about ", statement.host,
                                                      " after statement ", host.statement_serial()));
  }
  *host.mutable_statement() = recorded.statement();
  host.set_statement_serial(statement.serial);
  host.set_zone(statement.zone);
  host.set_asset_class(statement.asset_class);
  host.set_trust(statement.trust);
  host.set_hold(statement.hold);
  HostBook& book = HostNamed(statement.host);
  Touch(book);
  for (const StageId& id : book.awaited_by) TouchStage(*FindRun(id.run), id.stage);
  return absl::OkStatus();
}

absl::Status Book::On(const Event&, const journal::v1::BlobAdded& added) {
  auto& blobs = *state_.mutable_blobs();
  // The same bytes may lie there under several names. What is added again becomes the newest of its name.
  for (int i = 0; i < blobs.size(); ++i) {
    if (!SameBlob(blobs[i], added.blob())) continue;
    for (int next = i + 1; next < blobs.size(); ++next) blobs.SwapElements(next - 1, next);
    blobs[blobs.size() - 1] = added.blob();
    return absl::OkStatus();
  }
  plan::v1::BlobInfo* blob = state_.add_blobs();
  *blob = added.blob();
  blob_of_[blob->kind() + "/" + blob->sha256()] = blob;
  return absl::OkStatus();
}

absl::Status Book::On(const Event&, const journal::v1::OperatorCertified& certified) {
  for (auto& known : *state_.mutable_operators()) {
    if (known.name() != certified.operator_()) continue;
    known.set_certificate_sha256(certified.certificate_sha256());
    return absl::OkStatus();
  }
  auto* made = state_.add_operators();
  made->set_name(certified.operator_());
  made->set_certificate_sha256(certified.certificate_sha256());
  return absl::OkStatus();
}

absl::Status Book::On(const Event& event, const journal::v1::FactsReported& reported) {
  HostRecord& host = RecordOf(reported.host());
  host.set_facts_json(reported.facts_json());
  host.set_facts_ms(event.at_ms());
  host.set_last_contact_ms(event.at_ms());
  return absl::OkStatus();
}

absl::Status Book::On(const Event& event, const journal::v1::SessionOpened& opened) {
  if (opened.session() == 0) return absl::InvalidArgumentError("sessions are counted from 1");
  HostRecord& host = RecordOf(opened.host());
  host.set_session(opened.session());
  host.set_silent_since_ms(0);
  host.set_last_contact_ms(event.at_ms());
  host.set_agent_version(opened.agent_version());
  host.set_keyring_version(opened.keyring_version());
  const uint64_t beyond = opened.statement_serial() - std::min(opened.statement_serial(), host.statement_serial());
  host.set_reported_statement_serial(beyond <= kStatementSerialStepMax ? opened.statement_serial() : 0);
  host.set_unknown_tasks(opened.unknown_tasks());
  if (!opened.address().empty()) host.set_address(opened.address());
  if (IsForgotten(host, {opened.certificate_sha256(), opened.certificate_ms()})) {
    NoteCertificate(host, opened.certificate_sha256(), opened.certificate_ms());
  }
  if (!opened.certificate_sha256().empty()) {
    host.set_session_certificate_sha256(opened.certificate_sha256());
    // The host has it: nothing older is good any more.
    if (opened.certificate_sha256() == host.certificate_sha256()) host.clear_previous_certificate_sha256();
  }
  if (opened.replaced() > 0) {
    if (opened.replaced() == 1) host.set_replaced_since_ms(event.at_ms());
    host.set_replaced(opened.replaced());
  }
  if (opened.contested()) {
    host.set_contested_ms(event.at_ms());
    host.set_contested_between(absl::StrCat(opened.replaced_address(), " and ", opened.address()));
  }
  // A coordinator that was restored from an older copy is some stops behind its agents, and its next one goes beyond them.
  // A host in other hands says anything. So no more is believed than one step beyond the coordinator's own serial, not
  // beyond what was seen: else one host could climb, hello by hello. An agent that truly knows more is still reached: each
  // is told a serial of its own (SendStop).
  const uint64_t own = state_.stop().serial();
  if (opened.stop_serial() > std::max(own, state_.stop().seen_serial()) &&
      opened.stop_serial() - own <= model::kStopSerialStepMax) {
    state_.mutable_stop()->set_seen_serial(opened.stop_serial());
  }
  Touch(HostNamed(opened.host()));
  return absl::OkStatus();
}

absl::Status Book::On(const Event& event, const journal::v1::SessionClosed& closed) {
  HostBook& host = HostNamed(closed.host());
  if (host.record == nullptr || host.record->session() != closed.session()) {
    return absl::FailedPreconditionError(
        absl::StrCat("session ", closed.session(), " of ", closed.host(), " is not the open one"));
  }
  Close(host, event.at_ms());
  return absl::OkStatus();
}

void Book::Close(HostBook& host, int64_t at_ms) {
  if (!host.connected()) return;
  host.record->set_session(0);
  host.record->set_silent_since_ms(at_ms);
  host.record->set_last_contact_ms(at_ms);
  Touch(host);
}

// ---- the emergency stop ----

absl::Status Book::On(const Event& event, const journal::v1::StopRaised& raised) {
  if (raised.serial() <= state_.stop().serial()) {
    return absl::FailedPreconditionError(
        absl::StrCat("stop ", raised.serial(), " after stop ", state_.stop().serial()));
  }
  const uint64_t seen = state_.stop().seen_serial();
  journal::v1::StopRecord& stop = *state_.mutable_stop();
  stop.Clear();
  stop.set_seen_serial(seen);
  stop.set_serial(raised.serial());
  stop.set_active(true);
  stop.set_raised_ms(event.at_ms());
  stop.set_by(NameOfActor(event.actor()));
  stop.set_reason(raised.reason());
  uint32_t connected = 0;
  for (const auto& host : hosts_) connected += host->connected() ? 1 : 0;
  stop.set_asked(connected);
  return absl::OkStatus();
}

absl::Status Book::On(const Event&, const journal::v1::StopConfirmed& confirmed) {
  if (!state_.stop().active() || confirmed.serial() != state_.stop().serial()) {
    return absl::FailedPreconditionError(absl::StrCat("stop ", confirmed.serial(), " is not in force"));
  }
  *state_.mutable_stop()->add_confirmed() = confirmed;
  return absl::OkStatus();
}

absl::Status Book::On(const Event&, const journal::v1::StopLifted& lifted) {
  if (lifted.serial() <= state_.stop().serial()) {
    return absl::FailedPreconditionError(
        absl::StrCat("stop ", lifted.serial(), " lifted after stop ", state_.stop().serial()));
  }
  state_.mutable_stop()->set_serial(lifted.serial());
  state_.mutable_stop()->set_active(false);
  for (auto& run : runs_) {
    if (IsActive(run->record->state())) Touch(*run);
  }
  return absl::OkStatus();
}

}  // namespace reprise::engine
