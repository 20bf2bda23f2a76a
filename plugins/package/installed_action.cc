#include "plugins/package/installed_action.h"

#include "plugins/package/dpkg.h"

namespace reprise::package {
namespace {

using namespace reprise::sdk;

std::string Version(const Context& context, const char* parameter) {
  const std::string version = context.Param(parameter, std::string());
  if (context.Has(parameter) && !IsPlainWord(version)) {
    throw Error("bad_params",
                std::string("parameter ") + parameter + " is not a version, expected one such as 1:2.4-3");
  }
  return version;
}

}  // namespace

ActionInfo InstalledAction::Describe() const {
  return {.name = "installed",
          .summary = "Is a Debian package installed?",
          .effect = Effect::kRead,
          .needs = {.root = false},
          .timeout = "1m",
          .memory_mb = 512,
          .params = {Name("name").Required().About("The package"),
                     Text("version").AtMost(128).About("Exactly this version"),
                     Text("min_version").AtMost(128).About("This version or a later one"),
                     Name("claim").AtMost(64).Default("package.installed").About("What the host is said to fulfil")}};
}

ProbeResult InstalledAction::Probe(Context& context) {
  const Dpkg dpkg(context);
  const std::string exactly = Version(context, "version"), least = Version(context, "min_version");
  const PackageState state = dpkg.State(context.Param("name"));
  std::string why_not;
  if (!state.installed()) {
    why_not = state.Shown();
  } else if (!exactly.empty() && state.version != exactly) {
    why_not = "version " + state.version + ", expected " + exactly;
  } else if (!least.empty() && dpkg.IsEarlier(state.version, least)) {
    why_not = "version " + state.version + ", expected " + least + " or later";
  }
  const bool holds = why_not.empty();
  return {.holds = holds,
          .summary = "package " + context.Param("name") + ": " + (holds ? "installed " + state.version : why_not),
          .observed = {{"status", state.status}, {"version", state.version}},
          .evidence = {{"package", context.Param("name") + ": " + state.Shown()}},
          .claims = {{context.Param("claim"), holds ? ClaimState::kHolds : ClaimState::kFails,
                      holds ? state.version : why_not}}};
}

}  // namespace reprise::package
