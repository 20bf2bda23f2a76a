#include "plugins/package/install_action.h"

#include <algorithm>

#include "plugins/package/deb_file.h"
#include "plugins/package/dpkg.h"
#include "plugins/package/installed_files.h"
#include "plugins/package/installed_note.h"
#include "plugins/package/take_away.h"

namespace reprise::package {
namespace {

using namespace reprise::sdk;

// What is wanted, beside what is there.
struct Pair {
  DebFile deb;
  PackageState state;
  bool met() const { return state.installed() && state.version == deb.version; }
};

std::vector<Pair> Compare(const Dpkg& dpkg, const std::vector<DebFile>& debs) {
  std::vector<Pair> pairs;
  for (const DebFile& deb : debs) pairs.push_back({deb, dpkg.State(deb.Asked())});
  return pairs;
}

bool AllMet(const std::vector<Pair>& pairs) {
  return std::all_of(pairs.begin(), pairs.end(), [](const Pair& pair) { return pair.met(); });
}

// Throws unless each may be replaced.
void CheckVersions(const Context& context, const Dpkg& dpkg, const std::vector<Pair>& pairs) {
  if (context.Param<bool>("allow_downgrade")) return;
  for (const Pair& pair : pairs) {
    if (!pair.state.installed() || !dpkg.IsEarlier(pair.deb.version, pair.state.version)) continue;
    throw Error("newer_installed",
                "package " + pair.deb.name + " is installed at " + pair.state.version + ", which is later than " +
                    pair.deb.version,
                "allow_downgrade: true goes back to the earlier version");
  }
}

std::vector<std::string> ConfigurationFiles(const Context& context) {
  if (context.Param("configuration_files") == "new") return {"--force-confnew"};
  return {"--force-confold", "--force-confdef"};
}

std::vector<Evidence> EvidenceOf(const std::vector<Pair>& pairs) {
  std::vector<Evidence> evidence;
  for (const Pair& pair : pairs) {
    evidence.push_back({"package", pair.deb.Asked() + ": " + pair.state.Shown() + ", wanted " + pair.deb.version});
  }
  return evidence;
}

Claim ClaimOf(const Context& context, bool holds, const std::string& detail) {
  return {context.Param("claim"), holds ? ClaimState::kHolds : ClaimState::kFails, detail};
}

std::string Missing(const std::vector<Pair>& pairs) {
  std::string all;
  for (const Pair& pair : pairs) {
    if (!pair.met()) all += (all.empty() ? "" : "; ") + pair.deb.Shown() + " (" + pair.state.Shown() + ")";
  }
  return all;
}

// What was replaced and is not as it was before: "edr stays at 2.0 (half-configured), it was at 1.0".
std::string NotRestored(const Dpkg& dpkg, const std::vector<Brought>& brought) {
  std::string all;
  for (const Brought& one : brought) {
    if (one.is_new()) continue;
    const PackageState state = dpkg.State(one.name);
    if (state.installed() && state.version == one.before) continue;
    all += (all.empty() ? "" : "; ") + one.name + " stays " + state.Shown() + ", it was at " + one.before;
  }
  return all;
}

// Takes back what a failed install brought, as far as time allows. Returns what a person should know about it.
std::string CleanUp(const Context& context, const Dpkg& dpkg, const InstalledNote& note) {
  if (context.TimeLeft() < std::chrono::seconds(5)) return "no time was left to take back what it began";
  try {
    const std::vector<Brought> brought = note.Read();
    TakeAway(dpkg, brought);
    const std::string left = NotRestored(dpkg, brought);
    if (!left.empty()) return "what was new was taken back; " + left;
    note.Forget();
    return "what it began was taken back";
  } catch (const Error& error) {
    if (error.code() == "cancelled") throw;
    return std::string("what it began could not be taken back: ") + error.what();
  }
}

}  // namespace

ActionInfo InstallAction::Describe() const {
  return {
      .name = "install",
      .summary = "Install Debian packages from files of the step",
      .undoable = true,
      .needs = {.paths = {"/"}},
      .timeout = "15m",
      .memory_mb = 2048,
      .params = {List("packages")
                     .AtMost(200)
                     .Default(Json::array())
                     .About("Artifacts that are packages, what others need first; none: all artifacts of the step"),
                 Text("configuration_files")
                     .OneOf({"keep", "new"})
                     .Default("keep")
                     .About("Where a file of configuration was changed on the host: keep it, or take the package's"),
                 Boolean("allow_downgrade").Default(false).About("Replace a later version by this one"),
                 Name("claim").AtMost(64).Default("package.installed").About("What the host is said to fulfil")}};
}

ProbeResult InstallAction::Probe(Context& context) {
  const Dpkg dpkg(context);
  const std::vector<Pair> pairs = Compare(dpkg, DebsOf(context, dpkg));
  const bool holds = AllMet(pairs);
  Json observed = Json::object();
  for (const Pair& pair : pairs) {
    observed[pair.deb.Asked()] = {
        {"status", pair.state.status}, {"version", pair.state.version}, {"wanted", pair.deb.version}};
  }
  const std::string missing = Missing(pairs);
  return {.holds = holds,
          .summary = holds ? std::to_string(pairs.size()) + " package(s) installed" : "not installed: " + missing,
          .observed = {{"packages", observed}},
          .evidence = EvidenceOf(pairs),
          .claims = {ClaimOf(context, holds, missing)}};
}

PlanResult InstallAction::Plan(Context& context) {
  const Dpkg dpkg(context);
  const std::vector<Pair> pairs = Compare(dpkg, DebsOf(context, dpkg));
  if (AllMet(pairs)) return {{}, "nothing to do"};
  CheckVersions(context, dpkg, pairs);
  PlanResult plan;
  int64_t kib = 0;
  for (const Pair& pair : pairs) {
    if (pair.met()) continue;
    kib += pair.deb.installed_kib;
    plan.changes.push_back(
        {"package " + pair.deb.Asked(), pair.state.Shown(),
         "installed " + pair.deb.version + (pair.state.gone() ? "" : " (rollback cannot put the earlier one back)")});
  }
  plan.summary = "install " + std::to_string(plan.changes.size()) + " package(s), about " +
                 std::to_string(kib / 1024 + 1) + " MiB";
  for (const PackageState& state : dpkg.Unfinished()) {
    const bool ours =
        std::any_of(pairs.begin(), pairs.end(), [&](const Pair& pair) { return pair.state.name == state.name; });
    if (!ours) plan.changes.push_back({"package " + state.name, state.Shown(), "configured: it was left unfinished"});
  }
  return plan;
}

ApplyResult InstallAction::Apply(Context& context) {
  const Dpkg dpkg(context);
  const std::vector<DebFile> debs = DebsOf(context, dpkg);
  std::vector<Pair> pairs = Compare(dpkg, debs);
  if (AllMet(pairs)) return {false, "already so"};
  CheckVersions(context, dpkg, pairs);
  std::vector<PackageState> before;
  for (const Pair& pair : pairs) before.push_back(pair.state);
  const InstalledNote note(debs);
  note.Write(debs, before);

  if (!dpkg.Unfinished().empty()) {
    context.Progress(0.05, "finishing what was interrupted");
    std::vector<std::string> configure = ConfigurationFiles(context);
    configure.insert(configure.end(), {"--configure", "--pending"});
    if (const RunResult done = dpkg.Change(configure); !done.ok()) {
      // What matters is what the packages of this step come to.
      context.Log(LogLevel::kWarning, "dpkg --configure --pending: " + done.Why());
    }
    pairs = Compare(dpkg, debs);
    if (AllMet(pairs)) return {true, "finished what had been interrupted"};
  }

  std::vector<std::string> install = ConfigurationFiles(context);
  install.push_back("--install");
  size_t count = 0;
  for (const Pair& pair : pairs) {
    if (pair.met()) continue;
    install.push_back(pair.deb.path.string());
    ++count;
  }
  context.Progress(0.2, "installing " + std::to_string(count) + " package(s)");
  const RunResult done = dpkg.Change(install);
  if (done.ok()) {
    pairs = Compare(dpkg, debs);
    if (AllMet(pairs)) return {true, "installed " + std::to_string(count) + " package(s)"};
    throw Error("not_installed", "dpkg ended well, but not installed: " + Missing(pairs),
                "look at /var/log/dpkg.log on this host");
  }
  const std::string taken_back = done.timed_out ? "it can be tried again" : CleanUp(context, dpkg, note);
  try {
    Dpkg::Fail("installing", done);
  } catch (const Error& error) {
    throw Error(error.code(), error.what(), error.hint() + (error.hint().empty() ? "" : "; ") + taken_back);
  }
}

VerifyResult InstallAction::Verify(Context& context) {
  const Dpkg dpkg(context);
  const std::vector<Pair> pairs = Compare(dpkg, DebsOf(context, dpkg));
  std::vector<Evidence> evidence = EvidenceOf(pairs);
  std::string wrong = AllMet(pairs) ? "" : "not installed: " + Missing(pairs);
  for (const Pair& pair : pairs) {
    if (!pair.met()) continue;
    const FilesVerdict files = CompareFiles(context, pair.deb);
    evidence.insert(evidence.end(), files.evidence.begin(), files.evidence.end());
    if (wrong.empty() && !files.why_not.empty()) wrong = pair.deb.name + ": " + files.why_not;
  }
  const bool holds = wrong.empty();
  return {
      .holds = holds,
      .summary = holds ? "the files on this host are those of " + std::to_string(pairs.size()) + " package(s)" : wrong,
      .evidence = std::move(evidence),
      .claims = {ClaimOf(context, holds, wrong)}};
}

RollbackResult InstallAction::Rollback(Context& context) {
  const Dpkg dpkg(context);
  const InstalledNote note(DebsOf(context, dpkg));
  const std::vector<Brought> brought = note.Read();
  if (brought.empty()) return {"nothing to undo: this step brought nothing to this host"};
  const std::vector<std::string> removed = TakeAway(dpkg, brought);
  if (const std::string left = NotRestored(dpkg, brought); !left.empty()) {
    throw Error("not_restored", "the earlier version is not at hand: " + left,
                "install the earlier version with a step of its own (allow_downgrade: true)");
  }
  note.Forget();
  return {"removed " + std::to_string(removed.size()) + " package(s)"};
}

}  // namespace reprise::package
