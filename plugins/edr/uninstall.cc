#include "plugins/edr/uninstall.h"

#include "plugins/edr/dpkg.h"
#include "plugins/edr/install.h"
#include "plugins/edr/profile.h"
#include "plugins/edr/protection.h"
#include "plugins/edr/receipt.h"
#include "plugins/edr/sensor.h"
#include "plugins/edr/service_control.h"
#include "plugins/edr/standing.h"

namespace reprise::edr {

namespace fs = std::filesystem;
using sdk::ClaimState;
using sdk::Error;

namespace {

// Of the profile's: what is still on the host, in words.
std::vector<std::string> Remains(const sdk::Context& context, const Profile& profile) {
  std::vector<std::string> remains;
  for (const std::string& package : SensorPackagesHere(context, profile)) remains.push_back("package " + package);
  std::error_code ignored;
  for (const FileRule& rule : profile.files) {
    if (fs::exists(rule.path, ignored)) remains.push_back("file " + rule.path);
  }
  for (const std::string& folder : profile.leftovers) {
    if (fs::exists(folder, ignored)) remains.push_back("folder " + folder);
  }
  const std::string service = "/etc/service/" + profile.runit_name;
  if (!profile.runit_name.empty() && fs::exists(service, ignored)) remains.push_back("service " + service);
  return remains;
}

// Does anybody still answer as the sensor?
std::string WhoAnswers(const sdk::Context& context, const Profile& profile) {
  try {
    return MakeSensor(context, profile.sensor)->Version();
  } catch (const Error& error) {
    if (error.code() == "sensor_absent") return "";
    if (error.code() == "cancelled") throw;
    return std::string("somebody who does not answer well: ") + error.what();
  }
}

std::string Listed(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
  return text.substr(0, 400);
}

}  // namespace

sdk::ActionInfo Uninstall::Describe() const {
  return {.name = "uninstall",
          .summary = "Stop the sensor and take it away for good",
          .effect = sdk::Effect::kDestroy,
          .undoable = false,
          .needs = {.root = true, .network = false, .paths = {"/etc", "/usr", "/var", "/lib", "/bin", "/sbin", "/opt", "/run"}},
          .timeout = "10m",
          .memory_mb = 1024,
          .params = {ProfileParam()}};
}

sdk::ProbeResult Uninstall::Probe(sdk::Context& context) {
  const Profile profile = ProfileOf(context);
  const std::vector<std::string> remains = Remains(context, profile);
  const std::string answers = WhoAnswers(context, profile);
  const bool gone = remains.empty() && answers.empty();
  const std::string detail = gone ? "there is no sensor"
                                  : "still here: " + Listed(remains) + (answers.empty() ? "" : "; it answers: " + answers);
  return {.holds = gone,
          .summary = detail,
          .observed = {{"remains", remains}, {"answers", answers}},
          .evidence = {{"host", detail}},
          // What is half gone is asked, not guessed: that is the heartbeat's business.
          .claims = {{kProtectedClaim, gone ? ClaimState::kFails : ClaimState::kUnknown, detail}}};
}

sdk::PlanResult Uninstall::Plan(sdk::Context& context) {
  std::vector<sdk::Change> changes;
  for (const std::string& item : Remains(context, ProfileOf(context))) changes.push_back({item, "here", "gone"});
  const size_t count = changes.size();
  return {std::move(changes), count == 0 ? "nothing to do" : "the sensor goes for good"};
}

sdk::ApplyResult Uninstall::Apply(sdk::Context& context) {
  const Profile profile = ProfileOf(context);
  const sdk::Services services(context);
  NoDaemons::Mend();
  const std::vector<std::string> remains = Remains(context, profile);
  if (remains.empty() && WhoAnswers(context, profile).empty()) return {false, "there is no sensor"};
  context.Progress(0.1, "stopping the sensor");
  TakeDown(context, profile, services);
  context.Progress(0.3, "purging its packages");
  PurgePackages(context, SensorPackagesHere(context, profile));
  for (const FileRule& rule : profile.files) sdk::RemoveFile(rule.path);
  for (const std::string& folder : profile.leftovers) fs::remove_all(folder);
  if (services.supervisor() == sdk::Supervisor::kSystemd) sdk::Run(context, {"systemctl", "daemon-reload"});
  const fs::path receipt = fs::path("/var/lib/reprise-edr");
  fs::remove_all(receipt / profile.name);
  std::error_code ignored;
  fs::remove(receipt, ignored);
  return {true, "taken away: " + Listed(remains)};
}

sdk::VerifyResult Uninstall::Verify(sdk::Context& context) {
  const Profile profile = ProfileOf(context);
  // Not by the packages: does anybody still answer, and is a program of theirs still there to be run?
  const std::string answers = WhoAnswers(context, profile);
  const sdk::ProbeResult probe = Probe(context);
  return {.holds = answers.empty() && probe.holds,
          .summary = answers.empty() ? probe.summary : "it still answers: " + answers,
          .evidence = probe.evidence,
          .claims = probe.claims};
}

}  // namespace reprise::edr
