#include "core/engine/hosts_ahead.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace reprise::engine {
namespace {

using journal::v1::HostRecord;
using journal::v1::State;

bool HasNewerKeyring(const State& state, const HostRecord& host) {
  return host.enrolled() && host.keyring_version() > static_cast<uint32_t>(state.keyring_size());
}

}  // namespace

uint64_t HighestStatementSerial(const HostRecord& host) {
  return std::max(host.statement_serial(), host.reported_statement_serial());
}

bool IsAhead(const State& state, const HostRecord& host) {
  return host.enrolled() && (HasNewerKeyring(state, host) || host.unknown_tasks() > 0 ||
                             host.reported_statement_serial() > host.statement_serial());
}

uint32_t CountAhead(const State& state) {
  return static_cast<uint32_t>(std::count_if(state.hosts().begin(), state.hosts().end(),
                                             [&](const HostRecord& host) { return IsAhead(state, host); }));
}

std::string DescribeAhead(const State& state, const HostRecord& host) {
  if (!IsAhead(state, host)) return "";
  std::vector<std::string> more;
  if (HasNewerKeyring(state, host)) {
    more.push_back(absl::StrCat("keyring version ", host.keyring_version(), " (here ", state.keyring_size(), ")"));
  }
  if (host.reported_statement_serial() > host.statement_serial()) {
    more.push_back(absl::StrCat("a statement with serial ", host.reported_statement_serial(), " (here ",
                                host.statement_serial(), ")"));
  }
  if (host.unknown_tasks() > 0) {
    more.push_back(absl::StrCat(host.unknown_tasks(), " task(s) of runs that are not known here"));
  }
  return absl::StrCat(host.declared().name(), " has ", absl::StrJoin(more, ", "));
}

absl::Status CheckKeyringIsNewest(const State& state) {
  const HostRecord* first = nullptr;
  int hosts = 0;
  for (const HostRecord& host : state.hosts()) {
    if (!HasNewerKeyring(state, host)) continue;
    hosts += 1;
    if (first == nullptr || host.keyring_version() > first->keyring_version()) first = &host;
  }
  if (first == nullptr) return absl::OkStatus();
  const std::string& name = first->declared().name();
  return absl::FailedPreconditionError(absl::StrCat(
      name, hosts > 1 ? absl::StrCat(" and ", hosts - 1, " other host(s) have") : " has", " keyring version ",
      first->keyring_version(), ", and this coordinator has version ", state.keyring_size(),
      ": it was restored from an older copy. Another version ", state.keyring_size() + 1,
      " would fork the chain, and those hosts would refuse every plan made under it. Let their agents connect: they "
      "bring the missing statements back by themselves. If none does, restore a newer copy, or found the site anew; if ",
      name, " is gone or in other hands, expel it (`reprise host expel ", name, "`)"));
}

}  // namespace reprise::engine
