#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/declarations.h"

namespace reprise::cli {
namespace {

struct HostExpelFlags {
  std::string host;
  std::string reason;
};

absl::StatusOr<int> Run(Context& context, const HostExpelFlags& flags) {
  if (OneLine(flags.reason).empty()) return UsageError("--reason: say why; people will ask in a month");
  RETURN_IF_ERROR(context.Confirm(absl::StrCat("Expel ", OneLine(flags.host), "? Its agent is cut off until it joins again")));
  ASSIGN_OR_RETURN(Client* client, context.client());
  ops::ExpelHostRequest request;
  request.set_host(flags.host);
  request.set_reason(flags.reason);
  ASSIGN_OR_RETURN(const auto host, client->Call<ops::HostView>("ExpelHost", request));
  if (context.json()) {
    context.PrintJson(host);
    return kExitOk;
  }
  context.Say(absl::StrCat(host.name(), " expelled: its certificates and join codes count no more"));
  context.Note(absl::StrCat("what its agent has accepted before it may still finish; the way back: `reprise host token ",
                            host.name(), "`, join, `reprise host admit ", host.name(), "`"));
  return kExitOk;
}

}  // namespace

Action DeclareHostExpel(CommandLine& app) {
  auto flags = std::make_shared<HostExpelFlags>();
  app.Option("HOST", flags->host, "Its name").Required();
  app.Option("--reason", flags->reason, "Why; it stands in the journal").Required().TypeName("TEXT");
  app.Footer(
      "For a key that was stolen or copied: whoever holds it, nothing is taken from it any more. The host joins again\n"
      "with a new code, and is in quarantine until an admin admits it anew. Takes an admin.\n\n"
      "Examples:\n"
      "  reprise host expel ws-001 --reason \"disk image found on a share\"");
  return [flags](Context& context) { return Run(context, *flags); };
}

}  // namespace reprise::cli
