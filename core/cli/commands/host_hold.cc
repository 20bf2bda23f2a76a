#include "absl/strings/str_cat.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/host_statement.h"
#include "core/cli/exit_codes.h"

namespace reprise::cli {
namespace {

struct HostHoldFlags {
  HostChoice choice;
  std::string reason;
};

absl::StatusOr<int> Run(Context& context, const HostHoldFlags& flags) {
  if (OneLine(flags.reason).empty()) return UsageError("--reason: say why; people will ask in a month");
  return StateHosts(context, flags.choice,
                    {"Put $0 under evidence hold? Nothing on them will change until they are released",
                     "$0 under evidence hold", [&](const ops::HostView&, model::HostStatement& statement) {
                       statement.hold = flags.reason;
                       return absl::OkStatus();
                     }});
}

}  // namespace

Action DeclareHostHold(CommandLine& app) {
  auto flags = std::make_shared<HostHoldFlags>();
  flags->choice.Declare(app);
  app.Option("--reason", flags->reason, "Why; part of what you sign").Required().TypeName("TEXT");
  app.Footer(
      "What only reads may still look at them. Signed with your key; takes an admin.\n\n"
      "Examples:\n"
      "  reprise host hold srv-dc-1 --reason \"image for the police, case 2026-114\"");
  return [flags](Context& context) { return Run(context, *flags); };
}

}  // namespace reprise::cli
