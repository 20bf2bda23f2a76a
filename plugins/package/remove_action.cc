#include "plugins/package/remove_action.h"

#include <algorithm>
#include <filesystem>

#include "plugins/package/dpkg.h"
#include "plugins/package/take_away.h"

namespace reprise::package {
namespace {

using namespace reprise::sdk;

constexpr int kRoundsMax = 64;  // As deep as packages may stand on one another.

bool IsGone(const Context& context, const PackageState& state) {
  return context.Param<bool>("purge") ? state.status == "not-installed" : state.gone();
}

std::string Joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

void RefuseEssential(const PackageState& state) {
  if (!state.essential) return;
  throw Error("essential_package",
              "package " + state.name + " is essential or protected: this host does not work without it",
              "such a package can be replaced by package.install, not removed");
}

// The package, then what would go with it, as dpkg itself says. Throws where that is not allowed.
std::vector<PackageState> WhatGoes(const Context& context, const Dpkg& dpkg, const PackageState& wanted) {
  std::vector<PackageState> going = {wanted};
  RefuseEssential(wanted);
  std::vector<std::string> names = {wanted.name};
  for (int round = 0; round < kRoundsMax; ++round) {
    std::vector<std::string> arguments = {"--force-remove-reinstreq", "--remove"};
    for (const PackageState& state : going) {
      if (!state.gone()) arguments.push_back(state.name);
    }
    if (arguments.size() == 2) return going;  // Only its configuration is left.
    const RunResult said = dpkg.Pretend(arguments);
    if (said.ok()) return going;
    const std::vector<std::string> dependents = DependentsIn(said);
    if (dependents.empty()) Dpkg::Fail("removing " + wanted.name, said);
    bool more = false;
    for (const std::string& name : dependents) {
      const PackageState state = dpkg.State(name);
      if (std::find(names.begin(), names.end(), state.name) != names.end()) continue;
      RefuseEssential(state);
      names.push_back(state.name);
      going.push_back(state);
      more = true;
    }
    if (!context.Param<bool>("with_dependents")) {
      names.erase(names.begin());
      throw Error("needed_by_others",
                  "these depend on " + wanted.name + " and would have to go as well: " + Joined(names),
                  "with_dependents: true removes them, and what depends on them in turn");
    }
    if (!more) Dpkg::Fail("removing " + wanted.name, said);
  }
  throw Error("needed_by_others", "too much depends on " + wanted.name + ": " + Joined(names).substr(0, 400));
}

}  // namespace

ActionInfo RemoveAction::Describe() const {
  return {.name = "remove",
          .summary = "Remove a Debian package and its configuration",
          .effect = Effect::kDestroy,
          .needs = {.paths = {"/"}},
          .timeout = "10m",
          .memory_mb = 2048,
          .params = {Name("name").Required().About("The package"),
                     Boolean("purge").Default(true).About("Its configuration and data go too"),
                     Boolean("with_dependents").Default(false).About("What depends on it goes too")}};
}

ProbeResult RemoveAction::Probe(Context& context) {
  const PackageState state = Dpkg(context).State(context.Param("name"));
  const bool holds = IsGone(context, state);
  return {.holds = holds,
          .summary = "package " + context.Param("name") + ": " + state.Shown(),
          .observed = {{"status", state.status}, {"version", state.version}, {"essential", state.essential}},
          .evidence = {{"package", context.Param("name") + ": " + state.Shown()}}};
}

PlanResult RemoveAction::Plan(Context& context) {
  const Dpkg dpkg(context);
  const PackageState wanted = dpkg.State(context.Param("name"));
  if (IsGone(context, wanted)) return {{}, "nothing to do"};
  PlanResult plan;
  for (const PackageState& state : WhatGoes(context, dpkg, wanted)) {
    plan.changes.push_back(
        {"package " + state.name, state.Shown(), context.Param<bool>("purge") ? "not-installed" : "config-files"});
  }
  plan.summary = "remove " + std::to_string(plan.changes.size()) + " package(s) for good";
  return plan;
}

ApplyResult RemoveAction::Apply(Context& context) {
  const Dpkg dpkg(context);
  const PackageState wanted = dpkg.State(context.Param("name"));
  if (IsGone(context, wanted)) return {false, "already so"};
  std::vector<std::string> arguments, names;
  for (const PackageState& state : WhatGoes(context, dpkg, wanted)) {
    if (state.reinstall_required) arguments = {"--force-remove-reinstreq"};
    names.push_back(state.name);
  }
  arguments.push_back(context.Param<bool>("purge") ? "--purge" : "--remove");
  arguments.insert(arguments.end(), names.begin(), names.end());
  context.Progress(0.2, "removing " + Joined(names));
  const RunResult done = dpkg.Change(arguments);
  if (!done.ok()) Dpkg::Fail("removing " + Joined(names), done);
  const PackageState after = dpkg.State(context.Param("name"));
  if (!IsGone(context, after))
    throw Error("not_removed", "dpkg ended well, but " + after.name + " is " + after.Shown());
  return {true, "removed " + Joined(names)};
}

VerifyResult RemoveAction::Verify(Context& context) {
  const std::string name = context.Param("name");
  const std::string bare = name.substr(0, name.find(':'));
  const std::string status = ReadFile("/var/lib/dpkg/status", 256 << 20);
  std::string stated = "not in /var/lib/dpkg/status";
  for (size_t at = status.rfind("Package: " + bare + "\n", 0) == 0 ? 0 : status.find("\nPackage: " + bare + "\n");
       at != std::string::npos; at = status.find("\nPackage: " + bare + "\n", at + 1)) {
    const size_t line = status.find("\nStatus: ", at);
    if (line != std::string::npos) stated = status.substr(line + 1, status.find('\n', line + 1) - line - 1);
  }
  const bool listed = std::filesystem::exists("/var/lib/dpkg/info/" + bare + ".list");
  const bool configuration = stated.ends_with(" config-files");
  const bool absent = stated.rfind("not in", 0) == 0 || stated.ends_with(" not-installed");
  const bool holds = context.Param<bool>("purge") ? absent && !listed : absent || configuration;
  return {.holds = holds,
          .summary = name + (holds ? " is gone" : " is still there"),
          .evidence = {{"file", "/var/lib/dpkg/status: " + stated},
                       {"file", "/var/lib/dpkg/info/" + bare + ".list: " + (listed ? "there" : "not there")}}};
}

}  // namespace reprise::package
