#include <map>
#include <optional>
#include <ostream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/files.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/deciders.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/inventory_request.h"
#include "core/cli/commands/plan_preview.h"
#include "core/cli/commands/plan_site.h"
#include "core/model/authorization.h"
#include "core/plan/compile.h"
#include "core/plan/explain.h"

namespace reprise::cli {
namespace {

constexpr size_t kNamesShown = 6;
constexpr size_t kNonceBytes = 16;

struct PlanFlags {
  std::string dossier;
  std::string workflow;
  std::vector<std::string> parameters;
  bool diff = false;
  bool submit = false;
  bool exercise = false;
  int64_t expires_ms = 0;
  std::string out;
  bool offline = false;
  std::vector<std::string> plugins;
  std::vector<std::string> artifacts;
};

absl::Status CheckFlags(const PlanFlags& flags) {
  if (flags.offline && flags.submit) return UsageError("--submit asks the coordinator, and --offline forbids it");
  if (flags.offline && flags.diff) return UsageError("--diff asks the hosts, and --offline forbids it");
  if (!flags.offline && (!flags.plugins.empty() || !flags.artifacts.empty())) {
    return UsageError("--plugin and --artifact go with --offline; else the coordinator's store says what there is");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::map<std::string, std::string>> GivenParameters(const PlanFlags& flags) {
  std::map<std::string, std::string> given;
  for (const std::string& text : flags.parameters) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return UsageError(absl::StrCat("-p ", text, ": expected name=value"));
    }
    if (!given.emplace(text.substr(0, equals), text.substr(equals + 1)).second) {
      return UsageError(absl::StrCat("-p ", text.substr(0, equals), " is given twice"));
    }
  }
  return given;
}

absl::StatusOr<const plan::Workflow*> ChooseWorkflow(const plan::Dossier& dossier, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& workflow : dossier.workflows) names.push_back(workflow.name);
  if (names.empty()) return absl::InvalidArgumentError("the dossier has no workflow");
  if (name.empty()) {
    if (names.size() == 1) return &dossier.workflows.front();
    return UsageError(absl::StrCat("which workflow? --workflow ", absl::StrJoin(names, " | ")));
  }
  if (const plan::Workflow* found = dossier.FindWorkflow(name)) return found;
  const std::string nearest = NearestName(name, names);
  return UsageError(absl::StrCat("there is no workflow ", name,
                                 nearest.empty() ? absl::StrCat("; there is: ", absl::StrJoin(names, ", "))
                                                 : absl::StrCat("; did you mean ", nearest, "?")));
}

// The plan's hosts must be known to the coordinator, and every percentage counts from its inventory: what the dossier
// declares is declared there too. Hosts that would leave the inventory are named first.
absl::Status DeclareInventory(Context& context, Client& client, const plan::Inventory& inventory,
                              const std::vector<ops::HostView>& known, const std::string& path) {
  const InventoryDifference difference = CompareInventory(inventory, known);
  if (!difference.any()) return absl::OkStatus();
  if (!difference.absent.empty()) {
    std::vector<std::string> shown = difference.absent;
    if (shown.size() > kNamesShown) shown.resize(kNamesShown);
    RETURN_IF_ERROR(context.Confirm(absl::StrCat(
        "Submitting declares this dossier's inventory, and ", difference.absent.size(), " host(s) are not in it (",
        absl::StrJoin(shown, ", "), difference.absent.size() > shown.size() ? ", …" : "",
        "): they would count no more. Declare it?")));
  }
  const std::string source = inventory.name.empty() ? path : inventory.name;
  ASSIGN_OR_RETURN(const auto counts,
                   client.Call<ops::ImportInventoryResponse>("ImportInventory", InventoryRequest(inventory, source)));
  context.Note(absl::StrCat(
      "the dossier's inventory differed from the coordinator's and was declared: ", counts.added(), " added, ",
      counts.changed(), " changed, ", counts.unchanged(), " unchanged, ", counts.absent(), " absent"));
  return absl::OkStatus();
}

std::string OfflineText(const Context& context, const plan::CompiledPlan& plan) {
  std::vector<std::string> shown;
  for (const auto& host : plan.offline) {
    if (context.cut() && shown.size() == kNamesShown) {
      shown.push_back(absl::StrCat("… ", plan.offline.size() - kNamesShown, " more"));
      break;
    }
    shown.push_back(absl::StrCat(host.host, " (last contact ", context.Ago(host.last_contact), ")"));
  }
  return absl::StrCat("not connected now: ", absl::StrJoin(shown, ", "), "; each stage says what becomes of them");
}

absl::StatusOr<ops::PlanView> Submit(Context& context, const PlanFlags& flags, const plan::Dossier& dossier,
                                     const PlanSite& site, const plan::CompiledPlan& plan) {
  ASSIGN_OR_RETURN(Client* client, context.client());
  RETURN_IF_ERROR(DeclareInventory(context, *client, dossier.inventory, site.hosts, flags.dossier));
  ops::SubmitPlanRequest request;
  *request.mutable_bundle() = plan.bundle;
  return client->Call<ops::PlanView>("SubmitPlan", request);
}

void TellSubmitted(Context& context, const ops::PlanView& view, const plan::v1::PlanHeader& header) {
  context.Say("");
  context.Say(absl::StrCat("submitted as ", context.terminal.Paint(view.plan_id(), Color::kBold)));
  const uint32_t needed = view.signatures_needed();
  const auto deciders = MissingDeciders(header, view.signers());
  if (needed == 0 && header.expires_ms() - header.created_ms() > model::kUnsignedAheadMax) {
    context.Say(absl::StrCat("next: it only reads, but for longer than agents allow without a signature (",
                             FormatDurationMs(model::kUnsignedAheadMax), "): `reprise approve ", view.plan_id(), "`"));
  } else if (needed == 0) {
    context.Say(absl::StrCat("next: it only reads, and needs no signature: `reprise run start ", view.plan_id(), "`"));
  } else {
    context.Say(absl::StrCat("next: ", needed, needed == 1 ? " signature" : " signatures, of distinct people",
                             deciders.empty() ? "" : absl::StrCat(", and of whoever decided: ", NamedDeciders(deciders)),
                             ": `reprise approve ", view.plan_id(), "`"));
  }
}

// How many must sign, by the keyring of this very site.
void TellPolicy(Context& context, const PlanSite& site, const plan::v1::PlanHeader& header) {
  if (!site.keyring) return;
  const uint32_t needed = site.keyring->policy().SignaturesFor(header.effect());
  if (needed > 0) context.Say(absl::StrCat("This site's keyring asks for ", needed, " signature(s), of distinct people."));
}

absl::StatusOr<int> Finish(Context& context, const PlanFlags& flags, const plan::Dossier& dossier, const PlanSite& site,
                           const plan::CompiledPlan& compiled) {
  if (!context.json()) {
    ASSIGN_OR_RETURN(const std::string told, plan::ExplainPlan(compiled.bundle, context.cut() ? kNamesShown : 0));
    context.terminal.out() << told << std::flush;
    TellPolicy(context, site, compiled.header);
    if (site.asked && !compiled.offline.empty()) context.Say(OfflineText(context, compiled));
  }
  if (!flags.out.empty()) RETURN_IF_ERROR(WriteFileDurably(flags.out, compiled.bundle.SerializeAsString()));
  bool pending = plan::HasChanges(compiled.header);
  std::optional<PlanPreview> preview;
  if (flags.diff) {
    ASSIGN_OR_RETURN(preview, Preview(context, compiled));
    pending = preview->Pending();
    if (!context.json()) PrintPreview(context, *preview);
  }
  std::optional<ops::PlanView> submitted;
  if (flags.submit) {
    ASSIGN_OR_RETURN(submitted, Submit(context, flags, dossier, site, compiled));
    TellSubmitted(context, *submitted, compiled.header);
  }
  const int code = pending ? kExitChangesPending : kExitOk;
  if (context.json()) {
    ASSIGN_OR_RETURN(const plan::Json told, plan::PlanAsJson(compiled.bundle));
    Json object = told;
    Json offline = Json::array();
    for (const auto& host : compiled.offline) {
      offline.push_back({{"host", host.host}, {"last_contact_ms", host.last_contact}});
    }
    object["offline"] = std::move(offline);
    object["diff"] = preview ? PreviewAsJson(*preview) : Json(nullptr);
    object["submitted"] = submitted.has_value();
    object["exit"] = code;
    context.PrintJson(object);
  }
  return code;
}

absl::StatusOr<int> Run(Context& context, const PlanFlags& flags) {
  RETURN_IF_ERROR(CheckFlags(flags));
  ASSIGN_OR_RETURN(const auto given, GivenParameters(flags));
  plan::Diagnostics diagnostics;
  const auto wrong = [&](int code) {
    context.terminal.err() << diagnostics.Render();
    return code;
  };
  const plan::Dossier dossier = plan::ReadDossier(flags.dossier, diagnostics);
  if (!diagnostics.ok()) return wrong(kExitFailure);
  ASSIGN_OR_RETURN(const plan::Workflow* workflow, ChooseWorkflow(dossier, flags.workflow));
  plan::ParameterValues parameters = plan::ReadParameters(*workflow, given, diagnostics);
  if (!diagnostics.ok()) return wrong(kExitUsage);  // What the document said was right: the flags are not.
  PlanSite site;
  std::string requester = "nobody";
  if (flags.offline) {
    ASSIGN_OR_RETURN(site, SiteOfFiles(flags.plugins, flags.artifacts));
  } else {
    ASSIGN_OR_RETURN(const Profile* profile, context.profile());
    requester = profile->operator_name;
    ASSIGN_OR_RETURN(site, AskSite(context));
  }
  auto compiled = plan::Compile({.dossier = dossier,
                                 .workflow = *workflow,
                                 .parameters = std::move(parameters),
                                 .catalog = site.catalog,
                                 .points = site.points,
                                 .known = site.known,
                                 .coordinator_asked = site.asked,
                                 .keyring = site.keyring ? &*site.keyring : nullptr,
                                 .requester = requester,
                                 .nonce = context.random.Bytes(kNonceBytes),
                                 .now = context.clock.Now(),
                                 .exercise = flags.exercise,
                                 .expires_ms = flags.expires_ms},
                                diagnostics);
  if (!compiled) return wrong(kExitFailure);
  context.terminal.err() << diagnostics.Render();
  return Finish(context, flags, dossier, site, *compiled);
}

}  // namespace

Action DeclarePlan(CommandLine& app) {
  auto flags = std::make_shared<PlanFlags>();
  app.Option("DOSSIER", flags->dossier, "A folder of documents, or one file").Required();
  app.Option("--workflow", flags->workflow, "Which, when the dossier has several").TypeName("NAME");
  app.Option("-p,--param", flags->parameters, "A parameter of the workflow; as often as there are")
      .TypeName("NAME=VALUE")
      .OneValueEach();
  app.Flag("--diff", flags->diff,
               "Ask the hosts what each step would change there (a dry run: nothing is changed)");
  app.Flag("--submit", flags->submit, "Hand the plan in, to be signed and run");
  app.Flag("--exercise", flags->exercise, "A rehearsal: only agents of an exercise carry it out");
  app.Duration("--expires", flags->expires_ms, "How long the plan may be used (what the workflow says)");
  app.Option("--out", flags->out, "Write the plan's bytes (a PlanBundle) to a file").TypeName("FILE");
  app.Flag("--offline", flags->offline, "Ask no coordinator; such a plan can be read, not signed");
  app.Option("--plugin", flags->plugins, "With --offline: a plugin's library")
      .TypeName("FILE.so")
      .OneValueEach();
  app.Option("--artifact", flags->artifacts, "With --offline: a file that steps need")
      .TypeName("FILE")
      .OneValueEach();
  app.Footer(
      "The plan is compiled here: what people sign is made where it is signed. Exit code 3 when it would change "
      "something\n"
      "(with --diff: when a host says so, or could not tell), 0 when nothing.\n\n"
      "Examples:\n"
      "  reprise plan dossier/ --workflow edr-campaign -p site=nord\n"
      "  reprise plan dossier/ --workflow edr-campaign --diff\n"
      "  reprise plan dossier/ --workflow edr-campaign --submit -o json | jq -r .plan\n"
      "  reprise plan dossier/ --offline --plugin build/plugins/edr.so");
  return [flags](Context& context) { return Run(context, *flags); };
}

}  // namespace reprise::cli
