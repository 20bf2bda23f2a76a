#include "plugins/sanitize/clean.h"

#include <algorithm>
#include <map>
#include <set>

#include "plugins/sanitize/cleaning.h"
#include "plugins/sdk/notes.h"
#include "plugins/sdk/service.h"

namespace reprise::sanitize {
namespace {

namespace fs = std::filesystem;
using sdk::Error;

Bundle BundleOf(const sdk::Context& context) {
  auto bundle = Bundle::Open(context, Bundle::FolderOf(context));
  if (!bundle) {
    throw Error("no_evidence", "there is no evidence of case " + context.Param("case") + " on this host",
                "take it first: sanitize.evidence with the same case");
  }
  const std::string wanted = context.Param("manifest_sha256");
  if (!wanted.empty() && wanted != bundle->manifest_sha256()) {
    throw Error("other_evidence", "the evidence of case " + context.Param("case") + " has the manifest " +
                                      bundle->manifest_sha256() + ", the plan names " + wanted,
                "make the plan from the evidence that is on this host");
  }
  return *std::move(bundle);
}

std::vector<Finding> Named(const sdk::Context& context, const Bundle& bundle) {
  std::vector<Finding> findings;
  for (const std::string& id : context.Param<std::vector<std::string>>("findings")) {
    const Finding* finding = bundle.Find(id);
    if (finding == nullptr) {
      throw Error("not_in_evidence", "the evidence has no finding " + id.substr(0, 40),
                  "findings are the ids that sanitize.check and sanitize.evidence tell");
    }
    findings.push_back(*finding);
  }
  if (findings.empty()) throw Error("bad_params", "parameter findings is empty, expected ids of findings");
  return findings;
}

std::vector<Finding> Remaining(const Tree& tree, const std::vector<Finding>& findings) {
  std::vector<Finding> remaining;
  for (const Finding& finding : findings) {
    if (IsThere(tree, finding)) remaining.push_back(finding);
  }
  return remaining;
}

std::string Listed(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) text += (text.empty() ? "" : ", ") + finding.kind + " " + finding.path;
  return text.size() > 600 ? text.substr(0, 600) + "…" : text;
}

std::string Afterwards(const Finding& finding) {
  switch (finding.remedy) {
    case Remedy::kRestoreFile: return "as package " + finding.package + " has it";
    case Remedy::kEditLine: return finding.with.empty() ? "without this line" : finding.with;
    case Remedy::kClearMode: return "without SUID, SGID and capabilities";
    case Remedy::kEndProcess: return "ended";
    default: return "removed";
  }
}

// A service whose script goes is stopped by its supervisor, which would start it again.
void StopService(const sdk::Context& context, const Tree& tree, const Finding& finding) {
  if (!tree.live()) return;
  const fs::path path = finding.path;
  const sdk::Services services(context);
  if (finding.kind == "runit_service" && services.supervisor() == sdk::Supervisor::kRunit && path.filename() == "run") {
    const fs::path folder = path.parent_path();
    if (sdk::Fd(open((folder / "supervise/ok").c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC))) {
      sdk::Run(context, {"sv", "force-shutdown", folder.string()});
    }
  }
  if (finding.kind == "systemd_unit" && services.supervisor() == sdk::Supervisor::kSystemd) {
    sdk::Run(context, {"systemctl", "stop", "--", path.filename().string()});
  }
}

// An empty service folder would be supervised in vain.
void SweepService(const Finding& finding) {
  if (finding.kind != "runit_service") return;
  const fs::path folder = fs::path(finding.path).parent_path();
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().filename() != "supervise") return;
  }
  const fs::path away = folder.parent_path() / ("." + folder.filename().string() + ".removed");
  fs::rename(folder, away, ignored);
  if (!ignored) fs::remove_all(away, ignored);
}

std::string NoteKey(const sdk::Context& context) { return "clean-" + context.Param("case"); }

}  // namespace

sdk::ActionInfo Clean::Describe() const {
  std::vector<sdk::Param> more = BundleParams();
  more.push_back(sdk::List("findings").Required().AtMost(256).About("Ids, as check and evidence tell them"));
  more.push_back(sdk::Text("manifest_sha256").Default("").AtMost(64).About("Of the evidence; empty: the ids alone bind the contents"));
  return {.name = "clean",
          .summary = "Take exactly the named findings away, that the evidence holds; then check the whole host again",
          .effect = sdk::Effect::kDestroy,
          .undoable = true,
          .needs = {.root = true, .network = false, .processes = true, .paths = {"/"}},
          .timeout = "1h",
          .memory_mb = 1536,
          .params = ExaminationParams(std::move(more))};
}

sdk::ProbeResult Clean::Probe(sdk::Context& context) {
  const Tree tree(context.Param("root"));
  const Bundle bundle = BundleOf(context);
  const std::vector<Finding> remaining = Remaining(tree, Named(context, bundle));
  const bool gone = remaining.empty();
  const std::string detail = gone ? "none of the named findings is there" : "still there: " + Listed(remaining);
  Json ids = Json::array();
  for (const Finding& finding : remaining) ids.push_back(finding.Id());
  return {.holds = gone,
          .summary = detail,
          .observed = {{"remaining", ids}, {"manifest_sha256", bundle.manifest_sha256()}},
          .evidence = {{"host", detail}},
          // Whether the rest of the host is clean is for a whole check to say.
          .claims = {{kCleanClaim, gone ? sdk::ClaimState::kUnknown : sdk::ClaimState::kFails, detail}}};
}

sdk::PlanResult Clean::Plan(sdk::Context& context) {
  const Tree tree(context.Param("root"));
  const Bundle bundle = BundleOf(context);
  sdk::PlanResult plan;
  for (const Finding& finding : Remaining(tree, Named(context, bundle))) {
    plan.changes.push_back({finding.kind + " " + finding.path + (finding.line.empty() ? "" : ": " + finding.line.substr(0, 200)),
                            finding.found.substr(0, 300), Afterwards(finding)});
  }
  plan.summary = plan.changes.empty() ? "nothing to do" : std::to_string(plan.changes.size()) + " findings are taken away";
  return plan;
}

sdk::ApplyResult Clean::Apply(sdk::Context& context) {
  const Tree tree(context.Param("root"));
  const Bundle bundle = BundleOf(context);
  const std::vector<Finding> remaining = Remaining(tree, Named(context, bundle));
  if (remaining.empty()) return {false, "none of the named findings is there"};
  PackageFiles packages(context);
  const std::vector<Operation> operations = WorkOut(tree, bundle, remaining, packages);
  for (const Finding& finding : remaining) {
    if (finding.remedy == Remedy::kEndProcess && !bundle.Keeps(finding.sha256)) {
      throw Error("not_in_evidence", "the program " + finding.path + " is not in the evidence", "take evidence first");
    }
  }
  // What is changed here is written down before; a former try that was killed has begun the list.
  const sdk::Notes notes("sanitize");
  Json note = notes.Get(NoteKey(context)).value_or(Json{{"root", context.Param("root")}, {"files", Json::array()}});
  for (const Operation& operation : operations) {
    if (bundle.File(operation.path) == nullptr) continue;
    Json file = {{"after", operation.after}};
    PutText(file, "path", operation.path);
    note["files"].push_back(std::move(file));
  }
  notes.Put(NoteKey(context), note);
  context.Progress(0.1, "services");
  for (const Finding& finding : remaining) StopService(context, tree, finding);
  // What starts things goes before what was started, which would else come back.
  for (const Operation& operation : operations) {
    context.ThrowIfCancelled();
    context.Progress(0.3, operation.path);
    Carry(tree, operation);
  }
  for (const Finding& finding : remaining) {
    if (finding.remedy == Remedy::kEndProcess) EndProcesses(context, finding);
    if (tree.live() && finding.remedy == Remedy::kRemoveFile) SweepService(finding);
  }
  if (tree.live() && sdk::Services(context).supervisor() == sdk::Supervisor::kSystemd) {
    sdk::Run(context, {"systemctl", "daemon-reload"});
  }
  return {true, "taken away: " + Listed(remaining)};
}

sdk::VerifyResult Clean::Verify(sdk::Context& context) {
  // Not by the remedies: by a whole examination, with its own eyes.
  const Bundle bundle = BundleOf(context);
  const std::vector<Finding> named = Named(context, bundle);
  Examination on(context);
  ExamineAll(on);
  std::vector<Finding> still;
  for (const Finding& finding : on.report.Findings()) {
    const bool wanted = std::any_of(named.begin(), named.end(), [&](const Finding& f) { return f.Id() == finding.Id(); });
    if (wanted) still.push_back(finding);
  }
  const std::string detail = still.empty() ? "the named findings are gone; checked again: " + on.report.Summary()
                                           : "found again: " + Listed(still);
  return {.holds = still.empty(),
          .summary = detail,
          .evidence = on.report.Evidence(context.Param<size_t>("shown_max")),
          .claims = {{kCleanClaim, on.report.State(), detail}}};
}

sdk::RollbackResult Clean::Rollback(sdk::Context& context) {
  const sdk::Notes notes("sanitize");
  const auto note = notes.Get(NoteKey(context));
  if (!note) return {"nothing was cleaned here under this case"};
  const Bundle bundle = BundleOf(context);
  const Tree tree(context.Param("root"));
  // First all are looked at, so that a refusal changes nothing. Of several tries each may have left its own state.
  std::map<std::string, std::set<std::string>> states;
  for (const Json& file : note->value("files", Json::array())) states[GetText(file, "path")].insert(file.at("after"));
  std::vector<const KeptFile*> back;
  for (const auto& [path, after] : states) {
    const KeptFile* kept = bundle.File(path);
    if (kept == nullptr) throw Error("not_in_evidence", path + " is not in the evidence, and cannot be put back");
    const std::string now = tree.Sha256(path);
    if (!after.contains(now) && now != kept->sha256) {
      throw Error("changed_since", path + " was changed after it was cleaned: it is left as it is",
                  "compare it with the evidence by hand");
    }
    back.push_back(kept);
  }
  for (const KeptFile* kept : back) PutBack(tree, *kept, bundle.Content(kept->sha256));
  notes.Forget(NoteKey(context));
  return {"put back from the evidence: " + std::to_string(back.size()) + " files; processes that were ended stay ended"};
}

}  // namespace reprise::sanitize
