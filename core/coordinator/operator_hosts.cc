#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/numbers.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/coordinator/loop.h"
#include "core/coordinator/operator_answers.h"
#include "core/engine/hosts_ahead.h"
#include "core/report/views.h"
#include "core/trust/join_code.h"

namespace reprise::coordinator {
namespace {

constexpr int kTokensMax = 100'000;

}  // namespace

absl::Status GetStatus(const Asked& asked, const ops::Empty&, ops::StatusView* view) {
  const journal::v1::State& state = asked.engine.state();
  view->set_version(asked.site.version);
  view->set_now_ms(asked.site.clock.Now());
  view->set_journal_events(asked.site.loop.LastSequence());
  view->set_journal_head(ToHex(asked.site.loop.Head()));
  view->set_ca_fingerprint(asked.site.authority.fingerprint());
  if (const model::Keyring* keyring = asked.engine.keyring()) {
    view->set_keyring_version(keyring->version());
    view->set_keyring_fingerprint(keyring->fingerprint());
    if (const model::Operator* you = keyring->Find(asked.person)) {
      for (const model::v1::Role role : you->roles) view->add_roles(role);
    }
  }
  view->set_hosts(static_cast<uint32_t>(state.hosts_size()));
  view->set_agents_connected(static_cast<uint32_t>(
      std::count_if(state.hosts().begin(), state.hosts().end(), [](const auto& host) { return host.session() != 0; })));
  view->set_runs_active(static_cast<uint32_t>(
      std::count_if(state.runs().begin(), state.runs().end(), [](const auto& run) { return run.ended_ms() == 0; })));
  if (state.has_stop()) *view->mutable_stop() = report::ViewOfStop(state.stop());
  view->set_join_until_ms(state.join_until_ms());
  view->set_you(asked.person);
  view->set_hosts_ahead(engine::CountAhead(state));
  for (const auto& host : state.hosts()) {
    if (!engine::IsAhead(state, host)) continue;
    view->set_ahead_example(engine::DescribeAhead(state, host));
    break;
  }
  return absl::OkStatus();
}

absl::Status ListHosts(const Asked& asked, const ops::ListHostsRequest& request, ops::HostList* list) {
  ASSIGN_OR_RETURN(*list, report::ViewOfHosts(asked.engine, request.selector()));
  return absl::OkStatus();
}

absl::Status GetHost(const Asked& asked, const ops::HostRequest& request, ops::HostView* view) {
  const journal::v1::HostRecord* host = asked.engine.FindHost(request.host());
  if (host == nullptr) {
    std::vector<std::string> names;
    for (const auto& known : asked.engine.state().hosts()) names.push_back(known.declared().name());
    const std::string nearest = NearestName(request.host(), names);
    return absl::NotFoundError(absl::StrCat("host ", request.host(), " is not known",
                                            nearest.empty() ? "" : absl::StrCat("; did you mean ", nearest, "?")));
  }
  *view = report::ViewOfHost(*host, /*with_facts=*/true);
  return absl::OkStatus();
}

absl::Status GetCoverage(const Asked& asked, const ops::CoverageRequest& request, ops::CoverageView* view) {
  ASSIGN_OR_RETURN(*view, report::ViewOfCoverage(asked.engine, request, asked.site.clock.Now()));
  return absl::OkStatus();
}

absl::Status ListRecoveryPoints(const Asked& asked, const ops::Empty&, ops::RecoveryPointList* list) {
  *list = report::ViewOfRecoveryPoints(asked.engine);
  return absl::OkStatus();
}

absl::Status GetBoard(const Asked& asked, const ops::Empty&, ops::BoardView* view) {
  *view = report::ViewOfBoard(asked.engine);
  return absl::OkStatus();
}

absl::StatusOr<CommandRequest> MakeInventory(const Asked&, const ops::ImportInventoryRequest& request,
                                             ops::ImportInventoryResponse*) {
  return request;
}

absl::Status AnswerInventory(const Asked&, const ops::ImportInventoryRequest&, const std::string& subject,
                             ops::ImportInventoryResponse* response) {
  const std::vector<std::string> counts = absl::StrSplit(subject, ' ');
  uint32_t numbers[4] = {};
  for (size_t i = 0; i < 4; ++i) {
    if (counts.size() != 4 || !absl::SimpleAtoi(counts[i], &numbers[i])) {
      return absl::InternalError(absl::StrCat("the inventory was recorded; its counts are not to be read: ", subject));
    }
  }
  response->set_added(numbers[0]);
  response->set_changed(numbers[1]);
  response->set_unchanged(numbers[2]);
  response->set_absent(numbers[3]);
  return absl::OkStatus();
}

absl::StatusOr<CommandRequest> MakeTokens(const Asked& asked, const ops::IssueTokensRequest& request,
                                          ops::IssueTokensResponse* response) {
  if (request.hosts_size() > kTokensMax) {
    return absl::InvalidArgumentError(absl::StrCat(request.hosts_size(), " codes at once; at most ", kTokensMax));
  }
  const model::Keyring* keyring = asked.engine.keyring();
  if (keyring == nullptr) return absl::FailedPreconditionError("there is no keyring yet");
  ASSIGN_OR_RETURN(const UnixMs life, trust::TokenLife(request.ttl_ms()));
  const UnixMs expires = asked.site.clock.Now() + life;
  engine::Command::Issue issue;
  issue.join_until = std::max(expires, static_cast<UnixMs>(asked.engine.state().join_until_ms()));
  for (const std::string& host : request.hosts()) {
    const trust::JoinCode code{host, trust::NewJoinSecret(asked.site.random), asked.site.authority.fingerprint(),
                               keyring->fingerprint()};
    journal::v1::Token& token = issue.tokens.emplace_back();
    token.set_host(host);
    token.set_secret_sha256(trust::HashJoinSecret(code.secret));
    token.set_expires_ms(expires);
    ops::IssuedToken* issued = response->add_tokens();
    issued->set_host(host);
    issued->set_join_code(code.Text());
    issued->set_expires_ms(expires);
  }
  response->set_join_until_ms(issue.join_until);
  return issue;
}

absl::StatusOr<CommandRequest> MakeHostStatements(const Asked&, const ops::HostStatementsRequest& request,
                                                  ops::Empty*) {
  return request;
}

absl::StatusOr<CommandRequest> MakeExpel(const Asked&, const ops::ExpelHostRequest& request, ops::HostView*) {
  return request;
}

absl::Status AnswerExpel(const Asked& asked, const ops::ExpelHostRequest& request, const std::string&,
                         ops::HostView* view) {
  if (const auto* host = asked.engine.FindHost(request.host())) *view = report::ViewOfHost(*host, /*with_facts=*/false);
  return absl::OkStatus();
}

}  // namespace reprise::coordinator
