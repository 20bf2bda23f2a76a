#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/cli/commands/deciders.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/run_view.h"
#include "core/cli/commands/run_watcher.h"

namespace reprise::cli {
namespace {

struct RunStartFlags {
  std::string plan;
  bool watch = false;
};

// A run may begin before all have signed who must; what waits for them is said here, not found out later.
void TellMissingDeciders(Context& context, Client& client, const std::string& plan_id) {
  ops::PlanRequest request;
  request.set_plan_id(plan_id);
  const auto view = client.Call<ops::PlanView>("GetPlan", request);
  plan::v1::PlanHeader header;
  if (!view.ok() || !header.ParseFromString(view->bundle().header())) return;
  const auto deciders = MissingDeciders(header, view->signers());
  if (deciders.empty()) return;
  context.Note(absl::StrCat("who decided must sign, and has not: ", NamedDeciders(deciders),
                            ". What is restored from that copy is held back until they have: `reprise approve ", plan_id, "`"));
}

absl::StatusOr<int> Run(Context& context, const RunStartFlags& flags) {
  ASSIGN_OR_RETURN(Client* client, context.client());
  ops::StartRunRequest request;
  request.set_plan_id(flags.plan);
  ASSIGN_OR_RETURN(const auto run, client->Call<ops::RunView>("StartRun", request));
  TellMissingDeciders(context, *client, flags.plan);
  if (flags.watch) {
    context.Say(absl::StrCat("run ", run.id(), " of plan ", run.plan_id(), " has begun"));
    return WatchRun(context, run.id());
  }
  if (context.json()) {
    context.PrintJson(run);
    return kExitOk;
  }
  PrintRunHead(context, run);
  PrintNext(context, run);
  context.Say(absl::StrCat("follow it: `reprise run watch ", run.id(), "`"));
  return kExitOk;
}

}  // namespace

Action DeclareRunStart(CommandLine& app) {
  auto flags = std::make_shared<RunStartFlags>();
  app.Option("PLAN", flags->plan, "The plan, as `reprise plan --submit` named it").Required();
  app.Flag("--watch", flags->watch, "Follow it until it ends; the exit code is then the run's (see `run watch`)");
  app.Footer(
      "Exit code 4 when too few people have signed the plan.\n\n"
      "Examples:\n"
      "  reprise run start edr-campaign-7f3a91c2 --watch\n"
      "  reprise run start edr-campaign-7f3a91c2 -o json | jq .id");
  return [flags](Context& context) { return Run(context, *flags); };
}

}  // namespace reprise::cli
