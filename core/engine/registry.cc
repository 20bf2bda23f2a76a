#include "core/engine/registry.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/text.h"
#include "core/crypto/sha256.h"
#include "core/engine/declared_host.h"
#include "core/engine/host_identity.h"
#include "core/engine/hosts_ahead.h"
#include "core/engine/keyring_change.h"
#include "core/engine/plan_limits.h"
#include "core/model/authorization.h"
#include "core/model/names.h"
#include "core/model/size_limits.h"

namespace reprise::engine {
namespace {

using agent::v1::CoordinatorMessage;
using journal::v1::Event;

}  // namespace

Answer Registry::Do(const std::string&, const operators::v1::ImportInventoryRequest& request) {
  std::set<std::string> named;
  uint32_t added = 0, changed = 0, unchanged = 0;
  if (auto status = model::CheckReason("the name of the inventory's source", request.source()); !status.ok()) {
    return {status};
  }
  for (const auto& host : request.hosts()) {
    if (absl::Status status = CheckDeclared(host); !status.ok()) return {status};
    if (!named.insert(host.name()).second) {
      return {absl::InvalidArgumentError(absl::StrCat("host ", host.name(), " stands in the inventory twice"))};
    }
    const HostBook* known = desk_.book().FindHost(host.name());
    if (known == nullptr || known->record == nullptr) {
      added += 1;
    } else {
      const bool same =
          known->record->in_inventory() && known->record->declared().SerializeAsString() == host.SerializeAsString();
      (same ? unchanged : changed) += 1;
    }
  }
  const auto& hosts = desk_.book().state().hosts();
  const auto absent = std::count_if(hosts.begin(), hosts.end(),
                                    [&](const auto& host) { return !named.contains(host.declared().name()); });
  Event event;
  event.mutable_inventory_imported()->set_source(request.source());
  *event.mutable_inventory_imported()->mutable_hosts() = request.hosts();
  desk_.Emit(std::move(event));
  return {absl::OkStatus(), absl::StrCat(added, " ", changed, " ", unchanged, " ", absent)};
}

absl::Status Registry::CheckHostIsKnown(const std::string& name) const {
  const HostBook* host = desk_.book().FindHost(name);
  if (host != nullptr && host->record != nullptr) return absl::OkStatus();
  std::vector<std::string> names;
  for (const auto& record : desk_.book().state().hosts()) names.push_back(record.declared().name());
  const std::string nearest = NearestName(name, names);
  return absl::NotFoundError(absl::StrCat(
      "host ", name, " is not known; ",
      nearest.empty() ? "import an inventory that names it" : absl::StrCat("did you mean ", nearest, "?")));
}

Answer Registry::Do(const std::string&, const Command::Issue& request) {
  for (const auto& token : request.tokens) {
    if (absl::Status status = CheckHostIsKnown(token.host()); !status.ok()) return {status};
    if (token.secret_sha256().size() != crypto::kSha256Size || token.expires_ms() <= desk_.now()) {
      return {absl::InvalidArgumentError(absl::StrCat("the token for ", token.host(), " is none, or expired already"))};
    }
  }
  if (!request.tokens.empty()) {
    Event event;
    for (const auto& token : request.tokens) *event.mutable_tokens_issued()->add_tokens() = token;
    desk_.Emit(std::move(event));
  }
  if (request.join_until != desk_.book().state().join_until_ms()) {
    Event event;
    event.mutable_join_window_opened()->set_until_ms(request.join_until);
    desk_.Emit(std::move(event));
  }
  desk_.Do(SetJoinWindow{request.join_until});
  return {absl::OkStatus()};
}

Answer Registry::Do(const std::string&, const operators::v1::HostStatementsRequest& request) {
  if (desk_.keyring() == nullptr) return {absl::FailedPreconditionError("there is no keyring yet")};
  std::map<std::string, uint64_t> serials;
  for (const auto& statement : request.statements()) {
    const auto checked = model::CheckHostStatement(*desk_.keyring(), statement);
    if (!checked.ok()) return {checked.status()};
    if (absl::Status status = CheckHostIsKnown(checked->host); !status.ok()) return {status};
    if (absl::Status status = model::CheckReason(absl::StrCat("the reason to hold ", checked->host), checked->hold);
        !status.ok()) {
      return {status};
    }
    auto [known, is_new] = serials.try_emplace(checked->host, 0);
    // The agent passes over what is not newer than all it has seen, also in a life that this coordinator has lost.
    if (is_new) known->second = HighestStatementSerial(*desk_.book().FindHost(checked->host)->record);
    if (checked->serial <= known->second) {
      return {absl::FailedPreconditionError(absl::StrCat("the statement about ", checked->host, " has serial ",
                                                         checked->serial, "; the newest known here or to its agent is ",
                                                         known->second,
                                                         ". Make it again with a higher one"))};
    }
    known->second = checked->serial;
  }
  for (const auto& statement : request.statements()) {
    Event event;
    *event.mutable_host_statement_recorded()->mutable_statement() = statement;
    desk_.Emit(std::move(event));
  }
  for (const auto& [name, serial] : serials) {
    const HostBook& host = *desk_.book().FindHost(name);
    CoordinatorMessage message;
    *message.mutable_host_statement() = host.record->statement();
    desk_.Send(host, std::move(message));
  }
  return {absl::OkStatus()};
}

Answer Registry::Do(const std::string&, const operators::v1::ExtendKeyringRequest& request) {
  if (absl::Status status = ChangeKeyring(desk_, request.statement()); !status.ok()) return {status};
  return {absl::OkStatus(), absl::StrCat(desk_.keyring()->version())};
}

Answer Registry::Do(const std::string&, const Command::CertifyOperator& request) {
  const model::Operator* known = desk_.keyring() == nullptr ? nullptr : desk_.keyring()->Find(request.name);
  if (known == nullptr || !known->active) {
    return {absl::FailedPreconditionError(
        absl::StrCat(request.name, " is no active operator of the keyring; add the key first: `reprise key add`"))};
  }
  Event event;
  event.mutable_operator_certified()->set_operator_(request.name);
  event.mutable_operator_certified()->set_certificate_sha256(request.certificate_sha256);
  desk_.Emit(std::move(event));
  return {absl::OkStatus(), request.name};
}

Answer Registry::Do(const std::string&, const plan::v1::BlobInfo& blob) {
  if (blob.sha256().size() != crypto::kSha256Size) return {absl::InvalidArgumentError("the file's hash is none")};
  if (blob.name().empty()) return {absl::InvalidArgumentError("the file has no name")};
  if (blob.kind() != "plugin" && blob.kind() != "artifact") {
    return {absl::InvalidArgumentError(absl::StrCat("\"", blob.kind(), "\": a file is a plugin or an artifact"))};
  }
  const plan::v1::BlobInfo* known = desk_.book().FindBlob(blob.kind(), blob.sha256());
  // Plans are compiled from what a plugin says of itself: nobody puts other words into the mouth of bytes that are there.
  if (blob.kind() == "plugin" && known != nullptr &&
      (known->name() != blob.name() || known->version() != blob.version() ||
       known->descriptor_json() != blob.descriptor_json())) {
    return {absl::AlreadyExistsError(absl::StrCat("these bytes are in the store as plugin ", known->name(), " ",
                                                  known->version(), ", and say the same of themselves still"))};
  }
  const auto& blobs = desk_.book().state().blobs();
  const plan::v1::BlobInfo* newest = nullptr;
  for (const auto& other : blobs) {
    if (other.kind() == blob.kind() && other.name() == blob.name()) newest = &other;
  }
  if (newest == nullptr || newest->SerializeAsString() != blob.SerializeAsString()) {
    Event event;
    *event.mutable_blob_added()->mutable_blob() = blob;
    desk_.Emit(std::move(event));
  }
  return {absl::OkStatus(), ToHex(blob.sha256())};
}

// ---- plans ----

Answer Registry::Do(const std::string& person, const operators::v1::SubmitPlanRequest& request) {
  if (desk_.keyring() == nullptr) return {absl::FailedPreconditionError("there is no keyring yet")};
  auto index = PlanIndex::Read(request.bundle());
  if (!index.ok()) return {index.status()};
  if (absl::Status status = CheckPlanLimits(*index); !status.ok()) return {status};
  const std::string& id = index->header.plan_id();
  if (const auto* known = desk_.book().FindPlanRecord(id)) {
    if (known->bundle().statement() == request.bundle().statement()) return {absl::OkStatus(), id};
    return {absl::AlreadyExistsError(absl::StrCat("another plan is called ", id, "; make a new one"))};
  }
  // Who asks for a plan does not count at its gates: nobody asks in another's name.
  if (index->header.requester() != person) {
    return {absl::PermissionDeniedError(
        absl::StrCat("the plan says that ", index->header.requester(), " asks for it, and ", person, " submits it"))};
  }
  plan::v1::SignedStatement unsigned_statement;
  unsigned_statement.set_statement(request.bundle().statement());
  const auto checked = model::CheckPlan(*desk_.keyring(), unsigned_statement, request.bundle().header(), desk_.now());
  if (!checked.ok() && checked.status().code() != absl::StatusCode::kPermissionDenied) return {checked.status()};
  for (const auto& plugin : index->header.plugins()) {
    if (desk_.book().FindBlob("plugin", plugin.sha256()) != nullptr) continue;
    return {absl::FailedPreconditionError(absl::StrCat("plugin ", plugin.name(), " ", plugin.version(), " (",
                                                       ToHex(plugin.sha256()).substr(0, 12),
                                                       "…) is not in the store: `reprise plugin add`"))};
  }
  for (const auto& artifact : index->header.artifacts()) {
    if (desk_.book().FindBlob("artifact", artifact.sha256()) != nullptr) continue;
    return {absl::FailedPreconditionError(
        absl::StrCat("artifact ", artifact.name(), " is not in the store: `reprise artifact add`"))};
  }
  for (const auto& leaf : index->leaves) {
    if (absl::Status status = CheckHostIsKnown(leaf.host()); !status.ok()) return {status};
  }
  Event event;
  *event.mutable_plan_submitted()->mutable_bundle() = request.bundle();
  desk_.Emit(std::move(event));
  return {absl::OkStatus(), id};
}

Answer Registry::Do(const std::string&, const Command::SignPlan& request) {
  const auto* known = desk_.book().FindPlanRecord(request.plan_id);
  if (known == nullptr) return {absl::NotFoundError(absl::StrCat("there is no plan ", request.plan_id))};
  const PlanIndex& plan = *desk_.book().FindPlan(request.plan_id);
  if (plan.statement.expires <= desk_.now()) {
    return {absl::FailedPreconditionError(
        absl::StrCat("plan ", request.plan_id, " expired at ", FormatTime(plan.statement.expires)))};
  }
  plan::v1::SignedStatement statement;
  statement.set_statement(plan.statement_bytes);
  *statement.add_signatures() = request.signature;
  const auto signers = desk_.keyring()->Signers(statement);
  if (!signers.ok()) return {signers.status()};
  if (signers->empty()) {
    return {absl::PermissionDeniedError("the signature is of no active operator's key; see `reprise key ls`")};
  }
  const std::string& signer = signers->front();
  const model::Operator& person = *desk_.keyring()->Find(signer);
  if (!person.Has(model::v1::ROLE_OPERATOR) && !person.Has(model::v1::ROLE_APPROVER) &&
      !person.Has(model::v1::ROLE_ADMIN)) {
    return {absl::PermissionDeniedError(
        absl::StrCat(signer, " may not sign plans: that takes an operator, an approver or an admin"))};
  }
  if (std::find(known->signers().begin(), known->signers().end(), signer) != known->signers().end()) {
    return {absl::OkStatus(), request.plan_id};
  }
  size_t bytes = request.signature.ByteSizeLong();
  for (const auto& signature : known->signatures()) bytes += signature.ByteSizeLong();
  if (bytes > model::kPlanSignaturesBytesMax) {
    return {absl::ResourceExhaustedError(absl::StrCat("the signatures of plan ", request.plan_id, " would take ", bytes,
                                                      " bytes; at most ", model::kPlanSignaturesBytesMax,
                                                      " can be sent to an agent. Sign with a shorter comment"))};
  }
  Event event;
  event.mutable_plan_signed()->set_plan_id(request.plan_id);
  event.mutable_plan_signed()->set_signer(signer);
  *event.mutable_plan_signed()->mutable_signature() = request.signature;
  desk_.Emit(std::move(event));
  desk_.ForgetAuthority(request.plan_id);
  return {absl::OkStatus(), request.plan_id};
}

// ---- enrolment ----

Answer Registry::Enrol(const EnrolRequested& request) {
  const journal::v1::State& state = desk_.book().state();
  const HostBook* host = desk_.book().FindHost(request.host);
  if (request.token_sha256.empty()) return Renew(request);
  const auto token = std::find_if(state.tokens().begin(), state.tokens().end(), [&](const auto& known) {
    return known.secret_sha256() == request.token_sha256 && known.host() == request.host;
  });
  if (token == state.tokens().end() || token->expires_ms() <= desk_.now()) {
    return {absl::PermissionDeniedError(
        absl::StrCat("the join code is not valid for ", request.host,
                     ": it was used, has expired, or was made for another host; make a new one with `reprise host "
                     "token ",
                     request.host, "`"))};
  }
  if (state.join_until_ms() <= desk_.now()) {
    return {absl::FailedPreconditionError("the join window is closed; open it with `reprise host token`")};
  }
  desk_.SetActor(absl::StrCat("host:", request.host));
  // Whoever is connected is so by the key before.
  if (host != nullptr && host->connected()) EndSession(*host, "the host joined anew, with another key");
  Event event;
  event.mutable_host_enrolled()->set_ends_admission(host != nullptr && host->record != nullptr &&
                                                    host->record->has_statement());
  event.mutable_host_enrolled()->set_host(request.host);
  event.mutable_host_enrolled()->set_token_sha256(request.token_sha256);
  event.mutable_host_enrolled()->set_certificate_sha256(request.certificate_sha256);
  event.mutable_host_enrolled()->set_certificate_ms(request.certificate_valid_from);
  event.mutable_host_enrolled()->set_address(request.address);
  desk_.Emit(std::move(event));
  return {absl::OkStatus(), absl::StrCat(HighestStatementSerial(*desk_.book().FindHost(request.host)->record))};
}

Answer Registry::Renew(const EnrolRequested& request) {
  const HostBook* host = desk_.book().FindHost(request.host);
  const auto* record = host == nullptr ? nullptr : host->record;
  const absl::Status good = CheckHostIdentity(request.host, record, request.shown);
  if (!good.ok()) return {good};
  if (request.certificate_sha256.empty()) return {absl::InvalidArgumentError("neither token nor certificate")};
  desk_.SetActor(absl::StrCat("host:", request.host));
  Event event;
  event.mutable_host_renewed()->set_host(request.host);
  event.mutable_host_renewed()->set_certificate_sha256(request.certificate_sha256);
  event.mutable_host_renewed()->set_certificate_ms(request.certificate_valid_from);
  event.mutable_host_renewed()->set_address(request.address);
  desk_.Emit(std::move(event));
  return {absl::OkStatus(), request.host};
}

Answer Registry::Do(const std::string& person, const operators::v1::ExpelHostRequest& request) {
  if (absl::Status status = CheckHostIsKnown(request.host()); !status.ok()) return {status};
  if (request.reason().empty()) return {absl::InvalidArgumentError("say why; people will ask in a month")};
  if (absl::Status status = model::CheckReason("the reason to expel a host", request.reason()); !status.ok()) {
    return {status};
  }
  HostBook& host = *desk_.book().FindHost(request.host());
  if (!host.record->enrolled()) {
    return {absl::FailedPreconditionError(
        host.record->expelled_ms() == 0
            ? absl::StrCat(request.host(), " has not joined: there is nobody to expel")
            : absl::StrCat(request.host(), " was expelled already, by ", host.record->expelled_by(), " at ",
                           FormatTime(host.record->expelled_ms())))};
  }
  if (host.connected()) EndSession(host, absl::StrCat("expelled by ", person));
  Event event;
  event.mutable_host_expelled()->set_host(request.host());
  event.mutable_host_expelled()->set_reason(request.reason());
  desk_.Emit(std::move(event));
  return {absl::OkStatus(), request.host()};
}

void Registry::EndSession(const HostBook& host, const std::string& reason) {
  desk_.Do(DropSession{host.name, host.record->session(), reason});
  desk_.CloseSession(host, reason);
}

}  // namespace reprise::engine
