#include "agents/daemon/agent_status.h"

#include "absl/strings/str_cat.h"
#include "agents/daemon/host_certificate.h"
#include "agents/engine/memory.h"
#include "agents/spool/sqlite_spool.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/model/names.h"

namespace reprise::daemon {
namespace {

void Line(std::string& text, const std::string& key, const std::string& value) {
  absl::StrAppend(&text, key, ": ", value, "\n");
}

std::string CertificateWords(const Validity& validity, UnixMs now) {
  if (now < validity.from) return absl::StrCat("not valid before ", FormatTime(validity.from), "; is the clock right?");
  if (now >= validity.until) return absl::StrCat("ended at ", FormatTime(validity.until), "; join again");
  return absl::StrCat("valid until ", FormatTime(validity.until), ", renewed from ", FormatTime(validity.RenewAt()));
}

void DescribeMemory(const agents::Memory& memory, std::string& text) {
  Line(text, "keyring", absl::StrCat("version ", memory.keyring().version(), ", ", memory.keyring().fingerprint()));
  if (const auto* own = memory.statement()) {
    Line(text, "zone", model::NameOf(own->zone));
    Line(text, "class", model::NameOf(own->asset_class));
    Line(text, "trust", model::NameOf(own->trust));
    Line(text, "hold", own->hold.empty() ? "none" : own->hold);
  } else {
    Line(text, "zone", "quarantine: nobody has admitted this host yet");
  }
  Line(text, "stop", memory.stop().active() ? absl::StrCat("in force: ", memory.stop().reason()) : "none");
  Line(text, "plans", std::to_string(memory.plans().size()));
  size_t unacknowledged = 0;
  for (const auto& [id, attempt] : memory.attempts()) {
    if (attempt.finished) {
      unacknowledged += 1;
    } else {
      Line(text, "in flight",
           absl::StrCat(agents::Describe(attempt.key), attempt.intended ? ", its effect has begun" : ""));
    }
  }
  Line(text, "outcomes to deliver", std::to_string(unacknowledged));
}

}  // namespace

absl::StatusOr<std::string> DescribeState(const StateFolder& folder, UnixMs now) {
  ASSIGN_OR_RETURN(const AgentConfig config, folder.LoadConfig());
  ASSIGN_OR_RETURN(const Identity identity, folder.LoadIdentity());
  ASSIGN_OR_RETURN(const Validity validity, ReadValidity(identity.certificate));
  ASSIGN_OR_RETURN(const auto records, spool::SqliteSpool::ReadOnly(folder.Spool()));
  ASSIGN_OR_RETURN(const agents::Memory memory, agents::Memory::Fold(records));
  std::string text;
  Line(text, "host", config.host);
  Line(text, "coordinator", config.coordinator);
  Line(text, "agent", folder.TakeLock().ok() ? "not running" : "running");
  Line(text, "certificate", CertificateWords(validity, now));
  DescribeMemory(memory, text);
  return text;
}

}  // namespace reprise::daemon
