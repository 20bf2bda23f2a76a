#include "agents/daemon/join.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agents/daemon/host_certificate.h"
#include "agents/daemon/state_folder.h"
#include "agents/engine/agent_engine.h"
#include "agents/spool/sqlite_spool.h"
#include "core/base/status_macros.h"

namespace reprise::daemon {
namespace {

constexpr size_t kHostMax = 64;

bool AllOf(const std::string& text, const char* allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string::npos;
}

bool IsFingerprint(const std::string& text) {
  return text.size() == 64 && AllOf(text, "0123456789abcdef");
}

// Looked at before the code is spent.
absl::Status CheckOwner(const StateFolder& folder, const JoinCode& code,
                        const std::vector<agent::v1::SpoolRecord>& records) {
  if (records.empty()) return absl::OkStatus();
  const auto& enrolled = records.front().enrolled();
  if (enrolled.host() == code.host && enrolled.keyring_fingerprint() == code.keyring_fingerprint)
    return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(folder.path().string(), ": belongs to host ", enrolled.host(),
                                                    enrolled.host() == code.host ? " of another site" : "",
                                                    "; the join code is for ", code.host,
                                                    ". Give another --state, or move this one aside"));
}

}  // namespace

absl::StatusOr<JoinCode> ReadJoinCode(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  if (parts.size() != 4) {
    return absl::InvalidArgumentError(
        absl::StrCat("--code has ", parts.size(),
                     " parts; expected <host>:<secret>:<CA's SHA-256>:<keyring's SHA-256>, as "
                     "`reprise host token` prints it"));
  }
  JoinCode code{parts[0], parts[1], parts[2], parts[3]};
  if (code.host.size() > kHostMax || !AllOf(code.host, "abcdefghijklmnopqrstuvwxyz0123456789-.")) {
    return absl::InvalidArgumentError("--code: its first part is not a host's name (a-z, 0-9, '-', '.'; at most 64)");
  }
  if (code.secret.empty()) return absl::InvalidArgumentError("--code: its second part, the secret, is empty");
  if (!IsFingerprint(code.ca_fingerprint) || !IsFingerprint(code.keyring_fingerprint)) {
    return absl::InvalidArgumentError("--code: its third and fourth part must be 64 hex digits each; was it cut off?");
  }
  return code;
}

std::string ConnectAddress(const std::string& asked, const std::string& said, const std::string& join_address) {
  if (!asked.empty()) return asked;
  const size_t colon = said.rfind(':');
  if (colon == std::string::npos) return said;
  const std::string host = said.substr(0, colon);
  if (!host.empty() && host != "0.0.0.0" && host != "[::]" && host != "*") return said;
  return absl::StrCat(join_address.substr(0, join_address.rfind(':')), said.substr(colon));
}

absl::StatusOr<std::string> RunJoin(const JoinOptions& options, const JoinPort& port) {
  ASSIGN_OR_RETURN(const JoinCode code, ReadJoinCode(options.code));
  const StateFolder folder(options.state);
  RETURN_IF_ERROR(folder.Create());
  ASSIGN_OR_RETURN(const auto lock, folder.TakeLock());
  ASSIGN_OR_RETURN(auto spool, spool::SqliteSpool::OpenOrCreate(folder.Spool()));
  RETURN_IF_ERROR(CheckOwner(folder, code, spool.records));

  Identity identity;
  ASSIGN_OR_RETURN(identity.key, NewHostKey());
  JoinRequest request;
  request.address = options.join_address;
  request.ca_fingerprint = code.ca_fingerprint;
  request.host = code.host;
  request.secret = code.secret;
  ASSIGN_OR_RETURN(request.csr, MakeHostRequest(identity.key, code.host));
  ASSIGN_OR_RETURN(const JoinReply reply, port(request));
  identity.certificate = reply.certificate;
  identity.ca = reply.ca;
  RETURN_IF_ERROR(CheckIdentity(identity, code.host));
  const std::string connect = ConnectAddress(options.connect_address, reply.coordinator, options.join_address);
  if (connect.empty()) {
    return absl::InvalidArgumentError("the coordinator did not say where agents connect; give --connect HOST:PORT");
  }
  ASSIGN_OR_RETURN(const auto enrolled, agents::AgentEngine::Enrol(code.host, code.keyring_fingerprint, reply.keyring));
  if (spool.records.empty()) {
    RETURN_IF_ERROR(spool.spool->Append(enrolled));
    spool.records = enrolled;
  }
  ASSIGN_OR_RETURN(const auto anew, agents::AgentEngine::JoinAnew(spool.records, reply.statement_serial));
  if (!anew.empty()) RETURN_IF_ERROR(spool.spool->Append(anew));
  RETURN_IF_ERROR(folder.SaveIdentity(identity));
  // Last: a folder with this file is whole.
  RETURN_IF_ERROR(folder.SaveConfig({code.host, connect}));
  return code.host;
}

}  // namespace reprise::daemon
