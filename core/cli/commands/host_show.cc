#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/host_state.h"
#include "core/cli/exit_codes.h"
#include "core/cli/json_lines.h"
#include "core/model/names.h"

namespace reprise::cli {
namespace {

Color ColorOf(model::v1::ClaimState state) {
  if (state == model::v1::CLAIM_STATE_HOLDS) return Color::kGood;
  return state == model::v1::CLAIM_STATE_FAILS ? Color::kBad : Color::kWarning;
}

// "3 h ago (2026-11-24T09:30:00Z)"
std::string When(const Context& context, UnixMs at) { return absl::StrCat(context.Ago(at), " (", FormatTime(at), ")"); }

// A claim is the newest word about its name, as true as when it was said: the newest of them first, each with its age.
void PrintClaims(Context& context, const ops::HostView& host) {
  if (host.claims().empty()) return context.Say("\nno probe has stated anything about it");
  std::vector<const ops::ClaimView*> claims;
  for (const auto& claim : host.claims()) claims.push_back(&claim);
  std::stable_sort(claims.begin(), claims.end(), [](const auto* a, const auto* b) { return a->at_ms() > b->at_ms(); });
  context.Say("");
  Table table({"CLAIM", "WAS", "WHEN IT WAS SAID", "RUN", "AND SAID THEN"});
  for (const ops::ClaimView* claim : claims) {
    table.Add({claim->name(),
               {model::NameOf(claim->state()), ColorOf(claim->state())},
               When(context, claim->at_ms()),
               claim->run() == 0 ? "" : absl::StrCat(claim->run()),
               claim->detail()});
  }
  table.Print(context.terminal, context.cut());
}

void PrintMeasures(Context& context, const ops::HostView& host) {
  if (host.measures().empty()) return;
  context.Say("");
  Table table({"MEASURE", "OF", "VALUE", "TOLD"});
  for (const auto& measure : host.measures()) {
    table.Add({measure.name(), measure.subject(), absl::StrFormat("%.15g", measure.value()), When(context, measure.at_ms())});
  }
  table.Print(context.terminal, context.cut());
}

void PrintFacts(Context& context, const ops::HostView& host) {
  if (host.facts_json().empty()) return context.Say("\nits agent has told no facts yet");
  context.Say(absl::StrCat("\nfacts, as its agent told them ", context.Ago(host.facts_ms()), ":"));
  const Json facts = Json::parse(host.facts_json(), nullptr, /*allow_exceptions=*/false);
  if (!facts.is_object()) return context.Say(absl::StrCat("  ", OneLine(host.facts_json())));
  for (const std::string& line : LinesOf(facts)) context.Say(absl::StrCat("  ", line));
}

absl::StatusOr<int> RunHostShow(Context& context, const std::string& name) {
  ASSIGN_OR_RETURN(Client* client, context.client());
  ops::HostRequest request;
  request.set_host(name);
  ASSIGN_OR_RETURN(const auto host, client->Call<ops::HostView>("GetHost", request));
  if (context.json()) {
    context.PrintJson(host);
    return kExitOk;
  }
  std::vector<std::string> labels;
  for (const auto& label : host.labels()) labels.push_back(absl::StrCat(label.key(), "=", label.value()));
  const auto line = [&](const char* what, const std::string& value) {
    std::string head = absl::StrCat("  ", what);
    head.resize(16, ' ');
    if (!value.empty()) context.Say(absl::StrCat(head, value));
  };
  const Cell state = HostStateCell(host);
  context.Say(absl::StrCat(host.name(), "  ", context.terminal.Paint(state.text, state.color)));
  line("zone", model::NameOf(host.zone()));
  line("class", model::NameOf(host.asset_class()));
  line("trust", model::NameOf(host.trust()));
  if (!host.hold().empty()) line("evidence hold", context.terminal.Paint(OneLine(host.hold()), Color::kWarning));
  line("labels", absl::StrJoin(labels, ", "));
  line("address", OneLine(host.address()));
  line("last contact", host.connected() ? "now" : context.Ago(host.last_contact_ms()));
  line("agent", host.agent_version().empty()
                    ? ""
                    : absl::StrCat(OneLine(host.agent_version()), ", keyring version ", host.keyring_version()));
  line("statement", host.admitted()                 ? absl::StrCat("serial ", host.statement_serial(), ", signed by an admin")
                    : host.statement_serial() == 0 ? "none: nobody has admitted it"
                                                   : absl::StrCat("none in force: serial ", host.statement_serial(),
                                                                  " was signed before it joined with the present key"));
  if (host.statement_serial_seen() > host.statement_serial()) {
    line("", context.terminal.Paint(absl::StrCat("its agent has one with serial ", host.statement_serial_seen(),
                                                 ": this coordinator is an older copy; say again what is so"),
                                    Color::kBad));
  }
  if (host.expelled_ms() != 0) {
    line("expelled", context.terminal.Paint(absl::StrCat(context.Ago(host.expelled_ms()), " by ", host.expelled_by(), ": ",
                                                         OneLine(host.expelled_reason())),
                                            Color::kBad));
  }
  if (host.contested_ms() != 0) {
    line("contested", context.terminal.Paint(
                          absl::StrCat(context.Ago(host.contested_ms()), " two agents used its identity in turn, from ",
                                       OneLine(host.contested_between()), ": `reprise host expel ", host.name(), "`"),
                          Color::kBad));
  }
  PrintClaims(context, host);
  PrintMeasures(context, host);
  PrintFacts(context, host);
  return kExitOk;
}

}  // namespace

Action DeclareHostShow(CommandLine& app) {
  auto name = std::make_shared<std::string>();
  app.Option("HOST", *name, "Its name").Required();
  app.Footer(
      "Examples:\n"
      "  reprise host show ws-001\n"
      "  reprise host show ws-001 -o json | jq -r .facts_json | jq .os");
  return [name](Context& context) { return RunHostShow(context, *name); };
}

}  // namespace reprise::cli
