#include "plugins/edr/install.h"

#include <algorithm>

#include "plugins/edr/dpkg.h"
#include "plugins/edr/profile.h"
#include "plugins/edr/protection.h"
#include "plugins/edr/receipt.h"
#include "plugins/edr/service_control.h"
#include "plugins/edr/standing.h"
#include "plugins/sdk/service.h"

namespace reprise::edr {

namespace fs = std::filesystem;
using sdk::ClaimState;

namespace {

std::string Listed(const std::vector<sdk::Change>& changes) {
  std::string text;
  for (const sdk::Change& change : changes) text += (text.empty() ? "" : ", ") + change.what;
  return text.substr(0, 400);
}

void CopyDurably(const fs::path& from, const fs::path& to) {
  const fs::path beside = to.string() + ".reprise-new";
  fs::copy_file(from, beside, fs::copy_options::overwrite_existing);
  fs::permissions(beside, fs::perms(0644));
  const sdk::Fd fd(open(beside.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || fsync(fd.get()) != 0) sdk::ThrowErrno(errno, "write " + beside.string());
  fs::rename(beside, to);
  sdk::SyncFolder(to.parent_path());
}

// Before the first change: packages bring files of their own, which would be taken for the host's.
void Remember(const sdk::Context& context, const Profile& profile, const Standing& standing, Receipt& receipt) {
  for (const Deb& deb : standing.debs) receipt.BeforePackage(deb.package, InstalledVersion(context, deb.package));
  if (!standing.sensor_installed) {
    for (const std::string& folder : profile.leftovers) receipt.BeforeFile(folder);
  }
  for (const FileRule& rule : standing.files) receipt.BeforeFile(rule.path);
  for (const auto& [name, artifact] : standing.signatures) {
    receipt.BeforeFile(fs::path(profile.signatures_folder) / name);
  }
}

void InstallPackages(const sdk::Context& context, const Standing& standing) {
  if (standing.debs.empty()) return;
  context.Progress(0.2, "installing " + std::to_string(standing.debs.size()) + " packages");
  InstallDebs(context, standing.debs);
}

void WriteFiles(const sdk::Context& context, const Profile& profile, const Standing& standing, Receipt& receipt) {
  context.Progress(0.7, "writing configuration and signatures");
  for (const FileRule& rule : standing.files) {
    receipt.BeforeFile(rule.path);
    fs::create_directories(fs::path(rule.path).parent_path());
    sdk::WriteFileAtomically(rule.path, rule.content, rule.mode);
  }
  for (const auto& [name, artifact] : standing.signatures) {
    const fs::path to = fs::path(profile.signatures_folder) / name;
    receipt.BeforeFile(to);
    fs::create_directories(to.parent_path());
    CopyDurably(artifact, to);
  }
}

}  // namespace

sdk::Param ProfileParam() {
  return sdk::Name("profile").Default("clamav").About("The sensor's profile: built in, or the artifact NAME.profile.json");
}

sdk::ActionInfo Install::Describe() const {
  return {.name = "install",
          .summary = "Install a sensor and prove that it finds EICAR",
          .effect = sdk::Effect::kChange,
          .undoable = true,
          .needs = {.root = true, .network = false, .paths = {"/etc", "/usr", "/var", "/lib", "/bin", "/sbin", "/opt", "/run"}},
          .timeout = "15m",
          .memory_mb = 1024,
          .params = {ProfileParam()}};
}

sdk::ProbeResult Install::Probe(sdk::Context& context) {
  const Profile profile = ProfileOf(context);
  const sdk::Services services(context);
  const Standing standing = LookAt(context, profile, services);
  Protection proof = Prove(context, profile, Through::kBytes);
  const bool wanted = standing.IsAsWanted() && standing.IsRunning();
  const std::string otherwise =
      standing.IsAsWanted() ? "its service is " + std::string(NameOf(standing.service)) : Listed(standing.changes);
  proof.evidence.push_back({"service", std::string(NameOf(standing.service))});
  if (!standing.IsAsWanted()) proof.evidence.push_back({"host", "not as wanted: " + otherwise});
  if (proof.holds() && !wanted) {
    proof.state = ClaimState::kUnknown;
    proof.detail = "it finds EICAR, but is not as wanted: " + otherwise;
  }
  return {.holds = proof.holds() && wanted,
          .summary = proof.holds() ? "protected: " + proof.detail : proof.detail,
          .observed = {{"version", proof.version},
                       {"signatures", proof.base.signatures},
                       {"service", NameOf(standing.service)},
                       {"differences", standing.changes.size()}},
          .evidence = std::move(proof.evidence),
          .claims = {proof.AsClaim()}};
}

sdk::PlanResult Install::Plan(sdk::Context& context) {
  const Profile profile = ProfileOf(context);
  const sdk::Services services(context);
  Standing standing = LookAt(context, profile, services);
  if (standing.IsAsWanted() && !(standing.IsRunning() && Prove(context, profile, Through::kBytes).holds())) {
    standing.changes.push_back({"service of " + profile.name, std::string(NameOf(standing.service)), "started anew"});
  }
  const size_t count = standing.changes.size();
  return {std::move(standing.changes), count == 0 ? "nothing to do" : std::to_string(count) + " changes"};
}

sdk::ApplyResult Install::Apply(sdk::Context& context) {
  const Profile profile = ProfileOf(context);
  const sdk::Services services(context);
  ServiceName(profile, services);  // Nothing is begun that cannot be kept running.
  NoDaemons::Mend();
  const Standing standing = LookAt(context, profile, services);
  if (standing.IsAsWanted() && standing.IsRunning() && Prove(context, profile, Through::kBytes).holds()) {
    return {false, "already installed, running and finding EICAR"};
  }
  Receipt receipt(profile.name);
  Remember(context, profile, standing, receipt);
  InstallPackages(context, standing);
  // Packages bring files of their own: what is to be written is looked at again.
  WriteFiles(context, profile, LookAt(context, profile, services), receipt);
  if (services.supervisor() == sdk::Supervisor::kRunit) {
    receipt.BeforeFile("/etc/service/" + profile.runit_name + "/run");
  }
  BringUp(context, profile, services);
  const Protection proof = Prove(context, profile, Through::kBytes);
  context.Log(sdk::LogLevel::kInfo, proof.detail);
  return {true, std::to_string(standing.changes.size()) + " changes; " + proof.detail};
}

sdk::VerifyResult Install::Verify(sdk::Context& context) {
  const Profile profile = ProfileOf(context);
  const sdk::Services services(context);
  Protection proof = Prove(context, profile, Through::kFile);
  const sdk::ServiceState service = services.State(ServiceName(profile, services));
  proof.evidence.push_back({"service", std::string(NameOf(service))});
  const bool running = service == sdk::ServiceState::kRunning;
  if (proof.holds() && !running) {
    proof.state = ClaimState::kUnknown;
    proof.detail = "it finds EICAR, but its service is " + std::string(NameOf(service));
  }
  return {.holds = proof.holds(),
          .summary = proof.detail,
          .evidence = std::move(proof.evidence),
          .claims = {proof.AsClaim()}};
}

sdk::RollbackResult Install::Rollback(sdk::Context& context) {
  const Profile profile = ProfileOf(context);
  const sdk::Services services(context);
  NoDaemons::Mend();
  Receipt receipt(profile.name);
  if (!receipt.exists()) return {"nothing was installed here by this action"};
  TakeDown(context, profile, services);
  std::vector<std::string> packages = receipt.PackagesAdded();
  std::reverse(packages.begin(), packages.end());
  context.Progress(0.3, "purging " + std::to_string(packages.size()) + " packages");
  PurgePackages(context, packages);
  const std::vector<std::string> files = receipt.RestoreFiles();
  std::string summary = std::to_string(packages.size()) + " packages purged, " + std::to_string(files.size()) +
                        " files and folders put back or removed";
  for (const auto& [package, version] : receipt.PackagesRaised()) {
    summary += "; " + package + " was " + version + " before and stays as it is now";
  }
  if (services.supervisor() == sdk::Supervisor::kSystemd) sdk::Run(context, {"systemctl", "daemon-reload"});
  receipt.Remove();
  return {summary};
}

}  // namespace reprise::edr
