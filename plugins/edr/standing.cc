#include "plugins/edr/standing.h"

#include <sys/stat.h>

#include <optional>
#include <set>

#include "plugins/edr/signature_base.h"
#include "plugins/sdk/sha256.h"

namespace reprise::edr {
namespace {

using sdk::Error;

std::optional<Deb> ArtifactOf(const sdk::Context& context, const PackageRule& rule) {
  std::optional<Deb> found;
  for (const auto& [name, path] : context.artifacts()) {
    if (!Matches(rule.artifact, name)) continue;
    if (found) throw Error("artifact_ambiguous", "two artifacts match " + rule.artifact + ": give one to the step");
    found = ReadDeb(context, path);
    if (found->package != rule.package) {
      throw Error("bad_artifact", "artifact " + name + " is package " + found->package + ", expected " + rule.package);
    }
  }
  return found;
}

void LookAtPackages(const sdk::Context& context, const Profile& profile, Standing& standing) {
  standing.sensor_installed = true;
  for (const PackageRule& rule : profile.packages) {
    const std::optional<Deb> deb = ArtifactOf(context, rule);
    const std::optional<std::string> installed = InstalledVersion(context, rule.package);
    if (rule.need == Need::kAlways && !installed) standing.sensor_installed = false;
    if (!deb) {
      if (rule.need == Need::kAlways && !installed) {
        throw Error("artifact_missing", "package " + rule.package + " is not installed, and the step has no artifact " +
                                            rule.artifact,
                    "name it under artifacts: in the workflow's step");
      }
      continue;
    }
    if (installed && (rule.need == Need::kDependency || IsAtLeast(context, *installed, deb->version))) continue;
    standing.debs.push_back(*deb);
    standing.changes.push_back({"package " + rule.package, installed.value_or("(not installed)"), deb->version});
  }
}

bool IsAs(const FileRule& rule) {
  struct stat found {};
  return sdk::ReadFileIfThere(rule.path) == rule.content && stat(rule.path.c_str(), &found) == 0 &&
         (found.st_mode & 07777) == rule.mode;
}

void LookAtFiles(const Profile& profile, const sdk::Services& services, Standing& standing) {
  for (const FileRule& rule : profile.files) {
    if (rule.supervisor == "runit" && services.supervisor() != sdk::Supervisor::kRunit) continue;
    if (rule.supervisor == "systemd" && services.supervisor() != sdk::Supervisor::kSystemd) continue;
    if (IsAs(rule)) continue;
    standing.files.push_back(rule);
    standing.changes.push_back({"file " + rule.path, sdk::ReadFileIfThere(rule.path) ? "(otherwise)" : "(no file)",
                                "sha256 " + sdk::Sha256OfText(rule.content).substr(0, 16)});
  }
}

void LookAtSignatures(const sdk::Context& context, const Profile& profile, Standing& standing) {
  if (profile.signatures_folder.empty()) return;
  const auto artifacts = SignatureArtifacts(context, profile);
  if (artifacts.empty() && ReadSignatureBase(profile).files.empty()) {
    throw Error("artifact_missing", "the host has no signatures, and the step no artifact with any",
                "name reprise.ndb, or a vendor's base, under artifacts: in the workflow's step");
  }
  for (const auto& [name, path] : artifacts) {
    const std::filesystem::path here = std::filesystem::path(profile.signatures_folder) / name;
    const std::string wanted = sdk::Sha256OfFile(path);
    std::error_code ignored;
    const bool there = std::filesystem::exists(here, ignored);
    const std::string found = there ? sdk::Sha256OfFile(here) : "";
    if (found == wanted) continue;
    standing.signatures[name] = path;
    standing.changes.push_back({"signatures " + here.string(), there ? "sha256 " + found.substr(0, 16) : "(no file)",
                                "sha256 " + wanted.substr(0, 16)});
  }
}

}  // namespace

std::string ServiceName(const Profile& profile, const sdk::Services& services) {
  if (services.supervisor() == sdk::Supervisor::kNone) {
    throw Error("no_supervisor", "neither systemd nor runit runs this host: the sensor cannot be kept running");
  }
  const bool runit = services.supervisor() == sdk::Supervisor::kRunit;
  const std::string& name = runit ? profile.runit_name : profile.systemd_name;
  if (name.empty()) {
    throw Error("bad_profile", "profile " + profile.name + " has no service for " + (runit ? "runit" : "systemd"));
  }
  return name;
}

Standing LookAt(const sdk::Context& context, const Profile& profile, const sdk::Services& services) {
  Standing standing;
  LookAtPackages(context, profile, standing);
  LookAtFiles(profile, services, standing);
  LookAtSignatures(context, profile, standing);
  if (services.supervisor() == sdk::Supervisor::kNone) return standing;
  const std::string name = ServiceName(profile, services);
  standing.service = services.State(name);
  if (services.supervisor() == sdk::Supervisor::kRunit) {
    const std::string run = "/etc/service/" + name + "/run";
    standing.run_script = sdk::ReadFileIfThere(run) != profile.runit_run;
    if (standing.run_script) {
      standing.changes.push_back({"service " + name, std::string(NameOf(standing.service)), "run by runit"});
    }
  }
  return standing;
}

std::vector<std::string> SensorPackagesHere(const sdk::Context& context, const Profile& profile) {
  std::vector<std::string> here;
  for (const PackageRule& rule : profile.packages) {
    if (rule.need == Need::kDependency) continue;
    const auto known = sdk::Run(context, {"dpkg-query", "--show", "--showformat=${db:Status-Abbrev}", rule.package});
    // "un" is known by name only.
    if (known.ok() && known.out.size() >= 2 && known.out[1] != 'n') here.push_back(rule.package);
  }
  return here;
}

}  // namespace reprise::edr
