#include "core/cli/commands/host_state.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/cli/terminal.h"
#include "core/model/names.h"

namespace reprise::cli {

Cell HostStateCell(const ops::HostView& host) {
  std::vector<std::string> words;
  Color color = Color::kGood;
  const auto say = [&](const std::string& word, Color how) {
    words.push_back(word);
    color = how;
  };
  if (host.expelled_ms() != 0) {
    say(absl::StrCat("expelled by ", host.expelled_by(), " (", OneLine(host.expelled_reason()), ")"), Color::kBad);
  } else if (!host.agent_expected() && !host.enrolled()) {
    say("no agent", Color::kDim);
  } else if (!host.enrolled()) {
    say("not enrolled", Color::kWarning);
  } else {
    host.connected() ? say("connected", Color::kGood) : say("silent", Color::kBad);
    if (!host.admitted()) say("not admitted", host.connected() ? Color::kWarning : Color::kBad);
  }
  if (host.contested_ms() != 0) say("contested", Color::kBad);
  if (!host.hold().empty()) say("on hold", Color::kWarning);
  if (!host.in_inventory()) say("not in the inventory", Color::kWarning);
  return {absl::StrJoin(words, ", "), color};
}

Cell ClaimsCell(const ops::HostView& host) {
  std::vector<std::string> claims;
  Color color = Color::kNone;
  for (const auto& claim : host.claims()) {
    claims.push_back(absl::StrCat(claim.name(), " ", model::NameOf(claim.state())));
    if (claim.state() == model::v1::CLAIM_STATE_FAILS) color = Color::kBad;
    if (claim.state() == model::v1::CLAIM_STATE_UNKNOWN && color == Color::kNone) color = Color::kWarning;
  }
  return {absl::StrJoin(claims, ", "), color};
}

}  // namespace reprise::cli
