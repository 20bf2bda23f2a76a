#include "tests/bench/identities.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/clock.h"
#include "core/base/files.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/crypto/minisign.h"
#include "core/crypto/sha256.h"
#include "core/engine/engine.h"
#include "core/journal/sqlite_journal.h"
#include "core/model/statements.h"
#include "core/trust/certificate.h"
#include "core/trust/certificate_request.h"
#include "core/trust/coordinator_folder.h"

namespace reprise::bench {
namespace {

// Not durable: nobody misses them after a crash.
absl::Status WriteFile(const std::filesystem::path& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  file.close();
  return file ? absl::OkStatus() : absl::UnavailableError(absl::StrCat(path.string(), ": cannot write"));
}

// An engine over a journal, without a coordinator around them.
class OfflineSite {
 public:
  OfflineSite(const EnrolOptions& options, UnixMs now) : options_(options), now_(now) {}

  absl::Status Open(const std::filesystem::path& path) {
    ASSIGN_OR_RETURN(journal_, journal::SqliteJournal::Open(path));
    return journal_->Read(1, [&](const journal::Record& record) -> absl::Status {
      journal::v1::Event event;
      if (!event.ParseFromString(record.payload)) return absl::DataLossError("an event cannot be read");
      return engine_.Apply(event);
    });
  }
  template <class Request>
  absl::Status Do(Request request) {
    engine::Command command;
    command.ticket = 1;
    command.operator_name = options_.operator_name;
    command.request = std::move(request);
    return Give(command);
  }
  absl::Status Give(const engine::Input& input) {
    engine::Decision decision = engine_.Decide(input, now_);
    std::move(decision.events.begin(), decision.events.end(), std::back_inserter(events_));
    for (const auto& effect : decision.effects) {
      if (const auto* reply = std::get_if<engine::Reply>(&effect); reply != nullptr && !reply->status.ok()) {
        return reply->status;
      }
    }
    return absl::OkStatus();
  }
  absl::Status Close() { return journal_->Append(events_); }

 private:
  const EnrolOptions& options_;
  const UnixMs now_;
  std::unique_ptr<journal::SqliteJournal> journal_;
  engine::Engine engine_;
  std::vector<journal::v1::Event> events_;
};

std::string HostName(uint32_t number) {
  return absl::StrCat("ws-", absl::Dec(number, absl::kZeroPad5));
}

plan::v1::SignedStatement Admission(const std::string& host, const crypto::SecretKey& key, UnixMs now) {
  model::HostStatement statement;
  statement.host = host;
  statement.serial = 1;
  statement.zone = model::v1::ZONE_DIRTY;
  statement.asset_class = model::v1::ASSET_CLASS_WORKSTATION;
  statement.trust = model::v1::TRUST_STATE_UNKNOWN;
  statement.issued = now / 1000 * 1000;
  plan::v1::SignedStatement made;
  made.set_statement(statement.Write().Bytes());
  made.add_signatures()->set_minisig(key.Sign(made.statement(), "for measuring"));
  return made;
}

}  // namespace

std::vector<std::string> IdentityFolder::Hosts() const {
  std::vector<std::string> hosts;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    if (entry.path().extension() == ".key") hosts.push_back(entry.path().stem().string());
  }
  std::sort(hosts.begin(), hosts.end());
  return hosts;
}

absl::StatusOr<Identity> IdentityFolder::Read(const std::string& host) const {
  Identity identity;
  ASSIGN_OR_RETURN(identity.ca, ReadFile(path / "ca.crt"));
  ASSIGN_OR_RETURN(identity.certificate, ReadFile(path / (host + ".crt")));
  ASSIGN_OR_RETURN(identity.key, ReadFile(path / (host + ".key")));
  return identity;
}

absl::Status EnrolHosts(const EnrolOptions& options, const IdentityFolder& identities) {
  const UnixMs now = SystemClock().Now();
  const trust::CoordinatorFolder folder(options.coordinator);
  ASSIGN_OR_RETURN(const auto authority, folder.LoadAuthority());
  ASSIGN_OR_RETURN(const std::string key_text, ReadFile(options.secret_key));
  ASSIGN_OR_RETURN(const auto admin, crypto::SecretKey::Parse(key_text, ""));
  std::filesystem::create_directories(identities.path);
  RETURN_IF_ERROR(WriteFile(identities.path / "ca.crt", authority.certificate()));

  OfflineSite site(options, now);
  RETURN_IF_ERROR(site.Open(folder.Journal()));
  operators::v1::ImportInventoryRequest inventory;
  inventory.set_source("bench");
  engine::Command::Issue tokens;
  operators::v1::HostStatementsRequest admissions;
  for (uint32_t i = 1; i <= options.hosts; ++i) {
    const std::string name = HostName(i);
    auto& host = *inventory.add_hosts();
    host.set_name(name);
    host.set_zone(model::v1::ZONE_DIRTY);
    host.set_asset_class(model::v1::ASSET_CLASS_WORKSTATION);
    host.set_trust(model::v1::TRUST_STATE_UNKNOWN);
    host.set_agent_expected(true);
    auto& token = tokens.tokens.emplace_back();
    token.set_host(name);
    token.set_secret_sha256(crypto::Sha256(name));
    token.set_expires_ms(now + trust::kHour);
    *admissions.add_statements() = Admission(name, admin, now);
  }
  tokens.join_until = now + trust::kHour;
  RETURN_IF_ERROR(site.Do(std::move(inventory)));
  RETURN_IF_ERROR(site.Do(std::move(tokens)));
  for (uint32_t i = 1; i <= options.hosts; ++i) {
    const std::string name = HostName(i);
    ASSIGN_OR_RETURN(const std::string key, trust::NewKey());
    ASSIGN_OR_RETURN(const std::string request, trust::NewRequest(key, name));
    ASSIGN_OR_RETURN(const std::string certificate, authority.IssueHost(request, name, now));
    engine::EnrolRequested enrol;
    enrol.ticket = 1;
    enrol.host = name;
    enrol.token_sha256 = crypto::Sha256(name);
    ASSIGN_OR_RETURN(const trust::Certificate made, trust::ReadCertificate(certificate));
    ASSIGN_OR_RETURN(enrol.certificate_sha256, FromHex(made.fingerprint));
    enrol.certificate_valid_from = made.not_before;
    RETURN_IF_ERROR(site.Give(enrol));
    RETURN_IF_ERROR(WriteFile(identities.path / (name + ".key"), key));
    RETURN_IF_ERROR(WriteFile(identities.path / (name + ".crt"), certificate));
  }
  RETURN_IF_ERROR(site.Do(std::move(admissions)));
  RETURN_IF_ERROR(site.Do(engine::Command::Issue{{}, now - 1}));  // Closes the join window.
  return site.Close();
}

}  // namespace reprise::bench
