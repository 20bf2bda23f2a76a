#include "plugins/edr/profile.h"

#include <set>

#include "plugins/edr/builtin_profiles.h"
#include "plugins/sdk/fields.h"
#include "plugins/sdk/file.h"

namespace reprise::edr {
namespace {

using sdk::Error;
using sdk::Fields;
using sdk::Json;

constexpr const char* kFormat = "reprise-edr-profile/1";

PackageRule ReadPackage(const Fields& fields) {
  PackageRule rule;
  rule.package = fields.Name("package");
  rule.artifact = fields.Text("artifact");
  const std::string need = fields.Text("need", "always");
  if (need == "optional") {
    rule.need = Need::kOptional;
  } else if (need == "dependency") {
    rule.need = Need::kDependency;
  } else if (need != "always") {
    fields.Refuse("need", "always, optional or dependency");
  }
  fields.Done();
  return rule;
}

FileRule ReadFileRule(const Fields& fields) {
  FileRule rule;
  rule.path = fields.Path("path");
  rule.content = fields.Lines("lines");
  const std::string mode = fields.Text("mode", "0644");
  if (mode.size() != 4 || mode.find_first_not_of("01234567") != std::string::npos || mode[0] != '0') {
    fields.Refuse("mode", "four octal digits such as 0644");
  }
  rule.mode = static_cast<unsigned>(std::stoul(mode, nullptr, 8));
  rule.supervisor = fields.Text("supervisor", "");
  if (!rule.supervisor.empty() && rule.supervisor != "runit" && rule.supervisor != "systemd") {
    fields.Refuse("supervisor", "runit or systemd");
  }
  fields.Done();
  return rule;
}

SensorRule ReadSensor(const Fields& fields) {
  SensorRule rule;
  const std::string speaks = fields.Text("speaks");
  if (speaks == "clamd") {
    rule.socket = fields.Path("socket");
    if (rule.socket.size() > 107) fields.Refuse("socket", "at most 107 bytes, as sockets have it");
  } else if (speaks == "command") {
    rule.speaks = Speaks::kCommand;
    rule.version_command = fields.Texts("version_command");
    rule.scan_command = fields.Texts("scan_command");
    if (rule.version_command.empty()) fields.Refuse("version_command", "a program and its arguments");
    bool names_file = false;
    for (const std::string& word : rule.scan_command) names_file = names_file || word.find("{file}") != std::string::npos;
    if (!names_file) fields.Refuse("scan_command", "a program and its arguments, {file} among them");
    rule.clean_exits = fields.Integers("clean_exits", 0, 255);
    rule.infected_exits = fields.Integers("infected_exits", 0, 255);
    for (int code : rule.clean_exits) {
      for (int other : rule.infected_exits) {
        if (code == other) fields.Refuse("infected_exits", "other numbers than clean_exits");
      }
    }
    rule.found_after = fields.Text("found_after");
    rule.found_before = fields.Text("found_before");
  } else {
    fields.Refuse("speaks", "clamd or command");
  }
  if (fields.Has("scan_requires")) {
    const Fields files = fields.Object("scan_requires");
    for (const std::string& path : files.Keys()) {
      if (!sdk::IsPlainPath(path)) files.Refuse(path, "an absolute path without .. as its name");
      rule.scan_requires[path] = files.Texts(path);
    }
  }
  if (fields.Has("not_scanned_names")) rule.not_scanned_names = fields.Texts("not_scanned_names");
  rule.file_mb_max = fields.Integer("file_mb_max", 1, 2000);
  fields.Done();
  return rule;
}

void ReadService(const Fields& fields, Profile& profile) {
  if (fields.Has("runit")) {
    const Fields runit = fields.Object("runit");
    profile.runit_name = runit.Name("name");
    profile.runit_run = runit.Lines("run");
    if (profile.runit_run.rfind("#!", 0) != 0) runit.Refuse("run", "a script that begins with #!");
    runit.Done();
  }
  if (fields.Has("systemd")) {
    const Fields systemd = fields.Object("systemd");
    profile.systemd_name = systemd.Name("name");
    systemd.Done();
  }
  if (fields.Has("log")) profile.log = fields.Path("log");
  fields.Done();
}

// Folders whose removal would take more than a sensor.
bool IsOfTheSensorAlone(const std::string& path) {
  static const std::set<std::string> kParents = {"/etc", "/var/lib", "/var/log", "/var/cache", "/opt", "/run", "/srv"};
  const size_t slash = path.find_last_of('/');
  return slash != std::string::npos && slash + 1 < path.size() && kParents.contains(path.substr(0, slash)) &&
         path.substr(slash + 1).find_first_not_of('.') != std::string::npos;
}

Profile Read(const Fields& fields) {
  if (fields.Text("format") != kFormat) fields.Refuse("format", kFormat);
  Profile profile;
  profile.name = fields.Name("name");
  profile.vendor = fields.Text("vendor");
  std::set<std::string> seen;
  for (const Fields& item : fields.Objects("packages")) {
    profile.packages.push_back(ReadPackage(item));
    if (!seen.insert(profile.packages.back().package).second) item.Refuse("package", "each package once");
  }
  for (const Fields& item : fields.Objects("files")) profile.files.push_back(ReadFileRule(item));
  if (fields.Has("signatures")) {
    const Fields signatures = fields.Object("signatures");
    profile.signatures_folder = signatures.Path("folder");
    profile.signatures_artifacts = signatures.Texts("artifacts");
    signatures.Done();
  }
  ReadService(fields.Object("service"), profile);
  if (profile.runit_name.empty() && profile.systemd_name.empty()) fields.Refuse("service", "runit, systemd or both");
  profile.sensor = ReadSensor(fields.Object("sensor"));
  if (fields.Has("leftovers")) profile.leftovers = fields.Texts("leftovers");
  for (const std::string& folder : profile.leftovers) {
    if (!sdk::IsPlainPath(folder) || !IsOfTheSensorAlone(folder)) {
      fields.Refuse("leftovers", "folders such as /var/lib/<name>, not " + folder.substr(0, 80));
    }
  }
  fields.Done();
  return profile;
}

}  // namespace

Profile ParseProfile(const std::string& text, const std::string& where) {
  const Json value = Json::parse(text, nullptr, false);
  if (!value.is_object()) throw Error("bad_profile", where + " is no JSON object", "see profiles/README.md");
  return Read(Fields(value, where, "the format is described in plugins/edr/profiles/README.md"));
}

Profile ProfileOf(const sdk::Context& context) {
  const std::string name = context.Param("profile");
  const std::string artifact = name + ".profile.json";
  if (context.artifacts().contains(artifact)) {
    Profile profile = ParseProfile(sdk::ReadFile(context.Artifact(artifact), 1 << 20), artifact);
    if (profile.name != name) {
      throw Error("bad_profile", artifact + ": name is " + profile.name + ", expected " + name);
    }
    return profile;
  }
  const auto found = BuiltinProfiles().find(name);
  if (found != BuiltinProfiles().end()) return ParseProfile(found->second, "profile " + name);
  std::string known;
  for (const auto& [builtin, ignored] : BuiltinProfiles()) known += (known.empty() ? "" : ", ") + builtin;
  throw Error("bad_params", "parameter profile is " + name + ", expected one of " + known,
              "or give the step the artifact " + artifact);
}

}  // namespace reprise::edr
