#include "core/base/status_macros.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/run_view.h"

namespace reprise::cli {
namespace {

struct RunShowFlags {
  uint64_t run = 0;
  std::string targets = "troubled";
};

absl::StatusOr<int> Run(Context& context, const RunShowFlags& flags) {
  ASSIGN_OR_RETURN(Client* client, context.client());
  ops::GetRunRequest request;
  request.set_run(flags.run);
  request.set_targets(flags.targets != "none");
  ASSIGN_OR_RETURN(const auto run, client->Call<ops::RunView>("GetRun", request));
  if (context.json()) {
    context.PrintJson(run);
    return kExitOk;
  }
  PrintRunHead(context, run);
  context.Say("");
  PrintStages(context, run);
  if (!run.gates().empty()) context.Say("");
  PrintGates(context, run);
  PrintTargets(context, run, flags.targets == "all" ? TargetsShown::kAll : TargetsShown::kTroubled);
  PrintNext(context, run);
  return kExitOk;
}

}  // namespace

Action DeclareRunShow(CommandLine& app) {
  auto flags = std::make_shared<RunShowFlags>();
  app.Option("RUN", flags->run, "The run's number").Required();
  app.Option("--targets", flags->targets,
                 "troubled: hosts that did not come through, are held back, or are being tried again (the default); all; none")
      .OneOf({"troubled", "all", "none"})
      .TypeName("WHICH");
  app.Footer(
      "With -o wide also what each step of those hosts proved: its summary, its evidence, what it observed.\n\n"
      "Examples:\n"
      "  reprise run show 7\n"
      "  reprise run show 7 --targets all -o wide\n"
      "  reprise run show 7 -o json | jq -r '.targets[] | select(.state==\"failed\") | .host'");
  return [flags](Context& context) { return Run(context, *flags); };
}

}  // namespace reprise::cli
